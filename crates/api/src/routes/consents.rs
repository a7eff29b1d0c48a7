//! `GET /v1/consent-texts` and `POST /v1/consents`: what a shopper is asked, and what they decided.

use axum::extract::State;
use axum::response::Response;
use payments::consent::current_texts;
use serde::Deserialize;
use wire::api::{List, NewConsent};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::Parameters;
use crate::once::{Once, respond};
use crate::problem::{Answer, Refused};
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json, post};

/// The current texts.
pub fn texts() -> Endpoint {
    get("/v1/consent-texts", Access::Wallet, "The current text of each consent")
        .answers(200, "ConsentTextList")
        .refuses(&[Code::InvalidRequest])
        .by(handle_texts)
}

/// A consent given or withdrawn.
pub fn create() -> Endpoint {
    post("/v1/consents", Access::Wallet, "Give or withdraw a consent")
        .takes("NewConsent")
        .answers(201, "Consent")
        .refuses(&[Code::ConsentOutdated])
        .by(handle_create)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    locale: String,
}

async fn handle_texts(_: Shopper, Parameters(language): Parameters<Language>) -> Answer<Response> {
    let data = current_texts(&language.locale).map_err(|refusal| Refused(Box::new(refusal.problem())))?;
    Ok(json(List { data, has_more: false }))
}

async fn handle_create(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewConsent>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let answer = app.with_store(move |store| store.record_consent(&idempotency, shopper.account, &body, &mut rng(), now)).await?;
    if answer.is_first_success() {
        // Withdrawing the consent to payment queues a deletion.
        app.gallery_changed.notify_one();
    }
    Ok(respond(answer))
}
