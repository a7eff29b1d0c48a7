//! The keys of the sealed rows, in a file of their own that no backup holds: SQLite with `secure_delete`, so that a
//! destroyed key is overwritten. Destroying a key is how a record's row is destroyed everywhere at once.

use std::collections::HashSet;
use std::path::Path;

use base::id::RecordId;
use base::secret::Secret;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::row_seal::RowKey;
use crate::sqlite;

/// The file in the party's directory.
pub const FILE_NAME: &str = "keys.sqlite";

/// The open file; this process is its only user.
pub struct Keys {
    connection: Connection,
}

impl Keys {
    /// Opens the file in `directory`, making it if it is missing.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open(directory: &Path) -> rusqlite::Result<Self> {
        let connection = sqlite::open(&directory.join(FILE_NAME))?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS row_key (
                 record BLOB NOT NULL,              -- 16 bytes
                 epoch  INTEGER NOT NULL,           -- the refresh that the sealed row is of
                 key    BLOB NOT NULL,              -- 32 bytes; destroyed with the record and at the next refresh
                 PRIMARY KEY (record, epoch)
             ) STRICT, WITHOUT ROWID",
        )?;
        Ok(Self { connection })
    }

    /// The keys in `directory` as they are now, for reading them beside whoever changes them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn view(directory: &Path) -> rusqlite::Result<Self> {
        Ok(Self { connection: sqlite::view(&directory.join(FILE_NAME))? })
    }

    /// Keeps `keys` for good; a key that is there already is replaced.
    ///
    /// # Errors
    /// What SQLite says; then none was kept.
    pub fn insert<'k>(&mut self, keys: impl IntoIterator<Item = (RecordId, u32, &'k RowKey)>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO row_key (record, epoch, key) VALUES (?1, ?2, ?3)")?;
            for (record, epoch, key) in keys {
                insert.execute(params![record.bits().to_le_bytes(), epoch, key.expose()])?;
            }
        }
        transaction.commit()
    }

    /// The key of `record`'s row in `epoch`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn key(&self, record: RecordId, epoch: u32) -> rusqlite::Result<Option<RowKey>> {
        let mut statement = self.connection.prepare_cached("SELECT key FROM row_key WHERE record = ?1 AND epoch = ?2")?;
        statement.query_row(params![record.bits().to_le_bytes(), epoch], |row| row.get(0).map(Secret::new)).optional()
    }

    /// Destroys every key of these records; they are gone from the file and its log when this returns.
    ///
    /// # Errors
    /// What SQLite says; then keys may remain.
    pub fn destroy(&mut self, records: &[RecordId]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in records {
            transaction.execute("DELETE FROM row_key WHERE record = ?1", [record.bits().to_le_bytes()])?;
        }
        transaction.commit()?;
        sqlite::empty_log(&self.connection)
    }

    /// Destroys the keys of these records' rows; they are gone from the file and its log after [`Keys::erase_leftovers`].
    ///
    /// # Errors
    /// What SQLite says; then keys may remain.
    pub fn destroy_of_rows(&mut self, rows: impl IntoIterator<Item = (RecordId, u32)>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM row_key WHERE record = ?1 AND epoch = ?2")?;
            for (record, epoch) in rows {
                delete.execute(params![record.bits().to_le_bytes(), epoch])?;
            }
        }
        transaction.commit()
    }

    /// Empties the file's log, which still holds keys that were destroyed.
    ///
    /// # Errors
    /// What SQLite says; then keys may remain in the log.
    pub fn erase_leftovers(&self) -> rusqlite::Result<()> {
        sqlite::empty_log(&self.connection)
    }

    /// What there is a key of: record and epoch.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn all(&self) -> rusqlite::Result<HashSet<(RecordId, u32)>> {
        let mut statement = self.connection.prepare("SELECT record, epoch FROM row_key")?;
        statement.query_map([], |row| Ok((RecordId::from_bits(u128::from_le_bytes(row.get(0)?)), row.get(1)?)))?.collect()
    }

    /// Destroys the keys of whatever is not `in_use`: what a crash left between two files, and the epoch before.
    ///
    /// # Errors
    /// What SQLite says; then keys may remain.
    pub fn destroy_all_but(&mut self, in_use: &HashSet<(RecordId, u32)>) -> rusqlite::Result<()> {
        let all = self.all()?;
        self.destroy_of_rows(all.difference(in_use).copied())?;
        self.erase_leftovers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_seal::fresh_key;

    #[test]
    fn a_destroyed_key_is_in_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut keys = Keys::open(directory.path()).expect("opens");
        let [one, two] = [1, 2].map(RecordId::from_bits);
        let (first, second, later) = (fresh_key().expect("random"), fresh_key().expect("random"), fresh_key().expect("random"));
        keys.insert([(one, 0, &first), (two, 0, &second)]).expect("kept");
        keys.insert([(two, 1, &later)]).expect("kept");
        let on_disk = |key: &RowKey| {
            std::fs::read_dir(directory.path()).expect("lists").any(|file| {
                let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
                bytes.windows(32).any(|window| window == key.expose())
            })
        };
        assert!(on_disk(&first) && on_disk(&second) && on_disk(&later));
        keys.destroy(&[one]).expect("destroyed");
        assert!(!on_disk(&first) && on_disk(&second));
        assert!(keys.key(one, 0).expect("reads").is_none());
        keys.destroy_all_but(&HashSet::from([(two, 1)])).expect("destroyed");
        assert!(!on_disk(&second) && on_disk(&later));
        assert_eq!(keys.key(two, 1).expect("reads").expect("is there").expose(), later.expose());
    }
}
