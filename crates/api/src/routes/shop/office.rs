//! `/v1/shop`: the merchant, its stores and its figures.

use axum::extract::State;
use axum::response::Response;
use base::id::StoreId;
use base::time::Timestamp;
use serde::Deserialize;
use wire::problem::Code;
use wire::shop::{Action, HeadOffice, NewShopStore};

use crate::app::SharedApp;
use crate::body::{Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json, post};
use crate::staff_auth::Member;

/// Who is signed in, and what the merchant is.
pub fn read() -> Endpoint {
    get("/v1/shop", Access::Staff, "Who is signed in to the console, what they may do, and what the merchant is")
        .answers(200, "Shop")
        .by(handle_read)
}

/// What the head office says.
pub fn set_head_office() -> Endpoint {
    post("/v1/shop/head-office", Access::Staff, "Replace what the head office says of the merchant")
        .takes("HeadOffice")
        .answers(200, "HeadOffice")
        .for_staff(Action::ManageShop)
        .by(handle_head_office)
}

/// All stores.
pub fn stores() -> Endpoint {
    get("/v1/shop/stores", Access::Staff, "The merchant's stores with their places and tills, newest first")
        .answers(200, "ShopStoreList")
        .for_staff(Action::ReadTills)
        .by(handle_stores)
}

/// A new store.
pub fn open_store() -> Endpoint {
    post("/v1/shop/stores", Access::Staff, "Open a store")
        .takes("NewShopStore")
        .answers(201, "ShopStore")
        .refuses(&[Code::TooMany])
        .for_staff(Action::ManageTills)
        .by(handle_open)
}

/// Another name or place.
pub fn change_store() -> Endpoint {
    post("/v1/shop/stores/{id}", Access::Staff, "Change a store's name and place; its tills stay bound to what they were")
        .takes("NewShopStore")
        .answers(200, "ShopStore")
        .for_staff(Action::ManageTills)
        .by(handle_change)
}

/// A day's figures.
pub fn figures() -> Endpoint {
    get("/v1/shop/figures", Access::Staff, "What the local day of a time brought; today without")
        .filters(&[("day", "Time")])
        .answers(200, "Figures")
        .for_staff(Action::ReadFigures)
        .by(handle_figures)
}

async fn handle_read(State(app): State<SharedApp>, member: Member) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.shop(member.merchant(), member.id(), now)).await?))
}

async fn handle_head_office(State(app): State<SharedApp>, member: Member, once: Once<HeadOffice>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.set_head_office(&idempotency, member.merchant(), &body, now)).await?))
}

async fn handle_stores(State(app): State<SharedApp>, member: Member) -> Answer<Response> {
    Ok(json(app.with_store(move |store| store.shop_stores(member.merchant())).await?))
}

async fn handle_open(State(app): State<SharedApp>, member: Member, once: Once<NewShopStore>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (id, now) = (app.new_id(StoreId::new), app.now());
    Ok(respond(app.with_store(move |store| store.open_shop_store(&idempotency, member.merchant(), id, &body, now)).await?))
}

async fn handle_change(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<StoreId>,
    once: Once<NewShopStore>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.change_shop_store(&idempotency, member.merchant(), id, &body, now)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    day: Option<Timestamp>,
}

async fn handle_figures(State(app): State<SharedApp>, member: Member, Parameters(which): Parameters<Which>) -> Answer<Response> {
    let now = app.now();
    let day = which.day.unwrap_or(now);
    Ok(json(app.with_store(move |store| store.figures(member.merchant(), day, now)).await?))
}
