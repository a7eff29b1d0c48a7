//! What tables a database has, in an order in which they can be filled.

use std::collections::HashSet;

use crate::db::{Connection, Tx};
use crate::error::StoreError;

/// Tables about the database itself, which a copy makes anew.
const OWN: [&str; 2] = ["schema_version", "redo_log"];
/// Where it is, the store was moved.
const MOVED: &str = "store_moved";
/// Tables that a store in use has rows of.
const IN_USE: [&str; 4] = ["merchants", "accounts", "ledger_transfers", "stored_answers"];

/// A table as both databases have it.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    keys: Vec<String>,
}

impl Table {
    /// All rows by key.
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.columns.join(", "), self.name, self.keys.join(", "))
    }

    /// One row.
    pub(crate) fn insert(&self) -> String {
        let values: Vec<String> = (1..=self.columns.len()).map(|number| format!("?{number}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.columns.join(", "), values.join(", "))
    }
}

/// The tables of both, referred-to ones first.
pub(crate) fn tables(from: &Tx, into: &Tx) -> Result<Vec<Table>, StoreError> {
    let described = if matches!(from.0, Connection::Sqlite(_)) { from } else { into };
    if !matches!(described.0, Connection::Sqlite(_)) {
        return Err(StoreError::Schema("one of the two must be SQLite: make a backup and bring that back".into()));
    }
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut waiting: Vec<String> = described.list(sql, (), |row| row.get(0))?;
    waiting.retain(|name| !OWN.contains(&name.as_str()));
    let mut ordered = Vec::new();
    let mut placed: HashSet<String> = HashSet::new();
    while !waiting.is_empty() {
        let before = waiting.len();
        for name in std::mem::take(&mut waiting) {
            let refers_to: Vec<String> = described.list("SELECT \"table\" FROM pragma_foreign_key_list(?1)", [&name], |row| row.get(0))?;
            if refers_to.iter().all(|other| *other == name || placed.contains(other)) {
                placed.insert(name.clone());
                ordered.push(table(described, name)?);
            } else {
                waiting.push(name);
            }
        }
        if waiting.len() == before {
            return Err(StoreError::Schema(format!("tables refer to each other in a circle: {}", waiting.join(", "))));
        }
    }
    Ok(ordered)
}

fn table(sqlite: &Tx, name: String) -> Result<Table, StoreError> {
    let sql = "SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid";
    let columns: Vec<(String, u32)> = sqlite.list(sql, [&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut keys: Vec<(u32, String)> = columns.iter().filter(|(_, key)| *key > 0).map(|(name, key)| (*key, name.clone())).collect();
    keys.sort();
    Ok(Table { name, columns: columns.into_iter().map(|(name, _)| name).collect(), keys: keys.into_iter().map(|(_, name)| name).collect() })
}

/// Removes what a fresh schema brings; refuses if there is more.
pub(crate) fn empty(into: &Tx, tables: &[Table]) -> Result<(), StoreError> {
    for name in IN_USE {
        if into.find(&format!("SELECT 1 FROM {name} LIMIT 1"), (), |_| Ok(()))?.is_some() {
            return Err(StoreError::Schema("there is a store already where this one should go: give an empty database".into()));
        }
    }
    for table in tables.iter().rev() {
        into.execute(&format!("DELETE FROM {}", table.name), ())?;
    }
    Ok(())
}

/// PostgreSQL does not see which automatic numbers were given along; SQLite does.
pub(crate) fn continue_numbers(into: &Tx, tables: &[Table]) -> Result<(), StoreError> {
    if matches!(into.0, Connection::Sqlite(_)) {
        return Ok(());
    }
    for Table { name, keys, .. } in tables {
        let sql = "SELECT 1 FROM information_schema.columns WHERE table_name = ?1 AND column_name = ?2 AND is_identity = 'YES'
             AND table_schema = current_schema()";
        let [key] = &keys[..] else { continue };
        if into.find(sql, (name, key), |_| Ok(()))?.is_some() {
            let sql = format!("SELECT setval(pg_get_serial_sequence('{name}', '{key}'), coalesce(max({key}), 0) + 1, false) FROM {name}");
            into.one(&sql, (), |row| row.get::<i64>(0))?;
        }
    }
    Ok(())
}

/// Takes no write from now on: not of a program that opens it, nor, on SQLite, of one that has it open. On PostgreSQL
/// there is none: whoever moves holds the turn to write.
pub(crate) fn close_for_good(tx: &Tx, tables: &[Table]) -> Result<(), StoreError> {
    tx.define(&format!("CREATE TABLE {MOVED} (note TEXT NOT NULL) STRICT"))?;
    if matches!(tx.0, Connection::Postgres(_)) {
        return Ok(());
    }
    for Table { name, .. } in tables {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            tx.define(&format!(
                "CREATE TRIGGER moved_{name}_{change} BEFORE {change} ON {name} BEGIN SELECT RAISE(ABORT, 'this store was moved'); END"
            ))?;
        }
    }
    Ok(())
}

/// Refuses a store that was moved elsewhere.
pub(crate) fn check_not_moved(tx: &Tx) -> Result<(), StoreError> {
    if has_table(tx, MOVED)? {
        return Err(StoreError::Schema("this store was moved: use the one that it was moved to".into()));
    }
    Ok(())
}

/// Whether there is a table of this name.
pub(crate) fn has_table(tx: &Tx, name: &str) -> Result<bool, StoreError> {
    let sql = match tx.0 {
        Connection::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
        Connection::Postgres(_) => "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?1",
    };
    Ok(tx.find(sql, [name], |_| Ok(()))?.is_some())
}
