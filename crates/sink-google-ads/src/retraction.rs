//! Cancellations (section 4): the row that takes a booking's conversion back, or why there is none.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::sink::{NotSent, Order, Payload, Related, RelatedState, Subject};
use conversion_core::skip::Skip;
use serde_json::value::{RawValue, to_raw_value};

use crate::prepare::key;
use crate::wire::{DateTime, RETRACTION, Retraction, Service};
use crate::{Action, GoogleAds};

conversion_core::reasons! {
    const CANCELED_BEFORE_SENT: "canceled_before_sent" of [Skipped] = "Canceled before the conversion was sent";
    Nobody: "nothing: there is no conversion to take back";

    const ORIGINAL_NOT_DELIVERED: "original_not_delivered" of [Skipped] =
        "The conversion that was canceled was not delivered";
    Operator: "nothing, if it was skipped; if it failed, retry that delivery once it is mended, then this one";
}

/// For so long after Google took a conversion, it may not find it yet.
const PROCESSING: Duration = Duration::from_secs(24 * 3600);
/// An adjustment must lie after its conversion; times are sent in whole seconds.
const AFTER_CONVERSION: Duration = Duration::from_secs(1);

/// The conversion that a cancellation takes back.
struct Original<'a> {
    action: &'a Action,
    /// When it was delivered; where that is not known, when it was given up.
    settled_at: Timestamp,
}

impl GoogleAds {
    /// Whether events of this name are cancellations.
    pub(crate) fn retracts(&self, event_name: &str) -> bool {
        self.config.retract_on.contains(event_name)
    }

    /// The cancellation as one row.
    ///
    /// Consent and age do not matter: it says nothing of the person, and without it the conversion stays counted.
    pub(crate) fn retraction(&self, subject: &Subject<'_>) -> Result<Payload, NotSent> {
        let Original { action, settled_at } = self.original(subject.related)?;
        let order_id = subject.event.conversion_id();
        // When the conversion happened is not known here, but that it was settled no earlier.
        let earliest = settled_at.checked_add(AFTER_CONVERSION).unwrap_or(settled_at);
        let row = Retraction {
            adjustment_type: RETRACTION,
            conversion_action: &action.resource_name,
            adjustment_date_time: DateTime(subject.event.event_time.max(earliest)),
            order_id,
        };
        Ok(Payload {
            // Texts cannot fail to serialise.
            item: to_raw_value(&row).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            group: Service::Adjustments.group().into(),
            exclusive: vec![key(("retraction", &action.id, order_id))],
            dedup_key: Some([&action.dedup.key(order_id), "|retraction"].concat()),
            notes: Vec::new(),
            not_yet_until: settled_at.checked_add(PROCESSING).ok(),
            takes_back: true,
        })
    }

    /// The conversion that was reported under the same id: that of the first event that Google has, else perhaps has.
    ///
    /// What was accepted after the cancellation is a new booking, which the cancellation is not about, unless there was
    /// none before: then the two came in the wrong order, and the conversion is taken back once it is there.
    fn original(&self, related: &[Related]) -> Result<Original<'_>, NotSent> {
        let mapped = |order| {
            let of_order = related.iter().filter(move |other| other.order == order);
            of_order.filter_map(|other| Some((self.actions.get(&other.event_name)?, other.state)))
        };
        let has_earlier = mapped(Order::Earlier).next().is_some();
        let order = if has_earlier { Order::Earlier } else { Order::Later };
        let delivered = |(action, state)| match state {
            RelatedState::Delivered { at } => Some(Original { action, settled_at: at }),
            _ => None,
        };
        let perhaps = |(action, state)| match state {
            RelatedState::PerhapsDelivered { at } => Some(Original { action, settled_at: at }),
            _ => None,
        };
        // A later one does not know that it is cancelled, and will be sent.
        let comes = |(_, state)| match state {
            RelatedState::Unsettled => true,
            RelatedState::Unsent => order == Order::Later,
            _ => false,
        };
        if let Some(original) = mapped(order).find_map(delivered) {
            return Ok(original);
        }
        if mapped(order).any(comes) {
            return Err(NotSent::WaitForRelated);
        }
        if let Some(original) = mapped(order).find_map(perhaps) {
            return Ok(original);
        }
        if mapped(order).any(|(_, state)| state == RelatedState::Unsent) {
            return Err(Skip::of(CANCELED_BEFORE_SENT, &[]).into());
        }
        Err(Skip::of(ORIGINAL_NOT_DELIVERED, &[]).into())
    }

    /// Skips a conversion that was cancelled after it, however the cancellation itself stands: it may have been skipped
    /// because this one was not sent.
    ///
    /// One that Google refused for a while is skipped, too: it was not counted. One that Google perhaps has is sent
    /// again, which Google recognises: then it is known to be there, and can be taken back.
    pub(crate) fn unless_canceled(&self, subject: &Subject<'_>) -> Result<(), Skip> {
        let cancels = |other: &Related| other.order == Order::Later && self.retracts(&other.event_name);
        let is_canceled = !subject.is_perhaps_received && subject.related.iter().any(cancels);
        if is_canceled { Err(Skip::of(CANCELED_BEFORE_SENT, &[])) } else { Ok(()) }
    }
}
