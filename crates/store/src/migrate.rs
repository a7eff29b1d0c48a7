//! Bringing a database file's schema up to date: numbered files in `db/`, each applied once, in order.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::error::StoreError;

/// One step of the schema. A file that was ever released never changes; a new one is added.
struct Migration {
    version: u32,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 1] = [Migration { version: 1, sql: include_str!("../../../db/0001_first.sql") }];

/// Applies what is missing, each file in its own transaction. Refuses a file that a newer program made, or whose applied
/// steps are not those that this program knows.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT")?;
    let newest: Option<u32> = connection.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if newest.is_some_and(|newest| newest > known) {
        return Err(StoreError::Schema(format!(
            "it is at version {}, this program knows {known}; use the newer program",
            newest.unwrap_or_default()
        )));
    }
    for migration in &MIGRATIONS {
        apply(connection, migration)?;
    }
    Ok(())
}

fn apply(connection: &mut Connection, migration: &Migration) -> Result<(), StoreError> {
    let sha256: [u8; 32] = Sha256::digest(migration.sql.as_bytes()).into();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: Option<[u8; 32]> =
        tx.query_row("SELECT sha256 FROM schema_version WHERE version = ?1", [migration.version], |row| row.get(0)).optional()?;
    match applied {
        Some(before) if before == sha256 => Ok(()),
        Some(_) => Err(StoreError::Schema(format!("step {} is not the one that this program knows", migration.version))),
        None => {
            tx.execute_batch(migration.sql)?;
            tx.execute("INSERT INTO schema_version (version, sha256) VALUES (?1, ?2)", (migration.version, sha256))?;
            Ok(tx.commit()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_once_and_refuses_what_it_does_not_know() {
        let mut connection = Connection::open_in_memory().expect("opens");
        migrate(&mut connection).expect("from nothing");
        migrate(&mut connection).expect("again changes nothing");
        for (tampering, reason) in [
            ("UPDATE schema_version SET sha256 = zeroblob(32)", "is not the one"),
            ("INSERT INTO schema_version VALUES (999, zeroblob(32))", "newer program"),
        ] {
            connection.execute_batch(tampering).expect("tampers");
            let error = migrate(&mut connection).expect_err(tampering).to_string();
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
