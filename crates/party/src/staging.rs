//! The journal's rows that are not in force yet: those of the next epoch, and those that a rebuild has brought so far.

use base::id::RecordId;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use wire::probe::PartitionLabel;

use crate::journal::{AppliedChange, StoredRecord, insert_change, insert_record, record_at};
use crate::store::Store;

/// What the staged rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staging {
    /// The same at the three parties if they prepared the same.
    pub name: [u8; 32],
    /// The epoch that the rows are of.
    pub epoch: u32,
    /// The change as of which every record with a row has one.
    pub base: u64,
}

/// A deletion as another party's journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDeletion {
    /// The change that asked for it.
    pub sequence: u64,
    /// The record's place within that change.
    pub position: u32,
    /// Whose row is destroyed.
    pub record: RecordId,
    /// Where it was, if it was there.
    pub slot: Option<u32>,
}

/// Another party's journal, as far as it is the same at all three.
#[derive(Default)]
pub struct Takeover {
    /// The last change that this party had applied itself: everything later is taken over. 0 takes over everything.
    pub from: u64,
    /// Changes after it.
    pub changes: Vec<AppliedChange>,
    /// Deletions after it.
    pub deletions: Vec<KnownDeletion>,
    /// All records that are there, without rows, in order of slots.
    pub records: Vec<(StoredRecord, Vec<PartitionLabel>)>,
}

impl Store {
    /// What is staged, if anything is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn staging(&self) -> rusqlite::Result<Option<Staging>> {
        let read = |row: &rusqlite::Row<'_>| Ok(Staging { name: row.get(0)?, epoch: row.get(1)?, base: row.get(2)? });
        self.connection.query_row("SELECT name, epoch, base FROM staging", [], read).optional()
    }

    /// Forgets what was staged.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear_staging(&mut self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM staging; DELETE FROM staged_row; COMMIT")
    }

    /// Keeps rows for the next epoch, of records that are still there.
    ///
    /// # Errors
    /// What SQLite says; then none was kept.
    pub fn stage(&mut self, rows: &[(RecordId, Vec<u8>)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO staged_row (record, sealed) VALUES (?1, ?2)")?;
            rows.iter().try_for_each(|(record, sealed)| insert.execute(params![record.bits().to_le_bytes(), sealed]).map(drop))?;
        }
        transaction.commit()
    }

    /// Every row is staged: from now on the refresh can be put in force.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finish_staging(&mut self, staging: Staging) -> rusqlite::Result<()> {
        let sql = "INSERT INTO staging (one, name, epoch, base) VALUES (1, ?1, ?2, ?3)";
        self.connection.execute(sql, params![staging.name, staging.epoch, staging.base]).map(drop)
    }

    /// How many records that were there at `base` have a row and none staged: 0, or the refresh cannot be put in force.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unstaged(&self, base: u64) -> rusqlite::Result<u64> {
        let sql =
            "SELECT count(*) FROM record WHERE sequence <= ?1 AND sealed IS NOT NULL AND record NOT IN (SELECT record FROM staged_row)";
        self.connection.query_row(sql, [base], |row| row.get(0))
    }

    /// Puts the staged rows in force.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn refresh(&mut self, change: &AppliedChange) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        transaction.execute(
            "UPDATE record SET epoch = ?1, sealed = staged_row.sealed FROM staged_row WHERE staged_row.record = record.record",
            [change.log.epoch],
        )?;
        transaction.execute_batch("DELETE FROM staging; DELETE FROM staged_row")?;
        transaction.commit()
    }

    /// Keeps rows that a rebuild has brought, until it is through.
    ///
    /// # Errors
    /// What SQLite says; then none was kept.
    pub fn keep_rebuilt(&mut self, rows: &[(RecordId, u32, Vec<u8>)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO rebuilt_row (record, epoch, sealed) VALUES (?1, ?2, ?3)")?;
            rows.iter()
                .try_for_each(|(record, epoch, sealed)| insert.execute(params![record.bits().to_le_bytes(), epoch, sealed]).map(drop))?;
        }
        transaction.commit()
    }

    /// The sealed row of `record` in `epoch`, in force or rebuilt.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sealed_row(&self, record: RecordId, epoch: u32) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM rebuilt_row WHERE record = ?1 AND epoch = ?2
                   UNION ALL SELECT sealed FROM record WHERE record = ?1 AND epoch = ?2 AND sealed IS NOT NULL LIMIT 1";
        self.connection.prepare_cached(sql)?.query_row(params![record.bits().to_le_bytes(), epoch], |row| row.get(0)).optional()
    }

    /// Makes this journal what the others' is: their log after `takeover.from`, their records with the rows that are here,
    /// their deletions, still to be signed. The store must hold no row of a record that is not among them afterwards.
    ///
    /// # Errors
    /// What SQLite says; then nothing has changed.
    pub fn take_over(&mut self, takeover: &Takeover) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM change WHERE sequence > ?1", [takeover.from])?;
        transaction.execute("DELETE FROM deletion WHERE sequence > ?1", [takeover.from])?;
        takeover.changes.iter().try_for_each(|change| insert_change(&transaction, change))?;
        for deletion in &takeover.deletions {
            let KnownDeletion { sequence, position, record, slot } = deletion;
            transaction
                .prepare_cached("INSERT INTO deletion (sequence, position, record, slot) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![sequence, position, record.bits().to_le_bytes(), slot])?;
        }
        // What is in force goes beside what was rebuilt, so that both are found when the records are put in again.
        transaction.execute_batch(
            "INSERT OR IGNORE INTO rebuilt_row (record, epoch, sealed) SELECT record, epoch, sealed FROM record WHERE sealed IS NOT NULL;
             DELETE FROM staging; DELETE FROM staged_row; DELETE FROM record;",
        )?;
        for (record, labels) in &takeover.records {
            let sql = "SELECT sealed FROM rebuilt_row WHERE record = ?1 AND epoch = ?2";
            let sealed = transaction
                .prepare_cached(sql)?
                .query_row(params![record.record.bits().to_le_bytes(), record.epoch], |row| row.get(0))
                .optional()?;
            insert_record(&transaction, &StoredRecord { sealed, ..*record }, labels)?;
        }
        transaction.execute_batch("DELETE FROM rebuilt_row")?;
        transaction.commit()
    }

    /// Deletions after change `from`, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deletions_after(&self, from: u64) -> rusqlite::Result<Vec<KnownDeletion>> {
        let sql = "SELECT sequence, position, record, slot FROM deletion WHERE sequence > ?1 ORDER BY sequence, position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([from], |row| {
            Ok(KnownDeletion { sequence: row.get(0)?, position: row.get(1)?, record: record_at(row, 2)?, slot: row.get(3)? })
        })?;
        rows.collect()
    }
}
