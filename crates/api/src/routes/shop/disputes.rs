//! `/v1/shop/disputes`: disputes of the merchant's payments, and what it says to them.

use axum::extract::State;
use axum::response::Response;
use base::id::DisputeId;
use wire::problem::Code;
use wire::shop::{Action, NewStatement};

use crate::app::SharedApp;
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json, post};
use crate::staff_auth::Member;

/// All of them.
pub fn list() -> Endpoint {
    get("/v1/shop/disputes", Access::Staff, "Disputes of the merchant's payments, newest first: neither why nor who")
        .lists("ShopDisputeList", "dp")
        .for_staff(Action::ReadDisputes)
        .by(handle_list)
}

/// What the shop says.
pub fn state() -> Endpoint {
    post("/v1/shop/disputes/{id}/statement", Access::Staff, "Say what the shop knows, once, before the dispute is decided")
        .takes("NewStatement")
        .answers(200, "ShopDispute")
        .refuses(&[Code::StateConflict])
        .for_staff(Action::AnswerDisputes)
        .by(handle_state)
}

async fn handle_list(State(app): State<SharedApp>, member: Member, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<DisputeId>()?, page.size()?);
    Ok(json(app.with_store(move |store| store.shop_disputes(member.merchant(), after, size)).await?))
}

async fn handle_state(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<DisputeId>,
    once: Once<NewStatement>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.state_to_dispute(&idempotency, &member.signed, id, &body, now)).await?))
}
