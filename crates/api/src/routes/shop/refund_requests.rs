//! `/v1/shop/refund-requests`: refunds above what somebody may make alone.

use axum::extract::State;
use axum::response::Response;
use base::id::RefundRequestId;
use wire::problem::Code;
use wire::shop::{Action, NewRefundRequest};

use crate::app::{SharedApp, rng};
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};
use crate::staff_auth::Member;

const REFUSALS: &[Code] = &[
    Code::StateConflict,
    Code::RefundExceedsPayment,
    Code::RefundWindowOver,
    Code::PaymentDisputed,
    Code::RefundUnfunded,
    Code::ApprovalByAsker,
];

/// All of the merchant's.
pub fn list() -> Endpoint {
    get("/v1/shop/refund-requests", Access::Staff, "Refunds that somebody asked for, newest first")
        .lists("RefundRequestList", "rr")
        .for_staff(Action::Refund)
        .by(handle_list)
}

/// A new one.
pub fn create() -> Endpoint {
    post("/v1/shop/refund-requests", Access::Staff, "Ask for a refund; somebody else who may approve it decides")
        .takes("NewRefundRequest")
        .answers(201, "RefundRequest")
        .refuses(&[Code::NotFound, Code::StateConflict, Code::RefundExceedsPayment, Code::RefundWindowOver, Code::TooMany])
        .for_staff(Action::Refund)
        .by(handle_create)
}

/// Yes.
pub fn approve() -> Endpoint {
    post("/v1/shop/refund-requests/{id}/approve", Access::Staff, "Approve a refund that another person asked for: it is paid back at once")
        .answers(200, "RefundRequest")
        .refuses(REFUSALS)
        .for_staff(Action::ApproveRefunds)
        .by(handle_approve)
}

/// No.
pub fn reject() -> Endpoint {
    post("/v1/shop/refund-requests/{id}/reject", Access::Staff, "Do not refund what another person asked for")
        .answers(200, "RefundRequest")
        .refuses(&[Code::StateConflict, Code::ApprovalByAsker])
        .for_staff(Action::ApproveRefunds)
        .by(handle_reject)
}

async fn handle_list(State(app): State<SharedApp>, member: Member, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<RefundRequestId>()?, page.size()?);
    Ok(json(app.with_store(move |store| store.refund_requests(member.merchant(), after, size)).await?))
}

async fn handle_create(State(app): State<SharedApp>, member: Member, once: Once<NewRefundRequest>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let ask = move |store: &store::Store| store.request_refund(&idempotency, &member.signed, &body, &mut rng(), now);
    Ok(respond(app.with_store(ask).await?))
}

async fn handle_approve(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<RefundRequestId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    decide(app, member, id, once, true).await
}

async fn handle_reject(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<RefundRequestId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    decide(app, member, id, once, false).await
}

async fn decide(app: SharedApp, member: Member, id: RefundRequestId, once: Once<Nothing>, approve: bool) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let decide = move |store: &store::Store| store.decide_refund_request(&idempotency, &member.signed, id, approve, &mut rng(), now);
    let answer = app.with_store(decide).await?;
    if let Some(request) = answer.resource::<wire::shop::RefundRequest>() {
        app.payment_may_have_changed(request.payment, answer.queued);
    }
    Ok(respond(answer))
}
