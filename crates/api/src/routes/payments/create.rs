//! `POST /v1/payments`: the amount is set.

use axum::extract::State;
use axum::response::Response;
use wire::api::NewPayment;

use crate::app::{SharedApp, rng};
use crate::auth::Till;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments", Access::Terminal, "Begin a payment").takes("NewPayment").answers(201, "Payment").by(handle)
}

async fn handle(State(app): State<SharedApp>, Till(till): Till, once: Once<NewPayment>) -> Answer<Response> {
    let now = app.now();
    let terminal = till.details.id;
    let Once { idempotency, body, turn: _turn } = once;
    let answer = app.with_store(move |store| store.create_payment(&idempotency, terminal, &body, &mut rng(), now)).await?;
    Ok(respond(answer))
}
