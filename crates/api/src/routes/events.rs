//! `GET /v1/events` and `GET /v1/events/{id}`: what happened to a merchant's payments.

use axum::extract::State;
use axum::response::Response;
use base::id::EventId;
use serde::Deserialize;
use wire::merchant::EventType;
use wire::shop::Action;

use crate::app::SharedApp;
use crate::auth::Merchant;
use crate::body::{Page, Parameters, PathId};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json};

/// All of them.
pub fn list() -> Endpoint {
    get("/v1/events", Access::Key, "What happened to the merchant's payments, newest first; kept 90 days")
        .lists("EventList", "evt")
        .filters(&[("type", "EventType")])
        .for_staff(Action::ReadPayments)
        .by(handle_list)
}

/// One event.
pub fn one() -> Endpoint {
    get("/v1/events/{id}", Access::Key, "One event, as its webhooks have it")
        .answers(200, "Event")
        .for_staff(Action::ReadPayments)
        .by(handle_one)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    starting_after: Option<String>,
    limit: Option<u32>,
    #[serde(rename = "type")]
    kind: Option<EventType>,
}

async fn handle_list(State(app): State<SharedApp>, Merchant(by): Merchant, Parameters(which): Parameters<Which>) -> Answer<Response> {
    let page = Page { starting_after: which.starting_after, limit: which.limit };
    let (after, size) = (page.after::<EventId>()?, page.size()?);
    Ok(json(app.with_store_of(by.mode, move |store| store.events(by.merchant, which.kind, after, size)).await?))
}

async fn handle_one(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(event): PathId<EventId>) -> Answer<Response> {
    Ok(json(app.with_store_of(by.mode, move |store| store.event(by.merchant, event)).await?))
}
