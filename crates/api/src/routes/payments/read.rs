//! `GET /v1/payments` and `GET /v1/payments/{id}`: how a payee's payments stand.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::{Page, Parameters, PathId};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json};

/// The payee's payments, newest first.
pub fn list() -> Endpoint {
    get("/v1/payments", Access::Payee, "The payee's payments, newest first").lists("PaymentList", "pay").by(handle_list)
}

/// One payment.
pub fn one() -> Endpoint {
    get("/v1/payments/{id}", Access::Payee, "How a payment of this payee stands").answers(200, "Payment").by(handle_one)
}

async fn handle_list(State(app): State<SharedApp>, payee: Payee, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size, now) = (page.after::<PaymentId>()?, page.size()?, app.now());
    Ok(json(app.with_store_of(payee.mode, move |store| store.payments(payee.by, after, size, now)).await?))
}

async fn handle_one(State(app): State<SharedApp>, payee: Payee, PathId(payment): PathId<PaymentId>) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store_of(payee.mode, move |store| store.payment(payee.by, payment, now)).await?))
}
