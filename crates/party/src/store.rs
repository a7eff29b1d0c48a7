//! The journal: what a party keeps on disk for good. Here which probes were used; [`crate::journal`] has the gallery's part.

use std::path::Path;

use base::id::{SessionId, TerminalId};
use base::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use wire::probe::ProbeContext;

use crate::error::Error;
use crate::sqlite;

/// The store's file in the party's directory.
pub const FILE_NAME: &str = "party.sqlite";
/// How long a payment's probe is remembered after it was used and expired.
const PROBE_KEPT_MS: u64 = 2 * 24 * 60 * 60 * 1000;
/// Of the schema. 1 kept rows in the clear.
const VERSION: u32 = 2;

/// The open store; this process is its only user.
pub struct Store {
    pub(crate) connection: Connection,
}

/// A terminal's past, as far as it decides about its next probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalPast {
    /// The highest counter seen.
    pub counter: Option<u64>,
    /// Identifications in the last 60 seconds.
    pub last_minute: u32,
    /// Identifications in the last 24 hours.
    pub last_day: u32,
}

impl Store {
    /// Opens the store in `directory`, making it if it is missing.
    ///
    /// # Errors
    /// [`Error::StoreVersion`], [`Error::StoreUnusable`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let connection = sqlite::open(&directory.join(FILE_NAME))?;
        let is_empty: bool = connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
        if is_empty {
            connection.pragma_update(None, "user_version", VERSION)?;
        }
        let store = Self::of(connection)?;
        store.connection.execute_batch(include_str!("schema.sql"))?;
        Ok(store)
    }

    /// The store in an open file that has one.
    ///
    /// # Errors
    /// [`Error::StoreVersion`], [`Error::StoreUnusable`].
    pub(crate) fn of(connection: Connection) -> Result<Self, Error> {
        let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found != VERSION {
            return Err(Error::StoreVersion { found, known: VERSION });
        }
        Ok(Self { connection })
    }

    /// The store in `directory` as it is now, for reading it beside whoever changes it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn view(directory: &Path) -> rusqlite::Result<Self> {
        Ok(Self { connection: sqlite::view(&directory.join(FILE_NAME))? })
    }

    /// Whether a probe with this nonce was used.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_nonce_used(&self, nonce: &[u8; 32]) -> rusqlite::Result<bool> {
        self.connection.query_row("SELECT EXISTS (SELECT 1 FROM probe_use WHERE nonce = ?1)", [nonce], |row| row.get(0))
    }

    /// Whether a run of this name was begun, as far back as payments are remembered.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_session_used(&self, session: SessionId) -> rusqlite::Result<bool> {
        let session = session.bits().to_le_bytes();
        self.connection.query_row("SELECT EXISTS (SELECT 1 FROM probe_use WHERE session = ?1)", [session], |row| row.get(0))
    }

    /// What `terminal` did until `now`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn terminal_past(&self, terminal: TerminalId, now: Timestamp) -> rusqlite::Result<TerminalPast> {
        let terminal = terminal.bits().to_le_bytes();
        let counter = self
            .connection
            .query_row("SELECT counter FROM terminal_counter WHERE terminal = ?1", [terminal], |row| row.get(0))
            .optional()?;
        let since = |millis: u64| -> rusqlite::Result<u32> {
            let sql = "SELECT count(*) FROM probe_use WHERE terminal = ?1 AND used_at > ?2 AND session IS NOT NULL";
            self.connection.query_row(sql, params![terminal, now.millis().saturating_sub(millis)], |row| row.get(0))
        };
        Ok(TerminalPast { counter, last_minute: since(60_000)?, last_day: since(86_400_000)? })
    }

    /// Records for good that this payment's probe is used up, before anything is done with it.
    ///
    /// # Errors
    /// What SQLite says; then nothing was recorded.
    pub fn use_probe(&mut self, context: &ProbeContext, session: SessionId, now: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_use(&transaction, context, Some(session), now)?;
        transaction.execute(
            "INSERT INTO terminal_counter (terminal, counter) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET counter = max(counter, excluded.counter)",
            params![context.terminal.bits().to_le_bytes(), context.counter],
        )?;
        let forgotten = now.millis().saturating_sub(PROBE_KEPT_MS);
        transaction.execute("DELETE FROM probe_use WHERE session IS NOT NULL AND used_at < ?1 AND expires_at < ?1", [forgotten])?;
        transaction.commit()
    }

    /// Moves the overwritten pages into the database file and empties the write-ahead log, which still holds the shares
    /// as they were.
    ///
    /// # Errors
    /// What SQLite says; then shares may remain in the log.
    pub fn erase_leftovers(&self) -> rusqlite::Result<()> {
        sqlite::empty_log(&self.connection)
    }

    /// Lets the file grow by at most `pages` pages from now on: to everything above SQLite, a disk with that much room. For
    /// tests of a full disk.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> rusqlite::Result<()> {
        let now: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        self.connection.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))
    }
}

pub(crate) fn insert_use(
    transaction: &Transaction<'_>,
    context: &ProbeContext,
    session: Option<SessionId>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO probe_use (nonce, session, terminal, used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            context.nonce.0,
            session.map(|session| session.bits().to_le_bytes()),
            context.terminal.bits().to_le_bytes(),
            now.millis(),
            context.expires_at.millis()
        ],
    )?;
    Ok(())
}
