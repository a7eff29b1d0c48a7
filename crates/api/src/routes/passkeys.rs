//! Devices: signing in with one, binding, taking away, freezing; and asking one to approve.

use axum::extract::State;
use axum::response::Response;
use base::id::{PasskeyId, PaymentId};
use payments::passkey::{Action, SubjectKind};
use store::device::{self, Proof};
use wire::api::Passcode;
use wire::passkey::{Approvable, Assertion, NewPasskey, NewPaymentApproval, PasskeySignIn};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::{SESSION_COOKIE, SESSION_MS, Shopper, new_session, with_cookie};
use crate::body::{Json, PathId};
use crate::hashing::Lane;
use crate::once::{Once, replayed, respond};
use crate::passkey;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// Refusals of a device's answer.
pub const ANSWER: &[Code] = &[
    Code::PasskeyInvalid,
    Code::PasskeyOrigin,
    Code::PasskeyUnknown,
    Code::ApprovalRequired,
    Code::ApprovalUsed,
    Code::ApprovalExpired,
    Code::ApprovalMismatch,
    Code::DeviceMissing,
];

/// What to ask a device that signs in.
pub fn sign_in_request() -> Endpoint {
    post("/v1/passkeys/request", Access::Page, "Ask what a device that signs in must answer")
        .without_key()
        .answers(200, "PasskeyRequest")
        .by(handle_sign_in_request)
}

/// Signing in.
pub fn sign_in() -> Endpoint {
    post("/v1/sessions/passkey", Access::Page, "Sign in with a bound device")
        .without_key()
        .takes("PasskeySignIn")
        .answers(200, "Me")
        .refuses(ANSWER)
        .by(handle_sign_in)
}

/// What to ask a new device.
pub fn bind_request() -> Endpoint {
    post("/v1/me/passkeys/request", Access::Wallet, "Ask what a new device must answer")
        .without_key()
        .answers(200, "PasskeyRequest")
        .by(handle_bind_request)
}

/// Binding it.
pub fn bind() -> Endpoint {
    post(
        "/v1/me/passkeys",
        Access::Wallet,
        "Bind a device: the first, with a bound one's approval, or with the passcode in place of a lost one",
    )
    .takes("NewPasskey")
    .answers(201, "Passkey")
    .refuses(&[
        Code::PasskeyInvalid,
        Code::PasskeyOrigin,
        Code::PasskeyUnknown,
        Code::PasskeyTaken,
        Code::ApprovalRequired,
        Code::ApprovalUsed,
        Code::ApprovalExpired,
        Code::ApprovalMismatch,
        Code::DeviceMissing,
        Code::TooMany,
        Code::PasscodeWrong,
        Code::PasscodeLocked,
    ])
    .by(handle_bind)
}

/// Taking one away.
pub fn remove() -> Endpoint {
    post("/v1/me/passkeys/{id}/remove", Access::Wallet, "Take a device away, with the passcode")
        .takes("Passcode")
        .answers(200, "Me")
        .refuses(&[Code::PasscodeWrong, Code::PasscodeLocked])
        .by(handle_remove)
}

/// Nothing is approved any more.
pub fn freeze() -> Endpoint {
    post("/v1/me/approvals/freeze", Access::Wallet, "Freeze devices: none signs in or approves anything")
        .answers(200, "Me")
        .by(handle_freeze)
}

/// Found again.
pub fn thaw() -> Endpoint {
    post("/v1/me/approvals/thaw", Access::Wallet, "Thaw devices with the passcode: they approve again after a day")
        .takes("Passcode")
        .answers(200, "Me")
        .refuses(&[Code::PasscodeWrong, Code::PasscodeLocked])
        .by(handle_thaw)
}

/// What to ask a device that approves.
pub fn approval_request() -> Endpoint {
    post("/v1/me/approvals/request", Access::Wallet, "Ask what a bound device must answer to approve something")
        .without_key()
        .takes("Approvable")
        .answers(200, "PasskeyRequest")
        .refuses(&[Code::DeviceMissing, Code::ConsentMissing, Code::NotFound])
        .by(handle_approval_request)
}

/// Payments that wait.
pub fn waiting() -> Endpoint {
    get("/v1/me/payments/waiting", Access::Wallet, "Payments that wait for the owner's passcode or approval")
        .answers(200, "WaitingPayments")
        .by(handle_waiting)
}

/// Declining one.
pub fn decline() -> Endpoint {
    post("/v1/me/payments/{id}/decline", Access::Wallet, "Decline a payment that waits")
        .answers(200, "ApprovedPayment")
        .refuses(&[Code::StateConflict, Code::PaymentExpired, Code::PaymentCancelled])
        .by(handle_decline)
}

/// Approving one.
pub fn approve() -> Endpoint {
    post("/v1/me/payments/{id}/approve", Access::Wallet, "Approve a payment that waits")
        .takes("NewPaymentApproval")
        .answers(200, "ApprovedPayment")
        .refuses(&[
            Code::PasskeyInvalid,
            Code::PasskeyOrigin,
            Code::PasskeyUnknown,
            Code::ApprovalUsed,
            Code::ApprovalExpired,
            Code::ApprovalMismatch,
            Code::DeviceMissing,
            Code::StateConflict,
            Code::PaymentExpired,
            Code::PaymentCancelled,
        ])
        .by(handle_approve)
}

/// A device's answer where one may be given, verified.
///
/// # Errors
/// As [`passkey::answered`].
pub async fn approval(app: &SharedApp, given: Option<Assertion>) -> Answer<Option<store::passkey::Answered>> {
    match given {
        Some(assertion) => passkey::answered(app, assertion).await.map(Some),
        None => Ok(None),
    }
}

async fn handle_sign_in_request(State(app): State<SharedApp>) -> Answer<Response> {
    Ok(json(passkey::ask_to_answer(&app, SubjectKind::Account, None, Action::sign_in()).await?))
}

async fn handle_sign_in(State(app): State<SharedApp>, Json(body): Json<PasskeySignIn>) -> Answer<Response> {
    let answered = passkey::answered(&app, body.assertion).await?;
    let now = app.now();
    let (token_sha256, cookie) = new_session(SESSION_COOKIE);
    let me = app
        .with_store(move |store| {
            let account = store.sign_in_by_passkey(&answered, &token_sha256, now.plus_millis(SESSION_MS), now)?;
            store.me(account, now)
        })
        .await?;
    Ok(with_cookie(json(me), cookie))
}

async fn handle_bind_request(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    let me = app.with_store(move |store| store.me(shopper.account, now)).await?;
    Ok(json(passkey::ask_to_register(&app, device::subject(shopper.account), &me.phone_masked, &me.name).await?))
}

async fn handle_bind(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewPasskey>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(answer) = replayed(&app, &idempotency).await? {
        return Ok(answer);
    }
    let NewPasskey { name, attestation, approval: given, passcode } = body;
    let new = passkey::registered(&app, attestation).await?;
    let proof = match (approval(&app, given).await?, passcode) {
        (Some(answered), _) => Proof::Approval(answered),
        (None, Some(passcode)) => Proof::Passcode(passcode),
        (None, None) => Proof::New,
    };
    let (now, account) = (app.now(), shopper.account);
    let work = move |store: &store::Store| store.bind_device(&idempotency, account, &name, &new, &proof, &mut rng(), now);
    Ok(respond(app.with_store_hashing(Lane::Wallet, work).await?))
}

async fn handle_remove(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(device): PathId<PasskeyId>,
    once: Once<Passcode>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let work = move |store: &store::Store| store.remove_device(&idempotency, shopper.account, device, &body.passcode, now);
    Ok(respond(app.with_store_hashing(Lane::Wallet, work).await?))
}

async fn handle_freeze(State(app): State<SharedApp>, shopper: Shopper, once: Once<Nothing>) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.freeze_approvals(&idempotency, shopper.account, now)).await?))
}

async fn handle_decline(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(payment): PathId<PaymentId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store(move |store| store.decline_payment(&idempotency, shopper.account, payment, now)).await?;
    app.settled(&answer);
    Ok(respond(answer))
}

async fn handle_thaw(State(app): State<SharedApp>, shopper: Shopper, once: Once<Passcode>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let work = move |store: &store::Store| store.thaw_approvals(&idempotency, shopper.account, &body.passcode, now);
    Ok(respond(app.with_store_hashing(Lane::Wallet, work).await?))
}

async fn handle_approval_request(State(app): State<SharedApp>, shopper: Shopper, Json(wanted): Json<Approvable>) -> Answer<Response> {
    let (now, account) = (app.now(), shopper.account);
    let action = app.with_store(move |store| store.approvable(account, &wanted, now)).await?;
    Ok(json(passkey::ask_to_answer(&app, SubjectKind::Account, Some(device::subject(account)), action).await?))
}

async fn handle_waiting(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.waiting_payments(shopper.account, now)).await?))
}

async fn handle_approve(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(payment): PathId<PaymentId>,
    once: Once<NewPaymentApproval>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(answer) = replayed(&app, &idempotency).await? {
        return Ok(answer);
    }
    let answered = passkey::answered(&app, body.approval).await?;
    let now = app.now();
    let answer = app.with_store(move |store| store.approve_payment(&idempotency, shopper.account, payment, &answered, now)).await?;
    app.settled(&answer);
    Ok(respond(answer))
}
