//! What a party keeps on disk: its shares, the gallery's log, and which probes were used. SQLite in WAL mode with
//! `synchronous = FULL`, so that what was acknowledged survives a loss of power, and `secure_delete`, so that deleted
//! shares are overwritten.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use base::id::{RecordId, SessionId, TerminalId};
use base::party::PartyId;
use base::time::Timestamp;
use mpc::share::{ROW_BYTES, Row as ShareRow};
use mpc::token::TokenShare;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use wire::bytes::HexArray;
use wire::party::DeletionConfirmation;
use wire::probe::{PartitionLabel, ProbeContext};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::gallery::{Gallery, Record};

/// The store's file in the party's directory.
pub const FILE_NAME: &str = "party.sqlite";
/// How long a payment's probe is remembered after it was used and expired.
const PROBE_KEPT_MS: u64 = 2 * 24 * 60 * 60 * 1000;

/// The open store; this process is its only user.
pub struct Store {
    connection: Connection,
}

/// A change of the log as it was applied.
pub struct AppliedChange {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 over the change without its shares.
    pub digest: [u8; 32],
    /// The chain up to and with it.
    pub root: [u8; 32],
    /// It enrolled a sealed share that did not open, or whose origin was refused.
    pub is_void: bool,
    /// When it was applied.
    pub applied_at: Timestamp,
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
    /// Opens the store in `directory`, making both if they are missing.
    ///
    /// # Errors
    /// [`Error::DirectoryUnusable`], [`Error::StoreUnusable`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        // For the party's own user alone.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| Error::DirectoryUnusable { path: directory.to_owned(), source })?;
        let connection = Connection::open(directory.join(FILE_NAME))?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
        )?;
        connection.execute_batch(include_str!("schema.sql"))?;
        Ok(Self { connection })
    }

    /// The gallery as of the last applied change.
    ///
    /// # Errors
    /// [`Error::DimensionsDiffer`], [`Error::StoreDamaged`], [`Error::StoreUnusable`].
    pub fn load_gallery(&self, dimensions: usize) -> Result<Gallery, Error> {
        let mut gallery = Gallery::empty(dimensions);
        if let Some(last) = self.last_change()? {
            (gallery.sequence, gallery.root) = (last.sequence, last.root);
        }
        let mut statement =
            self.connection.prepare("SELECT record, share, token_own, token_next FROM record ORDER BY sequence, position")?;
        let mut partitions = self.connection.prepare("SELECT label FROM record_partition WHERE record = ?1 ORDER BY label")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: [u8; 16] = row.get(0)?;
            let bytes = row.get::<_, Option<Vec<u8>>>(1)?.map(Zeroizing::new);
            let share = match bytes {
                Some(bytes) if bytes.len() != ROW_BYTES * dimensions => {
                    return Err(Error::DimensionsDiffer { stored: bytes.len() / ROW_BYTES, configured: dimensions });
                }
                Some(bytes) => Some(
                    ShareRow::from_bytes(&bytes, dimensions).map_err(|_| Error::StoreDamaged { what: "a share has no valid length" })?,
                ),
                None => None,
            };
            let labels = partitions.query_map([name], |row| row.get(0).map(HexArray))?;
            gallery.push(&Record {
                record: RecordId::from_bits(u128::from_le_bytes(name)),
                partitions: labels.collect::<Result<Vec<PartitionLabel>, _>>()?,
                share,
                token: TokenShare::from_parts([row.get(2)?, row.get(3)?]),
            });
        }
        Ok(gallery)
    }

    /// The change `sequence`, if it was applied.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn change(&self, sequence: u64) -> rusqlite::Result<Option<AppliedChange>> {
        let sql = "SELECT sequence, digest, root, is_void, applied_at FROM change WHERE sequence = ?1";
        self.connection.query_row(sql, [sequence], applied_change).optional()
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

    /// Applies an enrolment: the records, the log entry and the probe's use, all or nothing.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn enrol(&mut self, change: &AppliedChange, context: &ProbeContext, records: &[Record]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        insert_use(&transaction, context, None, change.applied_at)?;
        {
            let mut insert = transaction
                .prepare("INSERT INTO record (record, sequence, position, share, token_own, token_next) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            let mut label = transaction.prepare("INSERT OR IGNORE INTO record_partition (record, label) VALUES (?1, ?2)")?;
            for (position, record) in records.iter().enumerate() {
                let name = record.record.bits().to_le_bytes();
                let share = record.share.as_ref().map(ShareRow::to_bytes);
                let [own, next] = record.token.to_parts();
                insert.execute(params![name, change.sequence, position, share.as_ref().map(|bytes| bytes.as_slice()), own, next])?;
                for partition in &record.partitions {
                    label.execute(params![name, partition.0])?;
                }
            }
        }
        transaction.commit()
    }

    /// Applies a deletion: removes the records and keeps the confirmations. The shares are gone from the disk only after
    /// [`Store::erase_leftovers`].
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn delete(&mut self, change: &AppliedChange, confirmations: &[DeletionConfirmation]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        for (position, confirmation) in confirmations.iter().enumerate() {
            let name = confirmation.record.bits().to_le_bytes();
            transaction.execute("DELETE FROM record WHERE record = ?1", [name])?;
            transaction.execute(
                "INSERT INTO deletion (sequence, position, record, destroyed_at, signature) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![change.sequence, position, name, confirmation.destroyed_at.millis(), confirmation.signature.0],
            )?;
        }
        transaction.commit()
    }

    /// Moves the overwritten pages into the database file and empties the write-ahead log, which still holds the shares
    /// as they were.
    ///
    /// # Errors
    /// What SQLite says; then shares may remain in the log.
    pub fn erase_leftovers(&self) -> rusqlite::Result<()> {
        let is_busy: bool = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if is_busy {
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None));
        }
        Ok(())
    }

    /// What was signed when `sequence` was applied, in the order that was asked for.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deletions(&self, party: PartyId, sequence: u64) -> rusqlite::Result<Vec<DeletionConfirmation>> {
        let mut statement =
            self.connection.prepare("SELECT record, destroyed_at, signature FROM deletion WHERE sequence = ?1 ORDER BY position")?;
        let rows = statement.query_map([sequence], |row| {
            Ok(DeletionConfirmation {
                party,
                record: RecordId::from_bits(u128::from_le_bytes(row.get(0)?)),
                sequence,
                destroyed_at: Timestamp::from_millis(row.get(1)?),
                signature: HexArray(row.get(2)?),
            })
        })?;
        rows.collect()
    }

    /// Lets the file grow by at most `pages` pages from now on: to everything above SQLite, a disk with that much room. For
    /// tests of a full disk.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> rusqlite::Result<()> {
        let now: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        self.connection.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))
    }

    fn last_change(&self) -> rusqlite::Result<Option<AppliedChange>> {
        let sql = "SELECT sequence, digest, root, is_void, applied_at FROM change ORDER BY sequence DESC LIMIT 1";
        self.connection.query_row(sql, [], applied_change).optional()
    }
}

fn applied_change(row: &Row<'_>) -> rusqlite::Result<AppliedChange> {
    Ok(AppliedChange {
        sequence: row.get(0)?,
        digest: row.get(1)?,
        root: row.get(2)?,
        is_void: row.get(3)?,
        applied_at: Timestamp::from_millis(row.get(4)?),
    })
}

fn insert_change(transaction: &Transaction<'_>, change: &AppliedChange) -> rusqlite::Result<()> {
    let sql = "INSERT INTO change (sequence, digest, root, is_void, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    transaction.execute(sql, params![change.sequence, change.digest, change.root, change.is_void, change.applied_at.millis()])?;
    Ok(())
}

fn insert_use(transaction: &Transaction<'_>, context: &ProbeContext, session: Option<SessionId>, now: Timestamp) -> rusqlite::Result<()> {
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
