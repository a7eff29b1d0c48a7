//! `POST /v1/payments/{id}/cancel`: the till gives the payment up.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, post};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/cancel", Access::Payee, "Give the payment up")
        .answers(200, "Payment")
        .refuses(&[Code::Forbidden, Code::StateConflict, Code::PaymentExpired])
        .asks_for_till()
        .by(handle)
}

async fn handle(State(app): State<SharedApp>, payee: Payee, PathId(payment): PathId<PaymentId>, once: Once<Nothing>) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app
        .write_for(payee.mode, payee.till, idempotency, move |store, request| store.cancel_payment(request, payee.by, payment, now))
        .await?;
    app.settled(&answer);
    Ok(respond(answer))
}
