//! Delivering what the store has queued: claim what is due, send it, write down what came of it. `payments::webhook` decides.

pub mod destination;
pub mod sender;

use std::time::Duration;

use base::secret::Secret;
use base::time::Timestamp;
use payments::webhook::delivery::Attempt;
use payments::webhook::signature::{Keys, headers};
use rand_core::Rng;
use store::delivery::Due;
use tokio::task::JoinSet;
use wire::merchant::Mode;

use crate::app::{SharedApp, rng};

/// Attempts that are under way at once.
const AT_ONCE_MAX: usize = 64;
/// Events that come within so many milliseconds are looked for at once: under load each look finds many.
const GATHER_MS: u64 = 10;
/// A claim outlives the longest attempt by this, in milliseconds.
const CLAIM_MARGIN_MS: u64 = 10_000;

/// Delivers the events of one mode for ever.
pub async fn deliver(app: SharedApp, mode: Mode) {
    let mut under_way = JoinSet::new();
    loop {
        while under_way.try_join_next().is_some() {}
        let room = AT_ONCE_MAX.saturating_sub(under_way.len()) as u32;
        for due in claim(&app, mode, room).await {
            under_way.spawn(attempt(app.clone(), mode, due));
        }
        tokio::select! {
            () = app.events_recorded.notified() => tokio::time::sleep(Duration::from_millis(GATHER_MS)).await,
            Some(_) = under_way.join_next() => {}
            () = tokio::time::sleep(Duration::from_millis(app.timing.webhook_interval_ms)) => {}
        }
    }
}

async fn claim(app: &SharedApp, mode: Mode, room: u32) -> Vec<Due> {
    if room == 0 {
        return Vec::new();
    }
    let now = app.now();
    let until = now.plus_millis(app.sender.timeout().as_millis() as u64 + CLAIM_MARGIN_MS);
    // What went wrong is logged where it happened; the next time may be better.
    app.with_store_of(mode, move |store| store.claim_due(room, until, now)).await.unwrap_or_default()
}

async fn attempt(app: SharedApp, mode: Mode, due: Due) {
    let began = app.now();
    let keys: Vec<Keys> = due.generations.iter().map(|generation| Keys::derive(&app.webhook_secret, due.endpoint, *generation)).collect();
    let headers = headers(&keys, due.event, seconds(began), &due.body);
    let outcome = app.sender.post(&due.url, app.webhook_reach(mode), &headers, due.body).await;
    let (delivery, random, now) = (due.delivery, rng().next_u32(), app.now());
    let written = app.with_store_of(mode, move |store| store.record_attempt(delivery, outcome, began, random, now)).await;
    let said = match outcome {
        Attempt::Answered(status) => status.to_string(),
        Attempt::Failed(failure) => failure.name().to_owned(),
    };
    app.metrics.webhook_attempt(&said);
    let status = written.map_or("unknown", |status| status.name());
    tracing::info!(endpoint = %due.endpoint, %delivery, event = %due.event, outcome = said, status, "webhook attempted");
}

fn seconds(at: Timestamp) -> u64 {
    at.millis() / 1000
}

/// The secret that all endpoints' keys are derived from.
pub fn master_secret(label_secret: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    Secret::new(crate::labels::derived(label_secret, b"webhooks"))
}
