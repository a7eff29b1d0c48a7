//! `POST /v1/top-ups`: money from the demo bank.

use axum::extract::State;
use axum::response::Response;
use wire::api::NewTopUp;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn create() -> Endpoint {
    post("/v1/top-ups", Access::Wallet, "Top up the wallet from the demo bank").takes("NewTopUp").answers(201, "TopUp").by(handle)
}

async fn handle(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewTopUp>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.top_up(&idempotency, shopper.account, &body, &mut rng(), now)).await?))
}
