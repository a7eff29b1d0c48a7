//! `POST /v1/bench/payments`, for `handsel bench pay` alone: a whole payment in one request, where the body says whose face
//! was found. Everything but the look is as for any payment: the till's key, idempotency, the rules, the ledger, what the
//! shopper and the merchant see, the answer's bytes.

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use wire::api::NewPayment;
use wire::bytes::HexArray;
use wire::merchant::Mode;

use crate::app::{SharedApp, rng};
use crate::auth::{self, Till};
use crate::limits;
use crate::once::{Once, respond};
use crate::problem::Answer;

/// A payment and who pays.
#[derive(Deserialize)]
struct Found {
    /// What the till would have said.
    payment: NewPayment,
    /// What the parties would have found.
    token: HexArray<16>,
}

/// The route, with what stands before every till's request.
pub fn router(app: &SharedApp) -> Router<SharedApp> {
    Router::new()
        .route("/v1/bench/payments", post(handle))
        .layer(from_fn_with_state(app.clone(), limits::layer))
        .layer(from_fn_with_state(app.clone(), auth::known_terminal))
}

async fn handle(State(app): State<SharedApp>, Till(till): Till, once: Once<Found>) -> Answer<Response> {
    let Once { idempotency, body: Found { payment, token }, turn: _turn } = once;
    let (now, terminal) = (app.now(), till.details.id);
    let answer = app
        .write_for(Mode::Live, Some(till), idempotency, move |store, request| {
            store.pay_as_found(request, terminal, &payment, &token.0, &mut rng(), now)
        })
        .await?;
    app.settled(&answer);
    Ok(respond(answer))
}
