//! Replays: which skipped and failed deliveries are sent after all, how fast, and what is to be expected of it.
//!
//! Nothing is remembered of a replay but what it does to deliveries: each that goes is pending and has its time. So a
//! replay that was cut off is asked for again, and goes on where it stopped.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_store::{
    Candidate, DeliveryId, ReplayItem, ReplaySelection, SinkId, SinkState, Status, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::Service;
use crate::worker::{LeftFor, Outlook, Station};

/// Replayed deliveries that are due in each second at each sink, where nothing else is asked for.
pub const DEFAULT_RATE: u32 = 50;
/// More are not taken.
pub const MAX_RATE: u32 = 10_000;
/// One call ends when it has judged so many deliveries.
const MOST_JUDGED: u64 = 5_000;
/// Or looked through so many parts of the account.
const MOST_PARTS: usize = 200;

/// What is to be replayed, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which deliveries.
    pub selection: ReplaySelection,
    /// So many are due in each second at each sink.
    pub rate: NonZeroU32,
    /// Says what would follow, and changes nothing.
    pub is_dry_run: bool,
    /// Goes on behind this one.
    pub after: Option<DeliveryId>,
}

/// What a replay found and did; a dry run, what it would do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
#[schema(as = ReplaySummary)]
pub struct Summary {
    pub dry_run: bool,
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    pub rate: u32,
    #[serde(flatten)]
    pub counts: Counts,
    pub reasons_today: BTreeMap<String, u64>,
    pub groups: Vec<Group>,
    pub removed: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub busy_until: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_due_at: Option<Timestamp>,
    pub next_cursor: Option<String>,
}

/// Deliveries that stood alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
#[schema(as = ReplayGroup)]
pub struct Group {
    pub sink: String,
    pub status: Status,
    pub reason: Option<String>,
    #[serde(flatten)]
    pub counts: Counts,
}

/// How many deliveries matched, and what became of them: matched = replayed + all from `too_old` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
#[schema(as = ReplayCounts)]
pub struct Counts {
    pub matched: u64,
    pub replayed: u64,
    pub deduplicated: u64,
    pub waiting: u64,
    pub too_old: u64,
    pub skipped_again: u64,
    pub failed_again: u64,
    pub could_count_twice: u64,
    pub purged: u64,
    pub not_configured: u64,
    pub changed: u64,
}

/// What became of one delivery.
enum Fate {
    Foreseen(Outlook),
    NotConfigured,
    Changed,
}

impl Counts {
    fn count(&mut self, fate: &Fate) {
        self.matched += 1;
        let count = match fate {
            Fate::NotConfigured => &mut self.not_configured,
            Fate::Changed => &mut self.changed,
            Fate::Foreseen(Outlook::Left(left_for)) => match left_for {
                LeftFor::Age => &mut self.too_old,
                LeftFor::Skip(_) => &mut self.skipped_again,
                LeftFor::Failure(_) => &mut self.failed_again,
                LeftFor::CountedTwice => &mut self.could_count_twice,
                LeftFor::Purged => &mut self.purged,
            },
            Fate::Foreseen(Outlook::Sent | Outlook::Recognised | Outlook::Waits) => &mut self.replayed,
        };
        *count += 1;
        match fate {
            Fate::Foreseen(Outlook::Recognised) => self.deduplicated += 1,
            Fate::Foreseen(Outlook::Waits) => self.waiting += 1,
            _ => {}
        }
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.matched, other.matched),
            (&mut self.replayed, other.replayed),
            (&mut self.deduplicated, other.deduplicated),
            (&mut self.waiting, other.waiting),
            (&mut self.too_old, other.too_old),
            (&mut self.skipped_again, other.skipped_again),
            (&mut self.failed_again, other.failed_again),
            (&mut self.could_count_twice, other.could_count_twice),
            (&mut self.purged, other.purged),
            (&mut self.not_configured, other.not_configured),
            (&mut self.changed, other.changed),
        ] {
            *count += more;
        }
    }
}

impl Summary {
    fn new(order: &Order, now: Timestamp, sinks: &[SinkState]) -> Self {
        let selected = || sinks.iter().filter(|sink| order.selection.sink.is_none_or(|id| id == sink.id));
        Self {
            dry_run: order.is_dry_run,
            as_of: now,
            rate: order.rate.get(),
            counts: Counts::default(),
            reasons_today: BTreeMap::new(),
            groups: Vec::new(),
            removed: selected().map(|sink| sink.account.purged).sum(),
            busy_until: selected().filter_map(|sink| sink.replayed_until).max().filter(|until| *until > now),
            last_due_at: None,
            next_cursor: None,
        }
    }

    /// Adds what the next call found, which went on where the one before stopped.
    pub fn go_on(&mut self, next: Self) {
        self.counts.add(&next.counts);
        for (reason, count) in next.reasons_today {
            *self.reasons_today.entry(reason).or_default() += count;
        }
        for group in next.groups {
            self.group(&group.sink, group.status, group.reason.as_deref()).add(&group.counts);
        }
        self.last_due_at = self.last_due_at.max(next.last_due_at);
        self.next_cursor = next.next_cursor;
    }

    fn group(&mut self, sink: &str, status: Status, reason: Option<&str>) -> &mut Counts {
        let is_it =
            |group: &Group| group.sink == sink && group.status == status && group.reason.as_deref() == reason;
        let index = self.groups.iter().position(is_it).unwrap_or_else(|| {
            let (sink, reason) = (sink.to_owned(), reason.map(str::to_owned));
            self.groups.push(Group { sink, status, reason, counts: Counts::default() });
            self.groups.len() - 1
        });
        &mut self.groups[index].counts
    }

    fn count(&mut self, candidate: &Candidate, fate: &Fate) {
        self.counts.count(fate);
        self.group(&candidate.sink, candidate.status, candidate.reason.as_deref()).count(fate);
        if let Fate::Foreseen(Outlook::Left(LeftFor::Skip(reason) | LeftFor::Failure(reason))) = fate {
            *self.reasons_today.entry(reason.clone()).or_default() += 1;
        }
    }
}

/// Replays what the order selects, or says what would follow; a bounded part of it: the summary's `next_cursor` says
/// where to go on.
pub async fn replay(
    service: Arc<Service>,
    order: Order,
    sinks: Vec<SinkState>,
) -> Result<Summary, StoreError> {
    let mut summary = Summary::new(&order, service.clock.now(), &sinks);
    let mut after = order.after;
    for part in 1.. {
        let candidates = service.store.replayable(&order.selection, after).await?;
        let mut by_sink: BTreeMap<SinkId, Vec<Candidate>> = BTreeMap::new();
        for candidate in candidates.items {
            by_sink.entry(candidate.id.sink).or_default().push(candidate);
        }
        for (sink, candidates) in by_sink {
            match service.stations.iter().find(|station| station.id == sink) {
                Some(station) => take(&service, station, &order, &candidates, &mut summary).await?,
                None => {
                    candidates.iter().for_each(|candidate| summary.count(candidate, &Fate::NotConfigured))
                }
            }
        }
        after = candidates.next;
        let is_enough = summary.counts.matched >= MOST_JUDGED || part >= MOST_PARTS || service.is_stopping();
        if after.is_none() || is_enough {
            break;
        }
    }
    summary.next_cursor = after.map(|next| next.to_string());
    if !order.is_dry_run && summary.counts.replayed > 0 {
        tracing::info!(replayed = summary.counts.replayed, rate = summary.rate, "deliveries are replayed");
    }
    Ok(summary)
}

/// Judges deliveries of one sink, and puts those back that would be sent.
async fn take(
    service: &Service,
    station: &Station,
    order: &Order,
    candidates: &[Candidate],
    summary: &mut Summary,
) -> Result<(), StoreError> {
    let now = service.clock.now();
    let outlooks = station.foresee(candidates, now).await?;
    let goes = |outlook: &Outlook| !matches!(outlook, Outlook::Left(_));
    let going: Vec<ReplayItem> = candidates
        .iter()
        .zip(&outlooks)
        .filter(|(_, outlook)| goes(outlook))
        .map(|(candidate, _)| candidate.item())
        .collect();
    let mut answers = Vec::new();
    if !order.is_dry_run && !going.is_empty() {
        let driver = service.config.delivery.queue.into();
        answers = service.store.replay(&going, driver, order.rate, now).await?;
        if let Some(first) = answers.iter().flatten().min() {
            station.alarm.set(*first);
        }
        summary.last_due_at = summary.last_due_at.max(answers.iter().flatten().max().copied());
    }
    let mut answers = answers.into_iter();
    for (candidate, outlook) in candidates.iter().zip(outlooks) {
        let has_changed = goes(&outlook) && answers.next().is_some_and(|due_at| due_at.is_none());
        let fate = if has_changed { Fate::Changed } else { Fate::Foreseen(outlook) };
        summary.count(candidate, &fate);
    }
    Ok(())
}
