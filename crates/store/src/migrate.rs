//! Bringing a database file's schema up to date: numbered files in `db/`, each applied once, in order.

use sha2::{Digest, Sha256};

use crate::catalogue;
use crate::db::{Connection, Role, Tx};
use crate::error::StoreError;
use crate::posting;

/// One step of the schema. A file that was ever released never changes; a new one is added.
struct Migration {
    version: u32,
    sql: &'static str,
    /// What SQL alone cannot do, in the same transaction.
    then: fn(&Tx) -> Result<(), StoreError>,
}

const MIGRATIONS: [Migration; 3] = [
    Migration { version: 1, sql: include_str!("../../../db/0001_first.sql"), then: |_| Ok(()) },
    Migration { version: 2, sql: include_str!("../../../db/0002_payments.sql"), then: after_2 },
    Migration { version: 3, sql: include_str!("../../../db/0003_events.sql"), then: |_| Ok(()) },
];

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
            (migration.then)(tx)?;
            tx.execute("INSERT INTO schema_version (version, sha256) VALUES (?1, ?2)", (migration.version, sha256))?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base::secret::Secret;
    use payments::rules::RuleBook;

    use super::*;
    use crate::Store;
    use crate::db::Location;
    use crate::throwaway::Throwaway;

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

    /// A database of the first version, with a top-up and a payment that was refunded in part.
    const FIRST: &str = "
        INSERT INTO merchants VALUES (?m, 'Noodle House', 1);
        INSERT INTO stores VALUES (?m, ?m, 'Main Street', 1);
        INSERT INTO terminals VALUES (?m, ?m, ?h, ?h, 1);
        INSERT INTO accounts VALUES (?a, 'Alice', '13800000001', ?a, NULL, 'II', 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 1);
        INSERT INTO ledger_accounts VALUES ('client_reserve', ?z, 'CNY', 5000, 0), ('customer_wallet', ?a, 'CNY', 1200, 5200), ('merchant_payable', ?m, 'CNY', 200, 1200);
        INSERT INTO ledger_transfers VALUES (?3, 'client_reserve', ?z, 'customer_wallet', ?a, 5000, 'CNY', 30),
            (?1, 'customer_wallet', ?a, 'merchant_payable', ?m, 1200, 'CNY', 40), (?2, 'merchant_payable', ?m, 'customer_wallet', ?a, 200, 'CNY', 50);
        INSERT INTO payments VALUES (?1, ?m, ?m, ?m, 1200, 'CNY', NULL, 'paid', 35, 99, NULL, NULL, NULL, NULL, NULL, ?a, NULL, 40, 'look', 200, 1, 'cn/2026-11-01');
        INSERT INTO refunds VALUES (?2, ?1, 200, 50);
        INSERT INTO activities VALUES (1, ?a, 'top_up', ?3, NULL, 5000, 30), (2, ?a, 'payment', ?1, ?1, -1200, 40), (3, ?a, 'refund', ?2, ?1, 200, 50);
        INSERT INTO biometric_queries VALUES (1, ?2, ?a, 'identification', ?1, 40);";

    fn open_first_version(location: &Location) -> Connection {
        let connection = Connection::open(location, Role::Writer).expect("opens");
        connection.define("CREATE TABLE schema_version (version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT").expect("defines");
        apply(&connection, &MIGRATIONS[0]).expect("the first version");
        let postgres = matches!(location, Location::Postgres(_));
        let mut sql = FIRST.to_owned();
        for (name, byte, len) in
            [("?m", 0x11, 16), ("?a", 0xaa, 16), ("?z", 0, 16), ("?h", 0x77, 32), ("?1", 0x31, 16), ("?2", 0x32, 16), ("?3", 0x33, 16)]
        {
            let digits = format!("{byte:02x}").repeat(len);
            sql = sql.replace(name, &if postgres { format!("'\\x{digits}'") } else { format!("x'{digits}'") });
        }
        // An Ed25519 key is not read in this test, so that any 32 bytes will do.
        connection.batch(&sql).expect("fills");
        connection
    }

    #[test]
    fn the_first_version_is_carried_over_with_every_cent_and_hashed() {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Throwaway::start(&[]).expect("a server");
        for location in [Location::Sqlite(directory.path().join("platform.db")), server.new_database().expect("a database")] {
            drop(open_first_version(&location));
            let rules = RuleBook::parse(include_str!("../../../rules/cn.toml")).expect("sound");
            let store = Store::open(location.clone(), rules, Secret::new([1; 32])).expect("migrates");
            let totals = store.books().expect("accounts and transfers agree");
            assert!(totals.balanced(), "{totals:?}");
            assert_eq!((totals.customer_minor, totals.merchant_minor, totals.reserve_minor), (4000, 1000, 5000));
            let mut text = String::new();
            let head = store
                .export_ledger(|piece| {
                    text.push_str(piece);
                    Ok(())
                })
                .expect("exports");
            let verified = ledger::export::verify(&text, None).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
            assert_eq!((verified.head, head.sequence), (head, 3));
            store
                .read(|tx| {
                    for (table, rows) in [("payments", 1), ("refunds", 1), ("activities", 3), ("biometric_queries", 1)] {
                        let count: i64 = tx.one(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?;
                        assert_eq!(count, rows, "{table}");
                    }
                    let kept =
                        tx.one("SELECT status, captured_minor, refunded_minor, paid_at, authorised_at FROM payments", (), |row| {
                            Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<i64>(3)?, row.get::<i64>(4)?))
                        })?;
                    assert_eq!(kept, ("paid".to_owned(), 1200, 200, 40, 40));
                    Ok(())
                })
                .expect("reads");
            // Numbers go on behind those that were carried over.
            store
                .run_tx("another row", |tx| {
                    tx.execute(
                        "INSERT INTO activities (account, kind, reference, amount_minor, posted_at) SELECT id, 'top_up', id, 1, 60 FROM accounts",
                        (),
                    )?;
                    let last: i64 = tx.one("SELECT max(sequence) FROM activities", (), |row| row.get(0))?;
                    assert_eq!(last, 4);
                    Ok(())
                })
                .expect("writes");
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
