//! `/v1/service/invitation` and `/v1/service/session`: coming in by the operator's invitation with a new passkey, signing in with
//! it, leaving; as at the merchant console.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base::id::ClerkId;
use payments::passkey::{Action, SubjectKind};
use store::joining::NewSession;
use store::service::clerk::subject;
use store::{Store, error::StoreError};
use wire::passkey::PasskeySignIn;
use wire::problem::Code;
use wire::shop::{RedeemedInvitation, ShownInvitation};

use crate::app::{SharedApp, rng};
use crate::auth::{SESSION_MS, expired_cookie, new_session, with_cookie};
use crate::body::Json;
use crate::clerk_auth::{Clerk, SERVICE_COOKIE};
use crate::problem::Answer;
use crate::routes::shop::session::{REFUSES_A_NEW_DEVICE, REFUSES_A_SIGN_IN};
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{json, post};
use crate::{one_time_code, passkey};

/// What the invited person's device is asked.
pub fn invitation() -> Endpoint {
    post("/v1/service/invitation", Access::ServicePage, "What the device of somebody invited to customer service is asked, to bind it")
        .without_key()
        .takes("ShownInvitation")
        .answers(200, "PasskeyRequest")
        .refuses(&[Code::CodeInvalid])
        .by(handle_invitation)
}

/// Coming in.
pub fn redeem() -> Endpoint {
    post("/v1/service/session", Access::ServicePage, "Redeem an invitation to customer service, once, with a new passkey")
        .without_key()
        .takes("RedeemedInvitation")
        .answers(200, "Desk")
        .refuses(REFUSES_A_NEW_DEVICE)
        .by(handle_redeem)
}

/// What a bound device is asked.
pub fn challenge() -> Endpoint {
    post("/v1/service/session/request", Access::ServicePage, "What a bound device is asked, to sign in to customer service")
        .without_key()
        .answers(200, "PasskeyRequest")
        .by(handle_challenge)
}

/// Signing in.
pub fn sign_in() -> Endpoint {
    post("/v1/service/session/passkey", Access::ServicePage, "Sign in to customer service by a bound device")
        .without_key()
        .takes("PasskeySignIn")
        .answers(200, "Desk")
        .refuses(REFUSES_A_SIGN_IN)
        .by(handle_sign_in)
}

/// Leaving.
pub fn end() -> Endpoint {
    let mut row = Row::new(Method::DELETE, "/v1/service/session", Access::Clerk, "Sign out of customer service");
    row.status = 204;
    row.by(handle_end)
}

async fn handle_invitation(State(app): State<SharedApp>, Json(body): Json<ShownInvitation>) -> Answer<Response> {
    let (now, code_sha256) = (app.now(), one_time_code::sha256(body.code.expose()));
    let clerk = app.with_store(move |store| store.invited_clerk(&code_sha256, now)).await?;
    Ok(json(passkey::ask_to_register(&app, subject(clerk.id), &clerk.id.to_string(), &clerk.name).await?))
}

async fn handle_redeem(State(app): State<SharedApp>, Json(body): Json<RedeemedInvitation>) -> Answer<Response> {
    let device = passkey::registered(&app, body.attestation).await?;
    let (now, code_sha256) = (app.now(), one_time_code::sha256(body.code.expose()));
    come_in(&app, move |store, new| store.redeem_clerk(&code_sha256, &device, new, &mut rng(), now)).await
}

async fn handle_challenge(State(app): State<SharedApp>) -> Answer<Response> {
    Ok(json(passkey::ask_to_answer(&app, SubjectKind::Clerk, None, Action::sign_in()).await?))
}

async fn handle_sign_in(State(app): State<SharedApp>, Json(body): Json<PasskeySignIn>) -> Answer<Response> {
    let answered = passkey::answered(&app, body.assertion).await?;
    let now = app.now();
    come_in(&app, move |store, new| store.sign_in_clerk(&answered, new, now)).await
}

/// Opens a session for whoever `prove` says.
async fn come_in(
    app: &SharedApp,
    prove: impl FnOnce(&Store, &NewSession) -> Result<ClerkId, StoreError> + Send + 'static,
) -> Answer<Response> {
    let now = app.now();
    let (token_sha256, cookie) = new_session(SERVICE_COOKIE);
    let new = NewSession { token_sha256, expires_at: now.plus_millis(SESSION_MS) };
    let desk = app
        .with_store(move |store| {
            let clerk = prove(store, &new)?;
            store.desk(clerk, now)
        })
        .await?;
    Ok(with_cookie(json(desk), cookie))
}

async fn handle_end(State(app): State<SharedApp>, clerk: Clerk) -> Answer<Response> {
    app.with_store(move |store| store.end_clerk_session(&clerk.session)).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), expired_cookie(SERVICE_COOKIE)))
}
