//! `POST /v1/payments/{id}/passcode`: the payer's second factor.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::api::Passcode;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Till;
use crate::body::PathId;
use crate::hashing::Lane;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/passcode", Access::Terminal, "Give the payer's passcode")
        .takes("Passcode")
        .answers(200, "Payment")
        .refuses(&[
            Code::Forbidden,
            Code::PasscodeWrong,
            Code::PasscodeLocked,
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
    once: Once<Passcode>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (now, terminal) = (app.now(), till.details.id);
    let answer =
        app.with_store_hashing(Lane::Till, move |store| store.enter_passcode(&idempotency, terminal, payment, &body.passcode, now)).await?;
    app.settled(&answer);
    Ok(respond(answer))
}
