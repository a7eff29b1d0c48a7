//! `/v1/consent-texts` and `/v1/consents`: what a shopper is asked, and what they decided.

use axum::extract::State;
use axum::response::Response;
use base::id::ConsentId;
use payments::consent::{current_texts, text_with};
use serde::Deserialize;
use wire::api::{List, NewConsent};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::{Page, Parameters, PathId};
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

/// A text of whatever age.
pub fn text() -> Endpoint {
    get("/v1/consent-texts/{id}", Access::Wallet, "The text with this SHA-256, of whatever age: what was consented to")
        .answers(200, "ConsentText")
        .by(handle_text)
}

/// All decisions.
pub fn list() -> Endpoint {
    get("/v1/consents", Access::Wallet, "Every consent given or withdrawn, newest first").lists("ConsentList", "con").by(handle_list)
}

/// A consent given or withdrawn.
pub fn create() -> Endpoint {
    post("/v1/consents", Access::Wallet, "Give or withdraw a consent")
        .takes("NewConsent")
        .answers(201, "Consent")
        .refuses(&[Code::ConsentMissing, Code::ConsentOutdated])
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

async fn handle_text(_: Shopper, PathId(text_sha256): PathId<HexArray<32>>) -> Answer<Response> {
    Ok(json(text_with(&text_sha256).map_err(|refusal| Refused(Box::new(refusal.problem())))?))
}

async fn handle_list(State(app): State<SharedApp>, shopper: Shopper, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<ConsentId>()?, page.size()?);
    Ok(json(app.with_store(move |store| store.consents(shopper.account, after, size)).await?))
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
