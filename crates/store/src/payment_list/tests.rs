//! What a start costs when there are many payments.

use std::time::{Duration, Instant};

use base::secret::Secret;
use payments::rules::RuleBook;

use super::*;
use crate::db::{Connection, Location};
use crate::throwaway::Throwaway;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
/// How many, if not as few as fit into every test run.
const PAYMENTS: &str = "HANDSEL_RECOVER_PAYMENTS";
const PAYMENTS_FEW: i64 = 20_000;
/// Payments whose look was with the parties.
const OPEN_COUNT: i64 = 8;
const RECOVERY_MAX: Duration = Duration::from_secs(2);

/// Rows of one statement, which must not take as long as a silence that means that the server is gone.
const ROWS: i64 = 50_000;

const PAYEE: &str = "
    INSERT INTO merchants (id, name, created_at) VALUES (?m, 'Noodle House', 1);
    INSERT INTO stores (id, merchant, name, created_at) VALUES (?m, ?m, 'Main Street', 1);
    INSERT INTO terminals (id, store, token_sha256, public_key, created_at) VALUES (?m, ?m, ?h, ?h, 1);";
/// Payments of theirs, of which one in every `?each` is being checked.
const MANY: &str = "
    WITH RECURSIVE numbers (number) AS (SELECT CAST(?first AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number < ?last)
    INSERT INTO payments (id, terminal, store, merchant, amount_minor, currency, capture, status, created_at, expires_at,
            captured_minor, refunded_minor, refund_count, rules_version)
        SELECT ?id, ?m, ?m, ?m, 100, 'CNY', 'automatic', CASE WHEN number % ?each = 0 THEN 'being_checked' ELSE 'refused' END,
            1795000000000, 1795000900000, 0, 0, 0, 'cn/2026-11-01' FROM numbers;";

fn fill(store: &Store, count: i64) -> Result<(), StoreError> {
    let run = |sql: &str| {
        store.run_tx("fill", |tx| {
            let (bytes, id): (fn(&str, usize) -> String, _) = match tx.0 {
                Connection::Sqlite(_) => (|byte, len| format!("x'{}'", byte.repeat(len)), "CAST(printf('%016d', number) AS BLOB)"),
                Connection::Postgres(_) => {
                    (|byte, len| format!("'\\x{}'::bytea", byte.repeat(len)), "convert_to(lpad(number::text, 16, '0'), 'UTF8')")
                }
            };
            let sql = sql.replace("?m", &bytes("11", 16)).replace("?h", &bytes("11", 32)).replace("?id", id);
            Ok(tx.0.batch(&sql.replace("?each", &(count / OPEN_COUNT).to_string()))?)
        })
    };
    run(PAYEE)?;
    for first in (1..=count).step_by(ROWS as usize) {
        let last = (first + ROWS - 1).min(count);
        run(&MANY.replace("?first", &first.to_string()).replace("?last", &last.to_string()))?;
    }
    run("ANALYZE")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long recovery takes is measured")]
fn a_start_takes_as_long_as_what_is_open_and_not_as_all_payments() {
    let count = std::env::var(PAYMENTS).map_or(PAYMENTS_FEW, |count| count.parse().expect("a count"));
    let directory = tempfile::tempdir().expect("a directory");
    let server = Throwaway::start(&[]).expect("a server");
    for location in [Location::Sqlite(directory.path().join("platform.db")), server.new_database().expect("a database")] {
        let open =
            || Store::open(&location, RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound"), Secret::new([1; 32]));
        fill(&open().expect("opens"), count).expect("fills");
        let begin = Instant::now();
        let store = open().expect("opens again");
        let interrupted = store.recover(NOW).expect("recovers").len();
        let took = begin.elapsed();
        println!("{location}: {count} payments, {interrupted} interrupted, opened and recovered in {took:?}");
        assert_eq!(interrupted as i64, OPEN_COUNT);
        assert!(took < RECOVERY_MAX, "{took:?}");
        assert!(store.recover(NOW).expect("recovers").is_empty(), "they are definite now");
        // Whatever the machine is busy with: no table is read as a whole.
        let plan = store.read(|tx| {
            let explain = match tx.0 {
                Connection::Sqlite(_) => "EXPLAIN QUERY PLAN",
                Connection::Postgres(_) => "EXPLAIN",
            };
            let text = if explain == "EXPLAIN" { 0 } else { 3 };
            [OPEN, BEING_CHECKED].iter().try_fold(Vec::new(), |mut plan, which| {
                let which = which.replace("?1", "1795000000000");
                plan.push(
                    tx.list(&format!("{explain} SELECT * FROM payments p WHERE {which}"), (), |row| row.get::<String>(text))?.join("; "),
                );
                Ok(plan)
            })
        });
        for plan in plan.expect("explains") {
            assert!(plan.contains("payments_open"), "{plan}");
        }
    }
}
