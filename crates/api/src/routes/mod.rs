//! All endpoints, one file for each or for each small resource. Each says in its row of the table who may call it.

pub mod accounts;
pub mod consents;
pub mod demo;
pub mod enrolments;
pub mod health;
pub mod lists;
pub mod me;
pub mod payments;
pub mod sessions;
pub mod table;
pub mod template;
pub mod terminal;
pub mod top_ups;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use table::Endpoint;

/// The body of a request that needs none: nothing, or `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The table of all endpoints; with `demo`, those for demonstrations too.
pub fn endpoints(demo: bool) -> Vec<Endpoint> {
    let mut endpoints = vec![
        terminal::read(),
        payments::create::endpoint(),
        payments::read::list(),
        payments::read::one(),
        payments::challenge::endpoint(),
        payments::probe::endpoint(),
        payments::passcode::endpoint(),
        payments::cancel::endpoint(),
        payments::refund::endpoint(),
        template::endpoint(),
        accounts::create(),
        sessions::create(),
        sessions::end(),
        me::read(),
        me::pause(),
        me::resume(),
        consents::texts(),
        consents::create(),
        enrolments::create(),
        enrolments::read(),
        enrolments::delete(),
        enrolments::receipt(),
        top_ups::create(),
        lists::activity(),
        lists::queries(),
        health::capture_agent(),
        health::up(),
        health::ready(),
        health::books(),
    ];
    if demo {
        endpoints.push(demo::crowd());
    }
    endpoints
}

/// A row to fill in: reading, without a body.
fn get(path: &'static str, access: table::Access, summary: &'static str) -> table::Row {
    table::Row::new(Method::GET, path, access, summary)
}

/// A row to fill in: writing, under an idempotency key.
fn post(path: &'static str, access: table::Access, summary: &'static str) -> table::Row {
    table::Row::new(Method::POST, path, access, summary)
}

/// JSON of something that the store read.
fn json<T: serde::Serialize>(value: T) -> Response {
    axum::Json(value).into_response()
}
