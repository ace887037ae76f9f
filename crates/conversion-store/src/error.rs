//! Why the store could not do as asked.

/// A failure of the store itself.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's address cannot be used.
    #[error("store url: {0}")]
    Address(String),
    /// The store was written by a newer version of this program.
    #[error("the store has schema {found}, this program knows up to {known}: run the newer program")]
    Newer {
        /// Schema of the store.
        found: u32,
        /// Latest schema known.
        known: u32,
    },
    /// Another process writes to the store.
    #[error("the store {0} is in use by another running service; stop that one first")]
    InUse(String),
    /// The database refused: disk full, I/O error, damage.
    #[error("the store cannot {action}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}
