//! `/v1/shop/invitation` and `/v1/shop/session`: coming in by an invitation with a new passkey, signing in with it, leaving.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use payments::passkey::{Action, SubjectKind};
use store::joining::NewSession;
use store::shop::staff::{Signed, subject};
use store::{Store, error::StoreError};
use wire::passkey::PasskeySignIn;
use wire::problem::Code;
use wire::shop::{RedeemedInvitation, ShownInvitation};

use crate::app::{SharedApp, rng};
use crate::auth::{SESSION_MS, expired_cookie, new_session, with_cookie};
use crate::body::Json;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{json, post};
use crate::staff_auth::{Member, SHOP_COOKIE};
use crate::{one_time_code, passkey};

/// How redeeming an invitation with a new passkey is refused.
pub const REFUSES_A_NEW_DEVICE: &[Code] = &[
    Code::CodeInvalid,
    Code::PasskeyInvalid,
    Code::PasskeyOrigin,
    Code::PasskeyTaken,
    Code::ApprovalExpired,
    Code::ApprovalMismatch,
    Code::ApprovalUsed,
];

/// How signing in by a bound device is refused.
pub const REFUSES_A_SIGN_IN: &[Code] =
    &[Code::PasskeyInvalid, Code::PasskeyOrigin, Code::PasskeyUnknown, Code::ApprovalExpired, Code::ApprovalMismatch, Code::ApprovalUsed];

/// What the invited person's device is asked.
pub fn invitation() -> Endpoint {
    post("/v1/shop/invitation", Access::ShopPage, "What the device of an invited person is asked, to bind it")
        .without_key()
        .takes("ShownInvitation")
        .answers(200, "PasskeyRequest")
        .refuses(&[Code::CodeInvalid])
        .by(handle_invitation)
}

/// Coming in.
pub fn redeem() -> Endpoint {
    post("/v1/shop/session", Access::ShopPage, "Redeem an invitation to a merchant's staff, once, with a new passkey")
        .without_key()
        .takes("RedeemedInvitation")
        .answers(200, "Shop")
        .refuses(REFUSES_A_NEW_DEVICE)
        .by(handle_redeem)
}

/// What a bound device is asked.
pub fn challenge() -> Endpoint {
    post("/v1/shop/session/request", Access::ShopPage, "What a bound device is asked, to sign in to the console")
        .without_key()
        .answers(200, "PasskeyRequest")
        .by(handle_challenge)
}

/// Signing in.
pub fn sign_in() -> Endpoint {
    post("/v1/shop/session/passkey", Access::ShopPage, "Sign in to the console by a bound device")
        .without_key()
        .takes("PasskeySignIn")
        .answers(200, "Shop")
        .refuses(REFUSES_A_SIGN_IN)
        .by(handle_sign_in)
}

/// Leaving.
pub fn end() -> Endpoint {
    let mut row = Row::new(Method::DELETE, "/v1/shop/session", Access::Staff, "Sign out of the console");
    row.status = 204;
    row.by(handle_end)
}

async fn handle_invitation(State(app): State<SharedApp>, Json(body): Json<ShownInvitation>) -> Answer<Response> {
    let (now, code_sha256) = (app.now(), one_time_code::sha256(body.code.expose()));
    let (signed, name) = app.with_store(move |store| store.invited(&code_sha256, now)).await?;
    Ok(json(passkey::ask_to_register(&app, subject(signed.id), &signed.id.to_string(), &name).await?))
}

async fn handle_redeem(State(app): State<SharedApp>, Json(body): Json<RedeemedInvitation>) -> Answer<Response> {
    let device = passkey::registered(&app, body.attestation).await?;
    let (now, code_sha256) = (app.now(), one_time_code::sha256(body.code.expose()));
    come_in(&app, move |store, new| store.redeem_invitation(&code_sha256, &device, new, &mut rng(), now)).await
}

async fn handle_challenge(State(app): State<SharedApp>) -> Answer<Response> {
    Ok(json(passkey::ask_to_answer(&app, SubjectKind::Staff, None, Action::sign_in()).await?))
}

async fn handle_sign_in(State(app): State<SharedApp>, Json(body): Json<PasskeySignIn>) -> Answer<Response> {
    let answered = passkey::answered(&app, body.assertion).await?;
    let now = app.now();
    come_in(&app, move |store, new| store.sign_in_staff(&answered, new, now)).await
}

/// Opens a session for whoever `prove` says.
async fn come_in(
    app: &SharedApp,
    prove: impl FnOnce(&Store, &NewSession) -> Result<Signed, StoreError> + Send + 'static,
) -> Answer<Response> {
    let now = app.now();
    let (token_sha256, cookie) = new_session(SHOP_COOKIE);
    let new = NewSession { token_sha256, expires_at: now.plus_millis(SESSION_MS) };
    let shop = app
        .with_store(move |store| {
            let signed = prove(store, &new)?;
            store.shop(signed.merchant, signed.id, now)
        })
        .await?;
    Ok(with_cookie(json(shop), cookie))
}

async fn handle_end(State(app): State<SharedApp>, member: Member) -> Answer<Response> {
    app.with_store(move |store| store.end_staff_session(&member.session)).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), expired_cookie(SHOP_COOKIE)))
}
