//! `POST /v1/payments/{id}/capture` and `…/void`: what becomes of money that is held.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::api::NewCapture;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, post};

/// Takes what is held, or part of it.
pub fn capture() -> Endpoint {
    post("/v1/payments/{id}/capture", Access::Payee, "Take what is held, or part of it; the rest is released")
        .takes("NewCapture")
        .answers(200, "Payment")
        .refuses(&[Code::StateConflict, Code::PaymentExpired, Code::PaymentCancelled, Code::CaptureExceedsAuthorisation])
        .by(handle_capture)
}

/// Releases it.
pub fn void() -> Endpoint {
    post("/v1/payments/{id}/void", Access::Payee, "Release what is held")
        .answers(200, "Payment")
        .refuses(&[Code::StateConflict, Code::PaymentExpired, Code::PaymentCancelled])
        .by(handle_void)
}

async fn handle_capture(
    State(app): State<SharedApp>,
    payee: Payee,
    PathId(payment): PathId<PaymentId>,
    once: Once<NewCapture>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let answer = app.with_store_of(payee.mode, move |store| store.capture_payment(&idempotency, payee.by, payment, &body, now)).await?;
    app.settled(&answer);
    Ok(respond(answer))
}

async fn handle_void(
    State(app): State<SharedApp>,
    payee: Payee,
    PathId(payment): PathId<PaymentId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store_of(payee.mode, move |store| store.void_payment(&idempotency, payee.by, payment, now)).await?;
    app.settled(&answer);
    Ok(respond(answer))
}
