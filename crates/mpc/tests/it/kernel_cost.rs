//! What the kernels cost one party. Not run by itself: `cargo test -p mpc kernel_cost -- --ignored --nocapture`.

use std::hint::black_box;

use mpc::kernel::Kernel;
use mpc::layout::{RowsView, block_numbers};
use mpc::scan::scan;
use mpc::share::{PreparedQuery, share_template};
use mpc::testing::{SeededRng, random_template};

/// Milliseconds for which this thread has been on a processor, by Linux's own count.
fn thread_cpu_ms() -> f64 {
    // The count is brought up to date when the scheduler is called.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts this");
    text.split(' ').next().expect("three numbers").parse::<f64>().expect("nanoseconds") / 1e6
}

/// The median and the least of some runs' CPU time.
fn cpu_ms(mut run: impl FnMut()) -> (f64, f64) {
    const ROUNDS: usize = 7;
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let before = thread_cpu_ms();
            run();
            thread_cpu_ms() - before
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], times[0])
}

#[test]
#[ignore = "a measurement: 1 GB of memory and half a minute"]
fn scan_of_a_million_rows() {
    const DIMENSIONS: usize = 512;
    let count = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let blocks = count("SCAN_ROWS", 1_000_000).div_ceil(16);
    let numbers: Vec<u16> = random_words(blocks * block_numbers(DIMENSIONS) / 4)
        .iter()
        .flat_map(|word| [0, 16, 32, 48].map(|by| (word >> by) as u16))
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
        for batch in [1, 2, 4, 8, 32] {
            let mut scores = vec![vec![0; rows.slots()]; batch];
            let (median, least) = cpu_ms(|| {
                let mut slices: Vec<&mut [u16]> = scores.iter_mut().map(|scores| &mut scores[..]).collect();
                scan(kernel, &queries[..batch], rows, &mut slices);
            });
            let (median, least) = (median / batch as f64, least / batch as f64);
            println!(
                "{}: {} rows of {DIMENSIONS} features, batch {batch}: {median:.2} ms CPU per query, least {least:.2}",
                kernel.name(),
                rows.slots()
            );
        }
    }
}

#[test]
#[ignore = "a measurement: half a minute"]
fn the_others_over_a_million_slots() {
    const SLOTS: usize = 1 << 20;
    const ROW_SLOTS: usize = 1 << 16;
    let words = random_words(SLOTS);
    let numbers: Vec<u16> = words.iter().map(|word| *word as u16).collect();
    let tokens: Vec<[u8; 16]> = words.iter().map(|word| (u128::from(*word) * 3).to_le_bytes()).collect();
    let masks: Vec<&[u64]> = words.chunks_exact(SLOTS / 64).take(40).collect();
    let rows: Vec<u16> = random_words(128 * ROW_SLOTS).iter().flat_map(|word| [0, 16, 32, 48].map(|by| (word >> by) as u16)).collect();
    for kernel in Kernel::available() {
        let print = |what: &str, (median, least): (f64, f64)| println!("{}: {what}: {median:.2} ms CPU, least {least:.2}", kernel.name());
        let mut planes = vec![0; 16 * SLOTS / 64];
        print("16 bit planes", cpu_ms(|| kernel.bit_planes(&numbers, 0..16, &mut planes)));
        print("10 bit planes", cpu_ms(|| kernel.bit_planes(&numbers, 6..16, &mut planes[..10 * SLOTS / 64])));
        let mut sums = vec![0; 40];
        print("40 masked sums", cpu_ms(|| kernel.masked_sums(&masks, &numbers, &mut sums)));
        print("2 masked XORs of words", cpu_ms(|| _ = black_box(kernel.masked_xor_64([masks[0], masks[1]], &words))));
        print("2 masked XORs of tokens", cpu_ms(|| _ = black_box(kernel.masked_xor_128([masks[0], masks[1]], &tokens))));
        print("dot product over GF(2)", cpu_ms(|| _ = black_box(kernel.dot(&words, &words))));
        let mut sums = vec![0; 1024];
        print("scaling words", cpu_ms(|| words.chunks_exact(1024).for_each(|words| kernel.scale(words[0], words, &mut sums))));
        let mut sums = vec![0; 40 * 512];
        let view = RowsView::new(&rows, 512);
        print("40 masked sums of 65,536 rows of 512 features", cpu_ms(|| kernel.masked_row_sums(&masks, view, &mut sums)));
    }
}

fn random_words(count: usize) -> Vec<u64> {
    let mut word = 1_u64;
    let next = || {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        word ^ word >> 29
    };
    std::iter::repeat_with(next).take(count).collect()
}
