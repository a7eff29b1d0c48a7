//! CPU time of a search of a million slots, per stage. Not run by default:
//! `cargo test -p mpc --test it search::measure -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::hint::black_box;

use mpc::protocol::Stage;
use mpc::protocol::agree::agree;
use mpc::protocol::conclude::conclude;
use mpc::protocol::mac::seal;
use mpc::protocol::probe;
use mpc::protocol::verified::Verification;
use mpc::testing::{SeededRng, World};

use super::super::measure::{median_ms, thread_cpu_ms};
use super::{Gallery, QUERY};

/// One party's CPU time per stage and what it sends, chunks of 2^18 slots in segments of 2^16 with sealed MACs. The messages
/// pass through memory. A row has 4 features, which only the scan and the sealing depend on.
#[test]
#[ignore = "measures"]
fn a_million_slots() {
    const SEGMENT: usize = 1 << 16;
    // As in a party's process: the allocator keeps what it has had once.
    drop(black_box(vec![1_u8; 24 << 20]));
    let mut rng = SeededRng::new(1);
    let mut scores: Vec<i16> = (0..1 << 20).map(|_| rng.below(12_000) as i16 - 6_000).collect();
    scores[700_000] = 9_000;
    let gallery = Gallery::scoring(&scores, SEGMENT, 2);
    let mut search = gallery.search(&QUERY).sealed(|_| true, 3);
    search.parts_per_chunk = 4;
    for verification in [Verification::Off, Verification::On] {
        search.verification = verification;
        let mut stages: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for round in 0..5 {
            let results = World::new(round).unrecorded().run_lanes(|run| {
                let mut last = thread_cpu_ms();
                let mut spent: BTreeMap<&str, f64> = BTreeMap::new();
                let mut observe = |name| {
                    let now = thread_cpu_ms();
                    *spent.entry(name).or_default() += now - last;
                    last = now;
                };
                run.on_lane(0, |session| {
                    agree(session, &[[7; 32]])?;
                    observe("agree");
                    probe::check(session, &search.query[run.party.index()])?;
                    observe("probe");
                    let outcomes: Result<Vec<_>, _> =
                        (0..search.chunks()).map(|number| search.chunk(run, number, &mut |stage: Stage| observe(stage.name()))).collect();
                    conclude(session, &outcomes?, search.thresholds, verification)?;
                    observe("conclude");
                    Ok(())
                })
                .expect("an honest run");
                spent
            });
            for (spent, _) in results {
                spent.into_iter().for_each(|(name, ms)| stages.entry(name).or_default().push(ms));
            }
        }
        for (name, mut times) in stages {
            times.sort_by(f64::total_cmp);
            println!("{verification:?} {name}: {:.2} ms ({:.2} to {:.2})", times[times.len() / 2], times[0], times[times.len() - 1]);
        }
        let traffic = search.run(&World::new(9)).map(|(_, lanes)| lanes.values().map(|lane| lane.bytes()).sum::<usize>());
        println!("{verification:?} bytes sent: {traffic:?}");
    }
}

/// What sealing one segment costs a party.
#[test]
#[ignore = "measures"]
fn sealing_a_segment() {
    let mut rng = SeededRng::new(4);
    for dimensions in [128, 512] {
        let mut record = vec![0; dimensions];
        record[0] = 127;
        let slots = (0..1 << 14).map(|_| Some(record.clone())).collect();
        let gallery = Gallery::new(slots, 1 << 14, |at| at as u64, rng.below(1 << 30));
        let results = World::new(5).run(|session| {
            let start = thread_cpu_ms();
            seal(session, gallery.rows(0, session.party().index()), 1 << 14).expect("an honest run");
            thread_cpu_ms() - start
        });
        println!("sealing 65,536 slots of {dimensions} features: {:.0} ms", 4.0 * results[0].0);
    }
}

/// The parts of the work on a million slots, each by itself.
#[test]
#[ignore = "measures"]
fn parts_of_a_million_slots() {
    use mpc::kernel::Kernel;
    let kernel = Kernel::best();
    let mut rng = SeededRng::new(6);
    let mut words = |count: usize| (0..count).map(|_| rand_core::Rng::next_u64(&mut rng)).collect::<Vec<u64>>();
    let masks: Vec<Vec<u64>> = (0..40).map(|_| words(1 << 10)).collect();
    let masks: Vec<&[u64]> = masks.iter().map(|mask| &mask[..]).collect();
    let numbers = vec![7_u16; 1 << 16];
    let mut sums = [0; 40];
    let time = |name: &str, run: &mut dyn FnMut()| {
        println!("{name}: {:.2} ms", median_ms(run));
    };
    time("masked sums, once", &mut || (0..16).for_each(|_| kernel.masked_sums(&masks, &numbers, &mut sums)));
    let tokens = vec![[7; 16]; 1 << 16];
    time("masked xor of tokens", &mut || {
        (0..16).for_each(|_| {
            black_box(kernel.masked_xor_128([masks[0], masks[1]], &tokens));
        });
    });
    let values = words(1 << 18);
    let mut sums = vec![0; 256];
    time("scale, once", &mut || values.chunks_exact(256).for_each(|row| kernel.scale(row[0], row, &mut sums)));
    let factors = words(1 << 14);
    time("sketch dots, six", &mut || {
        (0..6).for_each(|_| {
            black_box(kernel.dot(&factors, &values[..1 << 14]));
        });
    });
    time("sketch products", &mut || {
        for (a, b) in factors.iter().zip(&values) {
            black_box(kernel.multiply(*a, *b));
        }
    });
}
