//! Deletions: decided with the change, carried out to the end by the party, and then signed.

use base::id::RecordId;
use base::party::PartyId;
use base::time::Timestamp;
use rusqlite::{Transaction, TransactionBehavior, params};
use wire::bytes::HexArray;
use wire::party::DeletionConfirmation;

use super::{AppliedChange, insert_change, record_at};
use crate::store::Store;

/// A deletion that is decided and not yet carried out to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenDeletion {
    /// The change that asked for it.
    pub sequence: u64,
    /// The record's place within that change.
    pub position: u32,
    /// Whose row is destroyed.
    pub record: RecordId,
    /// Its slot, if it had one and no compaction has closed the gap since.
    pub slot: Option<u32>,
}

impl Store {
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

    /// Deletions that are not signed yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_deletions(&self) -> rusqlite::Result<Vec<OpenDeletion>> {
        let sql = "SELECT sequence, position, record, ordinal FROM deletion WHERE signature IS NULL ORDER BY sequence, position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let slot = row.get::<_, Option<u32>>(3)?.and_then(|ordinal| self.numbering.slot(ordinal));
            Ok(OpenDeletion { sequence: row.get(0)?, position: row.get(1)?, record: record_at(row, 2)?, slot })
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

pub(crate) fn insert_deletions(transaction: &Transaction<'_>, sequence: u64, records: &[RecordId]) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO deletion (sequence, position, record, ordinal) VALUES (?1, ?2, ?3, (SELECT ordinal FROM record WHERE record = ?3))";
    let mut insert = transaction.prepare_cached(sql)?;
    let mut delete = transaction.prepare_cached("DELETE FROM record WHERE record = ?1")?;
    let mut delete_rows = transaction.prepare_cached("DELETE FROM row WHERE record = ?1")?;
    for (position, record) in records.iter().enumerate() {
        let name = record.bits().to_le_bytes();
        insert.execute(params![sequence, position, name])?;
        delete.execute([name])?;
        delete_rows.execute([name])?;
    }
    Ok(())
}
