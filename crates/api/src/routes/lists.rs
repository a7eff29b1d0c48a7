//! `GET /v1/activity` and `GET /v1/queries`: what happened to a shopper's money and to their biometric.

use axum::extract::State;
use axum::response::Response;

use crate::app::SharedApp;
use crate::auth::Shopper;
use crate::body::{Page, Parameters};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json};

/// The wallet's money.
pub fn activity() -> Endpoint {
    get("/v1/activity", Access::Wallet, "The wallet's money, newest first").lists("ActivityList", "pay|re|top|dp|tra").by(handle_activity)
}

/// Every use of the shopper's biometric.
pub fn queries() -> Endpoint {
    get("/v1/queries", Access::Wallet, "Every use of the shopper's biometric, newest first")
        .lists("BiometricQueryList", "qry")
        .by(handle_queries)
}

async fn handle_activity(State(app): State<SharedApp>, shopper: Shopper, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (size, after) = (page.size()?, page.starting_after);
    Ok(json(app.with_store(move |store| store.activity(shopper.account, after.as_deref(), size)).await?))
}

async fn handle_queries(State(app): State<SharedApp>, shopper: Shopper, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (size, after) = (page.size()?, page.starting_after);
    Ok(json(app.with_store(move |store| store.queries(shopper.account, after.as_deref(), size)).await?))
}
