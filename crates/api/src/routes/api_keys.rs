//! `/v1/api-keys`: a merchant's own keys, of the mode that it asks with.

use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use base::id::ApiKeyId;
use wire::merchant::{ApiKey, NewApiKey, Rotation};
use wire::problem::Code;
use wire::shop::Action;

use crate::api_key::{Fresh, fresh};
use crate::app::SharedApp;
use crate::auth::Merchant;
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::{Answer, Refused};
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{get, json, overlap_ms, post};

/// Longest name in characters.
const NAME_CHARS_MAX: usize = 64;

/// The keys that hold.
pub fn list() -> Endpoint {
    get("/v1/api-keys", Access::Key, "The merchant's keys that have not ended, newest first")
        .lists("ApiKeyList", "key")
        .for_staff(Action::ManageKeys)
        .by(handle_list)
}

/// A new key.
pub fn create() -> Endpoint {
    post("/v1/api-keys", Access::Key, "Make a key; it is shown in the first answer only")
        .takes("NewApiKey")
        .answers(201, "ApiKey")
        .for_staff(Action::ManageKeys)
        .by(handle_create)
}

/// A new key in place of another.
pub fn rotate() -> Endpoint {
    post("/v1/api-keys/{id}/rotate", Access::Key, "Make a key in place of another, which ends a day later or as overlap_s says")
        .takes("Rotation")
        .answers(201, "ApiKey")
        .for_staff(Action::ManageKeys)
        .by(handle_rotate)
}

/// Ending a key.
pub fn revoke() -> Endpoint {
    Row::new(Method::DELETE, "/v1/api-keys/{id}", Access::Key, "End a key at once")
        .answers(200, "ApiKey")
        .for_staff(Action::ManageKeys)
        .by(handle_revoke)
}

async fn handle_list(State(app): State<SharedApp>, Merchant(by): Merchant, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size, now) = (page.after::<ApiKeyId>()?, page.size()?, app.now());
    Ok(json(app.with_store_of(by.mode, move |store| store.api_keys(by.merchant, by.mode, after, size, now)).await?))
}

async fn handle_create(State(app): State<SharedApp>, Merchant(by): Merchant, once: Once<NewApiKey>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let length = body.name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || body.name.chars().any(char::is_control) {
        return Err(Refused::at(Code::InvalidRequest, "name"));
    }
    let now = app.now();
    let Fresh { secret, kept } = fresh(&app, by.mode, body.name);
    let answer = app.with_store_of(by.mode, move |store| store.create_api_key(&idempotency, by.merchant, by.mode, &kept, now)).await?;
    Ok(shown_once(answer, secret))
}

async fn handle_rotate(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(old): PathId<ApiKeyId>,
    once: Once<Rotation>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (overlap_ms, now) = (overlap_ms(&body)?, app.now());
    let Fresh { secret, kept } = fresh(&app, by.mode, String::new());
    let rotate = move |store: &store::Store| store.rotate_api_key(&idempotency, by.merchant, by.mode, old, &kept, overlap_ms, now);
    Ok(shown_once(app.with_store_of(by.mode, rotate).await?, secret))
}

async fn handle_revoke(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(key): PathId<ApiKeyId>) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store_of(by.mode, move |store| store.revoke_api_key(by.merchant, by.mode, key, now)).await?))
}

/// The answer with the secret, unless it is a repetition: what is remembered holds none.
fn shown_once(answer: store::idempotency::Answer, secret: String) -> Response {
    let key = answer.is_first_success().then(|| answer.resource::<ApiKey>()).flatten();
    let mut response = respond(answer);
    if let Some(key) = key {
        let shown = ApiKey { secret: Some(secret), ..key };
        *response.body_mut() = Body::from(serde_json::to_vec(&shown).expect("plain data"));
    }
    response
}
