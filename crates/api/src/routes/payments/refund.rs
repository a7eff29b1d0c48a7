//! `POST /v1/payments/{id}/refunds`: money goes back, in whole or in part.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use wire::api::NewRefund;
use wire::problem::Code;
use wire::shop::Action;

use crate::app::{SharedApp, rng};
use crate::auth::Payee;
use crate::body::PathId;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/refunds", Access::Payee, "Pay back, in whole or in part")
        .takes("NewRefund")
        .answers(201, "Payment")
        .refuses(&[
            Code::StateConflict,
            Code::RefundExceedsPayment,
            Code::RefundWindowOver,
            Code::PaymentDisputed,
            Code::RefundUnfunded,
            Code::RefundNeedsApproval,
        ])
        .asks_for_till()
        .for_staff(Action::Refund)
        .by(handle)
}

async fn handle(State(app): State<SharedApp>, payee: Payee, PathId(payment): PathId<PaymentId>, once: Once<NewRefund>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let answer = app
        .write_for(payee.mode, payee.till, idempotency, move |store, request| match &payee.staff {
            Some(staff) => store.refund_by_staff(request, staff, payment, &body, &mut rng(), now),
            None => store.refund(request, payee.by, payment, &body, &mut rng(), now),
        })
        .await?;
    app.payment_may_have_changed(payment, answer.queued);
    Ok(respond(answer))
}
