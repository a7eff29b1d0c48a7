//! A process that is killed with SIGKILL while eight tills take payments at once: at every step of the writer, a moment
//! after it, and at random times. Whatever it acknowledged is there, once, with the same bytes; what it did not
//! acknowledge is done once when it is asked again; the books balance.
//!
//! `HANDSEL_KILLS=1000 cargo test -p store kill:: -- --nocapture` runs a thousand points instead of a few.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base::hash::hex;
use base::id::PaymentId;
use base::money::Currency;
use base::secret::Secret;
use payments::rules::RuleBook;
use rand_core::TryRng;
use sha2::{Digest, Sha256};
use store::idempotency::Answer;
use store::payment::Identification;
use store::{Location, Step, Store};
use wire::api::{self, PaymentStatus};

use crate::ON;
use crate::place::{Database, Own};
use crate::world::*;

/// Set for the child: its first payment's number, where to be killed, and where the store is.
const CHILD: &str = "HANDSEL_STORE_CHILD";
/// How many points, if not as few as fit into every test run.
const KILLS: &str = "HANDSEL_KILLS";
const KILLS_FEW: u64 = 30;
/// Payments at once.
const TILLS: u64 = 8;
const SHOPPERS: u64 = 4;
const FUNDS_MINOR: i64 = 400_000;
/// What the children take: 1 fen each, so that no limit is met.
const AMOUNT_MINOR: i64 = 1;

/// One more look than the rules allow is not what is tested here.
fn rules() -> String {
    rules_with(&[("look_only_run_max", "1_000_000")])
}

fn phone(shopper: u64) -> String {
    format!("1380000000{shopper}")
}

/// The requests of payment `number`, the same whenever they are asked: keys and identifiers depend on it alone. Each
/// answer is handed to `tell` with its step as soon as it is there. `None` once the store answers no more.
fn pay(store: &Store, number: u64, mut tell: impl FnMut(&str, &Answer)) -> Option<PaymentId> {
    let key = |step: &str| keyed(&format!("{step} {number}"));
    let rng = |step: u64| TestRng((number << 20) + (step << 10));
    let new = api::NewPayment { merchant_reference: Some(number.to_string()), ..new_payment(AMOUNT_MINOR) };
    let begun = store.create_payment(&key("begin"), TILL, &new, &mut rng(0), START).ok()?;
    tell("begin", &begun);
    let payment = resource::<api::Payment>(&begun).id;
    let challenged = store.start_challenge(&key("challenge"), TILL, payment, None, &mut rng(1), START).ok()?;
    tell("challenge", &challenged);
    // A payment that was interrupted is not challenged any more.
    let Some(challenged) = challenged.resource::<api::Payment>() else { return Some(payment) };
    let checked = store.receive_probe(&key("look"), TILL, payment, &pay_probe(&challenged), START).ok()?;
    tell("look", &checked);
    if checked.is_first_success() {
        let token = part_of(&phone(number % SHOPPERS)).0;
        let paid = store.identified(payment, &Identification::Token(token), &mut rng(2), START, &mut || {}).ok()?;
        assert_eq!(paid.status, PaymentStatus::Paid, "{:?}", paid.refusal);
    }
    if number.is_multiple_of(3) && store.payment(TILL, payment, START).ok()?.status == PaymentStatus::Paid {
        let all = api::NewRefund { amount_minor: None };
        tell("refund", &store.refund(&key("refund"), TILL, payment, &all, &mut rng(3), START).ok()?);
    }
    Some(payment)
}

fn new_payment(amount_minor: i64) -> api::NewPayment {
    api::NewPayment { amount_minor, currency: Currency::CNY, merchant_reference: None, terminal: None, capture: wire::api::Capture::Automatic }
}

fn fingerprint(answer: &Answer) -> String {
    hex(&Sha256::digest([&answer.status.to_be_bytes()[..], &answer.body].concat()))
}

/// Where a child is killed.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// At the writer's `count`-th arrival at this step; `None`: as soon as `delay_us` after the first answer.
    step: Option<(usize, u64)>,
    /// And so much later.
    delay_us: u64,
    /// Kills the database's server so long after the child's start, if not 0: the child finds it gone and ends.
    server_delay_us: u64,
}

const WATCHED: [Step; 4] = [Step::Part, Step::Written, Step::Durable, Step::Answered];

impl Point {
    fn seeded(rng: &mut TestRng) -> Self {
        let mut below = |bound: u64| rng.try_next_u64().map_or(0, |number| number % bound);
        let step = match below(5) as usize {
            at if at < WATCHED.len() => Some((at, 1 + below(60))),
            _ => None,
        };
        // Half of them at the step itself; the others while the database writes, syncs, or right after.
        let delay_us = if step.is_some() { below(2) * below(1_500) } else { below(60_000) };
        let server_delay_us = if ON == Database::Postgres && below(5) == 0 { 30_000 + below(400_000) } else { 0 };
        Self { step, delay_us, server_delay_us }
    }

    fn as_text(self) -> String {
        let (step, count) = self.step.map_or((WATCHED.len(), 0), |(step, count)| (step, count));
        format!("{step} {count} {}", self.delay_us)
    }
}

/// Ends this process without any farewell.
fn kill_self() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    unreachable!("nothing runs after SIGKILL")
}

/// What the killed process runs: payments at all tills until it is killed.
fn pay_until_killed(arguments: &str) {
    let mut words = arguments.splitn(5, ' ');
    let mut number = || words.next().expect("a number").parse::<u64>().expect("a number");
    let (first, step, count, delay_us) = (number(), number(), number(), number());
    let world = World::at(&words.next().expect("a place").parse().expect("a place"), &rules(), 50 + first);
    let arrivals = AtomicU64::new(0);
    let delay = Duration::from_micros(delay_us);
    let watched = WATCHED.get(step as usize).copied();
    world.store.watch_steps(move |step| {
        if watched == Some(step) && arrivals.fetch_add(1, Ordering::SeqCst) + 1 == count {
            if delay.is_zero() {
                kill_self();
            }
            std::thread::spawn(move || {
                std::thread::sleep(delay);
                kill_self();
            });
        }
    });
    let store = &world.store;
    std::thread::scope(|scope| {
        for till in 0..TILLS {
            scope.spawn(move || {
                for number in (first + till..).step_by(TILLS as usize) {
                    // One write for each line, so that a kill leaves all of it or nothing.
                    say(&format!("{number} try -\n"));
                    let done = pay(store, number, |step, answer| say(&format!("{number} {step} {}\n", fingerprint(answer))));
                    if watched.is_none() || done.is_none() {
                        std::thread::sleep(delay);
                        kill_self();
                    }
                }
            });
        }
    });
}

fn say(line: &str) {
    std::io::stderr().write_all(line.as_bytes()).expect("the parent reads");
}

/// What a child said before it was killed: of each payment it tried, the fingerprint of each step's answer.
type Said = HashMap<u64, HashMap<String, String>>;

fn run_until_killed(own: &Own, first: u64, point: Point) -> Said {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::a_killed_process_loses_nothing_and_repeats_nothing", "--nocapture"])
        .env(CHILD, format!("{first} {} {}", point.as_text(), own.location))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    if point.server_delay_us > 0 {
        std::thread::sleep(Duration::from_micros(point.server_delay_us));
        own.crash_server();
    }
    let lines = BufReader::new(child.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    let mut said = Said::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, step, fingerprint] = words[..] else { continue };
        let Ok(number) = number.parse() else { panic!("the child said: {line}") };
        said.entry(number).or_default().insert(step.to_owned(), fingerprint.to_owned());
    }
    let status = child.wait().expect("ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "the child ended by itself: {status}");
    said
}

/// What was counted over all points.
#[derive(Debug, Default)]
struct Counts {
    points: u64,
    acknowledged: usize,
    payments: usize,
    interrupted: usize,
    /// Paid and not paid back, in all.
    earned_minor: i64,
    recovery_max: Duration,
}

impl Counts {
    #[expect(clippy::disallowed_methods, reason = "how long recovery takes is measured")]
    fn check_after(&mut self, place: &Location, said: &Said) {
        let begin = Instant::now();
        let store = Store::open(place, RuleBook::parse(&rules()).expect("sound"), Secret::new([3; 32])).expect("opens");
        let interrupted = store.recover(START).expect("recovers").len();
        self.recovery_max = self.recovery_max.max(begin.elapsed());
        assert!(interrupted <= TILLS as usize, "one look at a time at each till");
        for (number, answers) in said {
            // The same requests again: the same bytes, and nothing happens twice.
            let payment = pay(&store, *number, |step, answer| {
                if let Some(before) = answers.get(step) {
                    assert_eq!(&fingerprint(answer), before, "{step} of payment {number} is answered otherwise: {answer:?}");
                    assert!(answer.replayed, "{step} of payment {number} was acknowledged and is lost");
                    self.acknowledged += 1;
                }
            });
            let payment = store.payment(TILL, payment.expect("the store answers"), START).expect("is there");
            let is_settled = matches!(payment.status, PaymentStatus::Paid | PaymentStatus::Refused);
            assert!(is_settled, "payment {number} is still {:?}", payment.status);
            if payment.status == PaymentStatus::Paid {
                self.earned_minor += payment.amount_minor - payment.refunded_minor;
            }
        }
        self.points += 1;
        self.interrupted += interrupted;
        self.payments += said.len();
        let books = store.books().expect("transfers and accounts agree");
        assert!(books.balanced(), "{books:?}");
        assert_eq!(
            (books.customer_minor, books.merchant_minor),
            (SHOPPERS as i64 * FUNDS_MINOR - self.earned_minor, self.earned_minor),
            "after point {}: something was lost or charged twice",
            self.points
        );
    }

    /// Every payment once, and no other.
    fn check_all(&self, place: &Location) {
        let store = Store::open(place, RuleBook::parse(&rules()).expect("sound"), Secret::new([3; 32])).expect("opens");
        let (mut references, mut last) = (HashSet::new(), None);
        loop {
            let page = store.payments(TILL, last, 100, START).expect("reads");
            for payment in &page.data {
                assert!(references.insert(payment.merchant_reference.clone()), "{:?} was made twice", payment.merchant_reference);
            }
            last = page.data.last().map(|payment| payment.id);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(references.len(), self.payments);
    }
}

#[test]
fn a_killed_process_loses_nothing_and_repeats_nothing() {
    if let Ok(arguments) = std::env::var(CHILD) {
        return pay_until_killed(&arguments);
    }
    let points = std::env::var(KILLS).map_or(KILLS_FEW, |count| count.parse().expect("a count"));
    let own = Own::new();
    let place = &own.location;
    {
        let world = World::at(place, &rules(), 1);
        for shopper in 0..SHOPPERS {
            world.shopper(&phone(shopper), FUNDS_MINOR);
        }
    }
    let (mut counts, mut rng) = (Counts::default(), TestRng(4_242));
    for round in 0..points {
        let point = Point::seeded(&mut rng);
        // Numbers that no earlier round reached: what was cut off stays as it is.
        let said = run_until_killed(&own, (round + 1) * 100_000, point);
        counts.check_after(place, &said);
    }
    counts.check_all(place);
    println!("{ON:?}: {counts:?}, 0 lost, 0 duplicated, books balanced after every point, replayed answers byte-identical");
}
