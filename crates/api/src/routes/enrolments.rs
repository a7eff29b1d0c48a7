//! `POST /v1/enrolments`, `GET` and `DELETE /v1/enrolments/{id}`: a shopper's enrolled face.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use base::id::EnrolmentId;
use wire::api::EnrolmentStatus;
use wire::bytes::HexArray;
use wire::passkey::NewEnrolment;
use wire::problem::Code;
use wire::receipt::DeletionReceipt;

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::PathId;
use crate::once::{Once, replayed, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{get, json, passkeys, post};

/// Beginning to enrol.
pub fn create() -> Endpoint {
    post("/v1/enrolments", Access::Wallet, "Begin to enrol a face, with the approval of a bound device")
        .takes("NewEnrolment")
        .answers(201, "Enrolment")
        .refuses(&[
            Code::ConsentMissing,
            Code::ConsentOutdated,
            Code::EnrolmentExists,
            Code::PasskeyInvalid,
            Code::PasskeyOrigin,
            Code::PasskeyUnknown,
            Code::ApprovalRequired,
            Code::ApprovalUsed,
            Code::ApprovalExpired,
            Code::ApprovalMismatch,
            Code::DeviceMissing,
        ])
        .by(handle_create)
}

/// How it stands.
pub fn read() -> Endpoint {
    get("/v1/enrolments/{id}", Access::Wallet, "How an enrolment stands").answers(200, "Enrolment").by(handle_read)
}

/// Deleting it.
pub fn delete() -> Endpoint {
    Row::new(Method::DELETE, "/v1/enrolments/{id}", Access::Wallet, "Have the face deleted at all three parties")
        .answers(200, "Enrolment")
        .by(handle_delete)
}

/// The proof of its deletion.
pub fn receipt() -> Endpoint {
    get("/v1/enrolments/{id}/receipt", Access::Wallet, "What the three parties signed about a deleted face")
        .answers(200, "DeletionReceipt")
        .refuses(&[Code::StateConflict])
        .by(handle_receipt)
}

async fn handle_create(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewEnrolment>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    if let Some(answer) = replayed(&app, &idempotency).await? {
        return Ok(answer);
    }
    let approval = passkeys::approval(&app, body.approval).await?;
    let (now, account) = (app.now(), shopper.account);
    let work = move |store: &store::Store| store.create_enrolment(&idempotency, account, approval.as_ref(), &mut rng(), now);
    Ok(respond(app.with_store(work).await?))
}

async fn handle_read(State(app): State<SharedApp>, shopper: Shopper, PathId(enrolment): PathId<EnrolmentId>) -> Answer<Response> {
    Ok(json(app.with_store(move |store| store.enrolment(shopper.account, enrolment)).await?))
}

async fn handle_receipt(State(app): State<SharedApp>, shopper: Shopper, PathId(enrolment): PathId<EnrolmentId>) -> Answer<Response> {
    let enrolment = app.with_store(move |store| store.enrolment(shopper.account, enrolment)).await?;
    let keys = app.confirmation_keys.each_ref().map(|key| HexArray(key.to_bytes()));
    let receipt = DeletionReceipt::new(enrolment.deletions, keys);
    // One that nobody would accept is not handed out: a party's word is missing still.
    match receipt.verify(None) {
        Ok(_) if enrolment.status == EnrolmentStatus::Deleted => Ok(json(receipt)),
        _ => Err(Code::StateConflict.into()),
    }
}

async fn handle_delete(State(app): State<SharedApp>, shopper: Shopper, PathId(enrolment): PathId<EnrolmentId>) -> Answer<Response> {
    let now = app.now();
    let deleting = app.with_store(move |store| store.delete_enrolment(shopper.account, enrolment, now)).await?;
    app.gallery_changed.notify_one();
    Ok(json(deleting))
}
