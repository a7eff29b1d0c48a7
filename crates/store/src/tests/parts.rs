//! Parts of one transaction, on both databases: what one of them put or made known is gone when it is undone, whether or not it
//! had reached the database, and what the others did stays.

use base::secret::Secret;
use payments::rules::RuleBook;
use wire::problem::Code;

use crate::Store;
use crate::db::{Bits, Kind, Location, Tx};
use crate::error::StoreError;
use crate::throwaway::Throwaway;

const NAMED: Kind<i64> = Kind::new("named", &["merchants"]);

/// Puts a row, of which its number is known from then on.
fn put(tx: &Tx, number: i64) -> Result<(), StoreError> {
    let values = (Bits(number as u128), "Noodle House", number);
    let sql = "INSERT INTO merchants (id, name, created_at) VALUES (?1, ?2, ?3)";
    Ok(tx.put_known(sql, values, &NAMED, (0, number as u128), number)?)
}

fn numbers(tx: &Tx) -> Result<Vec<i64>, StoreError> {
    Ok(tx.list("SELECT created_at FROM merchants ORDER BY created_at", (), |row| row.get(0))?)
}

fn refused() -> StoreError {
    Code::NotFound.into()
}

fn check(location: &Location) {
    let rules = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
    let store = Store::open(location, rules, Secret::new([1; 32])).expect("opens");
    let known = |tx: &Tx, number: i64| tx.0.known().get(&NAMED, (0, number as u128));
    let seen = store.run_tx("parts", |tx| {
        put(tx, 1)?;
        // Nothing of it reaches the database.
        let undone: Result<(), StoreError> = tx.undoing_errors(|| put(tx, 2).and(Err(refused())));
        assert!(undone.is_err() && known(tx, 2).is_none());
        put(tx, 3)?;
        // This one does, is undone with a part inside it that was done, and with what still waits.
        let undone: Result<(), StoreError> = tx.undoing_errors(|| {
            put(tx, 4)?;
            assert_eq!(numbers(tx)?, [1, 3, 4]);
            tx.undoing_errors(|| put(tx, 5))?;
            assert_eq!(known(tx, 5), Some(5));
            Err(refused())
        });
        assert!(undone.is_err() && known(tx, 4).is_none() && known(tx, 5).is_none());
        // Only the part inside is undone here.
        tx.undoing_errors(|| {
            put(tx, 6)?;
            let undone: Result<(), StoreError> = tx.undoing_errors(|| put(tx, 7).and_then(|()| numbers(tx)).and(Err(refused())));
            assert!(undone.is_err() && known(tx, 7).is_none());
            put(tx, 8)
        })?;
        numbers(tx)
    });
    assert_eq!(seen.expect("is done"), [1, 3, 6, 8], "{location}");
    assert_eq!(store.read(numbers).expect("reads"), [1, 3, 6, 8], "{location}");
    let failed = store.run_tx("fails", |tx| put(tx, 9).and(Err::<(), _>(refused())));
    assert!(failed.is_err() && store.run_tx("looks", |tx| Ok(known(tx, 9))).expect("looks").is_none());
    assert_eq!(store.read(numbers).expect("reads"), [1, 3, 6, 8], "{location}");
}

#[test]
fn a_part_that_is_undone_leaves_nothing_behind_and_takes_nothing_along() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Throwaway::start(&[]).expect("a server");
    check(&Location::Sqlite(directory.path().join("platform.db")));
    check(&server.new_database().expect("a database"));
}
