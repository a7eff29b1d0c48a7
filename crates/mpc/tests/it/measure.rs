//! CPU time of the parts whose work grows with the gallery. Not run by default:
//! `cargo test -p mpc --test it measure -- --ignored --nocapture`.

use std::hint::black_box;

use mpc::prss::Prss;
use mpc::testing::neighbour_keys;

/// CPU time of this thread in milliseconds.
fn thread_cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// The median of seven runs.
fn median_ms(mut run: impl FnMut()) -> f64 {
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
