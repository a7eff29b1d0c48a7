//! `/v1/webhook-endpoints`: where a merchant wants to be told.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base::id::WebhookEndpointId;
use payments::webhook::signature::Keys;
use wire::merchant::{NewWebhookEndpoint, Rotation, WebhookEndpointChange, WebhookKey, WebhookKeys};
use wire::problem::Code;
use wire::shop::Action;

use crate::app::{App, SharedApp};
use crate::auth::Merchant;
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{Nothing, get, json, overlap_ms, post};
use crate::webhooks::destination::Destination;

/// All of them.
pub fn list() -> Endpoint {
    get("/v1/webhook-endpoints", Access::Key, "The merchant's endpoints, newest first")
        .lists("WebhookEndpointList", "whe")
        .for_staff(Action::ManageKeys)
        .by(handle_list)
}

/// A new one.
pub fn create() -> Endpoint {
    post("/v1/webhook-endpoints", Access::Key, "Make an endpoint; its events go there from now on")
        .takes("NewWebhookEndpoint")
        .answers(201, "WebhookEndpoint")
        .refuses(&[Code::UrlForbidden, Code::TooMany])
        .for_staff(Action::ManageKeys)
        .by(handle_create)
}

/// One endpoint.
pub fn one() -> Endpoint {
    get("/v1/webhook-endpoints/{id}", Access::Key, "One endpoint")
        .answers(200, "WebhookEndpoint")
        .for_staff(Action::ManageKeys)
        .by(handle_one)
}

/// Changing one.
pub fn change() -> Endpoint {
    post("/v1/webhook-endpoints/{id}", Access::Key, "Change an endpoint, or switch it off or on")
        .takes("WebhookEndpointChange")
        .answers(200, "WebhookEndpoint")
        .refuses(&[Code::UrlForbidden])
        .for_staff(Action::ManageKeys)
        .by(handle_change)
}

/// Deleting one.
pub fn delete() -> Endpoint {
    let mut row =
        Row::new(Method::DELETE, "/v1/webhook-endpoints/{id}", Access::Key, "Delete an endpoint; what is on its way to it is given up");
    row.status = 204;
    row.for_staff(Action::ManageKeys).by(handle_delete)
}

/// What verifies its signatures.
pub fn keys() -> Endpoint {
    get("/v1/webhook-endpoints/{id}/keys", Access::Key, "The keys that verify what is sent to an endpoint")
        .answers(200, "WebhookKeys")
        .for_staff(Action::ManageKeys)
        .by(handle_keys)
}

/// New keys.
pub fn rotate() -> Endpoint {
    post("/v1/webhook-endpoints/{id}/rotate", Access::Key, "Sign with new keys, and with the old ones for a day or as overlap_s says")
        .takes("Rotation")
        .answers(200, "WebhookEndpoint")
        .for_staff(Action::ManageKeys)
        .by(handle_rotate)
}

/// Trying it.
pub fn ping() -> Endpoint {
    post("/v1/webhook-endpoints/{id}/ping", Access::Key, "Send an event of the type webhook_endpoint.ping to try an endpoint")
        .answers(201, "Delivery")
        .for_staff(Action::ManageKeys)
        .by(handle_ping)
}

async fn handle_list(State(app): State<SharedApp>, Merchant(by): Merchant, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<WebhookEndpointId>()?, page.size()?);
    Ok(json(app.with_store_of(by.mode, move |store| store.endpoints(by.merchant, after, size)).await?))
}

async fn handle_create(State(app): State<SharedApp>, Merchant(by): Merchant, once: Once<NewWebhookEndpoint>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    Destination::parse(&body.url, app.webhook_reach(by.mode))?;
    let (id, now) = (app.new_id(WebhookEndpointId::new), app.now());
    Ok(respond(app.with_store_of(by.mode, move |store| store.create_endpoint(&idempotency, by.merchant, id, &body, now)).await?))
}

async fn handle_one(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(id): PathId<WebhookEndpointId>) -> Answer<Response> {
    Ok(json(app.with_store_of(by.mode, move |store| store.endpoint(by.merchant, id)).await?))
}

async fn handle_change(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(id): PathId<WebhookEndpointId>,
    once: Once<WebhookEndpointChange>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(url) = &body.url {
        Destination::parse(url, app.webhook_reach(by.mode))?;
    }
    let now = app.now();
    Ok(respond(app.with_store_of(by.mode, move |store| store.change_endpoint(&idempotency, by.merchant, id, &body, now)).await?))
}

async fn handle_delete(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(id): PathId<WebhookEndpointId>) -> Answer<Response> {
    let now = app.now();
    app.with_store_of(by.mode, move |store| store.delete_endpoint(by.merchant, id, now)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn handle_keys(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(id): PathId<WebhookEndpointId>) -> Answer<Response> {
    let endpoint = app.with_store_of(by.mode, move |store| store.endpoint(by.merchant, id)).await?;
    let mut keys = vec![shown(&app, id, endpoint.key_generation, None)];
    if let Some(until) = endpoint.previous_keys_until.filter(|until| *until > app.now()) {
        keys.push(shown(&app, id, endpoint.key_generation - 1, Some(until)));
    }
    Ok(json(WebhookKeys { keys }))
}

async fn handle_rotate(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(id): PathId<WebhookEndpointId>,
    once: Once<Rotation>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (overlap_ms, now) = (overlap_ms(&body)?, app.now());
    let rotate = move |store: &store::Store| store.rotate_endpoint_keys(&idempotency, by.merchant, id, overlap_ms, now);
    Ok(respond(app.with_store_of(by.mode, rotate).await?))
}

async fn handle_ping(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(id): PathId<WebhookEndpointId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store_of(by.mode, move |store| store.ping_endpoint(&idempotency, by.merchant, id, now)).await?;
    app.events_recorded.notify_waiters();
    Ok(respond(answer))
}

fn shown(app: &App, endpoint: WebhookEndpointId, generation: u32, until: Option<base::time::Timestamp>) -> WebhookKey {
    let keys = Keys::derive(&app.webhook_secret, endpoint, generation);
    WebhookKey { generation, secret: keys.shared_text().expose().clone(), public_key: keys.public_text(), until }
}
