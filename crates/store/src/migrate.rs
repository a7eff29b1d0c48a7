//! Bringing a database file's schema up to date: numbered files in `db/`, each applied once, in order.

use sha2::{Digest, Sha256};

use crate::catalogue;
use crate::db::{Connection, Role, Tx};
use crate::error::StoreError;
use crate::{idempotency, posting};

/// One step of the schema. A file that was ever released never changes; a new one is added.
struct Migration {
    version: u32,
    sql: &'static str,
    /// What SQL alone cannot do, in the same transaction.
    then: fn(&Tx) -> Result<(), StoreError>,
}

const MIGRATIONS: [Migration; 19] = [
    Migration { version: 1, sql: include_str!("../../../db/0001_first.sql"), then: |_| Ok(()) },
    Migration { version: 2, sql: include_str!("../../../db/0002_payments.sql"), then: after_2 },
    Migration { version: 3, sql: include_str!("../../../db/0003_events.sql"), then: |_| Ok(()) },
    Migration { version: 4, sql: include_str!("../../../db/0004_rights.sql"), then: |_| Ok(()) },
    Migration { version: 5, sql: include_str!("../../../db/0005_settlement.sql"), then: |_| Ok(()) },
    Migration { version: 6, sql: include_str!("../../../db/0006_appeals.sql"), then: |_| Ok(()) },
    Migration { version: 7, sql: include_str!("../../../db/0007_answers.sql"), then: |_| Ok(()) },
    Migration { version: 8, sql: include_str!("../../../db/0008_metadata.sql"), then: |_| Ok(()) },
    Migration { version: 9, sql: include_str!("../../../db/0009_passcode_always.sql"), then: |_| Ok(()) },
    Migration { version: 10, sql: include_str!("../../../db/0010_helpers.sql"), then: |_| Ok(()) },
    Migration { version: 11, sql: include_str!("../../../db/0011_places.sql"), then: |_| Ok(()) },
    Migration { version: 12, sql: include_str!("../../../db/0012_rules.sql"), then: |_| Ok(()) },
    Migration { version: 13, sql: include_str!("../../../db/0013_lists.sql"), then: |_| Ok(()) },
    Migration { version: 14, sql: include_str!("../../../db/0014_passkeys.sql"), then: |_| Ok(()) },
    Migration { version: 15, sql: include_str!("../../../db/0015_shop.sql"), then: |_| Ok(()) },
    Migration { version: 16, sql: include_str!("../../../db/0016_vouchers.sql"), then: |_| Ok(()) },
    Migration { version: 17, sql: include_str!("../../../db/0017_service.sql"), then: protect_service_log },
    Migration { version: 18, sql: include_str!("../../../db/0018_redo.sql"), then: |_| Ok(()) },
    Migration { version: 19, sql: include_str!("../../../db/0019_stored_answers.sql"), then: idempotency::hash_old_answers },
];

/// The version that this program makes of a database.
const NEWEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Hashes what was posted before there was a chain, and goes on numbering the tables that were made anew.
fn after_2(tx: &Tx) -> Result<(), StoreError> {
    posting::hash_old_transfers(tx)?;
    ["activities", "biometric_queries"].into_iter().try_for_each(|table| continue_numbers(tx, table))
}

/// PostgreSQL does not see which numbers were given along; SQLite does.
fn continue_numbers(tx: &Tx, table: &str) -> Result<(), StoreError> {
    if let Connection::Postgres(_) = tx.0 {
        let sql =
            format!("SELECT setval(pg_get_serial_sequence('{table}', 'sequence'), coalesce(max(sequence), 0) + 1, false) FROM {table}");
        tx.one(&sql, (), |row| row.get::<i64>(0))?;
    }
    Ok(())
}

/// The database itself refuses to change or delete a line of customer service's log.
fn protect_service_log(tx: &Tx) -> Result<(), StoreError> {
    let sql = match tx.0 {
        Connection::Sqlite(_) => {
            "CREATE TRIGGER service_log_not_changed BEFORE UPDATE ON service_log BEGIN SELECT RAISE(ABORT, 'service_log is append-only'); END;
             CREATE TRIGGER service_log_not_deleted BEFORE DELETE ON service_log BEGIN SELECT RAISE(ABORT, 'service_log is append-only'); END;"
        }
        Connection::Postgres(_) => {
            "CREATE FUNCTION service_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'service_log is append-only'; END $$;
             CREATE TRIGGER service_log_kept BEFORE UPDATE OR DELETE ON service_log
                 FOR EACH ROW EXECUTE FUNCTION service_log_is_append_only();
             CREATE TRIGGER service_log_not_emptied BEFORE TRUNCATE ON service_log
                 FOR EACH STATEMENT EXECUTE FUNCTION service_log_is_append_only();"
        }
    };
    Ok(tx.0.batch(sql)?)
}

/// The tables in the order in which they were made: none refers to a later one.
pub(crate) fn tables() -> Vec<String> {
    let made = |line: &'static str| line.strip_prefix("CREATE TABLE ")?.split_whitespace().next();
    MIGRATIONS.iter().flat_map(|migration| migration.sql.lines()).filter_map(made).map(str::to_owned).collect()
}

/// Refuses a database that a newer program made, without changing it.
pub(crate) fn check_not_newer(tx: &Tx) -> Result<(), StoreError> {
    if !catalogue::has_table(tx, "schema_version")? {
        return Ok(());
    }
    let newest: u32 = tx.one("SELECT coalesce(max(version), 0) FROM schema_version", (), |row| row.get(0))?;
    if newest <= NEWEST {
        return Ok(());
    }
    Err(StoreError::Schema(format!("it is at version {newest}, this program knows {NEWEST}; use the newer program")))
}

/// Applies what is missing, each file in its own transaction. Refuses a database that a newer program made, or whose
/// applied steps are not those that this program knows.
pub(crate) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    connection.define("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT")?;
    catalogue::check_not_moved(&Tx(connection))?;
    check_not_newer(&Tx(connection))?;
    MIGRATIONS.iter().try_for_each(|migration| apply(connection, migration))
}

/// Refuses a database that is not exactly of this program's version, without changing it.
pub(crate) fn check_current(tx: &Tx) -> Result<(), StoreError> {
    if !catalogue::has_table(tx, "schema_version")? {
        return Err(StoreError::Schema("there is no store".into()));
    }
    catalogue::check_not_moved(tx)?;
    let newest: u32 = tx.one("SELECT coalesce(max(version), 0) FROM schema_version", (), |row| row.get(0))?;
    let known = NEWEST;
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
            (migration.then)(tx)?;
            tx.execute("INSERT INTO schema_version (version, sha256) VALUES (?1, ?2)", (migration.version, sha256))?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
