//! Three nodes under Patroni and etcd, each on addresses of its own (`scripts/cluster`): the leader's machine is killed while
//! eight tills take payments, and then the next leader's server. Whoever gets no answer asks again. Whatever was acknowledged
//! is there, once, with the same bytes; the books balance.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use store::Location;

use crate::load::*;

const CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/cluster");
/// Between two payments of a till.
const PAUSE: Duration = Duration::from_millis(25);
/// Payments before and after each blow.
const SOME: usize = 300;
/// Longer than a leader's lock lives, an election and a restart take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The script that runs the cluster; the end of its input ends all of it.
struct Cluster {
    script: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    _directory: tempfile::TempDir,
}

impl Cluster {
    fn start() -> (Self, Location) {
        let directory = tempfile::tempdir().expect("a directory");
        // The servers' own user goes through it.
        std::fs::set_permissions(&directory, std::os::unix::fs::PermissionsExt::from_mode(0o711)).expect("is ours");
        let script =
            Command::new(Path::new(CLUSTER)).arg(directory.path().join("cluster")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut script = script.expect("starts");
        let orders = script.stdin.take();
        let mut answers = BufReader::new(script.stdout.take().expect("is piped")).lines();
        let address = answers.next().expect("the script says above what is missing").expect("a line");
        (Self { script, orders, answers, _directory: directory }, address.parse().expect("an address"))
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().expect("is there until the end"), "{order}").expect("the script reads");
        self.answers.next().expect("the script runs").expect("a line")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.script.wait();
    }
}

/// What was acknowledged, and when something was last.
#[derive(Default)]
struct Heard {
    said: Said,
    at: Vec<Instant>,
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long nothing was acknowledged is measured")]
fn a_killed_leader_loses_nothing_and_repeats_nothing() {
    let (mut cluster, location) = Cluster::start();
    let world = world_with_shoppers(&location);
    let (heard, numbers, is_over) = (Mutex::<Heard>::default(), AtomicU64::new(1), AtomicBool::new(false));
    let take_payments = || {
        while !is_over.load(Ordering::SeqCst) {
            let number = numbers.fetch_add(1, Ordering::SeqCst);
            heard.lock().expect("sound").said.entry(number).or_default();
            let tell = |step: &str, answer: &store::idempotency::Answer| {
                let heard = &mut *heard.lock().expect("sound");
                heard.at.push(Instant::now());
                let before = heard.said.entry(number).or_default().insert(step.to_owned(), fingerprint(answer));
                assert!(before.is_none_or(|before| before == fingerprint(answer)), "{step} of payment {number} is answered otherwise");
            };
            while pay(&world.store, number, tell).is_none() {
                std::thread::sleep(PAUSE);
            }
            std::thread::sleep(PAUSE);
        }
    };
    let count = || heard.lock().expect("sound").at.len();
    let wait_for_more = || {
        let (begin, before) = (Instant::now(), count());
        while count() < before + SOME {
            assert!(begin.elapsed() < PATIENCE, "nothing is acknowledged any more");
            std::thread::sleep(PAUSE);
        }
    };
    let mut outages = Vec::new();
    std::thread::scope(|scope| {
        (0..TILLS).for_each(|_| drop(scope.spawn(take_payments)));
        for blow in ["kill leader", "stop leader"] {
            wait_for_more();
            let (begin, before) = (Instant::now(), count());
            let answer = cluster.order(blow);
            let node = answer.rsplit(' ').next().expect("a word").to_owned();
            assert!(node.parse::<u8>().is_ok(), "{answer}");
            wait_for_more();
            let gap = heard.lock().expect("sound").at[before.saturating_sub(1)..].windows(2).map(|pair| pair[1] - pair[0]).max();
            outages.push((answer, gap.expect("two at least")));
            if blow.starts_with("kill") {
                cluster.order(&format!("start {node}"));
            }
            assert_eq!(cluster.order("wait"), "ready", "after {:?}", begin.elapsed());
        }
        is_over.store(true, Ordering::SeqCst);
    });
    drop(world);
    let said = std::mem::take(&mut heard.lock().expect("sound").said);
    let mut counts = Counts::default();
    counts.check_after(&location, &said);
    counts.check_all(&location);
    assert_eq!(counts.interrupted, 0, "every look came to its end");
    println!("{counts:?}, 0 lost, 0 duplicated, replayed answers byte-identical; nothing was acknowledged for {outages:?}");
}
