//! Every record: its name, its place, its token, and its row in each epoch that is here, sealed.

use std::collections::HashSet;
use std::ops::Range;

use base::id::RecordId;
use mpc::share::ROW_BYTES;
use mpc::token::Token;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use wire::probe::{PartitionLabel, ProbeContext};

use super::labels::insert_labels;
use super::numbering::Numbering;
use super::{AppliedChange, insert_change, record_at};
use crate::error::Error;
use crate::row_seal::SEAL_LEN;
use crate::store::{Store, insert_use};

/// Rows that are removed in one transaction.
pub const ROWS_AT_ONCE: u32 = 1024;

/// Rows, by number, record and epoch.
pub type UnneededRows = Vec<(i64, RecordId, u32)>;

/// A record as the journal holds it.
pub struct StoredRecord {
    /// Its name.
    pub record: RecordId,
    /// Its place in the gallery.
    pub slot: u32,
    /// The change that enrolled it.
    pub sequence: u64,
    /// The refresh that the row in force is of.
    pub epoch: u32,
    /// The sealed row; `None` if the share did not open, or was lost.
    pub sealed: Option<Vec<u8>>,
    /// Its payment token.
    pub token: Token,
}

impl Store {
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
        let mut statement = self.connection.prepare_cached("SELECT ordinal FROM record WHERE record = ?1")?;
        let ordinal = statement.query_row([record.bits().to_le_bytes()], |row| row.get(0)).optional()?;
        Ok(ordinal.and_then(|ordinal| self.numbering.slot(ordinal)))
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
        let sql = "SELECT record, ordinal, sequence, epoch, sealed, token FROM live LEFT JOIN row USING (record, epoch)
                   WHERE ordinal >= ?1 AND ordinal < ?2 ORDER BY ordinal";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ordinals = self.ordinals(&slots);
        let mut rows = statement.query([ordinals.start, ordinals.end])?;
        while let Some(row) = rows.next()? {
            let Some(slot) = self.numbering.slot(row.get(1)?) else { continue };
            each(StoredRecord {
                record: record_at(row, 0)?,
                slot,
                sequence: row.get(2)?,
                epoch: row.get(3)?,
                sealed: row.get(4)?,
                token: row.get(5)?,
            })?;
        }
        Ok(())
    }

    /// Calls `each` with every record's slot and name, and the epoch of its row in force if it has one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn for_each_row_key(&self, mut each: impl FnMut(u32, RecordId, Option<u32>)) -> rusqlite::Result<()> {
        let sql = "SELECT ordinal, live.record, row.epoch FROM live LEFT JOIN row ON row.record = live.record AND row.epoch = live.epoch";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(slot) = self.numbering.slot(row.get(0)?) {
                each(slot, record_at(row, 1)?, row.get(2)?);
            }
        }
        Ok(())
    }

    /// Whether rows are of templates of `dimensions` features.
    ///
    /// # Errors
    /// [`Error::DimensionsDiffer`], [`Error::StoreUnusable`].
    pub fn check_dimensions(&self, dimensions: usize) -> Result<(), Error> {
        match self.connection.query_row("SELECT length(sealed) FROM row LIMIT 1", [], |row| row.get::<_, usize>(0)).optional()? {
            Some(len) if len != SEAL_LEN + ROW_BYTES * dimensions => {
                Err(Error::DimensionsDiffer { stored: len.saturating_sub(SEAL_LEN) / ROW_BYTES, configured: dimensions })
            }
            _ => Ok(()),
        }
    }

    /// Slots in `slots` that changes after `sequence` gave out or took back.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn slots_touched_since(&self, slots: Range<u32>, sequence: u64) -> rusqlite::Result<Vec<u32>> {
        let sql = "SELECT ordinal FROM record WHERE ordinal >= ?1 AND ordinal < ?2 AND sequence > ?3
                   UNION SELECT ordinal FROM deletion WHERE ordinal >= ?1 AND ordinal < ?2 AND sequence > ?3";
        let ordinals = self.ordinals(&slots);
        let mut statement = self.connection.prepare_cached(sql)?;
        let touched = statement.query_map(params![ordinals.start, ordinals.end, sequence], |row| row.get(0))?;
        touched.filter_map(|ordinal| ordinal.map(|ordinal| self.numbering.slot(ordinal)).transpose()).collect()
    }

    /// All slots that changes after `sequence` gave out or took back; costs as much as those changes.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn slots_touched_after(&self, sequence: u64) -> rusqlite::Result<Vec<u32>> {
        let sql = "SELECT ordinal FROM record INDEXED BY record_by_sequence WHERE sequence > ?1
                   UNION SELECT ordinal FROM deletion WHERE sequence > ?1 AND ordinal IS NOT NULL";
        let mut statement = self.connection.prepare(sql)?;
        let touched = statement.query_map([sequence], |row| row.get(0))?;
        touched.filter_map(|ordinal| ordinal.map(|ordinal| self.numbering.slot(ordinal)).transpose()).collect()
    }

    /// The last change that touched one of `slots`; the generation's own if none did since.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_touch(&self, slots: Range<u32>, generation: u64) -> rusqlite::Result<u64> {
        let sql = "SELECT max(?3, coalesce((SELECT max(sequence) FROM record WHERE ordinal >= ?1 AND ordinal < ?2), 0),
                       coalesce((SELECT max(sequence) FROM deletion WHERE ordinal >= ?1 AND ordinal < ?2 AND sequence > ?3), 0))";
        let ordinals = self.ordinals(&slots);
        self.connection.query_row(sql, params![ordinals.start, ordinals.end, generation], |row| row.get(0))
    }

    /// Which keys the journal needs: those of its rows.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keys_in_use(&self) -> rusqlite::Result<HashSet<(RecordId, u32)>> {
        let mut statement = self.connection.prepare("SELECT record, epoch FROM row UNION ALL SELECT record, epoch FROM rebuilt_row")?;
        statement.query_map([], |row| Ok((record_at(row, 0)?, row.get(1)?)))?.collect()
    }

    /// At most `limit` rows that are of no use any more: of an epoch before the one in force, or of a preparation that was
    /// given up.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unneeded_rows(&self, limit: u32) -> rusqlite::Result<UnneededRows> {
        let log = self.log()?;
        let before = "SELECT row.rowid, row.record, row.epoch FROM row LEFT JOIN live ON live.record = row.record
                      WHERE row.epoch < ?1 AND live.epoch IS NOT row.epoch LIMIT ?2";
        let after = "SELECT rowid, record, epoch FROM row WHERE epoch > ?1 AND epoch IS NOT (SELECT epoch FROM staging) LIMIT ?2";
        let mut found = UnneededRows::new();
        for sql in [before, after] {
            let mut statement = self.connection.prepare_cached(sql)?;
            let left = limit - found.len() as u32;
            for row in statement.query_map([log.epoch, left], |row| Ok((row.get(0)?, record_at(row, 1)?, row.get(2)?)))? {
                found.push(row?);
            }
        }
        Ok(found)
    }

    /// Removes these rows.
    ///
    /// # Errors
    /// What SQLite says; then none was removed.
    pub fn remove_rows(&mut self, rows: &UnneededRows) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM row WHERE rowid = ?1")?;
            rows.iter().try_for_each(|(number, ..)| delete.execute([number]).map(drop))?;
        }
        transaction.commit()
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
            insert_record(&transaction, record, self.numbering.ordinal(record.slot), labels)?;
            if let Some(sealed) = &record.sealed {
                insert_row(&transaction, record.record, record.epoch, sealed)?;
            }
        }
        transaction.commit()
    }

    /// Removes every row that is of no use, at once: for a start.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) fn remove_unneeded_rows(&mut self) -> rusqlite::Result<()> {
        loop {
            let rows = self.unneeded_rows(ROWS_AT_ONCE)?;
            if rows.is_empty() {
                return Ok(());
            }
            self.remove_rows(&rows)?;
        }
    }

    /// Puts a compaction into the log, which numbers the slots anew.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn compact(&mut self, change: &AppliedChange) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        transaction.commit()?;
        self.renumber()
    }

    /// Numbers the slots as the log says.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) fn renumber(&mut self) -> rusqlite::Result<()> {
        self.numbering = numbering_as_of(&self.connection, self.compacted_as_of()?)?;
        Ok(())
    }

    /// The change as of which gaps are closed; 0 if none are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn compacted_as_of(&self) -> rusqlite::Result<u64> {
        compacted_as_of(&self.connection)
    }

    /// How slots are numbered if the gaps as of change `as_of` are closed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn numbering_as_of(&self, as_of: u64) -> rusqlite::Result<Numbering> {
        numbering_as_of(&self.connection, as_of)
    }

    /// From where to where the slots' ordinals lie, with closed gaps in between.
    fn ordinals(&self, slots: &Range<u32>) -> Range<u32> {
        self.numbering.ordinal(slots.start)..self.numbering.ordinal(slots.end)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn records(&self) -> rusqlite::Result<u64> {
        self.connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0))
    }
}

pub(crate) fn compacted_as_of(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT as_of FROM change WHERE kind = 'compact' AND as_of IS NOT NULL ORDER BY sequence DESC LIMIT 1";
    Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?.unwrap_or_default())
}

pub(crate) fn numbering_as_of(connection: &Connection, as_of: u64) -> rusqlite::Result<Numbering> {
    let mut statement = connection.prepare("SELECT ordinal FROM deletion WHERE ordinal IS NOT NULL AND sequence <= ?1 ORDER BY ordinal")?;
    Ok(Numbering::without(statement.query_map([as_of], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?))
}

pub(crate) fn insert_row(transaction: &Transaction<'_>, record: RecordId, epoch: u32, sealed: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO row (record, epoch, sealed) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(sql)?.execute(params![record.bits().to_le_bytes(), epoch, sealed]).map(drop)
}

/// Without its row.
pub(crate) fn insert_record(
    transaction: &Transaction<'_>,
    record: &StoredRecord,
    ordinal: u32,
    labels: &[PartitionLabel],
) -> rusqlite::Result<()> {
    let name = record.record.bits().to_le_bytes();
    let sql = "INSERT INTO record (record, ordinal, sequence, epoch, token) VALUES (?1, ?2, ?3, ?4, ?5)";
    transaction.prepare_cached(sql)?.execute(params![name, ordinal, record.sequence, record.epoch, record.token])?;
    insert_labels(transaction, record.record, labels)
}
