//! From a store's address to the store.

use std::sync::Arc;

use crate::Store;
use crate::error::StoreError;
use crate::sqlite::SqliteStore;

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By the one service that works on it.
    ReadWrite,
    /// By a command that looks at it, also beside a running service. Every method that writes answers an error.
    ReadOnly,
}

/// Opens the store at `url`: `sqlite://signalbox.db` (relative to the working folder) or `sqlite:///abs/path.db`.
pub fn open(url: &str, access: Access) -> Result<Arc<dyn Store>, StoreError> {
    let path = sqlite_path(url)?;
    Ok(match access {
        Access::ReadWrite => Arc::new(SqliteStore::open(path)?),
        Access::ReadOnly => Arc::new(SqliteStore::open_read_only(path)?),
    })
}

/// Whether a store could be at `url`: the address is one, and its folder is there.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    SqliteStore::check_path(sqlite_path(url)?)
}

// Only the scheme is repeated in an error: what follows it may hold a password.
fn sqlite_path(url: &str) -> Result<&str, StoreError> {
    let refuse = |why: String| Err(StoreError::Address(why));
    match url.split_once("://") {
        Some(("sqlite", "" | ":memory:")) => {
            refuse("sqlite:// must be followed by the path of a file".to_owned())
        }
        Some(("sqlite", path)) if path.contains('?') => {
            refuse("sqlite:// takes a path alone, without settings after a question mark".to_owned())
        }
        Some(("sqlite", path)) => Ok(path),
        Some((scheme, _)) => {
            refuse(format!("{scheme}:// is not supported; use sqlite:// and the path of a file"))
        }
        None => refuse("it must begin with sqlite://, such as sqlite://signalbox.db".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_an_error_that_says_what_to_write() {
        assert_eq!(sqlite_path("sqlite://signalbox.db").unwrap(), "signalbox.db");
        assert_eq!(sqlite_path("sqlite:///var/lib/signalbox.db").unwrap(), "/var/lib/signalbox.db");
        for (url, said) in [
            ("sqlite://", "followed by the path"),
            ("sqlite://:memory:", "followed by the path"),
            ("sqlite::memory:", "must begin with sqlite://"),
            ("sqlite://a.db?mode=ro", "question mark"),
            ("signalbox.db", "must begin with sqlite://"),
            ("postgres://user:hunter2@host/db", "postgres:// is not supported"),
        ] {
            let error = sqlite_path(url).unwrap_err().to_string();
            assert!(error.contains(said), "{url}: {error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
