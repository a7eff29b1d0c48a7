//! The power goes while the redo log is written, or SQLite's own log: of what one batch wrote any part has reached the disk, in any
//! order of its sectors, and the rest holds what was there before, or nothing, or anything. Whatever was acknowledged before is
//! there; the torn batch has happened or has not, and asked again it happens once.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base::secret::Secret;
use payments::rules::RuleBook;
use rand_core::TryRng;
use store::{Location, Step, Store};
use wire::api::PaymentStatus;

use crate::load::*;
use crate::place;
use crate::world::*;

/// What a disk writes at once, in bytes.
const SECTOR: usize = 512;
const PAYMENTS: u64 = 40;
/// Payments before the torn one that are asked for again.
const ASKED_AGAIN: u64 = 2;

/// What is on disk when a batch is durable and nobody has heard of it, and what was acknowledged by then.
struct Moment {
    file: Vec<u8>,
    log: Vec<u8>,
    redo: Vec<u8>,
    said: Said,
    number: u64,
}

/// How the last write came to the disk.
#[derive(Clone, Copy, Debug)]
enum Tear {
    /// The file ends in the middle of it.
    Cut,
    /// What follows is what was there before.
    Old,
    /// What follows is anything.
    Garbage,
    /// One sector of it is missing and all that follows is there.
    Hole,
}

/// `after` as a write onto `before` that was interrupted somewhere.
fn torn(before: &[u8], after: &[u8], tear: Tear, rng: &mut TestRng) -> Vec<u8> {
    let mut random = |bound: usize| rng.try_next_u64().map_or(0, |number| number as usize % bound);
    if before == after {
        return after.to_vec();
    }
    let first = before.iter().zip(after).position(|(old, new)| old != new).unwrap_or(before.len().min(after.len()));
    // One that began anew is shorter.
    let at = (first + random(after.len().saturating_sub(first).max(1))).min(after.len());
    let old = |at: usize| before.get(at).copied().unwrap_or(0);
    match tear {
        Tear::Cut => after[..at].to_vec(),
        Tear::Old => (0..after.len()).map(|place| if place < at { after[place] } else { old(place) }).collect(),
        Tear::Garbage => (0..after.len()).map(|place| if place < at { after[place] } else { random(256) as u8 }).collect(),
        Tear::Hole => {
            let hole = at / SECTOR * SECTOR..(at / SECTOR + 1) * SECTOR;
            (0..after.len()).map(|place| if hole.contains(&place) { old(place) } else { after[place] }).collect()
        }
    }
}

/// Takes payments, and keeps what is on disk at each batch.
fn moments(path: &Path) -> Vec<Moment> {
    let world = world_with_shoppers(&Location::Sqlite(path.to_owned()));
    let said: Arc<Mutex<(u64, Said)>> = Arc::default();
    let moments: Arc<Mutex<Vec<Moment>>> = Arc::default();
    let (path, saying, keeping) = (path.to_owned(), said.clone(), moments.clone());
    world.store.watch_steps(move |step| {
        if step == Step::Durable {
            let (number, said) = saying.lock().expect("sound").clone();
            // In the order in which one is written from the other.
            let [file, log, redo] = ["", "-wal", "-redo"].map(|part| std::fs::read(format!("{}{part}", path.display())).expect("is there"));
            let moment = Moment { file, log, redo, said, number };
            keeping.lock().expect("sound").push(moment);
        }
    });
    for number in 1..=PAYMENTS {
        said.lock().expect("sound").0 = number;
        let tell = |step: &str, answer: &store::idempotency::Answer| {
            said.lock().expect("sound").1.entry(number).or_default().insert(step.to_owned(), fingerprint(answer));
        };
        pay(&world.store, number, tell).expect("the store answers");
    }
    drop(world);
    Arc::into_inner(moments).expect("the store is gone").into_inner().expect("sound")
}

/// How many of the acknowledged answers came again, all with the same bytes.
fn check(location: &Location, moment: &Moment) -> usize {
    let store =
        Store::open(location, RuleBook::parse(&settled(&rules())).expect("sound"), Secret::new([3; 32])).expect("opens").let_rows_wait();
    store.recover(START).expect("recovers");
    let (mut again, mut earned_minor) = (0, (1..moment.number).filter(|number| !number.is_multiple_of(3)).count() as i64);
    for number in moment.number.saturating_sub(ASKED_AGAIN).max(1)..=moment.number {
        let payment = pay(&store, number, |step, answer| {
            if let Some(before) = moment.said.get(&number).and_then(|answers| answers.get(step)) {
                assert!(answer.replayed, "{step} of payment {number} was acknowledged and is lost");
                assert_eq!(&fingerprint(answer), before, "{step} of payment {number} is answered otherwise");
                again += 1;
            }
        });
        let payment = store.payment(TILL, payment.expect("answers"), START).expect("is there");
        assert!(matches!(payment.status, PaymentStatus::Paid | PaymentStatus::Refused), "{:?}", payment.status);
        if number == moment.number && payment.status == PaymentStatus::Paid {
            earned_minor += payment.amount_minor - payment.refunded_minor;
        }
    }
    let books = store.books().expect("transfers and accounts agree");
    assert!(books.balanced(), "{books:?}");
    assert_eq!(books.merchant_minor, earned_minor, "something was lost or charged twice at payment {}", moment.number);
    again
}

#[test]
fn a_torn_write_loses_nothing_acknowledged_and_repeats_nothing() {
    let (place, directory) = place::fresh();
    let (Location::Sqlite(path), Some(directory)) = (place, directory) else { panic!("this is about SQLite's file") };
    let moments = moments(&path);
    let mut rng = TestRng(9_009);
    let (mut tears, mut again) = (0, 0);
    for (at, pair) in moments.windows(2).enumerate() {
        let [before, after] = pair else { panic!("two each") };
        // Between the two the log was written back into the file: what was in it is not what this is about.
        if before.file != after.file {
            continue;
        }
        let tear = [Tear::Cut, Tear::Old, Tear::Garbage, Tear::Hole][at % 4];
        let copy = directory.path().join(format!("torn{at}.db"));
        std::fs::write(&copy, &after.file).expect("writes");
        std::fs::write(format!("{}-wal", copy.display()), torn(&before.log, &after.log, tear, &mut rng)).expect("writes");
        std::fs::write(format!("{}-redo", copy.display()), torn(&before.redo, &after.redo, tear, &mut rng)).expect("writes");
        again += check(&Location::Sqlite(copy), after);
        tears += 1;
    }
    println!("{tears} torn writes of {} batches, {again} acknowledged answers came again with the same bytes", moments.len());
    assert!(tears as u64 > 2 * PAYMENTS && again as u64 > 4 * PAYMENTS, "hardly anything was torn: {tears}, {again}");
}
