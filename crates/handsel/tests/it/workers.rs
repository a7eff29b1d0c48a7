//! Workers as processes of their own, killed and started while searches run: every search finds the record that it should, or
//! says that a worker was lost and is asked again; without a party there is a named refusal.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_json::Value;

use crate::installation::root;
use crate::up::{process_with, signal};

/// Two chunks, the second a small one.
const RECORDS: &str = "263000";

/// A running `bench identify` with two workers for each party, which fails if a search finds another record or none.
struct Bench {
    child: Child,
    rounds: ChildStdin,
    reports: Lines<BufReader<ChildStdout>>,
    errors: ChildStderr,
}

impl Bench {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_handsel"))
            .current_dir(root())
            .args(["bench", "identify", "--gallery", RECORDS, "--dim", "128", "--batch", "2", "--rounds", "1000", "--workers", "2"])
            .args(["--paced", "--json", "--dir"])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let rounds = child.stdin.take().expect("piped");
        let reports = BufReader::new(child.stdout.take().expect("piped")).lines();
        let errors = child.stderr.take().expect("piped");
        Self { child, rounds, reports, errors }
    }

    /// Lets a round begin.
    fn begin(&mut self) {
        writeln!(self.rounds).expect("it listens");
    }

    /// The round's report; `None` if the benchmark has failed.
    fn report(&mut self) -> Option<Value> {
        let line = self.reports.next()?.expect("text");
        Some(serde_json::from_str(&line).expect("one JSON object a round"))
    }

    /// How many searches of a round were asked again; each has found what it should.
    fn round(&mut self, meanwhile: impl FnOnce()) -> u64 {
        self.begin();
        meanwhile();
        let Some(report) = self.report() else { panic!("{}", self.last_words()) };
        report["asked_again"].as_u64().expect("a number")
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        self.errors.read_to_string(&mut text).expect("text");
        text
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Terminated, not killed, so that it ends its parts.
            signal("TERM", self.child.id());
            let _ = self.child.wait();
        }
    }
}

/// Processor time of a process so far, in the kernel's ticks.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields = stat.rsplit(')').next().expect("fields").split_ascii_whitespace().skip(11).take(2);
    fields.map(|field| field.parse::<u64>().expect("a number")).sum()
}

#[test]
fn killed_workers_and_new_ones_spoil_no_search_and_without_a_party_there_is_a_refusal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = |worker: &str| folder.path().join(worker).join("worker.toml");
    let process_of = |worker: &str| process_with(&config(worker)).expect("it runs");
    let names = [1, 2, 3].map(|party| [1, 2].map(|number| format!("party{party}/worker{number}")));
    let mut bench = Bench::start(folder.path());
    assert_eq!(bench.round(|| ()), 0);
    for worker in names.as_flattened() {
        let before = ticks(process_of(worker));
        while ticks(process_of(worker)) < before + 2 {
            assert_eq!(bench.round(|| ()), 0, "{worker} has yet to work");
        }
    }

    // One worker after the other is killed in the middle of a round, until a party has none.
    let killed = ["party1/worker1", "party2/worker2", "party2/worker1"];
    let mut asked_again = 0;
    for worker in killed {
        let victim = process_of(worker);
        asked_again += bench.round(|| {
            std::thread::sleep(Duration::from_millis(150));
            assert!(signal("KILL", victim));
        });
    }
    assert!(asked_again > 0, "no search was under way at a worker that was killed");
    assert_eq!(bench.round(|| ()), 0, "what is left goes on");

    // They come back while searches go on, take their chunks over, and no search notices.
    let mut started = killed.map(|worker| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handsel"));
        let log = fs::File::create(folder.path().join(worker).join("log")).expect("a log");
        command.args(["worker", "--supervised", "--config"]).arg(config(worker)).stdin(Stdio::piped()).stderr(log);
        command.spawn().expect("the binary runs")
    });
    let mut rounds = 0;
    for (worker, child) in killed.iter().zip(&started) {
        let idle = ticks(child.id());
        // Copying alone takes some.
        while ticks(child.id()) < idle + 50 {
            assert_eq!(bench.round(|| ()), 0, "{worker} joins");
            rounds += 1;
            assert!(rounds < 300, "{worker} does not work");
        }
    }

    let third = process_with(&folder.path().join("party3/node.toml")).expect("it runs");
    bench.begin();
    std::thread::sleep(Duration::from_millis(150));
    assert!(signal("KILL", third));
    // A definite answer, and soon: else it is stopped, and says so.
    let process = bench.child.id();
    let (answered, answer) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if answer.recv_timeout(Duration::from_secs(40)) == Err(RecvTimeoutError::Timeout) {
            signal("TERM", process);
        }
    });
    assert!(bench.report().is_none(), "no answer without a party");
    drop(answered);
    watch.join().expect("it does not panic");
    let said = bench.last_words();
    assert!(said.contains("PeerUnavailable") || said.contains("party 3"), "{said}");
    assert_eq!(bench.child.wait().expect("it ends").code(), Some(2));
    for child in &mut started {
        drop(child.stdin.take());
        child.wait().expect("it ends");
    }
}
