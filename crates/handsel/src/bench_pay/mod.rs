//! `handsel bench pay`: payments a second over HTTP, durable and under the full rules, beside the same machine's plain
//! double-entry transaction on PostgreSQL (`bench/naive.sql`), in turns; with `--cala` beside the ledger of `bench/cala` too.
//!
//! The look is left out: neither its signature nor the parties are asked. The body of a request says whose face was found,
//! and everything else is as for any payment; one request is one whole payment.

mod cala;
mod load;
mod peer;
pub mod platform;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::args::{BenchPayOptions, BenchStore};
use crate::bench::processes;
use crate::bench_pay::cala::Cala;
use crate::bench_pay::load::{Measured, Pace};
use crate::bench_pay::peer::Peer;
use crate::bench_pay::world::World;
use crate::run::{Failure, failed};
use crate::up::temporary_folder;

/// Payments that are stored before for each shopper, at most: the rules let one pay ¥500 a day by a look, and some of it is measured.
const STORED_EACH_MAX: u64 = 300;

/// Runs the benchmark in a folder and on servers of its own that are gone afterwards.
pub fn run(options: &BenchPayOptions) -> Result<ExitCode, Failure> {
    let shoppers_min = options.stored.div_ceil(STORED_EACH_MAX);
    if u64::from(options.shoppers) < shoppers_min {
        let said = format!("so many stored payments want --shoppers {shoppers_min} or more: the rules bound what one pays in a day");
        return Err(Failure(said));
    }
    // Built before anything else runs.
    let cala = if options.cala { Some(Cala::start(options.shoppers, world::MERCHANTS)?) } else { None };
    let folder = temporary_folder("bench-pay")?;
    let peer = Peer::start(options.shoppers, world::MERCHANTS)?;
    let own_server = match options.store {
        BenchStore::Sqlite => None,
        BenchStore::Postgres => Some(store::throwaway::Throwaway::start(&[]).map_err(failed("no server can be started"))?),
    };
    // One thread makes the load, so that it takes little from what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed("the runtime does not start"))?;
    let report = runtime.block_on(async {
        let world = World::start(folder.path(), own_server.as_ref(), options).await?;
        let report = measure(&world, &peer, cala.as_ref(), options).await?;
        world.check().await?;
        Ok::<_, Failure>(report)
    })?;
    if options.json {
        println!("{report}");
    } else {
        print_report(&report);
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(world: &World, peer: &Peer, cala: Option<&Cala>, options: &BenchPayOptions) -> Result<Value, Failure> {
    let time = Duration::from_secs(options.seconds);
    let as_fast_as_possible = Pace::Closed { connections: options.connections };
    // Connections, statements and memory are there before anything counts.
    load::run(world, as_fast_as_possible, time / 4, false).await?;
    let (mut uniform, mut hot, mut halves, mut calas) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut peers, mut peers_hot, mut peers_half) = (Vec::new(), Vec::new(), Vec::new());
    let (mut platform_cpu, mut load_cpu) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..options.rounds {
        let theirs = peer.run(time, world::MERCHANTS, None).await?;
        let their_half = Some(theirs.per_s() / 2.0);
        peers.push(theirs);
        if let Some(cala) = cala {
            calas.push(cala.run(time).await?);
        }
        let before = (world.cpu_time()?, processes::cpu_time(std::process::id())?);
        let ours = load::run(world, as_fast_as_possible, time, false).await?;
        platform_cpu += world.cpu_time()? - before.0;
        load_cpu += processes::cpu_time(std::process::id())? - before.1;
        let half = Pace::Open { connections: options.connections, per_s: ours.per_s() / 2.0 };
        uniform.push(ours);
        peers_hot.push(peer.run(time, 1, None).await?);
        hot.push(load::run(world, as_fast_as_possible, time, true).await?);
        // What was left to do when everybody paid as fast as possible is done before this counts.
        peer.run(time / 2, world::MERCHANTS, their_half).await?;
        peers_half.push(peer.run(time, world::MERCHANTS, their_half).await?);
        load::run(world, half, time / 2, false).await?;
        halves.push(load::run(world, half, time, false).await?);
    }
    let (rate, hot_rate) = (median(&uniform, Measured::per_s), median(&hot, Measured::per_s));
    let (peer_rate, peer_hot_rate) = (median(&peers, Measured::per_s), median(&peers_hot, Measured::per_s));
    let each = |cpu: Duration| round(cpu.as_secs_f64() * 1e6 / uniform.iter().map(Measured::count).sum::<usize>() as f64);
    let payments: usize = uniform.iter().chain(&hot).map(Measured::count).sum();
    let latency =
        |runs: &[Measured]| json!({"p50": median(runs, |run| run.percentile_ms(0.5)), "p99": median(runs, |run| run.percentile_ms(0.99))});
    let mut report = json!({
        "store": options.store.name(),
        "connections": options.connections,
        "rounds": options.rounds,
        "shoppers": options.shoppers,
        "stored": options.stored,
        "payments": payments,
        "payments_per_s": round(rate),
        "latency_ms": latency(&uniform),
        "hot_merchant_payments_per_s": round(hot_rate),
        "hot_to_uniform": round(hot_rate / rate),
        "peer": {
            "name": "naive double entry, PostgreSQL, pgbench, 16 clients",
            "payments_per_s": round(peer_rate),
            "latency_ms": latency(&peers),
            "hot_merchant_payments_per_s": round(peer_hot_rate),
        },
        "ratio": round(rate / peer_rate),
        "hot_ratio": round(hot_rate / peer_hot_rate),
        "half_load": {
            "payments_per_s": round(median(&halves, Measured::per_s)),
            "latency_ms": latency(&halves),
            "peer_payments_per_s": round(median(&peers_half, Measured::per_s)),
            "peer_latency_ms": latency(&peers_half),
        },
        "cpu_us_per_payment": {"platform": each(platform_cpu), "load": each(load_cpu)},
        "peak_rss_bytes": world.peak_memory()?,
    });
    if cala.is_some() {
        let cala_rate = median(&calas, Measured::per_s);
        report["cala"] = json!({
            "name": cala::NAME,
            "payments_per_s": round(cala_rate),
            "latency_ms": latency(&calas),
            "ratio": round(rate / cala_rate),
        });
    }
    Ok(report)
}

fn print_report(report: &Value) {
    println!(
        "{} payments a second over HTTP on {} ({} connections), one merchant: {}",
        report["payments_per_s"], report["store"], report["connections"], report["hot_merchant_payments_per_s"]
    );
    println!("{}: {} a second; ratio {}", report["peer"]["name"], report["peer"]["payments_per_s"], report["ratio"]);
    if let Some(cala) = report.get("cala") {
        println!("{}: {} a second; ratio {}", cala["name"], cala["payments_per_s"], cala["ratio"]);
    }
    println!(
        "at half load: {} ms; the peer at half of its own: {} ms",
        report["half_load"]["latency_ms"], report["half_load"]["peer_latency_ms"]
    );
}

fn median(runs: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    round(values.get(values.len() / 2).copied().unwrap_or_default())
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
