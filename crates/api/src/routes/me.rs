//! `GET /v1/me`, `POST /v1/me/pause` and `…/resume`: the signed-in shopper's account.

use axum::extract::State;
use axum::response::Response;

use crate::app::SharedApp;
use crate::auth::Shopper;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// The account.
pub fn read() -> Endpoint {
    get("/v1/me", Access::Wallet, "The signed-in shopper's account").answers(200, "Me").by(handle_read)
}

/// No more payments by look.
pub fn pause() -> Endpoint {
    post("/v1/me/pause", Access::Wallet, "Pause paying by biometrics").answers(200, "Me").by(handle_pause)
}

/// Payments by look again.
pub fn resume() -> Endpoint {
    post("/v1/me/resume", Access::Wallet, "Resume paying by biometrics").answers(200, "Me").by(handle_resume)
}

async fn handle_read(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.me(shopper.account, now)).await?))
}

async fn handle_pause(State(app): State<SharedApp>, shopper: Shopper, once: Once<Nothing>) -> Answer<Response> {
    set_paused(&app, &shopper, once, true).await
}

async fn handle_resume(State(app): State<SharedApp>, shopper: Shopper, once: Once<Nothing>) -> Answer<Response> {
    set_paused(&app, &shopper, once, false).await
}

async fn set_paused(app: &SharedApp, shopper: &Shopper, once: Once<Nothing>, paused: bool) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let (now, account) = (app.now(), shopper.account);
    Ok(respond(app.with_store(move |store| store.set_paused(&idempotency, account, paused, now)).await?))
}
