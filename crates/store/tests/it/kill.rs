//! A process that is killed with SIGKILL at random points while it takes payments: whatever it acknowledged is there,
//! once, and the books balance.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base::hash::hex;
use base::id::{AccountId, PaymentId};
use base::money::Currency;
use sha2::{Digest, Sha256};
use store::Location;
use store::idempotency::Answer;
use store::payment::Identification;
use wire::api::{self, PaymentStatus};

use crate::place;
use crate::world::*;

/// Set for the child: the database file and the number of its first payment.
const CHILD: &str = "HANDSEL_STORE_CHILD";
const ROUNDS: u64 = 25;
const FUNDS_MINOR: i64 = 400_000;
/// What the children take: 1 fen each, so that no limit is met.
const AMOUNT_MINOR: i64 = 1;

/// One more look than the rules allow is not what is tested here.
fn rules() -> String {
    rules_with(&[("look_only_run_max", "1_000_000")])
}

/// The requests of payment `number`, the same whenever they are asked: the keys and identifiers depend on it alone.
fn steps(world: &World, number: u64, token: [u8; 16]) -> (PaymentId, Vec<Answer>) {
    let key = |step: &str| keyed(&format!("{step} {number}"));
    let rng = |step: u64| TestRng((number << 20) + (step << 10));
    let store = &world.store;
    let new = api::NewPayment { amount_minor: AMOUNT_MINOR, currency: Currency::CNY, merchant_reference: None };
    let created = store.create_payment(&key("create"), TILL, &new, &mut rng(0), world.now()).expect("answers");
    let payment = resource::<api::Payment>(&created).id;
    let challenged = store.start_challenge(&key("challenge"), TILL, payment, None, &mut rng(1), world.now()).expect("answers");
    let probe = pay_probe(&resource::<api::Payment>(&challenged));
    let checked = store.receive_probe(&key("probe"), TILL, payment, &probe, world.now()).expect("answers");
    if checked.is_first_success() {
        let paid = store.identified(payment, &Identification::Token(token), &mut rng(2), world.now(), &mut || {}).expect("judged");
        assert_eq!(paid.status, PaymentStatus::Paid, "{:?}", paid.refusal);
    }
    let mut answers = vec![created, challenged, checked];
    if number.is_multiple_of(3) {
        answers.push(
            store.refund(&key("refund"), TILL, payment, &api::NewRefund { amount_minor: None }, &mut rng(3), world.now()).expect("answers"),
        );
    }
    (payment, answers)
}

fn fingerprint(answers: &[Answer]) -> String {
    hex(&Sha256::digest(answers.iter().flat_map(|answer| answer.body.clone()).collect::<Vec<u8>>()))
}

/// What the killed process runs: payments, one after another, until it is killed.
fn pay_until_killed(arguments: &str) {
    let (path, first) = arguments.split_once('#').expect("file and number");
    let first: u64 = first.parse().expect("a number");
    let world = World::at(&path.parse().expect("a place"), &rules(), 50 + first);
    let token = part_of("13800000001").0;
    for number in first.. {
        let (payment, answers) = steps(&world, number, token);
        // One write, so that the kill leaves the whole line or nothing of it.
        let line = format!("acknowledged {number} {payment} {}\n", fingerprint(&answers));
        std::io::stderr().write_all(line.as_bytes()).expect("the parent reads");
    }
}

fn spawn(place: &Location, first: u64) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::a_killed_process_loses_nothing_and_repeats_nothing", "--nocapture"])
        .env(CHILD, format!("{}#{first}", place))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// What the child acknowledged before it was killed: number, payment, fingerprint of its answers.
fn run_until_killed(place: &Location, first: u64, patience: Duration) -> Vec<(u64, PaymentId, String)> {
    let mut child = spawn(place, first);
    let lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let mut seen: Vec<String> = receiver.recv_timeout(Duration::from_secs(60)).into_iter().collect();
    std::thread::sleep(patience);
    child.kill().expect("is running");
    child.wait().expect("ends");
    reader.join().expect("reads to the end");
    seen.extend(receiver.try_iter());
    assert!(seen.iter().all(|line| line.starts_with("acknowledged ")), "the child failed: {}", seen.join("\n"));
    let parse = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, number, payment, fingerprint] = words[..] else { panic!("the child said: {line}") };
        (number.parse().expect("a number"), payment.parse().expect("a payment"), fingerprint.to_owned())
    };
    seen.into_iter().map(parse).collect()
}

/// Every payment at the till, by pages.
fn all_payments(world: &World) -> Vec<api::Payment> {
    let mut payments: Vec<api::Payment> = Vec::new();
    loop {
        let page = world.store.payments(TILL, payments.last().map(|payment| payment.id), 100, world.now()).expect("reads");
        payments.extend(page.data);
        if !page.has_more {
            return payments;
        }
    }
}

fn check_after(place: &Location, shopper: AccountId, acknowledged: &[(u64, PaymentId, String)], round: u64) -> usize {
    let world = World::at(place, &rules(), 90_000 + round);
    let interrupted = world.store.recover(world.now()).expect("recovers").len();
    assert!(interrupted <= 1, "one till, one look at a time");
    let payments = all_payments(&world);
    let paid: Vec<&api::Payment> = payments.iter().filter(|payment| payment.status == PaymentStatus::Paid).collect();
    let earned = paid.iter().map(|payment| payment.amount_minor - payment.refunded_minor).sum::<i64>();
    world.check_books(FUNDS_MINOR - earned, earned);
    assert_eq!(world.me(shopper).balance_minor, FUNDS_MINOR - earned);
    for (number, payment, fingerprint_then) in acknowledged {
        assert!(paid.iter().any(|paid| paid.id == *payment), "acknowledged payment {number} is lost");
        // The same requests again: the same bytes, and nothing happens.
        let (again, answers) = steps(&world, *number, part_of("13800000001").0);
        assert_eq!((again, &fingerprint(&answers)), (*payment, fingerprint_then), "payment {number} is answered otherwise");
        assert!(answers.iter().all(|answer| answer.replayed), "payment {number} was done again");
    }
    world.check_books(FUNDS_MINOR - earned, earned);
    interrupted
}

#[test]
fn a_killed_process_loses_nothing_and_repeats_nothing() {
    if let Ok(arguments) = std::env::var(CHILD) {
        return pay_until_killed(&arguments);
    }
    let (place, _directory) = place::fresh();
    let shopper = World::at(&place, &rules(), 1).shopper("13800000001", FUNDS_MINOR).account;
    let (mut total, mut interrupted, mut random) = (0, 0, TestRng(4_242));
    for round in 0..ROUNDS {
        // A number that no earlier round reached: what was cut off stays as it is.
        let acknowledged = run_until_killed(&place, (round + 1) * 100_000, Duration::from_micros(random_below(&mut random, 120_000)));
        assert!(!acknowledged.is_empty(), "round {round} got nothing done");
        interrupted += check_after(&place, shopper, &acknowledged, round);
        total += acknowledged.len();
    }
    println!("{ROUNDS} kills, {total} payments acknowledged, {interrupted} interrupted while being checked, 0 lost, 0 repeated");
}

fn random_below(rng: &mut TestRng, bound: u64) -> u64 {
    use rand_core::TryRng;
    rng.try_next_u64().map_or(0, |number| number % bound)
}
