//! `/v1/shop/activations` from the console, `/v1/activations` from the device: a till on its way to work.

use axum::extract::State;
use axum::response::Response;
use base::id::{ActivationId, PaymentId};
use base::money::Currency;
use payments::activation::TEST_AMOUNT_MINOR;
use store::idempotency::Idempotency;
use store::setup::Payee;
use store::shop::activation::{Begun, Proved};
use store::{Store, error::StoreError};
use wire::api::{Capture, NewPayment, NewRefund, Payment, PaymentStatus};
use wire::merchant::{Mode, SimulatedShopper};
use wire::problem::Code;
use wire::shop::{Action, Activation, NewActivation, RedeemedActivation, TestedActivation};

use super::shown_once;
use crate::app::{SharedApp, rng};
use crate::body::{Json, Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};
use crate::staff_auth::Member;
use crate::{one_time_code, token_sha256};

/// All of the merchant's.
pub fn list() -> Endpoint {
    get("/v1/shop/activations", Access::Staff, "The merchant's tills that were activated or are on their way, newest first")
        .lists("ActivationList", "act")
        .for_staff(Action::ReadTills)
        .by(handle_list)
}

/// A new one.
pub fn begin() -> Endpoint {
    post("/v1/shop/activations", Access::Staff, "Begin to activate a till; the code is shown in the first answer only")
        .takes("NewActivation")
        .answers(201, "Activation")
        .refuses(&[Code::NotFound, Code::OnboardingIncomplete])
        .for_staff(Action::ManageTills)
        .by(handle_begin)
}

/// Out of use.
pub fn stop() -> Endpoint {
    post("/v1/shop/activations/{id}/stop", Access::Staff, "Take a till out of use at once, or give one up that is on its way")
        .answers(200, "Activation")
        .refuses(&[Code::StateConflict])
        .for_staff(Action::ManageTills)
        .by(handle_stop)
}

/// The device's first word.
pub fn redeem() -> Endpoint {
    post("/v1/activations/redeem", Access::Anybody, "A device redeems its code and is bound to the five elements")
        .without_key()
        .takes("RedeemedActivation")
        .answers(200, "Attested")
        .refuses(&[Code::CodeInvalid, Code::OnboardingIncomplete, Code::TerminalElsewhere, Code::SerialTaken])
        .by(handle_redeem)
}

/// The device's proof.
pub fn test() -> Endpoint {
    post("/v1/activations/test", Access::Anybody, "A device proves its key; a test payment and its refund are made, and it takes payments")
        .without_key()
        .takes("TestedActivation")
        .answers(200, "Activation")
        .refuses(&[Code::CodeInvalid, Code::ProbeInvalid, Code::StateConflict])
        .by(handle_test)
}

async fn handle_list(State(app): State<SharedApp>, member: Member, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<ActivationId>()?, page.size()?);
    Ok(json(app.with_store(move |store| store.activations(member.merchant(), after, size)).await?))
}

async fn handle_begin(State(app): State<SharedApp>, member: Member, once: Once<NewActivation>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let ((code, sha256), now) = (one_time_code::fresh(), app.now());
    let begun = Begun { store: body.store, by: member.id(), code_sha256: sha256 };
    let begin = move |store: &Store| store.begin_activation(&idempotency, member.merchant(), &begun, &mut rng(), now);
    Ok(shown_once(app.with_store(begin).await?, |begun: &mut Activation| begun.code = Some(code)))
}

async fn handle_stop(
    State(app): State<SharedApp>,
    member: Member,
    PathId(id): PathId<ActivationId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    Ok(respond(app.with_store(move |store| store.stop_activation(&idempotency, member.merchant(), id, &mut rng(), now)).await?))
}

async fn handle_redeem(State(app): State<SharedApp>, Json(device): Json<RedeemedActivation>) -> Answer<Response> {
    let (now, acquirer_code) = (app.now(), app.acquirer_code.clone());
    let code_sha256 = one_time_code::sha256(&device.code);
    let redeem = move |store: &Store| store.redeem_activation(&device, &code_sha256, &acquirer_code, &mut rng(), now);
    Ok(json(app.with_store(redeem).await?))
}

async fn handle_test(State(app): State<SharedApp>, Json(body): Json<TestedActivation>) -> Answer<Response> {
    let now = app.now();
    let token_sha256 = token_sha256(&body.token);
    let proved = app.with_store(move |store| store.prove_activation(&token_sha256, &body.signature.0, now)).await?;
    // The made-up shopper pays in the books of test mode: rules, ledger, receipt and refund are those of every payment.
    let proved = app.with_store_of(Mode::Test, move |store| try_out(store, &proved, now).map(|()| proved)).await?;
    Ok(json(app.with_store(move |store| store.finish_activation(&proved, now)).await?))
}

/// One cent paid at the till by a made-up shopper, and refunded.
fn try_out(store: &Store, proved: &Proved, now: base::time::Timestamp) -> Result<(), StoreError> {
    let Proved { merchant, terminal, .. } = proved;
    store.register_merchant(*merchant, &proved.merchant_name, now)?;
    store.register_store(terminal.store, *merchant, &proved.store_name, now)?;
    store.register_terminal(terminal, now)?;
    let till = Payee::Terminal(terminal.id);
    let request = |step: &str| Idempotency { scope: format!("{} activation", proved.id), key: step.to_owned(), request_digest: [0; 32] };
    let new = NewPayment {
        amount_minor: TEST_AMOUNT_MINOR,
        currency: Currency::CNY,
        merchant_reference: None,
        terminal: None,
        capture: Capture::Automatic,
        metadata: None,
    };
    let begun = done(store.create_payment(&request("begin"), till, &new, &mut rng(), now)?)?;
    done(store.simulate_look(&request("look"), *merchant, begun, SimulatedShopper::Funded, &mut rng(), now)?)?;
    done(store.refund(&request("refund"), Payee::Merchant(*merchant), begun, &NewRefund { amount_minor: None }, &mut rng(), now)?)?;
    let tried = store.payment(till, begun, now)?;
    if tried.status == PaymentStatus::Paid && tried.refunded_minor == TEST_AMOUNT_MINOR { Ok(()) } else { Err(Code::StateConflict.into()) }
}

/// The payment of an answer that is no refusal.
fn done(answer: store::idempotency::Answer) -> Result<PaymentId, StoreError> {
    answer.resource::<Payment>().map(|payment| payment.id).ok_or(Code::StateConflict.into())
}
