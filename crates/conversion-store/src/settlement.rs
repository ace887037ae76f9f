//! What was sent, what came of it, and the next state of each delivery.

use std::str::FromStr;

use conversion_core::Timestamp;
use conversion_core::consent::ConsentVerdict;
use conversion_core::exchange::Exchange;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::confirmation::Receipt;
use crate::lease::{DeliveryId, Uncertainty};

/// State of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = DeliveryStatus)]
pub enum Status {
    /// To be sent, or under way.
    Pending,
    /// The platform has it.
    Delivered,
    /// Nothing was sent, for a reason that is no error.
    Skipped,
    /// Given up.
    Failed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Skipped, Self::Failed];

    /// As it is written everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Skipped => "SKIPPED",
            Self::Failed => "FAILED",
        }
    }
}

impl FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text));
        known.ok_or("must be PENDING, DELIVERED, SKIPPED or FAILED")
    }
}

/// The results of one request, or of the decision not to make one.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Exchanges to record, each once, however many deliveries were in it.
    pub exchanges: Vec<Exchange>,
    /// When the first exchange began.
    pub sent_at: Timestamp,
    /// The deliveries.
    pub items: Vec<ItemSettlement>,
    /// Set where the platform gives its verdict later: what is delivered here awaits it from now on.
    pub receipt: Option<Receipt>,
}

impl Settlement {
    /// Results without an exchange.
    pub fn unsent(items: Vec<ItemSettlement>, at: Timestamp) -> Self {
        Self { exchanges: Vec::new(), sent_at: at, items, receipt: None }
    }
}

/// The result of one delivery.
#[derive(Clone, Debug)]
pub struct ItemSettlement {
    /// Which.
    pub id: DeliveryId,
    /// The lease under which it was worked on.
    pub fence: u32,
    /// Where it stood in each exchange that it was part of.
    pub attempts: Vec<Attempt>,
    /// Its next state; nothing while its batch is still being taken apart: the lease goes on.
    pub change: Option<Change>,
}

/// One delivery's part in one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Index into [`Settlement::exchanges`].
    pub exchange: usize,
    /// Index into the request's items.
    pub position: usize,
    /// What came of it: `delivered`, or the failure's class.
    pub result: &'static str,
    /// The platform's code or message, or what was left out of the item.
    pub note: Option<String>,
}

/// The next state of a delivery. Writing it ends the lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The state.
    pub status: Status,
    /// Stable name of the reason, where there is one to tell.
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// When it is due again, if it stays pending.
    pub due_at: Option<Timestamp>,
    /// Since when it waits, where patience with it begins anew; without one, what was known before stays.
    pub waiting_since: Option<Timestamp>,
    /// Tries that failed in a way that counts.
    pub tries: u32,
    /// Set where the platform may have it.
    pub uncertain: Option<Uncertainty>,
    /// HTTP status of the last answer; without one, what was known before stays.
    pub response_code: Option<u16>,
    /// What consent allowed; without a word, what was known before stays.
    pub consent: Option<ConsentVerdict>,
}

/// Whether a result was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// Written.
    Applied,
    /// Refused: the lease was lost, or the delivery settled otherwise. Its exchange is recorded.
    Stale,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_is_written_in_any_case() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
            for text in [status.name().to_owned(), status.name().to_lowercase()] {
                assert_eq!(text.parse(), Ok(status));
            }
        }
        for text in ["", "0", "ALL", "DELIVERED "] {
            assert!(text.parse::<Status>().is_err_and(|error| error.contains("DELIVERED")), "{text}");
        }
    }
}
