//! `/v1/me/places`, `/v1/me/city` and `/v1/me/regulars`: where the signed-in shopper wants to be recognised without the
//! phone's digits.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use base::id::StoreId;
use wire::api::NewCity;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::{Json, PathId};
use crate::labels;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{get, json};

/// All of them.
pub fn list() -> Endpoint {
    get("/v1/me/places", Access::Wallet, "Where the shopper wants to be recognised without digits, and where they may want it")
        .answers(200, "Places")
        .by(handle_list)
}

/// Naming a city.
pub fn set_city() -> Endpoint {
    changing(Method::PUT, "/v1/me/city", "Name the city where one usually pays")
        .refuses(&[Code::AccountClosed, Code::NotFound])
        .takes("NewCity")
        .by(handle_set_city)
}

/// Taking it back.
pub fn unset_city() -> Endpoint {
    changing(Method::DELETE, "/v1/me/city", "Name no city any more").by(handle_unset_city)
}

/// Becoming a regular.
pub fn set_regular() -> Endpoint {
    changing(Method::PUT, "/v1/me/regulars/{id}", "Be recognised without digits at a store where one has paid").by(handle_set_regular)
}

/// Being none any more.
pub fn unset_regular() -> Endpoint {
    changing(Method::DELETE, "/v1/me/regulars/{id}", "Be no regular of a store any more").by(handle_unset_regular)
}

fn changing(method: Method, path: &'static str, summary: &'static str) -> Row {
    Row::new(method, path, Access::Wallet, summary).answers(200, "Places").refuses(&[Code::AccountClosed])
}

async fn handle_list(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    Ok(json(app.with_store(move |store| store.places(shopper.account)).await?))
}

async fn handle_set_city(State(app): State<SharedApp>, shopper: Shopper, Json(new): Json<NewCity>) -> Answer<Response> {
    let (now, label) = (app.now(), labels::city(&app.label_secret, &new.city));
    let places = app.with_store(move |store| store.set_city(shopper.account, &new.city, label, &mut rng(), now)).await?;
    app.gallery_changed.notify_one();
    Ok(json(places))
}

async fn handle_unset_city(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    let places = app.with_store(move |store| store.unset_city(shopper.account, &mut rng(), now)).await?;
    app.gallery_changed.notify_one();
    Ok(json(places))
}

async fn handle_set_regular(State(app): State<SharedApp>, shopper: Shopper, PathId(at): PathId<StoreId>) -> Answer<Response> {
    let (now, label) = (app.now(), labels::regulars(&app.label_secret, at));
    let places = app.with_store(move |store| store.set_regular(shopper.account, at, label, &mut rng(), now)).await?;
    app.gallery_changed.notify_one();
    Ok(json(places))
}

async fn handle_unset_regular(State(app): State<SharedApp>, shopper: Shopper, PathId(at): PathId<StoreId>) -> Answer<Response> {
    let now = app.now();
    let places = app.with_store(move |store| store.unset_regular(shopper.account, at, &mut rng(), now)).await?;
    app.gallery_changed.notify_one();
    Ok(json(places))
}
