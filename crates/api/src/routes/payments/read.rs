//! `GET /v1/payments` and `GET /v1/payments/{id}`: how a payee's payments stand.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::{Expanding, Page, PathId};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json};

/// What `expand[]` may name.
const EXPANDS: &[&str] = &["dispute"];

/// The payee's payments, newest first.
pub fn list() -> Endpoint {
    get("/v1/payments", Access::Payee, "The payee's payments, newest first").lists("PaymentList", "pay").expands(EXPANDS).by(handle_list)
}

/// One payment.
pub fn one() -> Endpoint {
    get("/v1/payments/{id}", Access::Payee, "How a payment of this payee stands").answers(200, "Payment").expands(EXPANDS).by(handle_one)
}

async fn handle_list(
    State(app): State<SharedApp>,
    payee: Payee,
    Expanding { parameters: page, expand }: Expanding<Page>,
) -> Answer<Response> {
    let (after, size, now, expand) = (page.after::<PaymentId>()?, page.size()?, app.now(), expand.only(EXPANDS)?);
    let list = move |store: &store::Store| {
        let mut payments = store.payments(payee.by, after, size, now)?;
        store.add_disputes(&mut payments.data, expand)?;
        Ok(payments)
    };
    Ok(json(app.with_store_of(payee.mode, list).await?))
}

async fn handle_one(
    State(app): State<SharedApp>,
    payee: Payee,
    PathId(payment): PathId<PaymentId>,
    Expanding { expand, .. }: Expanding<Nothing>,
) -> Answer<Response> {
    let (now, expand) = (app.now(), expand.only(EXPANDS)?);
    let read = move |store: &store::Store| {
        let mut payment = store.payment(payee.by, payment, now)?;
        store.add_disputes(std::slice::from_mut(&mut payment), expand)?;
        Ok(payment)
    };
    Ok(json(app.with_store_of(payee.mode, read).await?))
}
