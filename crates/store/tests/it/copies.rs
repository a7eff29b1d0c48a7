//! Backups, bringing them back, and moving from one database to the other.

use base::secret::Secret;
use payments::rules::RuleBook;
use store::copy::{self, Copied};
use store::payment::Identification;
use store::throwaway::Throwaway;
use store::{Location, Store};
use wire::api::PaymentStatus;

use crate::place;
use crate::world::*;

/// A world with something in every corner: paid, refunded, refused, waiting, a crowd of answers.
fn used_world(place: &Location) -> World {
    let world = World::at(place, RULES, 1);
    let alice = world.shopper("13800000001", 50_000);
    let bob = world.shopper("13800000002", 100);
    for amount in [100, 250, 399] {
        let paid = world.pay(alice, amount);
        assert_eq!(paid.status, PaymentStatus::Paid);
        assert_eq!(world.refund(paid.id, Some(50)).status, 201);
    }
    assert_eq!(world.pay(bob, 5_000).status, PaymentStatus::Refused);
    world.being_checked(77);
    world
}

fn open(place: &Location) -> Store {
    Store::open(place, RuleBook::parse(&settled(RULES)).expect("sound"), Secret::new([3; 32])).expect("opens")
}

fn check_same(copied: &Copied, world: &World, there: &Store) {
    assert_eq!(copied.books, world.store.books().expect("agree"));
    assert_eq!(there.books().expect("agree"), copied.books);
    assert!(copied.books.balanced() && copied.rows["payments"] == 5 && copied.rows["stored_answers"] > 20, "{copied:?}");
    let list = |store: &Store| serde_json::to_string(&store.payments(TILL, None, 100, world.now()).expect("reads").data).expect("is JSON");
    assert_eq!(list(there), list(&world.store));
}

#[test]
fn a_backup_of_a_store_in_use_brings_everything_back() {
    let (place, _directory) = place::fresh();
    let world = used_world(&place);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("backup.sqlite");
    let copied = copy::backup(&place, &file).expect("is made");
    assert!(copy::backup(&place, &file).expect_err("is there").to_string().contains("is there already"));
    let (empty, _other) = place::fresh();
    assert_eq!(copy::restore(&file, &empty).expect("is brought back"), copied);
    let there = open(&empty);
    check_same(&copied, &world, &there);
    drop(there);
    // What happened after the backup is not in it; what comes next goes on from it.
    world.pay(world.shopper("13800000003", 500), 100);
    let next = World::at(&empty, RULES, 2);
    assert_eq!(next.pay(next.shopper("13800000004", 500), 100).status, PaymentStatus::Paid);
    drop(next);
    let into_used = copy::restore(&file, &place).expect_err("is in use").to_string();
    assert!(into_used.contains("give an empty database") || into_used.contains("another program writes"), "{into_used}");
}

#[test]
fn a_store_moves_between_the_databases_and_the_old_one_takes_no_writes() {
    let (place, _directory) = place::fresh();
    let server = Throwaway::start(&[]).expect("a server for a test");
    let directory = tempfile::tempdir().expect("a directory");
    let other = match &place {
        Location::Sqlite(_) => server.new_database().expect("a database"),
        Location::Postgres(_) => Location::Sqlite(directory.path().join("moved.sqlite")),
    };
    let (mut running, checked) = {
        let world = used_world(&place);
        let checked = world.being_checked(11);
        (Some(world.store), checked)
    };
    // PostgreSQL has one writer: it must end first. SQLite's may go on; it finds out with its next write.
    if matches!(place, Location::Postgres(_)) {
        running = None;
    }
    let copied = copy::move_store(&place, &other).expect("moves");
    if let Some(store) = running {
        let found = Identification::Token(part_of("13800000001").0);
        let late = store.identified(checked, &found, &mut TestRng(9), START, &mut || {}).expect_err("was moved").to_string();
        assert!(late.contains("was moved"), "{late}");
        assert_eq!(store.books().expect("can still be read"), copied.books);
    }
    let moved = Store::open(&place, RuleBook::parse(&settled(RULES)).expect("sound"), Secret::new([3; 32]));
    let reason = moved.map(|_| ()).expect_err("was moved").to_string();
    assert!(reason.contains("was moved"), "{reason}");
    let there = open(&other);
    assert_eq!(there.books().expect("agree"), copied.books);
    drop(there);
    let world = World::at(&other, RULES, 2);
    assert_eq!(world.pay(world.shopper("13800000004", 500), 100).status, PaymentStatus::Paid);
}

#[test]
fn what_is_no_store_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let (nowhere, file) = (directory.path().join("nowhere.sqlite"), directory.path().join("backup.sqlite"));
    let error = copy::backup(&(&nowhere).into(), &file).expect_err("nothing is there").to_string();
    assert!(error.contains("there is no file") && !nowhere.exists(), "{error}");
    std::fs::write(&nowhere, "").expect("an empty file");
    let error = copy::backup(&(&nowhere).into(), &file).expect_err("no store").to_string();
    assert!(error.contains("there is no store") && !file.exists(), "{error}");
}
