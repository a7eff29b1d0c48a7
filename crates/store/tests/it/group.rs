//! Requests that come at once share a transaction: what one of them gets, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel, sync_channel};

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use payments::rules::RuleBook;
use store::error::StoreError;
use store::idempotency::{Answer, Idempotency};
use store::{Step, Store};
use wire::api::{self, PaymentStatus};
use wire::problem::Code;

use crate::ON;
use crate::place::{self, Database};
use crate::world::*;

const MANY: u64 = 40;

/// Counts the transactions that are committed from now on.
fn count_commits(store: &Store) -> Arc<AtomicUsize> {
    let commits = Arc::new(AtomicUsize::new(0));
    let counting = commits.clone();
    store.watch_steps(move |step| {
        counting.fetch_add(usize::from(step == Step::Durable), Ordering::SeqCst);
    });
    commits
}

/// Keeps the writer busy until the sender is dropped, so that what is submitted meanwhile waits together.
fn hold(store: &Store) -> std::sync::mpsc::SyncSender<()> {
    let (release, released) = sync_channel::<()>(0);
    let (begun, is_begun) = channel();
    let hold = move |_: &Store| {
        begun.send(()).expect("the test waits");
        // Its end is what is waited for.
        released.recv().expect_err("nothing is ever sent");
        Ok(())
    };
    store.submit(hold, drop).expect("there is room");
    is_begun.recv().expect("the writer works");
    release
}

fn submit_top_up(world: &World, account: AccountId, number: u64, amount_minor: i64) -> Receiver<Result<Answer, StoreError>> {
    submit_to(&world.store, world.now(), account, number, amount_minor)
}

fn submit_to(store: &Store, now: Timestamp, account: AccountId, number: u64, amount_minor: i64) -> Receiver<Result<Answer, StoreError>> {
    let (tell, told) = channel();
    let work = move |store: &Store, request: &Idempotency| top_up(store, request, account, number, amount_minor, now);
    let request = keyed(&format!("top-up {number}"));
    store.submit_once(request, work, move |outcome| drop(tell.send(outcome))).expect("there is room");
    told
}

fn top_up(
    store: &Store,
    request: &Idempotency,
    account: AccountId,
    number: u64,
    amount_minor: i64,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    store.top_up(request, account, &api::NewTopUp { amount_minor }, &mut TestRng(number * 1_000), now)
}

#[test]
fn requests_that_wait_share_one_transaction_and_each_has_its_own_outcome() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let release = hold(&world.store);
    let commits = count_commits(&world.store);
    // Every fourth is refused, every fifth repeats an earlier one.
    let amount = |number: u64| if number.is_multiple_of(4) { -1 } else { 100 };
    let waiting: Vec<_> = (0..MANY)
        .map(|number| {
            let key = if number % 5 == 4 { number - 1 } else { number };
            (key, submit_top_up(&world, alice.account, key, amount(key)))
        })
        .collect();
    assert!(waiting.iter().all(|(_, told)| told.try_recv().is_err()), "nobody is answered before the commit");
    drop(release);
    let outcomes: Vec<(u64, Answer)> =
        waiting.into_iter().map(|(key, told)| (key, told.recv().expect("is told").expect("is answered"))).collect();
    // The one that kept the writer busy took the first of them along.
    let commits = commits.load(Ordering::SeqCst);
    assert!((1..=2).contains(&commits), "{commits} transactions");
    let mut done = 0;
    for (at, (key, answer)) in outcomes.iter().enumerate() {
        assert_eq!(answer.status, if amount(*key) < 0 { 400 } else { 201 }, "{key}");
        let first = outcomes.iter().position(|(other, _)| other == key).expect("at least this one");
        assert_eq!((answer.replayed, &answer.body), (first < at, &outcomes[first].1.body), "{key}");
        done += i64::from(answer.is_first_success());
    }
    world.check_books(1_000 + 100 * done, 0);
    assert_eq!(world.me(alice.account).balance_minor, 1_000 + 100 * done);
}

/// A writer that remembers nothing looks all of them up at once.
#[test]
fn those_who_ask_again_together_get_their_first_answers() {
    let (place, _directory) = place::fresh();
    let world = World::at(&place, RULES, 1);
    let alice = world.shopper("13800000001", 1_000).account;
    let told = |told: Receiver<Result<Answer, StoreError>>| told.recv().expect("is told").expect("is answered");
    let first: Vec<Answer> = (0..MANY).map(|number| told(submit_top_up(&world, alice, number, 100))).collect();
    drop(world);
    let world = World::at(&place, RULES, 2);
    let release = hold(&world.store);
    // Half of them are new; one key comes with another body.
    let again: Vec<_> = (0..2 * MANY).map(|number| submit_top_up(&world, alice, number, 100)).collect();
    let (tell, other) = channel();
    let reused = Idempotency { request_digest: [0xee; 32], ..keyed("top-up 3") };
    let now = world.now();
    let work = move |store: &Store, request: &Idempotency| {
        store.top_up(request, alice, &api::NewTopUp { amount_minor: 100 }, &mut TestRng(9), now)
    };
    world.store.submit_once(reused, work, move |outcome| drop(tell.send(outcome))).expect("there is room");
    drop(release);
    for (number, outcome) in again.into_iter().enumerate() {
        let (answer, before) = (told(outcome), first.get(number));
        assert_eq!((answer.status, answer.replayed), (201, before.is_some()), "{number}");
        assert!(before.is_none_or(|before| before.body == answer.body), "{number}");
    }
    assert_eq!(other.recv().expect("is told").expect_err("another body").code(), Code::IdempotencyKeyReused);
    world.check_books(1_000 + 200 * MANY as i64, 0);
}

#[test]
fn one_that_panics_or_fails_undoes_itself_alone() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let release = hold(&world.store);
    let before = submit_top_up(&world, alice.account, 1, 100);
    let (tell, told) = channel();
    let now = world.now();
    let breaks = move |store: &Store| -> Result<(), StoreError> {
        store.top_up(&keyed("breaks"), alice.account, &api::NewTopUp { amount_minor: 7 }, &mut TestRng(5), now)?;
        panic!("an invariant is broken")
    };
    world.store.submit(breaks, move |outcome| drop(tell.send(outcome))).expect("there is room");
    let missing = {
        let (tell, told) = channel();
        let work = move |store: &Store| store.open_session(AccountId::from_bits(99), &[9; 32], now.plus_millis(1), now);
        world.store.submit(work, move |outcome| drop(tell.send(outcome))).expect("there is room");
        told
    };
    let after = submit_top_up(&world, alice.account, 2, 100);
    drop(release);
    assert_eq!(before.recv().expect("is told").expect("is answered").status, 201);
    assert!(told.recv().is_err(), "whoever panicked is not answered");
    assert!(missing.recv().expect("is told").is_err(), "nobody can be signed in to an account that is not there");
    assert_eq!(after.recv().expect("is told").expect("is answered").status, 201);
    // What the panicking one had finished before stays, as it would with transactions of their own.
    world.check_books(1_207, 0);
}

/// Nobody has to wake the writer's own thread for what a deputy can do: here that is the test's own.
#[test]
fn a_deputy_does_what_is_submitted_on_its_own_thread() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000).account;
    let (ring, rung) = channel();
    let deputy = world.store.deputise(move || ring.send(()).expect("the test listens")).expect("no transaction is open");
    let here = std::thread::current().id();
    let mut done_here = 0;
    for number in 0..MANY {
        let (tell, told) = channel();
        let now = world.now();
        let work = move |store: &Store| {
            top_up(store, &keyed(&format!("top-up {number}")), alice, number, 100, now)?;
            Ok(std::thread::current().id())
        };
        world.store.submit(work, move |outcome| drop(tell.send(outcome))).expect("there is room");
        if rung.try_recv().is_ok() {
            deputy.work();
        }
        done_here += u64::from(told.recv().expect("is told").expect("is done") == here);
    }
    // The first one begins a transaction, which has to be waited for; without a redo log each does.
    match ON {
        Database::Sqlite => assert!(done_here > MANY / 2, "{done_here} of {MANY}"),
        Database::Postgres => assert_eq!(done_here, 0),
    }
    world.check_books(1_000 + 100 * MANY as i64, 0);
}

/// A transaction on a thread of its own takes its turn between what a deputy does, and nobody is left waiting.
#[test]
fn a_deputy_and_the_writers_own_thread_take_turns() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000).account;
    let deputy = &world.store.deputise(|| ()).expect("no transaction is open");
    let (store, now) = (&world.store, world.now());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in thread * MANY..(thread + 1) * MANY {
                    let told = submit_to(store, now, alice, number, 100);
                    if number.is_multiple_of(2) {
                        top_up(store, &keyed(&format!("own {number}")), alice, 10_000 + number, 1, now).expect("is answered");
                    }
                    deputy.work();
                    assert_eq!(told.recv().expect("is told").expect("is answered").status, 201);
                }
            });
        }
    });
    world.check_books(1_000 + 8 * (100 * MANY + MANY / 2) as i64, 0);
}

#[test]
fn what_a_deputy_was_called_for_and_did_not_do_is_done_when_it_goes() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let deputy = world.store.deputise(|| ()).expect("no transaction is open");
    let waiting: Vec<_> = (0..MANY).map(|number| submit_top_up(&world, alice.account, number, 100)).collect();
    drop(deputy);
    for told in waiting {
        assert_eq!(told.recv().expect("is told").expect("is answered").status, 201);
    }
    world.check_books(1_000 + 100 * MANY as i64, 0);
}

#[test]
fn more_than_can_wait_are_told_to_come_again() {
    let world = World::new();
    let release = hold(&world.store);
    let outcomes: Vec<_> = (0..10_000).map(|_| world.store.submit(|_| Ok(()), |_| ()).map_err(|error| error.code())).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 4_096);
    assert!(outcomes[4_096..].iter().all(|outcome| *outcome == Err(Code::StorageFull)));
    drop(release);
    while world.store.tidy(world.now()).is_err() {
        std::thread::yield_now();
    }
}

/// On SQLite another program may write to the same file, such as `handsel admin`: what the writer remembers of its rows is
/// forgotten. On PostgreSQL there is no such program.
#[test]
fn what_another_program_writes_is_noticed_or_cannot_be_written() {
    let (place, _directory) = place::fresh();
    let world = World::at(&place, RULES, 1);
    let alice = world.shopper("13800000001", 1_000);
    let open = || Store::open(&place, RuleBook::parse(&settled(RULES)).expect("sound"), Secret::new([3; 32]));
    if ON == Database::Postgres {
        let refused = open().map(|_| ()).expect_err("there is one writer").to_string();
        assert!(refused.contains("another program writes"), "{refused}");
        return;
    }
    let other = open().expect("opens");
    let mut balance_minor = 1_000;
    for round in 0..4 {
        // The first remembers the account, the chain's end and the payee; the other changes all of them.
        assert_eq!(world.pay(alice, 10).status, PaymentStatus::Paid);
        let new = api::NewTopUp { amount_minor: 500 };
        let top_up = other.top_up(&keyed(&format!("beside {round}")), alice.account, &new, &mut TestRng(77_000 + round), world.now());
        assert_eq!(top_up.expect("answers").status, 201);
        balance_minor += 490;
        assert_eq!(world.top_up(alice.account, 1).status, 201);
        balance_minor += 1;
        assert_eq!(world.me(alice.account).balance_minor, balance_minor);
        // Whoever pauses in the other program does not pay in this one.
        other.set_paused(&keyed(&format!("pause {round}")), alice.account, true, world.now()).expect("answers");
        assert_eq!(world.pay(alice, 10).refusal, Some(Code::AccountPaused));
        other.set_paused(&keyed(&format!("resume {round}")), alice.account, false, world.now()).expect("answers");
    }
    world.check_books(balance_minor, 40);
    let mut chain = String::new();
    let head = world.store.export_ledger(|piece| {
        chain.push_str(piece);
        Ok(())
    });
    assert_eq!(ledger::export::verify(&chain, None).expect("one unbroken chain").head, head.expect("exports"));
}
