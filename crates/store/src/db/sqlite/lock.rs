//! Who writes to the store's file: one program at a time, from before its transaction begins until the file has all of what it
//! acknowledged. SQLite's own lock does not reach over two transactions, between which a redo log still holds something for the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::db::DbError;

/// How often a program that waits looks again, and how long the one that it asked leaves it the lock.
const POLL: Duration = Duration::from_millis(1);
const LEAVE: Duration = Duration::from_millis(5);
/// How often it looks before it gives up.
const POLLS_MAX: u32 = 5_000;

/// The lock on the file beside the store's that ends in `-lock`. The file is empty, or has one byte while somebody asks for the lock.
pub(super) struct WriteLock {
    path: PathBuf,
    file: Option<File>,
    is_held: bool,
}

impl WriteLock {
    /// Of the store in the file `database`; its own file is made when it is first taken.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-lock");
        Self { path: path.into(), file: None, is_held: false }
    }

    /// Waits for it, and asks whoever has it for it.
    pub(super) fn take(&mut self) -> Result<(), DbError> {
        if self.is_held {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => open(&self.path).map_err(DbError::Lock)?,
        };
        self.is_held = wait_for(&file).map_err(DbError::Lock)?;
        self.file = Some(file);
        if self.is_held { Ok(()) } else { Err(DbError::Busy) }
    }

    /// Whether another program waits for it.
    pub(super) fn is_asked_for(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 0))
    }

    /// Gives it back, and leaves it to whoever asks for it.
    pub(super) fn release(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.is_held) else { return };
        let is_asked_for = self.is_asked_for();
        // Unlocking fails on no system that could lock.
        drop(file.unlock());
        self.is_held = false;
        if is_asked_for {
            std::thread::sleep(LEAVE);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn wait_for(file: &File) -> io::Result<bool> {
    for _ in 0..POLLS_MAX {
        match file.try_lock() {
            Ok(()) => {
                // Whoever else waits asks again.
                file.set_len(0)?;
                return Ok(true);
            }
            Err(TryLockError::WouldBlock) => file.set_len(1)?,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::sleep(POLL);
    }
    Ok(false)
}
