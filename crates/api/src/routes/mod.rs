//! All endpoints, one file for each or for each small resource. Each says in its row of the table who may call it.

pub mod accounts;
pub mod api_keys;
pub mod consents;
pub mod deliveries;
pub mod demo;
pub mod disputes;
pub mod document;
pub mod enrolments;
pub mod events;
pub mod health;
pub mod helpers;
pub mod lists;
pub mod me;
pub mod owner;
pub mod passkeys;
pub mod payments;
pub mod places;
pub mod service;
pub mod sessions;
pub mod settlement;
pub mod shop;
pub mod table;
pub mod template;
pub mod terminal;
pub mod test_mode;
pub mod top_ups;
pub mod vouchers;
pub mod webhook_endpoints;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use table::Endpoint;
use wire::merchant::Rotation;
use wire::problem::Code;

use crate::problem::{Answer, Refused};

/// The body of a request that needs none: nothing, or `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The table of all endpoints; with `demo`, those for demonstrations too.
pub fn endpoints(demo: bool) -> Vec<Endpoint> {
    let mut endpoints = vec![
        terminal::read(),
        vouchers::kit(),
        vouchers::take(),
        payments::create::endpoint(),
        payments::read::list(),
        payments::read::one(),
        payments::challenge::endpoint(),
        payments::probe::endpoint(),
        payments::passcode::endpoint(),
        payments::cancel::endpoint(),
        payments::capture::capture(),
        payments::capture::void(),
        payments::refund::endpoint(),
        payments::stream::endpoint(),
        template::endpoint(),
        api_keys::list(),
        api_keys::create(),
        api_keys::rotate(),
        api_keys::revoke(),
        events::list(),
        events::one(),
        webhook_endpoints::list(),
        webhook_endpoints::create(),
        webhook_endpoints::one(),
        webhook_endpoints::change(),
        webhook_endpoints::delete(),
        webhook_endpoints::keys(),
        webhook_endpoints::rotate(),
        webhook_endpoints::ping(),
        deliveries::list(),
        deliveries::one(),
        deliveries::replay(),
        settlement::bank_accounts(),
        settlement::bank_account(),
        settlement::request_bank_account(),
        settlement::withdraw_bank_account(),
        settlement::payouts(),
        settlement::payout(),
        test_mode::look(),
        accounts::create(),
        sessions::create(),
        sessions::end(),
        passkeys::sign_in_request(),
        passkeys::sign_in(),
        me::read(),
        me::pause(),
        me::resume(),
        owner::limits(),
        owner::set_limits(),
        owner::freeze(),
        owner::thaw(),
        owner::close(),
        owner::set_duress_passcode(),
        owner::undo(),
        helpers::list(),
        helpers::create(),
        helpers::one(),
        helpers::accept(),
        helpers::end(),
        helpers::freeze(),
        places::list(),
        places::set_city(),
        places::unset_city(),
        places::set_regular(),
        places::unset_regular(),
        vouchers::list(),
        vouchers::issue(),
        vouchers::stop(),
        passkeys::bind_request(),
        passkeys::bind(),
        passkeys::remove(),
        passkeys::freeze(),
        passkeys::thaw(),
        passkeys::approval_request(),
        passkeys::waiting(),
        passkeys::approve(),
        passkeys::decline(),
        disputes::create(),
        disputes::list(),
        disputes::one(),
        disputes::appeal(),
        disputes::withdraw(),
        disputes::statistics(),
        disputes::terms(),
        consents::texts(),
        consents::text(),
        consents::list(),
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
        document::read(),
    ];
    endpoints.extend(shop::endpoints());
    endpoints.extend(service::endpoints());
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

/// How long the old keys still hold, in milliseconds: a day unless the request says otherwise, at most a week.
fn overlap_ms(rotation: &Rotation) -> Answer<u64> {
    match rotation.overlap_s.unwrap_or(86_400) {
        seconds @ 0..=604_800 => Ok(u64::from(seconds) * 1_000),
        _ => Err(Refused::at(Code::InvalidRequest, "overlap_s")),
    }
}

/// JSON of something that the store read.
fn json<T: serde::Serialize>(value: T) -> Response {
    axum::Json(value).into_response()
}
