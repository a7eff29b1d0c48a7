//! The gallery's part of the journal: the log, and every record with its row sealed. One transaction per change.

use std::collections::HashSet;
use std::ops::Range;

use base::id::RecordId;
use base::party::PartyId;
use base::time::Timestamp;
use mpc::share::ROW_BYTES;
use mpc::token::Token;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};
use wire::bytes::HexArray;
use wire::party::DeletionConfirmation;
use wire::probe::{PartitionLabel, ProbeContext};

use crate::error::Error;
use crate::gallery::snapshot::LogState;
use crate::row_seal::SEAL_LEN;
use crate::store::{Store, insert_use};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// New records.
    Enrol,
    /// Records are destroyed.
    Delete,
    /// Slots are numbered anew without gaps.
    Compact,
    /// Every share becomes another one of the same template.
    Refresh,
}

/// A change of the log as it was applied.
#[derive(Clone, Debug)]
pub struct AppliedChange {
    /// How far the log is with it.
    pub log: LogState,
    /// What it does.
    pub kind: ChangeKind,
    /// How many records it names, and the first.
    pub records: (u64, Option<RecordId>),
    /// SHA-256 over the change without its shares.
    pub digest: [u8; 32],
    /// It enrolled a sealed share that did not open, or whose origin was refused.
    pub is_void: bool,
    /// When it was applied.
    pub applied_at: Timestamp,
}

/// A record as the journal holds it.
pub struct StoredRecord {
    /// Its name.
    pub record: RecordId,
    /// Its place in the gallery.
    pub slot: u32,
    /// The change that enrolled it.
    pub sequence: u64,
    /// The refresh that the row is of.
    pub epoch: u32,
    /// The sealed row; `None` if the share did not open.
    pub sealed: Option<Vec<u8>>,
    /// Its payment token.
    pub token: Token,
}

/// A deletion that is decided and not yet carried out to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenDeletion {
    /// The change that asked for it.
    pub sequence: u64,
    /// The record's place within that change.
    pub position: u32,
    /// Whose row is destroyed.
    pub record: RecordId,
    /// Where it was, if it was there.
    pub slot: Option<u32>,
}

impl Store {
    /// How far the log is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn log(&self) -> rusqlite::Result<LogState> {
        let sql = "SELECT * FROM change ORDER BY sequence DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [], applied_change).optional()?.map(|change| change.log).unwrap_or_default())
    }

    /// The change `sequence`, if it was applied.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn change(&self, sequence: u64) -> rusqlite::Result<Option<AppliedChange>> {
        self.connection.query_row("SELECT * FROM change WHERE sequence = ?1", [sequence], applied_change).optional()
    }

    /// Whether there is such a record.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn contains(&self, record: RecordId) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM record WHERE record = ?1")?.exists([record.bits().to_le_bytes()])
    }

    /// The record's slot, if it is there.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn slot_of(&self, record: RecordId) -> rusqlite::Result<Option<u32>> {
        let mut statement = self.connection.prepare_cached("SELECT slot FROM record WHERE record = ?1")?;
        statement.query_row([record.bits().to_le_bytes()], |row| row.get(0)).optional()
    }

    /// The named parts that the record stands in, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn labels_of(&self, record: RecordId) -> rusqlite::Result<Vec<PartitionLabel>> {
        let mut statement = self.connection.prepare_cached("SELECT label FROM record_partition WHERE record = ?1 ORDER BY label")?;
        statement.query_map([record.bits().to_le_bytes()], |row| row.get(0).map(HexArray))?.collect()
    }

    /// Calls `each` for every record in `slots`, in order of slots.
    ///
    /// # Errors
    /// What SQLite or `each` says.
    pub fn for_each_record<E: From<rusqlite::Error>>(
        &self,
        slots: Range<u32>,
        mut each: impl FnMut(StoredRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT record, slot, sequence, epoch, sealed, token FROM record WHERE slot >= ?1 AND slot < ?2 ORDER BY slot";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([slots.start, slots.end])?;
        while let Some(row) = rows.next()? {
            each(StoredRecord {
                record: record_at(row, 0)?,
                slot: row.get(1)?,
                sequence: row.get(2)?,
                epoch: row.get(3)?,
                sealed: row.get(4)?,
                token: row.get(5)?,
            })?;
        }
        Ok(())
    }

    /// Calls `each` with every slot and one of the labels it stands in, in order of slots.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn for_each_label(&self, mut each: impl FnMut(u32, PartitionLabel)) -> rusqlite::Result<()> {
        let sql = "SELECT slot, label FROM record JOIN record_partition USING (record) ORDER BY slot";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, HexArray(row.get(1)?));
        }
        Ok(())
    }

    /// Calls `each` with every record's slot and name, and the epoch of its row if it has one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn for_each_row_key(&self, mut each: impl FnMut(u32, RecordId, Option<u32>)) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT slot, record, iif(sealed IS NULL, NULL, epoch) FROM record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, record_at(row, 1)?, row.get(2)?);
        }
        Ok(())
    }

    /// Whether rows are of templates of `dimensions` features.
    ///
    /// # Errors
    /// [`Error::DimensionsDiffer`], [`Error::StoreUnusable`].
    pub fn check_dimensions(&self, dimensions: usize) -> Result<(), Error> {
        let sql = "SELECT length(sealed) FROM record WHERE sealed IS NOT NULL LIMIT 1";
        match self.connection.query_row(sql, [], |row| row.get::<_, usize>(0)).optional()? {
            Some(len) if len != SEAL_LEN + ROW_BYTES * dimensions => {
                Err(Error::DimensionsDiffer { stored: len.saturating_sub(SEAL_LEN) / ROW_BYTES, configured: dimensions })
            }
            _ => Ok(()),
        }
    }

    /// Slots in `slots` that changes after `sequence` gave out or took back, as far as slots are numbered as now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn slots_touched_since(&self, slots: Range<u32>, sequence: u64, generation: u64) -> rusqlite::Result<Vec<u32>> {
        let sql = "SELECT slot FROM record WHERE slot >= ?1 AND slot < ?2 AND sequence > ?3
                   UNION SELECT slot FROM deletion WHERE slot >= ?1 AND slot < ?2 AND sequence > max(?3, ?4)";
        let mut statement = self.connection.prepare(sql)?;
        statement.query_map(params![slots.start, slots.end, sequence, generation], |row| row.get(0))?.collect()
    }

    /// The last change that touched one of `slots`; the generation's own if none did since.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_touch(&self, slots: Range<u32>, generation: u64) -> rusqlite::Result<u64> {
        let sql = "SELECT max(?3, coalesce((SELECT max(sequence) FROM record WHERE slot >= ?1 AND slot < ?2), 0),
                       coalesce((SELECT max(sequence) FROM deletion WHERE slot >= ?1 AND slot < ?2 AND sequence > ?3), 0))";
        self.connection.query_row(sql, params![slots.start, slots.end, generation], |row| row.get(0))
    }

    /// Which keys the journal needs: those of its rows and of staged ones.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keys_in_use(&self) -> rusqlite::Result<HashSet<(RecordId, u32)>> {
        let sql = "SELECT record, epoch FROM record WHERE sealed IS NOT NULL
                   UNION ALL SELECT record, (SELECT epoch FROM staging) FROM staged_row WHERE EXISTS (SELECT 1 FROM staging)
                   UNION ALL SELECT record, epoch FROM rebuilt_row";
        let mut statement = self.connection.prepare(sql)?;
        statement.query_map([], |row| Ok((record_at(row, 0)?, row.get(1)?)))?.collect()
    }

    /// Applies an enrolment: the records, the log entry and the probe's use, all or nothing.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn enrol(
        &mut self,
        change: &AppliedChange,
        context: &ProbeContext,
        records: &[(StoredRecord, Vec<PartitionLabel>)],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        insert_use(&transaction, context, None, change.applied_at)?;
        for (record, labels) in records {
            insert_record(&transaction, record, labels)?;
        }
        transaction.commit()
    }

    /// Applies a deletion: removes the records and remembers what is to be signed when the rest is done. Their rows are gone
    /// from this file only after [`Store::erase_leftovers`].
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn delete(&mut self, change: &AppliedChange, records: &[RecordId]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        insert_deletions(&transaction, change.log.sequence, records)?;
        transaction.commit()
    }

    /// Numbers the slots anew, without gaps, in their order.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn compact(&mut self, change: &AppliedChange) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        {
            let mut statement = transaction.prepare("SELECT slot FROM record ORDER BY slot")?;
            let slots: Vec<u32> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            assert_eq!(slots.len(), change.log.slots as usize, "as many slots as records are left");
            let mut renumber = transaction.prepare("UPDATE record SET slot = ?2 WHERE slot = ?1")?;
            // In order, so that the new number is free: it is the old one, or one that was left before.
            for (new, old) in (0_u32..).zip(slots).filter(|(new, old)| new != old) {
                renumber.execute([old, new])?;
            }
        }
        transaction.commit()
    }

    /// Changes after `from`, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn changes_after(&self, from: u64) -> rusqlite::Result<Vec<AppliedChange>> {
        let mut statement = self.connection.prepare_cached("SELECT * FROM change WHERE sequence > ?1 ORDER BY sequence")?;
        statement.query_map([from], applied_change)?.collect()
    }

    /// How many records there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn records(&self) -> rusqlite::Result<u64> {
        self.connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0))
    }

    /// Deletions that are not signed yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_deletions(&self) -> rusqlite::Result<Vec<OpenDeletion>> {
        let sql = "SELECT sequence, position, record, slot FROM deletion WHERE signature IS NULL ORDER BY sequence, position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(OpenDeletion { sequence: row.get(0)?, position: row.get(1)?, record: record_at(row, 2)?, slot: row.get(3)? })
        })?;
        rows.collect()
    }

    /// Keeps what was signed about deletions that are done.
    ///
    /// # Errors
    /// What SQLite says; then none was kept.
    pub fn close_deletions(&mut self, done: &[(OpenDeletion, DeletionConfirmation)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (deletion, confirmation) in done {
            transaction.execute(
                "UPDATE deletion SET destroyed_at = ?3, signature = ?4 WHERE sequence = ?1 AND position = ?2",
                params![deletion.sequence, deletion.position, confirmation.destroyed_at.millis(), confirmation.signature.0],
            )?;
        }
        transaction.commit()
    }

    /// What was signed about the deletions of change `sequence`, in the order that was asked for.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deletions(&self, party: PartyId, sequence: u64) -> rusqlite::Result<Vec<DeletionConfirmation>> {
        let sql = "SELECT record, destroyed_at, signature FROM deletion WHERE sequence = ?1 AND signature IS NOT NULL ORDER BY position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([sequence], |row| {
            Ok(DeletionConfirmation {
                party,
                record: record_at(row, 0)?,
                sequence,
                destroyed_at: Timestamp::from_millis(row.get(1)?),
                signature: HexArray(row.get(2)?),
            })
        })?;
        rows.collect()
    }
}

pub(crate) fn insert_change(transaction: &Transaction<'_>, change: &AppliedChange) -> rusqlite::Result<()> {
    let AppliedChange { log, kind, records: (count, first), digest, is_void, applied_at } = change;
    transaction.execute(
        "INSERT INTO change (sequence, kind, records, first_record, digest, root, slots, epoch, generation, is_void, applied_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            log.sequence,
            kind.name(),
            count,
            first.map(|record| record.bits().to_le_bytes()),
            digest,
            log.root,
            log.slots,
            log.epoch,
            log.generation,
            is_void,
            applied_at.millis()
        ],
    )?;
    Ok(())
}

pub(crate) fn insert_record(transaction: &Transaction<'_>, record: &StoredRecord, labels: &[PartitionLabel]) -> rusqlite::Result<()> {
    let name = record.record.bits().to_le_bytes();
    let sql = "INSERT INTO record (record, slot, sequence, epoch, sealed, token) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    transaction.prepare_cached(sql)?.execute(params![name, record.slot, record.sequence, record.epoch, record.sealed, record.token])?;
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO record_partition (record, label) VALUES (?1, ?2)")?;
    labels.iter().try_for_each(|label| insert.execute(params![name, label.0]).map(drop))
}

pub(crate) fn insert_deletions(transaction: &Transaction<'_>, sequence: u64, records: &[RecordId]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO deletion (sequence, position, record, slot) VALUES (?1, ?2, ?3, (SELECT slot FROM record WHERE record = ?3))";
    let mut insert = transaction.prepare_cached(sql)?;
    let mut delete = transaction.prepare_cached("DELETE FROM record WHERE record = ?1")?;
    for (position, record) in records.iter().enumerate() {
        let name = record.bits().to_le_bytes();
        insert.execute(params![sequence, position, name])?;
        delete.execute([name])?;
    }
    Ok(())
}

pub(crate) fn record_at(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordId> {
    Ok(RecordId::from_bits(u128::from_le_bytes(row.get(column)?)))
}

pub(crate) fn applied_change(row: &Row<'_>) -> rusqlite::Result<AppliedChange> {
    let kind: String = row.get("kind")?;
    let first: Option<[u8; 16]> = row.get("first_record")?;
    Ok(AppliedChange {
        log: LogState {
            sequence: row.get("sequence")?,
            root: row.get("root")?,
            slots: row.get("slots")?,
            epoch: row.get("epoch")?,
            generation: row.get("generation")?,
        },
        kind: ChangeKind::named(&kind).expect("the schema checks the kind"),
        records: (row.get("records")?, first.map(|name| RecordId::from_bits(u128::from_le_bytes(name)))),
        digest: row.get("digest")?,
        is_void: row.get("is_void")?,
        applied_at: Timestamp::from_millis(row.get("applied_at")?),
    })
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Enrol, Self::Delete, Self::Compact, Self::Refresh];

    /// In the journal and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Delete => "delete",
            Self::Compact => "compact",
            Self::Refresh => "refresh",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
