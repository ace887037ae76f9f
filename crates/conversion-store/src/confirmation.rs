//! Verdicts that platforms give later than their answers: what is awaited, and what came of it.

use async_trait::async_trait;
use conversion_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admission::Origin;
use crate::error::StoreError;
use crate::lease::{DeliveryId, SinkId, Uncertainty};
use crate::settlement::Change;

/// Verdict that a platform gives later than its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Confirmation {
    /// The platform gives none. Shown by absence, never by name.
    #[serde(skip)]
    None,
    /// Not yet given.
    Awaited,
    /// Counted.
    Confirmed,
    /// Refused.
    Refused,
    /// Asked for in vain.
    Unconfirmed,
}

impl Confirmation {
    /// All that a platform with later verdicts gives.
    pub const ALL: [Self; 4] = [Self::Awaited, Self::Confirmed, Self::Refused, Self::Unconfirmed];

    /// As it is written everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Awaited => "AWAITED",
            Self::Confirmed => "CONFIRMED",
            Self::Refused => "REFUSED",
            Self::Unconfirmed => "UNCONFIRMED",
        }
    }
}

impl std::str::FromStr for Confirmation {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|confirmation| confirmation.name().eq_ignore_ascii_case(text));
        known.ok_or("must be AWAITED, CONFIRMED, REFUSED or UNCONFIRMED")
    }
}

/// What the later verdict on a request is asked by, and when first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The platform's name for the request.
    pub token: String,
    /// When to ask.
    pub ask_at: Timestamp,
}

/// A receipt, as the store numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId(pub i64);

/// A receipt whose time has come.
#[derive(Clone, Debug)]
pub struct DueReceipt {
    /// Which.
    pub id: ReceiptId,
    /// The platform's name for the request.
    pub token: String,
    /// Items that the request held.
    pub items: usize,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// What of it still awaits its verdict.
    pub awaited: Vec<Awaited>,
}

/// A delivery that awaits its verdict.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// Which.
    pub id: DeliveryId,
    /// Index into the request's items.
    pub position: usize,
    /// Where its event came from: a test is not sent again.
    pub origin: Origin,
    /// Tries that failed in a way that counts.
    pub tries: u32,
    /// Since when it waits; see [`crate::Lease::waiting_since`].
    pub waiting_since: Timestamp,
    /// When it was sent, and the key that it bore.
    pub uncertain: Option<Uncertainty>,
}

/// What became of a delivery that awaited its verdict.
#[derive(Clone, Debug)]
pub struct VerdictWrite {
    /// Which.
    pub id: DeliveryId,
    /// Its verdict; [`Confirmation::None`] where it is sent again.
    pub confirmation: Confirmation,
    /// Its state.
    pub change: Change,
}

/// What a store does for verdicts that come later.
///
/// A delivery awaits its verdict once a [`Settlement`](crate::Settlement) with a receipt has made it delivered. What is
/// known of its sending stays as long: the platform may yet refuse it, and it is sent again then under the same guard.
#[async_trait]
pub trait ConfirmationStore {
    /// Receipts of a sink that are due, the longest due first. They are due again at `until`: whoever took them has
    /// written what came of them by then, or is gone.
    async fn take_receipts(
        &self,
        sink: SinkId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueReceipt>, StoreError>;

    /// When the sink's next receipt is due, if it has one.
    async fn next_receipt(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError>;

    /// Has a receipt asked for again at `due_at`.
    async fn postpone_receipt(&self, receipt: ReceiptId, due_at: Timestamp) -> Result<(), StoreError>;

    /// Writes the verdicts on a request and ends its receipt, in one transaction. A verdict on a delivery that does not
    /// await one changes nothing.
    async fn confirm(
        &self,
        receipt: ReceiptId,
        verdicts: &[VerdictWrite],
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_is_read_as_it_is_written_in_any_case() {
        for confirmation in Confirmation::ALL {
            assert_eq!(serde_json::to_value(confirmation).unwrap(), confirmation.name());
            assert_eq!(confirmation.name().to_lowercase().parse(), Ok(confirmation));
        }
        for text in ["", "NONE", "CONFIRM"] {
            assert!(text.parse::<Confirmation>().is_err_and(|error| error.contains("AWAITED")), "{text}");
        }
    }
}
