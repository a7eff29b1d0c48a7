//! `POST` and `DELETE /v1/shop/session`: coming in by an invitation, and leaving.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use wire::problem::Code;
use wire::shop::RedeemedInvitation;

use crate::app::SharedApp;
use crate::auth::with_cookie;
use crate::body::Json;
use crate::one_time_code;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{json, post};
use crate::staff_auth::{Member, SHOP_SESSION_MS, expired_cookie, new_session};

/// Coming in.
pub fn redeem() -> Endpoint {
    post("/v1/shop/session", Access::ShopPage, "Redeem an invitation to a merchant's staff, once")
        .without_key()
        .takes("RedeemedInvitation")
        .answers(200, "Shop")
        .refuses(&[Code::CodeInvalid])
        .by(handle_redeem)
}

/// Leaving.
pub fn end() -> Endpoint {
    let mut row = Row::new(Method::DELETE, "/v1/shop/session", Access::Staff, "Sign out of the console");
    row.status = 204;
    row.by(handle_end)
}

async fn handle_redeem(State(app): State<SharedApp>, Json(body): Json<RedeemedInvitation>) -> Answer<Response> {
    let now = app.now();
    let (token_sha256, cookie) = new_session();
    let code_sha256 = one_time_code::sha256(body.code.expose());
    let shop = app
        .with_store(move |store| {
            let signed = store.redeem_invitation(&code_sha256, &token_sha256, now.plus_millis(SHOP_SESSION_MS), now)?;
            store.shop(signed.merchant, signed.id, now)
        })
        .await?;
    Ok(with_cookie(json(shop), cookie))
}

async fn handle_end(State(app): State<SharedApp>, member: Member) -> Answer<Response> {
    app.with_store(move |store| store.end_staff_session(&member.session)).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), expired_cookie()))
}
