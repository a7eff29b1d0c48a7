//! `POST /v1/payments/{id}/challenge`: what the look must be bound to, and which part of the gallery is searched.

use axum::extract::State;
use axum::response::Response;
use base::id::PaymentId;
use store::payment::Labels;
use wire::api::NewChallenge;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Till;
use crate::body::PathId;
use crate::labels;
use crate::once::{Once, respond};
use crate::problem::{Answer, Refused};
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/challenge", Access::Terminal, "Ask for the challenge that the look is bound to")
        .takes("NewChallenge")
        .answers(200, "Payment")
        .refuses(&[Code::Forbidden, Code::PhoneSuffixRequired, Code::StateConflict, Code::PaymentExpired, Code::PaymentCancelled])
        .asks_for_till()
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Till(till): Till,
    PathId(payment): PathId<PaymentId>,
    once: Once<NewChallenge>,
) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let phone_suffix = match body.phone_suffix.as_deref() {
        None => None,
        Some(digits) if digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(labels::phone_suffix(&app.label_secret, digits))
        }
        Some(_) => return Err(Refused::at(Code::InvalidRequest, "phone_suffix")),
    };
    let labels = Labels { phone_suffix, regulars: labels::regulars(&app.label_secret, till.details.store) };
    let (now, terminal) = (app.now(), till.details.id);
    let answer = app
        .write_for(Mode::Live, Some(till), idempotency, move |store, request| {
            store.start_challenge(request, terminal, payment, labels, &mut rng(), now)
        })
        .await?;
    app.payment_may_have_changed(payment, answer.queued);
    Ok(respond(answer))
}
