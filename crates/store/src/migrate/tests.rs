//! From every earlier version, on both databases.

use base::id::{AccountId, MerchantId};
use base::secret::Secret;
use payments::rules::RuleBook;

use super::*;
use crate::Store;
use crate::db::Location;
use crate::idempotency::Idempotency;
use crate::setup::Payee;
use crate::throwaway::Throwaway;

#[test]
fn applies_once_and_refuses_what_it_does_not_know() {
    let directory = tempfile::tempdir().expect("a directory");
    let connection = Connection::open(&directory.path().join("platform.db").as_path().into(), Role::Writer).expect("opens");
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
    INSERT INTO biometric_queries VALUES (1, ?2, ?a, 'identification', ?1, 40);
    INSERT INTO idempotency VALUES ('till', 'first', ?h, 200, ?a, 40, NULL), ('till', 'second', ?h, 404, ?a, 40, 99);";

/// What the second version can hold beside that.
const SECOND: &str = "
    INSERT INTO account_limits VALUES (1, ?a, 300, NULL, NULL, 60, 60);
    INSERT INTO alerts VALUES (1, 'duress', ?a, ?1, 61);
    INSERT INTO disputes VALUES (?4, ?1, ?a, 'stranger', 'open', 1000, 0, 0, 62, 70, 99, 0, NULL, NULL, 'cn/2026-11-01');";

/// Rows of these tables when all versions have passed.
const KEPT: [(&str, i64); 10] = [
    ("stored_answers", 2),
    ("payments", 1),
    ("refunds", 1),
    ("activities", 3),
    ("biometric_queries", 1),
    ("ledger_transfers", 3),
    ("account_limits", 1),
    ("alerts", 1),
    ("disputes", 1),
    ("identity_checks", 1),
];

fn fill(connection: &Connection, sql: &str) {
    let is_postgres = matches!(connection, Connection::Postgres(_));
    let mut sql = sql.to_owned();
    // An Ed25519 key is not read in this test, so that any 32 bytes will do.
    for (name, byte, len) in [
        ("?m", 0x11, 16),
        ("?a", 0xaa, 16),
        ("?z", 0, 16),
        ("?h", 0x77, 32),
        ("?1", 0x31, 16),
        ("?2", 0x32, 16),
        ("?3", 0x33, 16),
        ("?4", 0x34, 16),
    ] {
        let digits = format!("{byte:02x}").repeat(len);
        sql = sql.replace(name, &if is_postgres { format!("'\\x{digits}'") } else { format!("x'{digits}'") });
    }
    connection.batch(&sql).expect("fills");
}

/// A database as the program left it that knew so many steps.
fn make_version(location: &Location, steps: usize) -> Connection {
    let connection = Connection::open(location, Role::Writer).expect("opens");
    connection.define("CREATE TABLE schema_version (version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT").expect("defines");
    for migration in &MIGRATIONS[..steps] {
        apply(&connection, migration).expect("an earlier version");
        match migration.version {
            1 => fill(&connection, FIRST),
            2 => fill(&connection, SECOND),
            _ => {}
        }
    }
    connection
}

/// Empty places on both databases.
fn places(count: usize) -> (Vec<Location>, tempfile::TempDir, Throwaway) {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Throwaway::start(&[]).expect("a server");
    let of_both = |at: usize| [Location::Sqlite(directory.path().join(format!("{at}.db"))), server.new_database().expect("a database")];
    ((0..count).flat_map(of_both).collect(), directory, server)
}

#[test]
fn every_earlier_version_is_carried_over_with_every_cent_and_hashed() {
    let (places, _directory, _server) = places(MIGRATIONS.len());
    for (at, location) in places.into_iter().enumerate() {
        let version = at / 2 + 1;
        drop(make_version(&location, version));
        check_carried_over(&location, version);
    }
}

fn check_carried_over(location: &Location, version: usize) {
    let rules = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
    let store = Store::open(location, rules, Secret::new([1; 32])).expect("migrates");
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
    // Lists are whole, whichever version had the rows.
    let (alice, shop) = (AccountId::from_bits(u128::from_be_bytes([0xaa; 16])), MerchantId::from_bits(u128::from_be_bytes([0x11; 16])));
    let activity = store.activity(alice, None, 10).expect("reads").data;
    assert_eq!(activity.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [200, -1200, 5000], "{location}, from version {version}");
    let older = store.activity(alice, Some(&activity[0].id), 10).expect("reads").data;
    assert_eq!(older.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [-1200, 5000]);
    assert_eq!(store.queries(alice, None, 10).expect("reads").data.len(), 1);
    let now = base::time::Timestamp::from_millis(1_795_000_000_000);
    assert_eq!(store.payments(Payee::Merchant(shop), None, 10, now).expect("reads").data.len(), 1);
    let columns = "SELECT status, captured_minor, refunded_minor, paid_at, authorised_at FROM payments";
    store
        .read(|tx| {
            for (table, rows) in KEPT {
                let came_later = version < 2 && ["account_limits", "alerts", "disputes"].contains(&table);
                let count: i64 = tx.one(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?;
                assert_eq!(count, if came_later { 0 } else { rows }, "{table} of {location}, from version {version}");
            }
            let kept = tx.one(columns, (), |row| {
                Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<i64>(3)?, row.get::<i64>(4)?))
            })?;
            assert_eq!(kept, ("paid".to_owned(), 1200, 200, 40, 40));
            Ok(())
        })
        .expect("reads");
    let asked = Idempotency { scope: "till".into(), key: "first".into(), request_digest: [0x77; 32] };
    let answer = store.replay(&asked).expect("reads").expect("is stored");
    assert_eq!((answer.status, answer.body), (200, vec![0xaa; 16]));
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

/// All of a step happens or nothing: a program that ends in the middle leaves the version before, and the next one goes on.
#[test]
fn a_step_that_fails_leaves_the_version_before() {
    let (places, _directory, _server) = places(MIGRATIONS.len() - 1);
    for (at, location) in places.into_iter().enumerate() {
        let version = at / 2 + 1;
        let connection = make_version(&location, version);
        let Migration { version: next, sql, .. } = MIGRATIONS[version];
        let breaks = Migration { version: next, sql, then: |_| Err(StoreError::Corrupt("the power is gone".into())) };
        apply(&connection, &breaks).expect_err("fails at its end");
        let newest: u32 = Tx(&connection).one("SELECT max(version) FROM schema_version", (), |row| row.get(0)).expect("reads");
        assert_eq!(newest, MIGRATIONS[version - 1].version, "{location}");
        drop(connection);
        check_carried_over(&location, version);
    }
}

/// Expand, then contract: whoever removes something does it a version after nothing needs it any more. The second version
/// made six tables anew in one step, before there was anybody to wait for.
#[test]
fn what_is_removed_is_removed_by_a_step_of_its_own() {
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > 2) {
        let has = |words: [&str; 3]| words.iter().any(|word| migration.sql.contains(word));
        let (removes, adds) = (has(["DROP TABLE", "DROP COLUMN", " RENAME "]), has(["CREATE TABLE", "ADD COLUMN", "INSERT INTO"]));
        assert!(!(removes && adds), "step {} adds and removes", migration.version);
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

/// Whoever reaches the database with the platform's own rights still cannot take a line back.
#[test]
fn the_log_of_customer_service_only_grows() {
    let (places, _directory, _server) = places(1);
    for location in places {
        let connection = make_version(&location, MIGRATIONS.len());
        fill(
            &connection,
            "INSERT INTO clerks VALUES (?1, 'Sun', NULL, NULL, 1, NULL, 1); INSERT INTO service_log VALUES (?2, ?1, 'look_up', '', NULL, NULL, 2);",
        );
        let changes =
            ["UPDATE service_log SET reference = 'other'", "UPDATE service_log SET at = 3 WHERE at = 2", "DELETE FROM service_log"];
        // SQLite knows no other way to empty a table.
        let emptied = matches!(location, Location::Postgres(_)).then_some("TRUNCATE service_log");
        for change in changes.into_iter().chain(emptied) {
            let error = connection.batch(change).expect_err(change).to_string();
            assert!(error.contains("append-only"), "{location}: {error}");
        }
        let kept: (String, i64) =
            Tx(&connection).one("SELECT reference, at FROM service_log", (), |row| Ok((row.get(0)?, row.get(1)?))).expect("stays");
        assert_eq!(kept, (String::new(), 2));
    }
}
