//! What owners set for their accounts: limits, freezing, the passcode given under threat, closing; and undoing a small
//! payment.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::api::{NewDuressPasscode, Passcode};
use wire::passkey::{ApprovedLimits, Closing};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::PathId;
use crate::hashing::Lane;
use crate::once::{Once, replayed, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, passkeys, post};

/// The owner's own limits.
pub fn limits() -> Endpoint {
    get("/v1/me/limits", Access::Wallet, "The owner's own limits: in force, and waiting").answers(200, "Limits").by(handle_limits)
}

/// Sets them.
pub fn set_limits() -> Endpoint {
    post("/v1/me/limits", Access::Wallet, "Set one's own limits: lower ones count at once, higher ones later")
        .takes("ApprovedLimits")
        .answers(200, "Limits")
        .refuses(passkeys::ANSWER)
        .by(handle_set_limits)
}

/// No money leaves.
pub fn freeze() -> Endpoint {
    post("/v1/me/freeze", Access::Wallet, "Freeze the account: no payment leaves it").answers(200, "Me").by(handle_freeze)
}

/// Money may leave again.
pub fn thaw() -> Endpoint {
    post("/v1/me/thaw", Access::Wallet, "Thaw the account with the passcode")
        .takes("Passcode")
        .answers(200, "Me")
        .refuses(&[Code::PasscodeWrong, Code::PasscodeLocked])
        .by(handle_thaw)
}

/// Closes the account.
pub fn close() -> Endpoint {
    post("/v1/me/close", Access::Wallet, "Close the account for good, with the passcode; the face is deleted")
        .takes("Closing")
        .answers(200, "Me")
        .refuses(&[
            Code::PasscodeWrong,
            Code::PasscodeLocked,
            Code::BalanceRemains,
            Code::PasskeyInvalid,
            Code::PasskeyOrigin,
            Code::PasskeyUnknown,
            Code::ApprovalRequired,
            Code::ApprovalUsed,
            Code::ApprovalExpired,
            Code::ApprovalMismatch,
            Code::DeviceMissing,
        ])
        .by(handle_close)
}

/// The passcode given under threat.
pub fn set_duress_passcode() -> Endpoint {
    let mut row = post("/v1/me/duress-passcode", Access::Wallet, "Set or take away the passcode to give under threat")
        .takes("NewDuressPasscode")
        .refuses(&[Code::PasscodeWrong, Code::PasscodeLocked, Code::PasscodeWeak]);
    row.status = 204;
    row.by(handle_duress)
}

/// Takes a small payment back.
pub fn undo() -> Endpoint {
    post("/v1/me/payments/{id}/undo", Access::Wallet, "Take a small payment back, soon after it")
        .answers(201, "Activity")
        .refuses(&[Code::StateConflict, Code::PaymentDisputed, Code::UndoOver, Code::RefundUnfunded])
        .by(handle_undo)
}

async fn handle_limits(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.limits(shopper.account, now)).await?))
}

async fn handle_set_limits(State(app): State<SharedApp>, shopper: Shopper, once: Once<ApprovedLimits>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(answer) = replayed(&app, &idempotency).await? {
        return Ok(answer);
    }
    let approval = passkeys::approval(&app, body.approval).await?;
    let (now, account) = (app.now(), shopper.account);
    let work = move |store: &store::Store| store.set_limits(&idempotency, account, &body.limits, approval.as_ref(), now);
    Ok(respond(app.with_store(work).await?))
}

async fn handle_freeze(State(app): State<SharedApp>, shopper: Shopper, once: Once<Nothing>) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.freeze(&idempotency, shopper.account, now)).await?))
}

async fn handle_thaw(State(app): State<SharedApp>, shopper: Shopper, once: Once<Passcode>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store_hashing(Lane::Wallet, move |store| store.thaw(&idempotency, shopper.account, &body, now)).await?))
}

async fn handle_close(State(app): State<SharedApp>, shopper: Shopper, once: Once<Closing>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(answer) = replayed(&app, &idempotency).await? {
        return Ok(answer);
    }
    let approval = passkeys::approval(&app, body.approval).await?;
    let (now, account) = (app.now(), shopper.account);
    let work = move |store: &store::Store| store.close_account(&idempotency, account, &body.passcode, approval.as_ref(), now);
    let answer = app.with_store_hashing(Lane::Wallet, work).await?;
    if answer.is_first_success() {
        // The face is deleted with the account.
        app.gallery_changed.notify_one();
    }
    Ok(respond(answer))
}

async fn handle_duress(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewDuressPasscode>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let (now, account) = (app.now(), shopper.account);
    let work = move |store: &store::Store| store.set_duress_passcode(&idempotency, account, &body, &mut rng(), now);
    Ok(respond(app.with_store_hashing(Lane::Wallet, work).await?))
}

async fn handle_undo(
    State(app): State<SharedApp>,
    shopper: Shopper,
    PathId(payment): PathId<PaymentId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store(move |store| store.undo_payment(&idempotency, shopper.account, payment, now)).await?;
    app.payment_may_have_changed(payment, answer.queued);
    Ok(respond(answer))
}
