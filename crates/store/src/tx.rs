//! Transactions: one writer, and readers beside it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Store;
use crate::db::{Connection, Location, Role, Tx};
use crate::error::StoreError;

/// Connections for reading that are not in use.
pub(crate) struct Readers {
    location: Location,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(location: Location) -> Self {
        Self { location, idle: Mutex::new(Vec::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Undoes the transaction that is open unless it was committed, also when its work panics.
struct Open<'c> {
    connection: &'c Connection,
    committed: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = self.connection.rollback()
        {
            tracing::warn!(%error, "a transaction was not undone in order");
        }
    }
}

impl Store {
    /// Runs `work` in one write transaction: all of it is durable when this returns `Ok`, nothing of it happened when it
    /// returns `Err`. One write runs at a time.
    pub(crate) fn run_tx<T>(&self, name: &'static str, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A panic inside a transaction rolls it back, so the connection behind a poisoned lock is sound.
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.begin(Role::Writer)?;
        let mut open = Open { connection: &connection, committed: false };
        let value = work(&Tx(&connection)).inspect_err(|error| note_failure(name, error))?;
        connection.commit()?;
        open.committed = true;
        Ok(value)
    }

    /// Writes the write-ahead log into the file and empties it, as far as readers allow; the next time does the rest.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        match &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            Connection::Sqlite(sqlite) => Ok(sqlite.empty_log()?),
            Connection::Postgres(_) => Ok(()),
        }
    }

    /// Lets the file grow by at most `pages` pages from now on: to everything above SQLite, a disk with that much room. For
    /// tests of a full disk.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> Result<(), StoreError> {
        match &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            Connection::Sqlite(sqlite) => Ok(sqlite.limit_growth(pages)?),
            Connection::Postgres(_) => Ok(()),
        }
    }

    /// Runs `work` on one consistent view of the database, beside the writer.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.readers.location, Role::Reader)?,
        };
        connection.begin(Role::Reader)?;
        let value = {
            // Nothing was written, so there is nothing to commit.
            let _open = Open { connection: &connection, committed: false };
            work(&Tx(&connection))
        };
        self.readers.lock().push(connection);
        value
    }
}

/// One line in the log for what is nobody's input; refusals are expected and go to whoever asked.
fn note_failure(transaction: &'static str, error: &StoreError) {
    if !matches!(error, StoreError::Refused(_)) {
        tracing::error!(transaction, %error, "transaction rolled back");
    }
}
