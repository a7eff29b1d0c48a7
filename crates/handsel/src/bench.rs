//! `handsel bench till`: from press to paid, through the real agent, three party processes and the platform.
//!
//! A press is the request for a challenge; the answer is `paid`, posted in the ledger. The camera's own time (a burst of
//! four frames) is not in it: the pictures are there already.

pub mod identify;
pub mod measured;
pub mod processes;

use std::fs;
use std::process::ExitCode;

use serde_json::json;

use crate::args::BenchTillOptions;
use crate::crowd;
use crate::demo::progress_bar;
use crate::photos;
use crate::provision::Mode;
use crate::report::Times;
use crate::run::{Failure, context};
use crate::till_client::{Outcome, TillClient};
use crate::up;

/// Frames in one burst, as the till page takes.
const BURST_LEN: usize = 4;
/// Payments before the clock counts.
const WARM_UP: usize = 5;
/// ¥1.00: every payment is small.
const AMOUNT_MINOR: i64 = 100;

/// Runs the benchmark in a folder of its own that is removed afterwards.
pub fn till(options: &BenchTillOptions) -> Result<ExitCode, Failure> {
    let face = one_person(options)?;
    let folder = up::temporary_folder("bench")?;
    let total = options.payments + WARM_UP;
    let (times, counted) = up::run_until_stopped(async {
        let running = up::start(folder.path(), &options.installation, Mode::Archive, true)?;
        let client = TillClient::new(&running)?;
        up::wait_until_ready(&running, &client).await?;
        let progress = progress_bar(options.gallery + total);
        let loader = running.loader.as_ref().expect("a benchmark's installation has a loader");
        progress.set_message("enrolling the crowd");
        crowd::enrol(&client, loader, options.gallery.saturating_sub(1), &progress).await?;
        let shopper = client.open_account(0, AMOUNT_MINOR * (2 * total as i64 + 10)).await?;
        let burst = vec![face; BURST_LEN];
        client.enrol(&shopper, &burst).await?.map_err(|code| Failure(format!("the picture was refused: {}", code.name())))?;
        progress.set_message("paying");
        let (mut times, mut counted, mut paid) = (Times::default(), 0, 0);
        while counted < options.payments && paid < 2 * total {
            let attempt = client.pay(AMOUNT_MINOR, &burst, Some(&shopper)).await?;
            let Outcome::Paid(_) = attempt.outcome else {
                return Err(Failure(format!("a payment was refused: {:?}", attempt.outcome)));
            };
            paid += 1;
            // Every few payments the rules ask for the passcode; those are another journey and are not timed.
            if paid > WARM_UP && !attempt.passcode_asked {
                times.add(&attempt);
                counted += 1;
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        Ok::<_, Failure>((times, counted))
    })?;
    let percentiles = times.press_to_paid();
    if options.json {
        println!(
            "{}",
            json!({"gallery": options.gallery, "payments": counted, "press_to_paid_ms": percentiles, "stages_ms": times.stages()})
        );
    } else {
        println!(
            "{counted} payments, one among {}: press to paid {:.0} ms median, {:.0} ms at the 95th percentile",
            options.gallery, percentiles.p50, percentiles.p95
        );
        for (stage, took) in times.stages() {
            println!("  {stage:10}{took:8.2} ms median");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first picture of the folder, by name.
fn one_person(options: &BenchTillOptions) -> Result<Vec<u8>, Failure> {
    let pictures = photos::pictures(&options.photos)?;
    let first = pictures
        .first()
        .ok_or_else(|| Failure(format!("{} holds no picture; run `make test-data` or give --photos", options.photos.display())))?;
    fs::read(first).map_err(context(first))
}
