//! `/v1/me/helpers`: trusted helpers, asked by an owner, who see payments and may freeze.

use axum::extract::State;
use axum::response::Response;
use base::id::HelperId;
use wire::helper::NewHelper;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::PathId;
use crate::hashing::Lane;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// Both kinds: who helps, and who is helped.
pub fn list() -> Endpoint {
    get("/v1/me/helpers", Access::Wallet, "Those who help the account, and those whom its owner helps or is asked to help")
        .answers(200, "HelperList")
        .by(handle_list)
}

/// Asks somebody.
pub fn create() -> Endpoint {
    post("/v1/me/helpers", Access::Wallet, "Ask somebody to be a trusted helper, with the passcode")
        .takes("NewHelper")
        .answers(201, "Helper")
        .refuses(&[Code::StateConflict, Code::PasscodeWrong, Code::PasscodeLocked])
        .by(handle_create)
}

/// Agrees.
pub fn accept() -> Endpoint {
    post("/v1/me/helpers/{id}/accept", Access::Wallet, "Agree to help")
        .answers(200, "Helper")
        .refuses(&[Code::StateConflict])
        .by(handle_accept)
}

/// Ends it.
pub fn end() -> Endpoint {
    let mut row = post("/v1/me/helpers/{id}/end", Access::Wallet, "End it, from either side, or say no");
    row.status = 204;
    row.by(handle_end)
}

/// What a helper sees.
pub fn one() -> Endpoint {
    get("/v1/me/helpers/{id}", Access::Wallet, "What a helper sees of the account").answers(200, "Helped").by(handle_one)
}

/// No money leaves the account that is helped.
pub fn freeze() -> Endpoint {
    post("/v1/me/helpers/{id}/freeze", Access::Wallet, "Freeze the account as its helper: only its owner can thaw it")
        .answers(200, "Helped")
        .by(handle_freeze)
}

async fn handle_list(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.helpers(shopper.account, now)).await?))
}

async fn handle_create(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewHelper>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let work = move |store: &store::Store| store.invite_helper(&idempotency, shopper.account, &body, &mut rng(), now);
    Ok(respond(app.with_store_hashing(Lane::Wallet, work).await?))
}

async fn handle_accept(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(helper): PathId<HelperId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.accept_helper(&idempotency, shopper.account, helper, now)).await?))
}

async fn handle_end(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(helper): PathId<HelperId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.end_helper(&idempotency, shopper.account, helper, now)).await?))
}

async fn handle_one(State(app): State<SharedApp>, shopper: Shopper, PathId(helper): PathId<HelperId>) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.helped(shopper.account, helper, now)).await?))
}

async fn handle_freeze(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(helper): PathId<HelperId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.freeze_helped(&idempotency, shopper.account, helper, now)).await?))
}
