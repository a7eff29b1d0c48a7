//! The party's directory: for its own user alone, and for one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

/// A process that has just been told to end may hold the directory for a moment.
const PATIENCE: Duration = Duration::from_secs(5);
const TRY_EVERY: Duration = Duration::from_millis(20);

/// The right to use a party's directory, until it is dropped.
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is missing and locks it.
    ///
    /// # Errors
    /// [`Error::DirectoryUnusable`], [`Error::DirectoryInUse`].
    pub fn lock(path: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::DirectoryUnusable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path.join("lock")).map_err(unusable)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: file }),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) if waited >= PATIENCE => return Err(Error::DirectoryInUse { path: path.to_owned() }),
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(TRY_EVERY);
                    waited += TRY_EVERY;
                }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
