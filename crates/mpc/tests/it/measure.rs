//! CPU time of the parts whose work grows with the gallery. Not run by default:
//! `cargo test -p mpc --test it measure -- --ignored --nocapture`.

use std::hint::black_box;

use mpc::protocol::reshare::reshare_16;
use mpc::protocol::variants::first_near;
use mpc::protocol::{coin, compare, convert, planes, probe};
use mpc::prss::Prss;
use mpc::share::share_template;
use mpc::testing::{SeededRng, World, neighbour_keys, random_template, run_three};

/// CPU time of this thread in milliseconds.
pub fn thread_cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// CPU milliseconds of `run`: the median of seven.
pub fn median_ms(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let start = thread_cpu_ms();
            run();
            thread_cpu_ms() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[3]
}

#[test]
#[ignore = "measures"]
fn streams() {
    let mut prss = Prss::new(&neighbour_keys(1)[0], b"measure", "measure", 0);
    for size in [32 << 10, 1 << 20, 8 << 20] {
        let mut bytes = vec![0_u8; size];
        let repeat = (64 << 20) / size;
        let ms = median_ms(|| {
            for _ in 0..repeat {
                prss.with_next().mask(&mut bytes);
            }
        });
        println!("mask {size} bytes: {:.2} GB/s", (repeat * size) as f64 / ms / 1e6);
        let ms = median_ms(|| {
            for _ in 0..repeat {
                prss.mask_with_zero(&mut bytes);
            }
        });
        println!("zero mask {size} bytes: {:.2} GB/s", (repeat * size) as f64 / ms / 1e6);
        black_box(&bytes);
    }
    let mut numbers = vec![0_u16; 1 << 20];
    println!("zero numbers u16, 1 Mi: {:.2} ms", median_ms(|| prss.add_zero_u16(&mut numbers)));
}

/// One party's CPU time for a million scores in chunks of 2^18, handing messages over in memory included.
#[test]
#[ignore = "measures"]
fn compare_a_million() {
    const CHUNK: usize = 1 << 18;
    const CHUNKS: usize = 4;
    let mut table: Vec<(&str, Vec<f64>)> =
        ["planes", "reshare", "near", "operands", "sum", "variants of 25", "toss"].map(|name| (name, vec![])).to_vec();
    // Freeing one large block keeps glibc from handing every list back to the kernel, as in a process that has run for a while.
    drop(black_box(vec![1_u8; 24 << 20]));
    for seed in 0..7 {
        let results = World::new(seed).unrecorded().run(|session| {
            let scores: Vec<u16> = (0..CHUNK).map(|at| (at as u16).wrapping_mul(40_503)).collect();
            let mut times = vec![0.0; 7];
            let mut timed = |which: usize, start: f64| times[which] += thread_cpu_ms() - start;
            for chunk in 0..CHUNKS {
                let start = thread_cpu_ms();
                black_box(planes::of_16(&scores, 6..16));
                timed(0, start);
                let start = thread_cpu_ms();
                let components = reshare_16(session, scores.clone()).expect("no network error");
                timed(1, start);
                let start = thread_cpu_ms();
                let near = compare::near(session, &components, 7_000).expect("no network error");
                timed(2, start);
                let start = thread_cpu_ms();
                let [x, y] = convert::operands(session, &scores, 7_000, chunk).expect("no network error");
                timed(3, start);
                let start = thread_cpu_ms();
                black_box(compare::sum(session, &x, &y, compare::PLANES).expect("no network error"));
                timed(4, start);
                let start = thread_cpu_ms();
                let whole = near.slice(0, 25 * (near.len() / 25));
                black_box(first_near(session, whole, 25).expect("no network error"));
                timed(5, start);
                let start = thread_cpu_ms();
                black_box(coin::toss(session).expect("no network error"));
                timed(6, start);
            }
            times
        });
        for (times, _) in results {
            table.iter_mut().zip(times).for_each(|((_, all), time)| all.push(time));
        }
    }
    for (name, mut times) in table {
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.2} ms of CPU per party for {} scores (median of {})", times[times.len() / 2], CHUNK * CHUNKS, times.len());
    }
}

#[test]
#[ignore = "measures"]
fn check_a_probe() {
    for dimensions in [128, 512, 1024] {
        let shares =
            share_template(&random_template(dimensions, &mut SeededRng::new(1)), &mut SeededRng::new(2)).expect("a valid template");
        let results = run_three(3, |session| {
            let mut times: Vec<f64> = (0..21)
                .map(|_| {
                    let start = thread_cpu_ms();
                    probe::check(session, &shares[session.party().index()]).expect("a valid template");
                    thread_cpu_ms() - start
                })
                .collect();
            times.sort_by(f64::total_cmp);
            times[10]
        });
        println!("{dimensions} features: {:.2} ms of CPU per party, {} bytes", results[0].0, probe::bytes_sent(dimensions));
    }
}
