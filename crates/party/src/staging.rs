//! The journal's rows that are not in force yet: those of the next epoch, and those that a rebuild has brought so far.

use base::id::RecordId;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use wire::probe::PartitionLabel;

use crate::journal::records::{compacted_as_of, insert_record, insert_row, numbering_as_of};
use crate::journal::{AppliedChange, StoredRecord, insert_change, record_at};
use crate::store::Store;

/// What the staged rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staging {
    /// The same at the three parties if they prepared the same.
    pub name: [u8; 32],
    /// The epoch that the rows are of.
    pub epoch: u32,
    /// The change as of which every record has one.
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
    /// Its ordinal, if it was there.
    pub ordinal: Option<u32>,
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
    /// All records that are there, with the epochs of their rows but without the rows, in order of slots.
    pub records: Vec<(StoredRecord, Vec<PartitionLabel>)>,
}

impl Store {
    /// What is staged as a whole, if anything is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn staging(&self) -> rusqlite::Result<Option<Staging>> {
        let read = |row: &rusqlite::Row<'_>| Ok(Staging { name: row.get(0)?, epoch: row.get(1)?, base: row.get(2)? });
        self.connection.query_row("SELECT name, epoch, base FROM staging WHERE name IS NOT NULL", [], read).optional()
    }

    /// From now on no staged row is needed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear_staging(&mut self) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM staging", []).map(drop)
    }

    /// Gives up what was not staged as a whole before the last end.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear_unfinished_staging(&mut self) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM staging WHERE name IS NULL", []).map(drop)
    }

    /// From now on rows of `epoch` are staged, of the records as of change `base`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_staging(&mut self, epoch: u32, base: u64) -> rusqlite::Result<()> {
        self.connection.execute("INSERT INTO staging (one, epoch, base) VALUES (1, ?1, ?2)", params![epoch, base]).map(drop)
    }

    /// Keeps rows for the next epoch.
    ///
    /// # Errors
    /// What SQLite says; then none was kept.
    pub fn stage(&mut self, epoch: u32, rows: &[(RecordId, Vec<u8>)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        rows.iter().try_for_each(|(record, sealed)| insert_row(&transaction, *record, epoch, sealed))?;
        transaction.commit()
    }

    /// Every row is staged: from now on the refresh can be put in force.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finish_staging(&mut self, name: [u8; 32]) -> rusqlite::Result<()> {
        self.connection.execute("UPDATE staging SET name = ?1", [name]).map(drop)
    }

    /// Puts the staged rows in force.
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn refresh(&mut self, change: &AppliedChange) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        transaction.execute("DELETE FROM staging", [])?;
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

    /// The sealed row of `record` in `epoch`, here before or rebuilt.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sealed_row(&self, record: RecordId, epoch: u32) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM rebuilt_row WHERE record = ?1 AND epoch = ?2
                   UNION ALL SELECT sealed FROM row WHERE record = ?1 AND epoch = ?2 LIMIT 1";
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
            let KnownDeletion { sequence, position, record, ordinal } = deletion;
            transaction
                .prepare_cached("INSERT INTO deletion (sequence, position, record, ordinal) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![sequence, position, record.bits().to_le_bytes(), ordinal])?;
        }
        transaction.execute_batch("DELETE FROM staging; DELETE FROM record;")?;
        let numbering = numbering_as_of(&transaction, compacted_as_of(&transaction)?)?;
        for (record, labels) in &takeover.records {
            insert_record(&transaction, record, numbering.ordinal(record.slot), labels)?;
        }
        // A rebuilt row takes the place of one that does not open any more.
        transaction.execute_batch(
            "INSERT OR REPLACE INTO row (record, epoch, sealed) SELECT record, epoch, sealed FROM rebuilt_row;
             DELETE FROM rebuilt_row;
             DELETE FROM row WHERE NOT EXISTS (SELECT 1 FROM live WHERE live.record = row.record AND live.epoch = row.epoch);",
        )?;
        transaction.commit()?;
        self.renumber()
    }

    /// Deletions after change `from`, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deletions_after(&self, from: u64) -> rusqlite::Result<Vec<KnownDeletion>> {
        let sql = "SELECT sequence, position, record, ordinal FROM deletion WHERE sequence > ?1 ORDER BY sequence, position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([from], |row| {
            Ok(KnownDeletion { sequence: row.get(0)?, position: row.get(1)?, record: record_at(row, 2)?, ordinal: row.get(3)? })
        })?;
        rows.collect()
    }
}
