//! `POST /v1/payments/{id}/probe`: the look itself. It is durable before any party is asked; an outcome that takes long
//! comes by itself, and until then the payment is *being checked*.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use base::id::PaymentId;
use store::idempotency::Idempotency;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument;
use wire::api::Payment;
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Till;
use crate::body::PathId;
use crate::identification;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::resolver::timings::Timings;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// How long each stage took (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/probe", Access::Terminal, "Hand in the look; refusals of the payer are in the payment's `refusal`")
        .takes("SealedProbe")
        .answers(200, "Payment")
        .refuses(&[
            Code::ProbeInvalid,
            Code::ProbeReplayed,
            Code::ProbeMismatch,
            Code::ChallengeExpired,
            Code::StateConflict,
            Code::PaymentExpired,
            Code::PaymentCancelled,
        ])
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Till(till): Till,
    PathId(payment): PathId<PaymentId>,
    once: Once<SealedProbe>,
) -> Answer<Response> {
    let Once { idempotency, body: probe, turn: _turn } = once;
    let started = Instant::now();
    let (now, terminal) = (app.now(), till.details.id);
    let (key, probe_in_store) = (idempotency.clone(), probe.clone());
    let answer = app.with_store(move |store| store.receive_probe(&key, terminal, payment, &probe_in_store, now)).await?;
    if !answer.is_first_success() {
        return Ok(respond(answer));
    }
    let mut timings = Timings::default();
    timings.add_since("receive", started);
    let outcome = begin(&app, payment, probe, timings).await;
    match tokio::time::timeout(Duration::from_millis(app.timing.answer_after_ms), outcome).await {
        Ok(Ok(Ok((payment, timings)))) => settled(&app, idempotency, payment, &timings).await,
        Ok(Ok(Err(refused))) => Err(refused),
        // Not known yet, or the platform is stopping: what the store wrote down is the answer.
        Err(_) | Ok(Err(_)) => Ok(respond(answer)),
    }
}

/// Carries the look through in the background, whether or not anybody still waits for the answer.
async fn begin(app: &SharedApp, payment: PaymentId, probe: SealedProbe, timings: Timings) -> oneshot::Receiver<Answer<(Payment, Timings)>> {
    let (sender, outcome) = oneshot::channel();
    let work = {
        let app = app.clone();
        async move {
            // Nobody may be waiting any more; the outcome is in the store.
            let _ = sender.send(identification::check(app, payment, probe, timings).await);
        }
    };
    let mut checks = app.checks.lock().await;
    while checks.try_join_next().is_some() {}
    checks.spawn(work.instrument(tracing::Span::current()));
    outcome
}

/// The outcome becomes the answer that is remembered under the key, in place of *being checked*.
async fn settled(app: &SharedApp, idempotency: Idempotency, payment: Payment, timings: &Timings) -> Answer<Response> {
    let body = serde_json::to_vec(&payment).expect("a payment is plain data");
    let answer = app.with_store(move |store| store.settle_answer(&idempotency, 200, body)).await?;
    let mut response = respond(answer);
    let header = HeaderValue::from_str(&timings.header()).expect("stages and numbers are ASCII");
    response.headers_mut().insert(SERVER_TIMING, header);
    Ok(response)
}
