//! Cases by reference, freezing, and the log as the account's owner reads it.

use axum::extract::State;
use axum::response::Response;
use base::id::ServiceEntryId;
use wire::problem::Code;
use wire::service::{NewFreeze, NewLookUp};

use crate::app::{SharedApp, rng};
use crate::auth::Shopper;
use crate::body::{Json, Page, Parameters, PathId};
use crate::clerk_auth::Clerk;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json, post};

/// Who is at the desk.
pub fn desk() -> Endpoint {
    get("/v1/service", Access::Clerk, "Who is signed in at customer service, and how many cases may be looked up yet")
        .answers(200, "Desk")
        .by(handle_desk)
}

/// A case. The reference is in the body, where no log of addresses has it; asked again it is looked up again.
pub fn look_up() -> Endpoint {
    post("/v1/service/look-ups", Access::Clerk, "The case of a reference, masked; its owner is told")
        .without_key()
        .takes("NewLookUp")
        .answers(200, "Case")
        .refuses(&[Code::ReferenceUnknown, Code::LookUpsSpent])
        .by(handle_look_up)
}

/// Freezing.
pub fn freeze() -> Endpoint {
    post("/v1/service/look-ups/{id}/freeze", Access::Clerk, "Freeze the account of a case that was looked up; only its owner thaws it")
        .takes("NewFreeze")
        .answers(200, "Case")
        .refuses(&[Code::CaseOver, Code::StateConflict])
        .by(handle_freeze)
}

/// What customer service saw and did.
pub fn log() -> Endpoint {
    get("/v1/me/service-log", Access::Wallet, "What customer service saw and did of the shopper's account, newest first")
        .lists("ServiceLog", "svc")
        .by(handle_log)
}

async fn handle_desk(State(app): State<SharedApp>, clerk: Clerk) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.desk(clerk.id, now)).await?))
}

async fn handle_look_up(State(app): State<SharedApp>, clerk: Clerk, Json(body): Json<NewLookUp>) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.look_up_case(clerk.id, &body.reference, &mut rng(), now)).await?))
}

async fn handle_freeze(
    State(app): State<SharedApp>,
    clerk: Clerk,
    PathId(id): PathId<ServiceEntryId>,
    once: Once<NewFreeze>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.freeze_case(&idempotency, clerk.id, id, &body, &mut rng(), now)).await?))
}

async fn handle_log(State(app): State<SharedApp>, shopper: Shopper, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<ServiceEntryId>()?, page.size()?);
    Ok(json(app.with_store(move |store| store.service_log(shopper.account, after, size)).await?))
}
