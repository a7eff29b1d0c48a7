//! `POST /v1/payments`: the amount is set.

use axum::extract::State;
use axum::response::Response;
use wire::api::NewPayment;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Payee;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments", Access::Payee, "Begin a payment at a terminal")
        .takes("NewPayment")
        .answers(201, "Payment")
        .refuses(&[Code::Forbidden, Code::NotFound, Code::TerminalRequired])
        .asks_for_till()
        .by(handle)
}

async fn handle(State(app): State<SharedApp>, payee: Payee, once: Once<NewPayment>) -> Answer<Response> {
    let now = app.now();
    let Once { idempotency, body, turn: _turn } = once;
    let answer = app
        .write_for(payee.mode, payee.till, idempotency, move |store, request| {
            store.create_payment(request, payee.by, &body, &mut rng(), now)
        })
        .await?;
    Ok(respond(answer))
}
