//! `POST /v1/sessions` and `DELETE /v1/sessions/current`: signing in and out of the wallet.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use wire::api::NewSession;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::{SESSION_COOKIE, SESSION_MS, Shopper, expired_cookie, new_session, with_cookie};
use crate::body::Json;
use crate::hashing::Lane;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{json, post};

/// Signing in.
pub fn create() -> Endpoint {
    post("/v1/sessions", Access::Page, "Sign in")
        .without_key()
        .takes("NewSession")
        .answers(200, "Me")
        .refuses(&[Code::SignInFailed, Code::RequestInFlight])
        .by(handle_create)
}

/// Signing out.
pub fn end() -> Endpoint {
    let mut row = Row::new(Method::DELETE, "/v1/sessions/current", Access::Wallet, "Sign out");
    row.status = 204;
    row.by(handle_end)
}

async fn handle_create(State(app): State<SharedApp>, Json(new): Json<NewSession>) -> Answer<Response> {
    let now = app.now();
    let (token_sha256, cookie) = new_session(SESSION_COOKIE);
    let me = app
        .with_store_hashing(Lane::Wallet, move |store| {
            let account = store.sign_in(&new, &token_sha256, now.plus_millis(SESSION_MS), now)?;
            store.me(account, now)
        })
        .await?;
    Ok(with_cookie(json(me), cookie))
}

async fn handle_end(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    app.with_store(move |store| store.end_session(&shopper.session)).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), expired_cookie(SESSION_COOKIE)))
}
