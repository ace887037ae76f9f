//! Where the file is, and one service at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The file at `path`, absolute and without links, so that every name of it leads to the same lock. It need not exist;
/// its folder must.
pub(super) fn locate(path: &str) -> Result<PathBuf, StoreError> {
    let given = Path::new(path);
    if let Ok(database) = given.canonicalize() {
        return Ok(database);
    }
    let folder = match given.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = given.file_name().ok_or_else(|| StoreError::Address(format!("{path} names no file")))?;
    let folder = folder.canonicalize().map_err(|error| {
        StoreError::Address(format!("the folder {} cannot be used: {error}", folder.display()))
    })?;
    Ok(folder.join(name))
}

/// Makes the database's file, for its owner alone: it holds personal data. SQLite gives its log files the same mode.
pub(super) fn create(database: &Path) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::Database { action: "be created", source: source.into() };
    private(database).map(drop).map_err(failed)
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Locks the database against other services, for as long as the returned file lives. The lock is a file of its own:
/// closing any handle of the database would end the locks that SQLite holds on it.
pub(super) fn lock(database: &Path) -> Result<File, StoreError> {
    let mut name = database.to_owned().into_os_string();
    name.push(".lock");
    let failed = |source: io::Error| StoreError::Database { action: "be locked", source: source.into() };
    let file = private(Path::new(&name)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
