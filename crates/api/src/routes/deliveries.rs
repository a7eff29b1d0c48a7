//! `/v1/webhook-endpoints/{id}/deliveries` and `/v1/deliveries/{id}`: what became of each event on its way, and sending it again.

use axum::extract::State;
use axum::response::Response;
use base::id::{DeliveryId, WebhookEndpointId};
use serde::Deserialize;
use wire::merchant::DeliveryStatus;
use wire::shop::Action;

use crate::app::SharedApp;
use crate::auth::Merchant;
use crate::body::{Expanding, Page, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// What `expand[]` may name.
const EXPANDS: &[&str] = &["event"];

/// Those to one endpoint.
pub fn list() -> Endpoint {
    get("/v1/webhook-endpoints/{id}/deliveries", Access::Key, "What was and will be sent to an endpoint, newest first")
        .lists("DeliveryList", "del")
        .filters(&[("status", "DeliveryStatus")])
        .expands(EXPANDS)
        .for_staff(Action::ManageKeys)
        .by(handle_list)
}

/// One delivery.
pub fn one() -> Endpoint {
    get("/v1/deliveries/{id}", Access::Key, "One delivery and the log of its attempts")
        .answers(200, "Delivery")
        .expands(EXPANDS)
        .for_staff(Action::ManageKeys)
        .by(handle_one)
}

/// Sending it again.
pub fn replay() -> Endpoint {
    post("/v1/deliveries/{id}/replay", Access::Key, "Send the event again, with a new round of attempts")
        .answers(200, "Delivery")
        .for_staff(Action::ManageKeys)
        .by(handle_replay)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    starting_after: Option<String>,
    limit: Option<u32>,
    status: Option<DeliveryStatus>,
}

async fn handle_list(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(endpoint): PathId<WebhookEndpointId>,
    Expanding { parameters: which, expand }: Expanding<Which>,
) -> Answer<Response> {
    let expand = expand.only(EXPANDS)?;
    let page = Page { starting_after: which.starting_after, limit: which.limit };
    let (after, size) = (page.after::<DeliveryId>()?, page.size()?);
    let list = move |store: &store::Store| store.deliveries(by.merchant, endpoint, which.status, after, size, expand);
    Ok(json(app.with_store_of(by.mode, list).await?))
}

async fn handle_one(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(delivery): PathId<DeliveryId>,
    Expanding { expand, .. }: Expanding<Nothing>,
) -> Answer<Response> {
    let expand = expand.only(EXPANDS)?;
    Ok(json(app.with_store_of(by.mode, move |store| store.delivery(by.merchant, delivery, expand)).await?))
}

async fn handle_replay(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(delivery): PathId<DeliveryId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store_of(by.mode, move |store| store.replay_delivery(&idempotency, by.merchant, delivery, now)).await?;
    app.events_recorded.notify_waiters();
    Ok(respond(answer))
}
