//! `GET /v1/payments` and `GET /v1/payments/{id}`: how a payee's payments stand.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use base::time::Timestamp;
use serde::Deserialize;
use store::shop::figures::Filter;
use wire::api::PaymentStatus;
use wire::problem::Code;
use wire::shop::Action;

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::{Expanding, Page, PathId};
use crate::problem::{Answer, Refused};
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json};

/// What `expand[]` may name.
const EXPANDS: &[&str] = &["dispute"];

/// The payee's payments, newest first.
pub fn list() -> Endpoint {
    get("/v1/payments", Access::Payee, "The payee's payments, newest first")
        .lists("PaymentList", "pay")
        .filters(&[("status", "PaymentStatus"), ("from", "Time"), ("until", "Time")])
        .expands(EXPANDS)
        .for_staff(Action::ReadPayments)
        .by(handle_list)
}

/// One payment.
pub fn one() -> Endpoint {
    get("/v1/payments/{id}", Access::Payee, "How a payment of this payee stands")
        .answers(200, "Payment")
        .expands(EXPANDS)
        .for_staff(Action::ReadPayments)
        .by(handle_one)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    starting_after: Option<String>,
    limit: Option<u32>,
    status: Option<PaymentStatus>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

async fn handle_list(
    State(app): State<SharedApp>,
    payee: Payee,
    Expanding { parameters: which, expand }: Expanding<Which>,
) -> Answer<Response> {
    let page = Page { starting_after: which.starting_after, limit: which.limit };
    // The databases count milliseconds in 63 bits.
    for (field, time) in [("from", which.from), ("until", which.until)] {
        if time.is_some_and(|time| i64::try_from(time.millis()).is_err()) {
            return Err(Refused::at(Code::InvalidRequest, field));
        }
    }
    let filter = Filter { status: which.status, from: which.from, until: which.until };
    let (after, size, now, expand) = (page.after::<PaymentId>()?, page.size()?, app.now(), expand.only(EXPANDS)?);
    let list = move |store: &store::Store| {
        let mut payments = store.payments_where(payee.by, filter, after, size, now)?;
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
