//! "Not me": disputes by whoever was charged, the terms that hold, and how disputes went, for everybody.

use axum::extract::State;
use axum::response::Response;
use base::id::DisputeId;
use serde::Deserialize;
use wire::dispute::NewDispute;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::{Answer, Refused};
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// Opens a dispute.
pub fn create() -> Endpoint {
    post("/v1/disputes", Access::Wallet, "Say that a payment was not mine")
        .takes("NewDispute")
        .answers(201, "Dispute")
        .refuses(&[Code::NotFound, Code::StateConflict, Code::DisputeExists, Code::DisputeWindowOver])
        .by(handle_create)
}

/// The shopper's disputes.
pub fn list() -> Endpoint {
    get("/v1/disputes", Access::Wallet, "The shopper's disputes, newest first").lists("DisputeList", "dp").by(handle_list)
}

/// One of them.
pub fn one() -> Endpoint {
    get("/v1/disputes/{id}", Access::Wallet, "How a dispute stands, with its evidence").answers(200, "Dispute").by(handle_one)
}

/// Against a rejection.
pub fn appeal() -> Endpoint {
    post("/v1/disputes/{id}/appeal", Access::Wallet, "Appeal against a rejection, once: it is decided anew")
        .answers(200, "Dispute")
        .refuses(&[Code::StateConflict, Code::DisputeWindowOver])
        .by(handle_appeal)
}

/// Takes one back.
pub fn withdraw() -> Endpoint {
    post("/v1/disputes/{id}/withdraw", Access::Wallet, "Take a dispute back; what was credited goes back")
        .answers(200, "Dispute")
        .refuses(&[Code::StateConflict])
        .by(handle_withdraw)
}

/// How they went.
pub fn statistics() -> Endpoint {
    get("/v1/statistics/disputes", Access::Anybody, "How disputes went").answers(200, "DisputeStatistics").by(handle_statistics)
}

/// The terms of paying.
pub fn terms() -> Endpoint {
    get("/v1/terms", Access::Anybody, "The terms of paying, with the hash that stands on payments")
        .answers(200, "Terms")
        .refuses(&[Code::InvalidRequest])
        .by(handle_terms)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    locale: String,
}

async fn handle_create(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewDispute>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let work = move |store: &store::Store| store.open_dispute(&idempotency, shopper.account, &body, &mut rng(), now);
    Ok(respond(app.with_store(work).await?))
}

async fn handle_list(State(app): State<SharedApp>, shopper: Shopper, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size, now) = (page.after::<DisputeId>()?, page.size()?, app.now());
    Ok(json(app.with_store(move |store| store.disputes(shopper.account, after, size, now)).await?))
}

async fn handle_appeal(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(dispute): PathId<DisputeId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.appeal_dispute(&idempotency, shopper.account, dispute, now)).await?))
}

async fn handle_one(State(app): State<SharedApp>, shopper: Shopper, PathId(dispute): PathId<DisputeId>) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.dispute(shopper.account, dispute, now)).await?))
}

async fn handle_withdraw(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(dispute): PathId<DisputeId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.withdraw_dispute(&idempotency, shopper.account, dispute, now)).await?))
}

async fn handle_statistics(State(app): State<SharedApp>) -> Answer<Response> {
    Ok(json(app.with_store(|store| store.dispute_statistics()).await?))
}

async fn handle_terms(Parameters(language): Parameters<Language>) -> Answer<Response> {
    let terms = payments::terms::current_text(&language.locale).map_err(|refusal| Refused(Box::new(refusal.problem())))?;
    Ok(json(terms))
}
