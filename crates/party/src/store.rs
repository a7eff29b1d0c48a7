//! The journal: what a party keeps on disk for good. Here which probes were used; [`crate::journal`] has the gallery's part.

use std::path::Path;

use base::hash::hash_parts;
use base::id::{SessionId, TerminalId};
use base::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use wire::probe::ProbeContext;

use crate::budget::{Past, Pasts};
use crate::error::Error;
use crate::journal::numbering::Numbering;
use crate::sqlite;

/// The store's file in the party's directory.
pub const FILE_NAME: &str = "party.sqlite";
/// How long a payment's probe is remembered after it was used and expired.
const PROBE_KEPT_MS: u64 = 2 * 24 * 60 * 60 * 1000;
/// Of the schema. 1 kept rows in the clear; 2 counted looks by terminal alone; 3 kept one row of a record; 4 knew no
/// relabelling.
const VERSION: u32 = 5;
/// The oldest that is read; it is brought up to date when a party opens it.
const OLDEST: u32 = 4;
/// What makes version 5 of version 4, but for the schema: the table of changes names the kinds that there are.
const KEEP_CHANGES: &str = "DROP VIEW live; ALTER TABLE change RENAME TO change_before; DROP INDEX change_of_all;";
const BRING_CHANGES: &str = "INSERT INTO change SELECT * FROM change_before; DROP TABLE change_before;";
/// Milliseconds in a minute.
const MINUTE_MS: u64 = 60_000;
/// Minutes in a day.
const DAY_MINUTES: u64 = 24 * 60;

/// The open store; this process is its only user.
pub struct Store {
    pub(crate) connection: Connection,
    /// How slots are numbered now.
    pub(crate) numbering: Numbering,
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
        let mut store = Self::of(connection)?;
        store.bring_up_to_date()?;
        store.renumber()?;
        Ok(store)
    }

    /// Makes what is missing of the schema, in one transaction.
    fn bring_up_to_date(&mut self) -> rusqlite::Result<()> {
        let found = version_of(&self.connection)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if found < VERSION {
            transaction.execute_batch(KEEP_CHANGES)?;
        }
        transaction.execute_batch(include_str!("schema.sql"))?;
        if found < VERSION {
            transaction.execute_batch(BRING_CHANGES)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()
    }

    /// The store in an open file that has one, for looking at its log.
    ///
    /// # Errors
    /// [`Error::StoreVersion`], [`Error::StoreUnusable`].
    pub(crate) fn of(connection: Connection) -> Result<Self, Error> {
        let found = version_of(&connection)?;
        if !(OLDEST..=VERSION).contains(&found) {
            return Err(Error::StoreVersion { found, known: VERSION });
        }
        Ok(Self { connection, numbering: Numbering::default() })
    }

    /// The store in `directory` as it is now, for reading it beside whoever changes it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn view(directory: &Path) -> rusqlite::Result<Self> {
        let mut store = Self { connection: sqlite::view(&directory.join(FILE_NAME))?, numbering: Numbering::default() };
        store.renumber()?;
        Ok(store)
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

    /// The highest counter of `terminal` seen.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn highest_counter(&self, terminal: TerminalId) -> rusqlite::Result<Option<u64>> {
        let sql = "SELECT counter FROM terminal_counter WHERE terminal = ?1";
        self.connection.prepare_cached(sql)?.query_row([terminal.bits().to_le_bytes()], |row| row.get(0)).optional()
    }

    /// What was asked for until `now` by the terminal of `context`, for its payee, and by all.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pasts(&self, context: &ProbeContext, now: Timestamp) -> rusqlite::Result<Pasts> {
        let since = |millis: u64| now.millis().saturating_sub(millis);
        let sum = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<u32> {
            self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))
        };
        let (minute, day) = (since(MINUTE_MS), since(DAY_MINUTES * MINUTE_MS));
        let of_terminal = "SELECT coalesce(sum(weight), 0) FROM probe_use WHERE terminal = ?1 AND used_at > ?2 AND session IS NOT NULL";
        let of_payee = "SELECT coalesce(sum(weight), 0) FROM probe_use WHERE payee = ?1 AND used_at > ?2";
        let (terminal, payee) = (context.terminal.bits().to_le_bytes(), payee_name(context));
        let all_day = "SELECT coalesce(sum(looks), 0) FROM minute_looks WHERE minute > ?1";
        Ok(Pasts {
            terminal: Past { last_minute: sum(of_terminal, &[&terminal, &minute])?, last_day: sum(of_terminal, &[&terminal, &day])? },
            payee: Past { last_minute: sum(of_payee, &[&payee, &minute])?, last_day: sum(of_payee, &[&payee, &day])? },
            all: Past {
                last_minute: sum("SELECT coalesce(sum(weight), 0) FROM probe_use WHERE used_at > ?1 AND session IS NOT NULL", &[&minute])?,
                last_day: sum(all_day, &[&(day / MINUTE_MS)])?,
            },
        })
    }

    /// Everything that `work` records is on the disk when this returns: one wait for it, however much that is.
    ///
    /// # Errors
    /// What SQLite says; then nothing that was recorded is to be relied on.
    pub fn together<T>(&self, work: impl FnOnce(&Transaction<'_>) -> T) -> rusqlite::Result<T> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let result = work(&transaction);
        transaction.commit()?;
        Ok(result)
    }

    /// Records within `transaction` that this payment's probe is used up, before anything is done with it.
    ///
    /// # Errors
    /// What SQLite says; then it may count as used.
    pub fn use_probe(transaction: &Transaction<'_>, context: &ProbeContext, session: SessionId, now: Timestamp) -> rusqlite::Result<()> {
        insert_use(transaction, context, Some(session), now)?;
        transaction.execute(
            "INSERT INTO terminal_counter (terminal, counter) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET counter = max(counter, excluded.counter)",
            params![context.terminal.bits().to_le_bytes(), context.counter],
        )?;
        count_look(transaction, now, 1)?;
        let forgotten = now.millis().saturating_sub(PROBE_KEPT_MS);
        transaction.execute("DELETE FROM probe_use WHERE session IS NOT NULL AND used_at < ?1 AND expires_at < ?1", [forgotten]).map(|_| ())
    }

    /// Counts the look of the run `session` as `weight` looks.
    ///
    /// # Errors
    /// What SQLite says; then nothing was recorded.
    pub fn penalise(&mut self, session: SessionId, weight: u32, now: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let session = session.bits().to_le_bytes();
        transaction.execute("UPDATE probe_use SET weight = ?2 WHERE session = ?1", params![session, weight])?;
        count_look(&transaction, now, weight - 1)?;
        transaction.commit()
    }

    /// What came of checking the enrolment whose probe has this digest, if it was checked.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn enrolment_check(&self, probe_digest: &[u8; 32]) -> rusqlite::Result<Option<bool>> {
        let sql = "SELECT is_valid FROM checked_enrolment WHERE digest = ?1";
        self.connection.query_row(sql, [probe_digest], |row| row.get(0)).optional()
    }

    /// Records for good what came of checking an enrolment.
    ///
    /// # Errors
    /// What SQLite says; then nothing was recorded.
    pub fn record_enrolment_check(&self, probe_digest: &[u8; 32], is_valid: bool, now: Timestamp) -> rusqlite::Result<()> {
        let sql = "INSERT INTO checked_enrolment (digest, is_valid, checked_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.connection.execute(sql, params![probe_digest, is_valid, now.millis()]).map(|_| ())
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

fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

pub(crate) fn insert_use(
    transaction: &Transaction<'_>,
    context: &ProbeContext,
    session: Option<SessionId>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO probe_use (nonce, session, terminal, payee, used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            context.nonce.0,
            session.map(|session| session.bits().to_le_bytes()),
            context.terminal.bits().to_le_bytes(),
            session.map(|_| payee_name(context)),
            now.millis(),
            context.expires_at.millis()
        ],
    )?;
    Ok(())
}

/// Adds `looks` to those of this minute, and forgets what is older than a day.
fn count_look(transaction: &Transaction<'_>, now: Timestamp, looks: u32) -> rusqlite::Result<()> {
    let minute = now.millis() / MINUTE_MS;
    let sql = "INSERT INTO minute_looks (minute, looks) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET looks = looks + excluded.looks";
    transaction.execute(sql, params![minute, looks])?;
    transaction.execute("DELETE FROM minute_looks WHERE minute < ?1", [minute.saturating_sub(DAY_MINUTES)]).map(|_| ())
}

/// What payees are told apart by here: no party needs their names.
fn payee_name(context: &ProbeContext) -> [u8; 16] {
    let hash = hash_parts("handsel/payee/v1", &[context.payee.as_bytes()]);
    *hash.first_chunk().expect("a hash has 32 bytes")
}
