//! `/v1/bank-accounts` and `/v1/payouts`: where a merchant's money goes, and how much of it went.

use axum::extract::State;
use axum::response::Response;
use base::id::{BankAccountId, PayoutId};
use wire::problem::Code;
use wire::settlement::NewBankAccount;
use wire::shop::Action;

use crate::app::{SharedApp, rng};
use crate::auth::Merchant;
use crate::body::{Page, Parameters, PathId};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{Nothing, get, json, post};

/// Those of the merchant.
pub fn bank_accounts() -> Endpoint {
    get("/v1/bank-accounts", Access::Key, "The merchant's bank accounts of whatever status, newest first")
        .lists("BankAccountList", "ba")
        .for_staff(Action::ReadPayouts)
        .by(handle_bank_accounts)
}

/// One of them.
pub fn bank_account() -> Endpoint {
    get("/v1/bank-accounts/{id}", Access::Key, "How a bank account stands")
        .answers(200, "BankAccount")
        .for_staff(Action::ReadPayouts)
        .by(handle_bank_account)
}

/// Another one.
pub fn request_bank_account() -> Endpoint {
    post("/v1/bank-accounts", Access::Key, "Ask to be paid out to another bank account; staff asks back, and a day passes")
        .takes("NewBankAccount")
        .answers(201, "BankAccount")
        .refuses(&[Code::TooMany])
        .for_staff(Action::ChangeBankAccount)
        .by(handle_request)
}

/// Not that one.
pub fn withdraw_bank_account() -> Endpoint {
    post("/v1/bank-accounts/{id}/withdraw", Access::Key, "Take a bank account back that is not paid to yet")
        .answers(200, "BankAccount")
        .refuses(&[Code::StateConflict])
        .for_staff(Action::ChangeBankAccount)
        .by(handle_withdraw)
}

/// What was paid out.
pub fn payouts() -> Endpoint {
    get("/v1/payouts", Access::Key, "What was paid out, newest first")
        .lists("PayoutList", "po")
        .for_staff(Action::ReadPayouts)
        .by(handle_payouts)
}

/// One payout.
pub fn payout() -> Endpoint {
    get("/v1/payouts/{id}", Access::Key, "How a payout stands").answers(200, "Payout").for_staff(Action::ReadPayouts).by(handle_payout)
}

async fn handle_bank_accounts(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    Parameters(page): Parameters<Page>,
) -> Answer<Response> {
    let (after, size) = (page.after::<BankAccountId>()?, page.size()?);
    Ok(json(app.with_store_of(by.mode, move |store| store.bank_accounts(by.merchant, after, size)).await?))
}

async fn handle_bank_account(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(id): PathId<BankAccountId>) -> Answer<Response> {
    Ok(json(app.with_store_of(by.mode, move |store| store.bank_account(by.merchant, id)).await?))
}

async fn handle_request(State(app): State<SharedApp>, Merchant(by): Merchant, once: Once<NewBankAccount>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let now = app.now();
    let work = move |store: &store::Store| store.request_bank_account(&idempotency, by.merchant, &body, &mut rng(), now);
    let answer = app.with_store_of(by.mode, work).await?;
    app.events_recorded.notify_waiters();
    Ok(respond(answer))
}

async fn handle_withdraw(
    State(app): State<SharedApp>,
    Merchant(by): Merchant,
    PathId(id): PathId<BankAccountId>,
    once: Once<Nothing>,
) -> Answer<Response> {
    let Once { idempotency, turn: _turn, .. } = once;
    let now = app.now();
    let answer = app.with_store_of(by.mode, move |store| store.withdraw_bank_account(&idempotency, by.merchant, id, now)).await?;
    app.events_recorded.notify_waiters();
    Ok(respond(answer))
}

async fn handle_payouts(State(app): State<SharedApp>, Merchant(by): Merchant, Parameters(page): Parameters<Page>) -> Answer<Response> {
    let (after, size) = (page.after::<PayoutId>()?, page.size()?);
    Ok(json(app.with_store_of(by.mode, move |store| store.payouts(by.merchant, after, size)).await?))
}

async fn handle_payout(State(app): State<SharedApp>, Merchant(by): Merchant, PathId(id): PathId<PayoutId>) -> Answer<Response> {
    Ok(json(app.with_store_of(by.mode, move |store| store.payout(by.merchant, id)).await?))
}
