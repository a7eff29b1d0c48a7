//! `POST /v1/test/payments/{id}/look`: a made-up shopper looks, so that an integration is tried without camera and parties. It
//! exists for test keys only, and works on the store of test mode only.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::merchant::{Mode, SimulatedLook};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Merchant;
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn look() -> Endpoint {
    post("/v1/test/payments/{id}/look", Access::Key, "Test mode: let a made-up shopper look")
        .takes("SimulatedLook")
        .answers(200, "Payment")
        .refuses(&[Code::TestModeOnly, Code::StateConflict, Code::PaymentExpired, Code::PaymentCancelled])
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(payment): PathId<PaymentId>,
    once: Once<SimulatedLook>,
) -> Answer<Response> {
    if by.mode != Mode::Test {
        return Err(Code::TestModeOnly.into());
    }
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let look = move |store: &store::Store| store.simulate_look(&idempotency, by.merchant, payment, body.shopper, &mut rng(), now);
    let answer = app.with_store_of(Mode::Test, look).await?;
    app.settled(&answer);
    Ok(respond(answer))
}
