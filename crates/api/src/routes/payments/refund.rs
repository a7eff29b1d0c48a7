//! `POST /v1/payments/{id}/refunds`: money goes back, in whole or in part.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::api::NewRefund;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Till;
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/refunds", Access::Terminal, "Pay back, in whole or in part")
        .takes("NewRefund")
        .answers(201, "Payment")
        .refuses(&[Code::StateConflict, Code::RefundExceedsPayment, Code::RefundWindowOver])
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Till(till): Till,
    PathId(payment): PathId<PaymentId>,
    once: Once<NewRefund>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (now, terminal) = (app.now(), till.details.id);
    let answer = app.with_store(move |store| store.refund(&idempotency, terminal, payment, &body, &mut rng(), now)).await?;
    Ok(respond(answer))
}
