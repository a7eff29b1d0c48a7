//! Random enrolled templates, so that identification is one among many: unit vectors with independent normal features,
//! quantised, shared and sealed exactly as a real person's.

use base::id::TerminalId;
use base::time::{Clock, SystemClock};
use capture::face::DIMENSIONS;
use ed25519_dalek::SigningKey;
use indicatif::ProgressBar;
use rand_core::{Rng, UnwrapErr};
use serde_json::json;
use wire::bytes::{HexArray, HexBytes};
use wire::probe::{ProbeContext, Purpose};

use crate::run::{Failure, failed};
use crate::till_client::TillClient;

/// Templates in one sealed batch.
const BATCH_LEN: usize = 2_000;

/// The device that demos enrol their crowd with; real installations have none.
pub struct Loader {
    pub terminal: TerminalId,
    pub token: String,
    pub device_key: SigningKey,
    pub sealing_keys: [HexBytes; 3],
}

/// Enrols `count` random templates through the platform and the three parties.
pub async fn enrol(client: &TillClient, loader: &Loader, count: usize, progress: &ProgressBar) -> Result<(), Failure> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let mut left = count;
    let mut counter = 0;
    while left > 0 {
        let batch = left.min(BATCH_LEN);
        counter += 1;
        let templates: Vec<Vec<i16>> = (0..batch).map(|_| random_template(&mut rng)).collect();
        let features: Vec<&[i16]> = templates.iter().map(Vec::as_slice).collect();
        let probe = terminal::probe::build(
            &features,
            context(loader.terminal, counter, &mut rng),
            &loader.sealing_keys,
            &loader.device_key,
            &mut rng,
        )
        .map_err(failed("sealing the crowd"))?;
        client.load_crowd(&loader.token, &json!({"probe": probe, "count": batch})).await?;
        left -= batch;
        progress.inc(batch as u64);
    }
    Ok(())
}

fn context(terminal: TerminalId, counter: u64, rng: &mut impl Rng) -> ProbeContext {
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let now = SystemClock.now();
    ProbeContext {
        purpose: Purpose::Enrol,
        reference: format!("crowd batch {counter}"),
        payee: String::new(),
        amount_minor: 0,
        currency: String::new(),
        nonce: HexArray(nonce),
        issued_at: now,
        expires_at: now.plus_millis(60_000),
        terminal,
        counter,
        partition: None,
        templates: 0,
        dimensions: 0,
    }
}

/// A uniformly random direction (normal features by Box and Muller), quantised as faces are.
fn random_template(rng: &mut impl Rng) -> Vec<i16> {
    let mut uniform = || (rng.next_u32() as f32 + 1.0) / (u32::MAX as f32 + 2.0);
    let features: Vec<f32> = (0..DIMENSIONS)
        .map(|_| {
            let (radius, turn) = ((-2.0 * uniform().ln()).sqrt(), std::f32::consts::TAU * uniform());
            radius * turn.cos()
        })
        .collect();
    let norm = features.iter().map(|feature| feature * feature).sum::<f32>().sqrt();
    features.iter().map(|feature| (127.0 * feature / norm).round() as i16).collect()
}
