//! Bringing a database file's schema up to date: numbered files in `db/`, each applied once, in order.

use sha2::{Digest, Sha256};

use crate::catalogue;
use crate::db::{Connection, Role, Tx};
use crate::error::StoreError;

/// One step of the schema. A file that was ever released never changes; a new one is added.
struct Migration {
    version: u32,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, sql: include_str!("../../../db/0001_first.sql") },
    Migration { version: 2, sql: include_str!("../../../db/0003_events.sql") },
];

/// The tables in the order in which they were made: none refers to a later one.
pub(crate) fn tables() -> Vec<String> {
    let made = |line: &'static str| line.strip_prefix("CREATE TABLE ")?.split_whitespace().next();
    MIGRATIONS.iter().flat_map(|migration| migration.sql.lines()).filter_map(made).map(str::to_owned).collect()
}

/// Applies what is missing, each file in its own transaction. Refuses a database that a newer program made, or whose
/// applied steps are not those that this program knows.
pub(crate) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    connection.define("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT")?;
    catalogue::check_not_moved(&Tx(connection))?;
    let newest: u32 = Tx(connection).one("SELECT coalesce(max(version), 0) FROM schema_version", (), |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if newest > known {
        return Err(StoreError::Schema(format!("it is at version {newest}, this program knows {known}; use the newer program")));
    }
    MIGRATIONS.iter().try_for_each(|migration| apply(connection, migration))
}

/// Refuses a database that is not exactly of this program's version, without changing it.
pub(crate) fn check_current(tx: &Tx) -> Result<(), StoreError> {
    if !catalogue::has_table(tx, "schema_version")? {
        return Err(StoreError::Schema("there is no store".into()));
    }
    catalogue::check_not_moved(tx)?;
    let newest: u32 = tx.one("SELECT coalesce(max(version), 0) FROM schema_version", (), |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if newest == known {
        return Ok(());
    }
    Err(StoreError::Schema(format!(
        "it is at version {newest}, this program knows {known}: start the platform on it once, with the newer program"
    )))
}

fn apply(connection: &Connection, migration: &Migration) -> Result<(), StoreError> {
    let sha256: [u8; 32] = Sha256::digest(migration.sql.as_bytes()).into();
    connection.begin(Role::Writer)?;
    let outcome = apply_in(&Tx(connection), migration, sha256);
    match outcome {
        Ok(()) => Ok(connection.commit()?),
        Err(error) => {
            connection.rollback()?;
            Err(error)
        }
    }
}

fn apply_in(tx: &Tx, migration: &Migration, sha256: [u8; 32]) -> Result<(), StoreError> {
    let applied: Option<[u8; 32]> =
        tx.find("SELECT sha256 FROM schema_version WHERE version = ?1", [migration.version], |row| row.get(0))?;
    match applied {
        Some(before) if before == sha256 => Ok(()),
        Some(_) => Err(StoreError::Schema(format!("step {} is not the one that this program knows", migration.version))),
        None => {
            tx.define(migration.sql)?;
            tx.execute("INSERT INTO schema_version (version, sha256) VALUES (?1, ?2)", (migration.version, sha256))?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn applies_once_and_refuses_what_it_does_not_know() {
        let connection = Connection::open(&Path::new(":memory:").into(), Role::Writer).expect("opens");
        migrate(&connection).expect("from nothing");
        migrate(&connection).expect("again changes nothing");
        for (tampering, reason) in [
            ("UPDATE schema_version SET sha256 = zeroblob(32)", "is not the one"),
            ("INSERT INTO schema_version VALUES (999, zeroblob(32))", "newer program"),
        ] {
            connection.batch(tampering).expect("tampers");
            let error = migrate(&connection).expect_err(tampering).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn every_column_has_its_comment() {
        let columns = MIGRATIONS.iter().flat_map(|migration| migration.sql.lines()).filter(|line| {
            let line = line.trim_start();
            line.starts_with(|first: char| first.is_ascii_lowercase())
                && (line.contains(" TEXT") || line.contains(" INTEGER") || line.contains(" BLOB"))
        });
        for line in columns {
            assert!(line.contains("-- "), "no comment: {line}");
        }
    }
}
