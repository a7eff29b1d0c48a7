//! What one party's scan costs. Not run by itself: `cargo test -p mpc scan_cost -- --ignored --nocapture`.

use mpc::kernel::Kernel;
use mpc::layout::{RowsView, block_numbers};
use mpc::scan::scan;
use mpc::share::{PreparedQuery, share_template};
use mpc::testing::{SeededRng, random_template};

/// Milliseconds for which this thread has been on a processor, by Linux's own count.
fn thread_cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts this");
    text.split(' ').next().expect("three numbers").parse::<f64>().expect("nanoseconds") / 1e6
}

/// Rounds per figure; the median is printed.
const ROUNDS: usize = 7;

#[test]
#[ignore = "a measurement: 1 GB of memory and half a minute"]
fn scan_of_a_million_rows() {
    const DIMENSIONS: usize = 512;
    let count = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let blocks = count("SCAN_ROWS", 1_000_000).div_ceil(16);
    let mut word = 1_u64;
    let numbers: Vec<u16> = std::iter::repeat_with(|| {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (word >> 48) as u16
    })
    .take(blocks * block_numbers(DIMENSIONS))
    .collect();
    let rows = RowsView::new(&numbers, DIMENSIONS);
    let mut rng = SeededRng::new(2);
    let queries: Vec<PreparedQuery> = (0..32)
        .map(|_| {
            let [share, ..] = share_template(&random_template(DIMENSIONS, &mut rng), &mut rng).expect("a valid template");
            share.prepare_query(base::party::PartyId::P1)
        })
        .collect();
    let queries: Vec<&PreparedQuery> = queries.iter().collect();
    for kernel in Kernel::available() {
        for batch in [1, 8, 32] {
            let mut scores = vec![vec![0; rows.slots()]; batch];
            let mut times: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let mut slices: Vec<&mut [u16]> = scores.iter_mut().map(|scores| &mut scores[..]).collect();
                    let before = thread_cpu_ms();
                    scan(kernel, &queries[..batch], rows, &mut slices);
                    (thread_cpu_ms() - before) / batch as f64
                })
                .collect();
            times.sort_by(f64::total_cmp);
            println!(
                "{}: {} rows of {DIMENSIONS} features, batch {batch}: {:.2} ms CPU per query (from {:.2} to {:.2})",
                kernel.name(),
                rows.slots(),
                times[ROUNDS / 2],
                times[0],
                times[ROUNDS - 1]
            );
        }
    }
}
