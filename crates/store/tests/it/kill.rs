//! A process that is killed with SIGKILL while eight tills take payments at once: at every step of the writer, a moment
//! after it, and at random times. Whatever it acknowledged is there, once, with the same bytes; what it did not
//! acknowledge is done once when it is asked again; the books balance.
//!
//! `HANDSEL_KILLS=1000 cargo test -p store kill:: -- --nocapture` runs a thousand points instead of a few;
//! `HANDSEL_KILL_SEED` takes others than the usual ones.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use base::id::PaymentId;
use rand_core::TryRng;
use store::idempotency::Answer;
use store::{Deputy, Step, Store};

use crate::ON;
use crate::load::*;
use crate::place::{Database, Own};
use crate::world::*;

/// Set for the child: its first payment's number, where to be killed, and where the store is.
const CHILD: &str = "HANDSEL_STORE_CHILD";
/// How many points, if not as few as fit into every test run.
const KILLS: &str = "HANDSEL_KILLS";
const KILLS_FEW: u64 = 30;
/// Which points, if not the usual ones.
const SEED: &str = "HANDSEL_KILL_SEED";
const SEED_USUAL: u64 = 4_242;

/// Where a child is killed.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// At the writer's `count`-th arrival at this step; `None`: as soon as `delay_us` after the first answer.
    step: Option<(usize, u64)>,
    /// And so much later.
    delay_us: u64,
    /// Kills the database's server so long after the child's first word, if not 0: the child finds it gone and ends.
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
        let server_delay_us = if ON == Database::Postgres && below(5) == 0 { 1 + below(400_000) } else { 0 };
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
    // What is submitted is done by whoever submits.
    let deputy = &store.deputise(|| ()).expect("no transaction is open");
    std::thread::scope(|scope| {
        for till in 0..TILLS {
            scope.spawn(move || {
                for number in (first + till..).step_by(TILLS as usize) {
                    // One write for each line, so that a kill leaves all of it or nothing.
                    let answered = |step: &str, answer: &Answer| say(&format!("{number} {step} {}\n", fingerprint(answer)));
                    say(&format!("{number} try -\n"));
                    let done = match till % 2 {
                        0 => pay(store, number, answered),
                        _ => pay_in_one(store, deputy, number, answered),
                    };
                    if watched.is_none() || done.is_none() {
                        std::thread::sleep(delay);
                        kill_self();
                    }
                }
            });
        }
    });
}

/// All steps of a payment in one submission, whose answers come when all of them are durable.
fn pay_in_one(store: &Store, deputy: &Deputy, number: u64, tell: impl Fn(&str, &Answer)) -> Option<PaymentId> {
    let (give, given) = channel();
    let work = move |store: &Store| {
        let mut answers = Vec::new();
        let payment = pay(store, number, |step, answer| answers.push((step.to_owned(), answer.clone())));
        Ok((payment, answers))
    };
    store.submit(work, move |outcome| drop(give.send(outcome))).ok()?;
    deputy.work();
    let (payment, answers) = given.recv().ok()?.ok()?;
    answers.iter().for_each(|(step, answer)| tell(step, answer));
    payment
}

fn say(line: &str) {
    std::io::stderr().write_all(line.as_bytes()).expect("the parent reads");
}

fn run_until_killed(own: &Own, first: u64, point: Point) -> Said {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::a_killed_process_loses_nothing_and_repeats_nothing", "--nocapture"])
        .env(CHILD, format!("{first} {} {}", point.as_text(), own.location))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    let (mut said, mut others) = (Said::new(), Vec::new());
    std::thread::scope(|scope| {
        for line in lines {
            if said.is_empty() && point.server_delay_us > 0 {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_micros(point.server_delay_us));
                    own.crash_server();
                });
            }
            match line.split(' ').collect::<Vec<_>>()[..] {
                [number, step, fingerprint] if number.parse::<u64>().is_ok() => {
                    let number = number.parse().expect("just tried");
                    said.entry(number).or_default().insert(step.to_owned(), fingerprint.to_owned());
                }
                _ => others.push(line),
            }
        }
    });
    let status = child.wait().expect("ends");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9),
        "the child ended by itself: {status}\n{}",
        others.join("\n")
    );
    said
}

#[test]
fn a_killed_process_loses_nothing_and_repeats_nothing() {
    if let Ok(arguments) = std::env::var(CHILD) {
        return pay_until_killed(&arguments);
    }
    let setting = |name, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let (points, seed) = (setting(KILLS, KILLS_FEW), setting(SEED, SEED_USUAL));
    let own = Own::new();
    let place = &own.location;
    drop(world_with_shoppers(place));
    let (mut counts, mut rng, mut servers_killed) = (Counts::default(), TestRng(seed), 0);
    for round in 0..points {
        let point = Point::seeded(&mut rng);
        // Numbers that no earlier round reached: what was cut off stays as it is.
        let said = run_until_killed(&own, (round + 1) * 100_000, point);
        counts.check_after(place, &said);
        servers_killed += u64::from(point.server_delay_us > 0);
    }
    counts.check_all(place);
    println!("{ON:?}, seed {seed}, server killed too at {servers_killed} points: {counts:?}");
    println!("0 lost, 0 duplicated, books balanced after every point, replayed answers byte-identical");
}
