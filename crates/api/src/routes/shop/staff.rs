//! `/v1/shop/staff`: who works for the merchant, as what.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base::id::StaffId;
use wire::problem::Code;
use wire::shop::{Action, NewStaffMember, StaffChange, StaffMember};

use super::shown_once;
use crate::app::{SharedApp, rng};
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::one_time_code;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{Nothing, get, json, post};
use crate::staff_auth::Member;

/// All who have not left.
pub fn list() -> Endpoint {
    get("/v1/shop/staff", Access::Staff, "The merchant's people who have not left, newest first")
        .answers(200, "StaffList")
        .for_staff(Action::ManageStaff)
        .by(handle_list)
}

/// Somebody new.
pub fn invite() -> Endpoint {
    post("/v1/shop/staff", Access::Staff, "Invite somebody; the code is shown in the first answer only")
        .takes("NewStaffMember")
        .answers(201, "StaffMember")
        .refuses(&[Code::TooMany])
        .for_staff(Action::ManageStaff)
        .by(handle_invite)
}

/// Somebody whose device is lost.
pub fn invite_again() -> Endpoint {
    post("/v1/shop/staff/{id}/invitation", Access::Staff, "Invite a member again: sessions and earlier codes end")
        .answers(200, "StaffMember")
        .for_staff(Action::ManageStaff)
        .by(handle_invite_again)
}

/// Another role.
pub fn change() -> Endpoint {
    post("/v1/shop/staff/{id}", Access::Staff, "Give a member another role, at once")
        .takes("StaffChange")
        .answers(200, "StaffMember")
        .refuses(&[Code::LastOwner])
        .for_staff(Action::ManageStaff)
        .by(handle_change)
}

/// Leaving.
pub fn end() -> Endpoint {
    let mut row = Row::new(Method::DELETE, "/v1/shop/staff/{id}", Access::Staff, "Somebody leaves: sessions end at once")
        .refuses(&[Code::LastOwner])
        .for_staff(Action::ManageStaff);
    row.status = 204;
    row.by(handle_end)
}

async fn handle_list(State(app): State<SharedApp>, member: Member) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.staff(member.merchant(), now)).await?))
}

async fn handle_invite(State(app): State<SharedApp>, member: Member, once: Once<NewStaffMember>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let ((code, sha256), now) = (one_time_code::fresh(), app.now());
    let invite = move |store: &store::Store| store.invite_staff(&idempotency, member.merchant(), &body, &sha256, &mut rng(), now);
    Ok(shown_once(app.with_store(invite).await?, |invited: &mut StaffMember| invited.invitation = Some(code)))
}

async fn handle_invite_again(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<StaffId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let ((code, sha256), now) = (one_time_code::fresh(), app.now());
    let invite = move |store: &store::Store| store.invite_staff_again(&idempotency, member.merchant(), id, &sha256, now);
    Ok(shown_once(app.with_store(invite).await?, |invited: &mut StaffMember| invited.invitation = Some(code)))
}

async fn handle_change(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<StaffId>,
    once: Once<StaffChange>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.change_staff(&idempotency, member.merchant(), id, body.role, now)).await?))
}

async fn handle_end(State(app): State<SharedApp>, member: Member, PathId(id): PathId<StaffId>) -> Answer<Response> {
    let now = app.now();
    app.with_store(move |store| store.end_staff(member.merchant(), id, now)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
