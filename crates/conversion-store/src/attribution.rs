//! Attributions.

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::attribution::Attribution;

use crate::error::StoreError;

/// What a store does for attributions.
#[async_trait]
pub trait AttributionStore {
    /// Keeps visits, in one transaction: each joined to what is kept under its id
    /// ([`Attribution::joined_by`]), or new.
    async fn keep_attributions(&self, visits: &[Attribution]) -> Result<(), StoreError>;

    /// Those of `ids` that are kept, in any order.
    async fn attributions(&self, ids: &[String]) -> Result<Vec<Attribution>, StoreError>;

    /// Forgets those that were last seen before this time, at most `limit` of them. Returns how many there were.
    async fn forget_attributions(&self, last_seen_before: Timestamp, limit: usize)
    -> Result<u64, StoreError>;
}
