//! What would become of skipped and failed deliveries if they were sent now. Asks as a worker asks, and changes
//! nothing.

use std::collections::HashMap;

use conversion_core::Timestamp;
use conversion_core::failure::FailureClass::Interrupted;
use conversion_core::sink::{NotSent, Payload, Related, RelatedState};
use conversion_core::skip::Skip;
use conversion_store::{Candidate, DeliveryId, Lease, StoreError};

use super::Station;
use super::prepare::Surroundings;
use crate::clock::after;
use crate::intake::Work;
use crate::reason::{EVENT_TOO_OLD, INTERNAL_ERROR};

/// What would become of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It would be sent, and be new to the platform as far as is known.
    Sent,
    /// It would be sent, and the platform would recognise it as a repetition.
    Recognised,
    /// It would wait first: for its time, or for another delivery of its conversion.
    Waits,
    /// It would not be sent.
    Left(LeftFor),
}

/// Why a delivery would not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftFor {
    /// Its event is older than the sink takes.
    Age,
    /// It would be skipped, for this reason.
    Skip(String),
    /// It would fail unsent, for this reason.
    Failure(String),
    /// The platform has its conversion, or perhaps has it, and would not recognise the repetition.
    CountedTwice,
    /// Retention has removed its event.
    Purged,
}

impl Station {
    /// What would become of each of these deliveries of the sink at `now`, in order.
    pub async fn foresee(
        &self,
        candidates: &[Candidate],
        now: Timestamp,
    ) -> Result<Vec<Outlook>, StoreError> {
        let read: Vec<_> = candidates.iter().map(|candidate| self.work(candidate, now)).collect();
        let lot: Vec<Work> = read.iter().filter_map(|work| work.as_ref().ok().cloned()).collect();
        let surroundings = self.look_up(&lot).await?;
        let asked: Vec<_> =
            lot.iter().map(|work| (work.lease.id, work.event.conversion_id().to_owned())).collect();
        let related = self.store.related(&asked).await?;
        let related: HashMap<DeliveryId, Vec<Related>> =
            asked.into_iter().map(|(id, _)| id).zip(related).collect();
        let outlook = |work: Result<Work, LeftFor>| match work {
            Ok(work) => {
                let related = related.get(&work.lease.id).map(Vec::as_slice).unwrap_or_default();
                self.outlook(&work, &surroundings, related, now)
            }
            Err(left_for) => Outlook::Left(left_for),
        };
        Ok(read.into_iter().map(outlook).collect())
    }

    /// The delivery as a worker would have it.
    fn work(&self, candidate: &Candidate, now: Timestamp) -> Result<Work, LeftFor> {
        let event = candidate.event.clone().ok_or(LeftFor::Purged)?;
        let Candidate { id, fence, ref uncertain, .. } = *candidate;
        let lease = Lease { id, fence, tries: 0, waiting_since: now, uncertain: uncertain.clone(), event };
        self.read(lease).map_err(|unreadable| {
            LeftFor::Failure(unreadable.change.and_then(|change| change.reason).unwrap_or_default())
        })
    }

    fn outlook(
        &self,
        work: &Work,
        surroundings: &Surroundings,
        related: &[Related],
        now: Timestamp,
    ) -> Outlook {
        let standing = self.standing(&work.lease, work.event.event_time);
        let is_uncertain = standing.uncertain.is_some();
        let (_, prepared) = self.ask(work, surroundings, now);
        let left_for = match prepared {
            None => LeftFor::Failure(INTERNAL_ERROR.name.to_owned()),
            Some(_) if self.is_mock() => {
                LeftFor::Skip(Skip::mock_mode(self.descriptor.platform).reason.name.to_owned())
            }
            Some(Err(NotSent::WaitForRelated | NotSent::WaitUntil { .. })) => return Outlook::Waits,
            Some(Err(NotSent::Skip(skip))) if skip.reason.name == EVENT_TOO_OLD.name => LeftFor::Age,
            Some(Err(NotSent::Skip(_))) if is_uncertain => {
                LeftFor::Failure(Interrupted.failed().name.to_owned())
            }
            Some(Err(NotSent::Skip(skip))) => LeftFor::Skip(skip.reason.name.to_owned()),
            Some(Ok(payload)) => match self.too_late(&payload, &standing, now) {
                None if is_uncertain => return Outlook::Recognised,
                None => return self.beside(&work.event.event_name, &payload, related, now),
                Some(change) => match change.reason {
                    Some(reason) if reason == EVENT_TOO_OLD.name => LeftFor::Age,
                    _ if is_uncertain => LeftFor::CountedTwice,
                    reason => LeftFor::Failure(reason.unwrap_or_default()),
                },
            },
        };
        Outlook::Left(left_for)
    }

    /// What is sent beside other deliveries of its conversion: the platform may have that under another event that is
    /// the same to it.
    fn beside(&self, event_name: &str, payload: &Payload, related: &[Related], now: Timestamp) -> Outlook {
        if payload.takes_back {
            return Outlook::Sent;
        }
        let mapping = self.sink.mapping();
        let same = related.iter().filter(|other| mapping.get(&other.event_name) == mapping.get(event_name));
        let recognised = same.filter_map(|other| match (other.state, self.patience.dedup_window) {
            _ if payload.dedup_key.is_none() => has_it(other.state).then_some(false),
            (RelatedState::Delivered { at }, Some(window)) => Some(now < after(at, window)),
            // It was sent some time before it was given up.
            (RelatedState::PerhapsDelivered { .. }, Some(_)) => Some(false),
            (state, None) => has_it(state).then_some(true),
            _ => None,
        });
        match recognised.reduce(|all, one| all && one) {
            None => Outlook::Sent,
            Some(true) => Outlook::Recognised,
            Some(false) => Outlook::Left(LeftFor::CountedTwice),
        }
    }
}

fn has_it(state: RelatedState) -> bool {
    matches!(state, RelatedState::Delivered { .. } | RelatedState::PerhapsDelivered { .. })
}
