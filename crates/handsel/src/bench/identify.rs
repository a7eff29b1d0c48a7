//! `handsel bench identify`: three real parties on loopback search a made-up gallery in which one record is the probe's.
//!
//! Every search must find that record, or the benchmark fails. One that loses a worker is asked again, which is counted. A round is one or more batches; each figure is the mean over a
//! round, and the median over the rounds is printed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::resolver::client::PartyClient;
use api::resolver::connect::Connector;
use base::id::SessionId;
use base::party::PartyId;
use base::time::{Clock, SystemClock};
use mpc::kernel::Kernel;
use mpc::protocol::conclude::{OutputShare, resolve};
use mpc::protocol::identify::Resolution;
use rand_core::{Rng, UnwrapErr};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::bytes::HexArray;
use wire::party::{Identify, PartyAnswer, PartyCommand, PartyRefusal, PartyStatus, Seal, StageMicros, Traffic};
use wire::probe::{ProbeContext, Purpose, SealedProbe};

use super::measured::{self, MeasuredGallery, Parties};
use super::processes;
use crate::args::BenchIdentifyOptions;
use crate::run::{Failure, Node, failed};
use crate::up;

/// A round has at least so many searches, and goes over at least so many records, so that processor time, which is counted
/// in steps of 10 ms, is known well enough.
const SEARCHES_PER_ROUND: u32 = 8;
const RECORDS_PER_ROUND: u32 = 2_000_000;
/// Making three galleries of 20 million records takes minutes.
const READY_WITHIN: Duration = Duration::from_secs(1_200);
const ANSWER_WITHIN_MS: u64 = 120_000;
/// A search is asked for so often at most.
const TRIES_MAX: u32 = 5;
/// As many records make a chunk, which is what one worker works on.
const CHUNK: u32 = 262_144;
/// The stages that are printed by themselves; everything else of a party's processor time is `other`.
const STAGES: [&str; 4] = ["scan", "compare", "select", "verify"];

/// The started parties and the connections to them.
struct Bench {
    parties: Parties,
    nodes: Vec<Node>,
    workers: Vec<Node>,
    clients: [PartyClient; 3],
    gallery: MeasuredGallery,
    counter: AtomicU64,
    _connections: JoinSet<()>,
}

/// What one search took.
struct Search {
    wall: Duration,
    stages: [Vec<StageMicros>; 3],
    traffic: [Traffic; 3],
    asked_again: u32,
}

/// The means of one round, per search; of processor time per party, in milliseconds.
struct Round {
    stages: [f64; 4],
    party_total: f64,
    wall: Vec<f64>,
    bytes: f64,
    rounds: u64,
    asked_again: u32,
}

/// Runs the benchmark.
pub fn run(options: &BenchIdentifyOptions) -> Result<ExitCode, Failure> {
    let temporary = up::temporary_folder("bench-identify")?;
    let dir = options.dir.as_deref().unwrap_or(temporary.path());
    up::run_until_stopped(async {
        let bench = Bench::start(dir, options).await?;
        if let Some(path) = &options.vectors {
            bench.gallery.write_vectors(path)?;
        }
        bench.seal().await?;
        bench.round(options.batch).await?;
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            if options.paced && !line_comes().await? {
                break;
            }
            let round = bench.round(options.batch).await?;
            if options.paced {
                println!("{}", bench.report(options, std::slice::from_ref(&round))?);
            }
            rounds.push(round);
        }
        let report = bench.report(options, &rounds)?;
        match (options.paced, options.json) {
            (true, _) => {}
            (false, true) => println!("{report}"),
            (false, false) => print(&report),
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Whether another line came; the next round begins with it.
async fn line_comes() -> Result<bool, Failure> {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let bytes = read.await.expect("reading does not panic").map_err(failed("standard input"))?;
    Ok(bytes > 0)
}

impl Bench {
    async fn start(dir: &Path, options: &BenchIdentifyOptions) -> Result<Self, Failure> {
        let parties = measured::prepare(dir, options)?;
        let mut nodes = Vec::new();
        for (name, node) in ["party1", "party2", "party3"].into_iter().zip(&parties.nodes) {
            nodes.push(Node::start(name, "measured-party", node.clone(), node.with_file_name("log"))?);
        }
        let start = |node: &PathBuf| Node::start("a worker", "worker", node.clone(), node.with_file_name("log"));
        let workers = parties.workers.iter().map(start).collect::<Result<_, _>>()?;
        let mut connections = JoinSet::new();
        let mut clients = Vec::new();
        for (party, peer) in PartyId::ALL.into_iter().zip(&parties.peers) {
            let connector = Connector::new(peer, &parties.platform).map_err(failed("a party cannot be reached"))?;
            let (client, task) = PartyClient::new(party, connector);
            connections.spawn(task);
            clients.push(client);
        }
        let clients = clients.try_into().unwrap_or_else(|_| unreachable!("there are three parties"));
        let gallery = MeasuredGallery { records: options.gallery, dimensions: options.dim };
        // In a folder that was used before, the parties remember the counters of then.
        let counter = AtomicU64::new(SystemClock.now().millis());
        let mut bench = Self { parties, nodes, workers, clients, gallery, counter, _connections: connections };
        bench.wait_until_ready(options.workers).await?;
        Ok(bench)
    }

    async fn wait_until_ready(&mut self, workers: u32) -> Result<(), Failure> {
        let since = Instant::now();
        let chunks = if workers == 0 { 0 } else { self.gallery.records.div_ceil(CHUNK) };
        loop {
            if let Some(node) = self.nodes.iter_mut().chain(&mut self.workers).find_map(|node| (!node.is_running()).then_some(node)) {
                return Err(Failure(format!("{} has ended: {}", node.name, node.last_words())));
            }
            let answers = self.ask_all(|_| PartyCommand::Status).await;
            let is_ready = |answer: &Result<PartyAnswer, Failure>| match answer {
                Ok(PartyAnswer::Status(PartyStatus { records, peers_connected, chunks_at_workers, .. })) => {
                    *peers_connected && *records == u64::from(self.gallery.records) && *chunks_at_workers == chunks
                }
                _ => false,
            };
            if answers.iter().all(is_ready) {
                return Ok(());
            }
            if since.elapsed() > READY_WITHIN {
                return Err(Failure(format!("the parties were not ready within {} s", READY_WITHIN.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn ask_all(&self, command: impl Fn(PartyId) -> PartyCommand) -> [Result<PartyAnswer, Failure>; 3] {
        let ask = async |party: PartyId| {
            let answer = self.clients[party.index()].ask(command(party), ANSWER_WITHIN_MS).await;
            answer.map_err(|error| Failure(format!("{party}: {error}")))
        };
        let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        [first, second, third]
    }

    /// Has the parties make the keys that searches of unchanged segments are checked with, as the platform does.
    async fn seal(&self) -> Result<(), Failure> {
        loop {
            let session = session();
            let mut left = 0;
            for answer in self.ask_all(|_| PartyCommand::Seal(Seal { session, gallery_sequence: 0 })).await {
                match answer? {
                    PartyAnswer::Sealed { missing, .. } => left = left.max(missing),
                    other => return Err(unexpected(&other)),
                }
            }
            if left == 0 {
                return Ok(());
            }
        }
    }

    async fn round(&self, batch: u32) -> Result<Round, Failure> {
        let before = self.cpu_time()?;
        let mut searches = Vec::new();
        let wanted = SEARCHES_PER_ROUND.max(RECORDS_PER_ROUND / self.gallery.records.max(1)).min(400);
        for _ in 0..wanted.div_ceil(batch).max(2) {
            searches.extend(self.batch(batch).await?);
        }
        let spent = self.cpu_time()?.saturating_sub(before);
        let count = searches.len() as f64;
        let mean = |of: &dyn Fn(&Search, usize) -> f64| {
            searches.iter().flat_map(|search| (0..3).map(move |party| of(search, party))).sum::<f64>() / (3.0 * count)
        };
        let cpu = |search: &Search, party: usize, name: &str| {
            let stages = search.stages[party].iter().filter(|stage| stage.stage == name);
            stages.map(|stage| stage.cpu_micros as f64 / 1e3).sum::<f64>()
        };
        Ok(Round {
            stages: STAGES.map(|name| mean(&|search, party| cpu(search, party, name))),
            party_total: spent.as_secs_f64() * 1e3 / (3.0 * count),
            wall: searches.iter().map(|search| search.wall.as_secs_f64() * 1e3).collect(),
            bytes: mean(&|search, party| search.traffic[party].bytes_sent as f64),
            rounds: searches.iter().flat_map(|search| search.traffic.iter().map(|traffic| traffic.rounds)).max().unwrap_or(0),
            asked_again: searches.iter().map(|search| search.asked_again).sum(),
        })
    }

    fn cpu_time(&self) -> Result<Duration, Failure> {
        self.nodes.iter().chain(&self.workers).map(|node| processes::cpu_time(node.id())).sum()
    }

    async fn batch(&self, batch: u32) -> Result<Vec<Search>, Failure> {
        let probes: Vec<SealedProbe> = (0..batch).map(|number| self.probe(number)).collect::<Result<_, _>>()?;
        let mut searches = Vec::new();
        for search in join_all(probes.into_iter().zip(0..).map(|(probe, number)| self.search(probe, number))).await {
            searches.push(search?);
        }
        Ok(searches)
    }

    /// Asks with `probe`, and with others of the same terminal as long as a worker is lost meanwhile.
    async fn search(&self, mut probe: SealedProbe, number: u32) -> Result<Search, Failure> {
        let since = Instant::now();
        for asked_again in 0..TRIES_MAX {
            if let Some(search) = self.ask(&probe).await? {
                return Ok(Search { wall: since.elapsed(), asked_again, ..search });
            }
            probe = self.probe(number)?;
        }
        Err(Failure(format!("a search lost a worker {TRIES_MAX} times")))
    }

    /// `None` if a worker is lost.
    async fn ask(&self, probe: &SealedProbe) -> Result<Option<Search>, Failure> {
        let (since, session) = (Instant::now(), session());
        let command = |party| PartyCommand::Identify(Box::new(Identify { session, gallery_sequence: 0, probe: probe.for_party(party) }));
        let (mut shares, mut stages_of, mut traffic_of) = (vec![], vec![], vec![]);
        let answers = self.ask_all(command).await;
        let lost = |answer: &Result<_, _>| matches!(answer, Ok(PartyAnswer::Refused { code: PartyRefusal::WorkerLost, .. }));
        if answers.iter().any(lost) {
            return Ok(None);
        }
        for answer in answers {
            match answer? {
                PartyAnswer::Identified { output, stages, traffic } => {
                    shares.push(OutputShare::from_bytes(&output.0));
                    stages_of.push(stages);
                    traffic_of.push(traffic);
                }
                other => return Err(unexpected(&other)),
            }
        }
        let shares = shares.try_into().unwrap_or_else(|_| unreachable!("three answers"));
        match resolve(&shares).map_err(failed("the parties' answers do not fit together"))? {
            Resolution::Token(token) if token == MeasuredGallery::token(self.gallery.sought()) => {}
            _ => return Err(Failure("a search did not find the record that it should".into())),
        }
        let three = "three answers";
        Ok(Some(Search {
            wall: since.elapsed(),
            stages: stages_of.try_into().expect(three),
            traffic: traffic_of.try_into().unwrap_or_else(|_| unreachable!("{three}")),
            asked_again: 0,
        }))
    }

    fn probe(&self, number: u32) -> Result<SealedProbe, Failure> {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let now = SystemClock.now();
        let context = ProbeContext {
            purpose: Purpose::Pay,
            reference: "measured".into(),
            payee: "measured".into(),
            amount_minor: 1,
            currency: "CNY".into(),
            nonce: HexArray(nonce),
            issued_at: now,
            expires_at: now.plus_millis(30_000),
            terminal: measured::terminal(number),
            counter: self.counter.fetch_add(1, Ordering::Relaxed),
            partition: None,
            templates: 0,
            dimensions: 0,
        };
        let template = self.gallery.probe();
        terminal::probe::build(&[&template], context, &self.parties.sealing_keys, &self.parties.device_key, &mut rng)
            .map_err(failed("the probe cannot be made"))
    }

    fn report(&self, options: &BenchIdentifyOptions, rounds: &[Round]) -> Result<Value, Failure> {
        let over = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of).collect());
        let stages: Vec<f64> = (0..STAGES.len()).map(|at| over(&|round| round.stages[at])).collect();
        let party_total = over(&|round| round.party_total);
        let walls: Vec<f64> = rounds.iter().flat_map(|round| round.wall.iter().copied()).collect();
        let mut peak = 0;
        for node in &self.nodes {
            peak = peak.max(processes::peak_memory(node.id())?);
        }
        let folders = measured::kept_folders(&self.parties.nodes[0]);
        let bytes: u64 = folders.iter().map(|folder| processes::size_of_files(folder)).sum::<Result<u64, Failure>>()?;
        let bytes_per_record = bytes as f64 / f64::from(options.gallery);
        Ok(json!({
            "gallery": options.gallery,
            "dim": options.dim,
            "batch": options.batch,
            "workers": options.workers,
            "asked_again": rounds.iter().map(|round| round.asked_again).sum::<u32>(),
            "verification": !options.no_verification,
            "rounds_measured": rounds.len(),
            "kernel": Kernel::best().name(),
            "cpu_ms_per_query": {
                "scan": hundredths(stages[0]),
                "compare": hundredths(stages[1]),
                "select": hundredths(stages[2]),
                "verify": hundredths(stages[3]),
                "other": hundredths(party_total - stages.iter().sum::<f64>()),
                "party_total": hundredths(party_total),
                "all_parties": hundredths(3.0 * party_total),
            },
            "bytes_sent_per_query_per_party": over(&|round| round.bytes).round(),
            "rounds": rounds.iter().map(|round| round.rounds).max().unwrap_or(0),
            "wall_ms_per_query": {"p50": hundredths(percentile(&walls, 0.5)), "p95": hundredths(percentile(&walls, 0.95))},
            "bytes_per_record": hundredths(bytes_per_record),
            "peak_rss_bytes": peak,
        }))
    }
}

fn print(report: &Value) {
    println!("{} records of {} features, {} searches at a time", report["gallery"], report["dim"], report["batch"]);
    for (stage, time) in report["cpu_ms_per_query"].as_object().into_iter().flatten() {
        println!("  {stage:12} {time:>8} ms of processor time per search");
    }
    println!("  {} bytes sent by each party, {} rounds", report["bytes_sent_per_query_per_party"], report["rounds"]);
    println!(
        "  {} ms on the clock at the median, {} at the 95th percentile",
        report["wall_ms_per_query"]["p50"], report["wall_ms_per_query"]["p95"]
    );
    println!("  {} bytes per record and party, {} at most in memory", report["bytes_per_record"], report["peak_rss_bytes"]);
}

/// All of them at once on this task.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut are_done = true;
        for (future, output) in pending.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => *output = Some(value),
                std::task::Poll::Pending => are_done = false,
            }
        }
        if are_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().map(|(_, output)| output.expect("all are done")).collect()
}

fn session() -> SessionId {
    let mut bytes = [0; 16];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
    SessionId::from_bits(u128::from_le_bytes(bytes))
}

fn unexpected(answer: &PartyAnswer) -> Failure {
    match answer {
        PartyAnswer::Refused { code, detail } => Failure(format!("a party refused: {code:?}: {detail}")),
        _ => Failure("a party answered another question".into()),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// The value that so much of all is not above; 0 of none.
fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn hundredths(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}
