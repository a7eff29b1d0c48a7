//! A store's contents from one database to another, in one direction or the other: a backup, a backup brought back, a
//! move to PostgreSQL. Everything is read from one moment, everything is compared afterwards, and the books of both.
//!
//! One of the two is always SQLite: a backup is an ordinary SQLite file of the same schema, whatever it was made from.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use base::hash::hex;
use ledger::totals::Totals;
use sha2::{Digest, Sha256};

use crate::books;
use crate::catalogue::{self, Table};
use crate::db::{Connection, DbError, Location, Role, Row, Tx, Value};
use crate::error::StoreError;
use crate::{migrate, redo};

/// What was copied, as counted and compared at both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// SHA-256 over all tables' rows by key.
    pub sha256: String,
    /// The books at both ends.
    pub books: Totals,
}

/// Writes a backup of the store at `from`, which may be in use, into the new file `file`.
///
/// # Errors
/// The file is there already; the store is not of this program's version; either cannot be read or written; they differ.
pub fn backup(from: &Location, file: &Path) -> Result<Copied, StoreError> {
    if file.exists() {
        return Err(StoreError::Schema(format!("{} is there already: choose another name", file.display())));
    }
    // Whoever finds the name finds a whole backup.
    let unfinished = PathBuf::from(format!("{}.unfinished", file.display()));
    let _ = std::fs::remove_file(&unfinished);
    let copied = copy(&open_source(from, Role::Reader)?, Role::Reader, &Location::Sqlite(unfinished.clone()))?;
    let kept = File::open(&unfinished).and_then(|opened| opened.sync_all()).and_then(|()| std::fs::rename(&unfinished, file));
    kept.and_then(|()| sync_folder(file)).map_err(|error| StoreError::Database(DbError::Connection(error)))?;
    Ok(copied)
}

/// Brings the backup `file` back into the empty place `to`.
///
/// # Errors
/// As [`backup`]; there is a store at `to`.
pub fn restore(file: &Path, to: &Location) -> Result<Copied, StoreError> {
    copy(&open_source(&Location::from(file), Role::Reader)?, Role::Reader, to)
}

/// Moves the store at `from` into the empty place `to`. Meanwhile it can be read, and whoever writes waits; afterwards it
/// takes no writes any more, so that nothing can be paid in the wrong place.
///
/// # Errors
/// As [`restore`]; then `from` is as before.
pub fn move_store(from: &Location, to: &Location) -> Result<Copied, StoreError> {
    let source = open_source(from, Role::Writer)?;
    let copied = copy(&source, Role::Writer, to)?;
    let (source_tx, target) = (Tx(&source), Connection::open(to, Role::Reader)?);
    catalogue::close_for_good(&source_tx, &catalogue::tables(&source_tx, &Tx(&target))?)?;
    source.commit()?;
    Ok(copied)
}

fn open_source(from: &Location, role: Role) -> Result<Connection, StoreError> {
    if let Location::Sqlite(path) = from
        && !path.exists()
    {
        return Err(StoreError::Schema(format!("there is no file {}", path.display())));
    }
    redo::wait_for_all(from)?;
    Ok(Connection::open(from, role)?)
}

/// Copies all rows that `source` has at this moment; leaves its transaction open.
fn copy(source: &Connection, role: Role, to: &Location) -> Result<Copied, StoreError> {
    source.begin(role)?;
    let from = Tx(source);
    migrate::check_current(&from)?;
    let target = Connection::open(to, Role::Writer)?;
    migrate::migrate(&target)?;
    target.begin(Role::Writer)?;
    let into = Tx(&target);
    let tables = catalogue::tables(&from, &into)?;
    catalogue::empty(&into, &tables)?;
    let mut all = Sha256::new();
    let mut rows = BTreeMap::new();
    for table in &tables {
        let insert = table.insert();
        let count = each_row(&from, table, &mut all, |values| into.put(&insert, values))?;
        rows.insert(table.name.clone(), count);
    }
    catalogue::continue_numbers(&into, &tables)?;
    let sha256 = hex(&all.finalize());
    compare(&into, &tables, &rows, &sha256)?;
    let books = books::totals(&from)?;
    if books::totals(&into)? != books {
        return Err(StoreError::Corrupt("the books differ after copying".into()));
    }
    target.commit()?;
    Ok(Copied { rows, sha256, books })
}

/// What was written reads back as what was read.
fn compare(into: &Tx, tables: &[Table], rows: &BTreeMap<String, u64>, sha256: &str) -> Result<(), StoreError> {
    let mut all = Sha256::new();
    for table in tables {
        let count = each_row(into, table, &mut all, |_| Ok(()))?;
        if rows.get(&table.name) != Some(&count) {
            return Err(StoreError::Corrupt(format!("{} has {count} rows after copying, {:?} before", table.name, rows.get(&table.name))));
        }
    }
    if hex(&all.finalize()) == sha256 { Ok(()) } else { Err(StoreError::Corrupt("rows differ after copying".into())) }
}

/// Hands each row of `table`, by key, to `take` and to the digest; says how many there are.
fn each_row(tx: &Tx, table: &Table, digest: &mut Sha256, mut take: impl FnMut(&[Value]) -> Result<(), DbError>) -> Result<u64, StoreError> {
    digest.update(table.name.as_bytes());
    let mut count = 0;
    tx.each(&table.select(), (), |row: &Row| {
        let values: Vec<Value> = (0..table.columns.len()).map(|at| row.value(at)).collect::<Result<_, _>>()?;
        values.iter().for_each(|value| add(digest, value));
        count += 1;
        take(&values)
    })?;
    Ok(count)
}

/// Kind, length, bytes: no two rows give the same input.
fn add(digest: &mut Sha256, value: &Value) {
    let number;
    let (kind, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Integer(integer) => {
            number = integer.to_be_bytes();
            (1, &number)
        }
        Value::Text(text) => (2, text.as_bytes()),
        Value::Bytes(bytes) => (3, bytes),
        Value::Id(bytes) => (3, bytes),
    };
    digest.update([kind]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
