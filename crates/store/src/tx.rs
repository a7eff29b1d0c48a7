//! Connections and transactions.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::Store;
use crate::error::StoreError;

/// How long a statement waits for another process that holds the file, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 128;

/// Opens the file for this process with the settings that durability needs.
pub(crate) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};"
    ))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Connections for reading that are not in use.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Store {
    /// Runs `work` in one write transaction: all of it is durable when this returns `Ok`, nothing of it happened when it
    /// returns `Err`. One write runs at a time.
    pub(crate) fn run_tx<T>(&self, name: &'static str, work: impl FnOnce(&Transaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A panic inside a transaction rolls it back when it is dropped, so the connection behind a poisoned lock is sound.
        let mut writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx).inspect_err(|error| note_failure(name, error))?;
        tx.commit()?;
        Ok(value)
    }

    /// Writes the write-ahead log into the file and empties it, as far as readers allow; the next time does the rest.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Lets the file grow by at most `pages` pages from now on: to everything above SQLite, a disk with that much room. For
    /// tests of a full disk.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now: u32 = writer.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        Ok(writer.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))?)
    }

    /// Runs `work` on one consistent view of the database, beside the writer.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.readers.path)?,
        };
        let value = {
            let tx = connection.transaction()?;
            work(&tx)?
        };
        self.readers.lock().push(connection);
        Ok(value)
    }
}

/// One line in the log for what is nobody's input; refusals are expected and go to whoever asked.
fn note_failure(transaction: &'static str, error: &StoreError) {
    if !matches!(error, StoreError::Refused(_)) {
        tracing::error!(transaction, %error, "transaction rolled back");
    }
}
