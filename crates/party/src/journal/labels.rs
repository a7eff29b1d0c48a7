//! The named parts that records stand in.

use std::collections::BTreeMap;

use base::id::RecordId;
use rusqlite::{Transaction, TransactionBehavior, params};
use wire::bytes::HexArray;
use wire::probe::PartitionLabel;

use super::{AppliedChange, insert_change};
use crate::store::Store;

impl Store {
    /// The named parts that the record stands in, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn labels_of(&self, record: RecordId) -> rusqlite::Result<Vec<PartitionLabel>> {
        let mut statement = self.connection.prepare_cached("SELECT label FROM record_partition WHERE record = ?1 ORDER BY label")?;
        statement.query_map([record.bits().to_le_bytes()], |row| row.get(0).map(HexArray))?.collect()
    }

    /// Calls `each` with every slot and one of the labels it stands in, in order of slots.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn for_each_label(&self, mut each: impl FnMut(u32, PartitionLabel)) -> rusqlite::Result<()> {
        let sql = "SELECT ordinal, label FROM record JOIN record_partition USING (record) ORDER BY ordinal";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(slot) = self.numbering.slot(row.get(0)?) {
                each(slot, HexArray(row.get(1)?));
            }
        }
        Ok(())
    }

    /// Applies a change that sets records' named parts. Records that are not there are passed over. What they stood in
    /// before is gone from this file only after [`Store::erase_leftovers`].
    ///
    /// # Errors
    /// What SQLite says; then nothing was applied.
    pub fn relabel(&mut self, change: &AppliedChange, records: &BTreeMap<RecordId, Vec<PartitionLabel>>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_change(&transaction, change)?;
        for (record, labels) in records {
            let name = record.bits().to_le_bytes();
            transaction.prepare_cached("DELETE FROM record_partition WHERE record = ?1")?.execute([name])?;
            if transaction.prepare_cached("SELECT 1 FROM record WHERE record = ?1")?.exists([name])? {
                insert_labels(&transaction, *record, labels)?;
            }
        }
        transaction.commit()
    }
}

pub(crate) fn insert_labels(transaction: &Transaction<'_>, record: RecordId, labels: &[PartitionLabel]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO record_partition (record, label) VALUES (?1, ?2)")?;
    let name = record.bits().to_le_bytes();
    labels.iter().try_for_each(|label| insert.execute(params![name, label.0]).map(drop))
}
