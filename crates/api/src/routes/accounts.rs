//! `POST /v1/accounts`: a shopper opens an account.

use axum::extract::State;
use axum::response::Response;
use wire::api::{Me, NewAccount};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::{SESSION_COOKIE, SESSION_MS, new_session, with_cookie};
use crate::hashing::Lane;
use crate::labels::phone_suffix;
use crate::once::{Once, respond};
use crate::problem::{Answer, Refused};
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn create() -> Endpoint {
    post("/v1/accounts", Access::Page, "Open an account and sign in")
        .takes("NewAccount")
        .answers(201, "Me")
        .refuses(&[Code::PasscodeWeak, Code::PhoneTaken])
        .by(handle)
}

async fn handle(State(app): State<SharedApp>, once: Once<NewAccount>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let digits = body.phone.expose();
    let suffix = digits.get(digits.len().saturating_sub(4)..).ok_or_else(|| Refused::at(Code::InvalidRequest, "phone"))?;
    let part = phone_suffix(&app.label_secret, suffix);
    let now = app.now();
    let answer =
        app.with_store_hashing(Lane::Wallet, move |store| store.create_account(&idempotency, &body, part, &mut rng(), now)).await?;
    // A repetition signs nobody in: whoever has the key may not have the passcode.
    let Some(me) = answer.is_first_success().then(|| answer.resource::<Me>()).flatten() else {
        return Ok(respond(answer));
    };
    let (token_sha256, cookie) = new_session(SESSION_COOKIE);
    app.with_store(move |store| store.open_session(me.id, &token_sha256, now.plus_millis(SESSION_MS), now)).await?;
    Ok(with_cookie(respond(answer), cookie))
}
