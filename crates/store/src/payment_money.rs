//! What a payment's events do to money, limits and the wallet's list, in the same transaction as the event.

use base::id::{AccountId, RefundId, TransferId};
use base::money::Money;
use base::time::Timestamp;
use ledger::account::AccountKey;
use ledger::transfer::Action;
use payments::payment::{Event, Payment};
use payments::rules::RulePack;
use wire::api::PaymentStatus;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::{account_rows, activity, posting};

/// Does what `event` did to the payment `before`, which is now `after`.
pub(crate) fn follow(
    tx: &Tx,
    before: &Payment,
    after: &Payment,
    event: &Event,
    rules: &RulePack,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = TransferId::from_bits(after.id.bits());
    let payee = AccountKey::payable(after.merchant);
    match event {
        Event::Paid { payer, verified_by } => {
            posting::post(tx, id, AccountKey::wallet(*payer), payee, after.amount, now)?;
            let usage = account_rows::usage(tx, *payer)?.after_payment(after.amount.minor, *verified_by, rules, now);
            activity::record_paid(tx, *payer, &movement(after), &usage, now)
        }
        Event::Authorised { payer, verified_by, expires_at } => {
            let debit = AccountKey::wallet(*payer);
            let hold = Action::Pending { debit, credit: payee, amount: after.amount, expires_at: *expires_at };
            posting::apply(tx, id, hold, now)?;
            let usage = account_rows::usage(tx, *payer)?;
            account_rows::save_usage(tx, *payer, &usage.after_payment(after.amount.minor, *verified_by, rules, now))
        }
        Event::VoucherTaken { payer, voucher } => {
            let pending = TransferId::from_bits(voucher.bits());
            posting::apply(tx, id, Action::PostPending { pending, amount_minor: Some(after.amount.minor) }, now)?;
            paid(tx, *payer, after, now)
        }
        Event::Captured { amount_minor } => {
            let capture = Action::PostPending { pending: id, amount_minor: Some(*amount_minor) };
            posting::apply(tx, posting::following(id, "capture"), capture, now)?;
            release(tx, after, after.amount.minor - amount_minor, rules, now)?;
            paid(tx, payer_of(after), after, now)
        }
        Event::Voided => {
            posting::apply(tx, posting::following(id, "void"), Action::VoidPending { pending: id }, now)?;
            release(tx, after, after.amount.minor, rules, now)
        }
        Event::Expired if before.status == PaymentStatus::Authorised => {
            posting::apply(tx, posting::following(id, "expire"), Action::ExpirePending { pending: id }, now)?;
            release(tx, after, after.amount.minor, rules, now)
        }
        Event::Undone => {
            let refund = RefundId::from_bits(posting::following(id, "undo").bits());
            pay_back(tx, after, refund, after.captured_minor, now)
        }
        Event::Challenged(_)
        | Event::Missed(_)
        | Event::ProbeReceived
        | Event::PasscodeAsked { .. }
        | Event::PasscodeWrong
        | Event::Refused { .. }
        | Event::Cancelled
        | Event::Expired
        | Event::Refunded { .. } => Ok(()),
    }
}

/// Moves `amount_minor` from the payee back to whoever paid, and lists it: `refund_unfunded` if the payee has less.
pub(crate) fn pay_back(tx: &Tx, payment: &Payment, id: RefundId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
    let (payer, payee) = (payer_of(payment), AccountKey::payable(payment.merchant));
    if posting::available_minor(tx, payee)? < amount_minor {
        return Err(Code::RefundUnfunded.into());
    }
    let amount = Money { minor: amount_minor, currency: payment.amount.currency };
    posting::post(tx, TransferId::from_bits(id.bits()), payee, AccountKey::wallet(payer), amount, now)?;
    tx.execute(
        "INSERT INTO refunds (id, payment, amount_minor, refunded_at) VALUES (?1, ?2, ?3, ?4)",
        (Bits(id.bits()), Bits(payment.id.bits()), amount_minor, At(now)),
    )?;
    activity::record(tx, payer, &activity::Entry::Refund { id, payment: payment.id, amount_minor }, now)
}

fn payer_of(payment: &Payment) -> AccountId {
    payment.payer.expect("whose money was held or moved is known")
}

fn paid(tx: &Tx, payer: AccountId, payment: &Payment, now: Timestamp) -> Result<(), StoreError> {
    activity::record(tx, payer, &movement(payment), now)
}

/// What its payer's list says of a payment.
fn movement(payment: &Payment) -> activity::Entry {
    activity::Entry::Payment { id: payment.id, amount_minor: payment.captured_minor }
}

/// Gives the limits back what was held and did not move.
fn release(tx: &Tx, payment: &Payment, amount_minor: i64, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    if amount_minor == 0 {
        return Ok(());
    }
    let payer = payer_of(payment);
    let (Some(verified_by), Some(authorised_at)) = (payment.verified_by, payment.authorised_at) else {
        unreachable!("what was held was authorised")
    };
    let usage = account_rows::usage(tx, payer)?;
    account_rows::save_usage(tx, payer, &usage.after_release(amount_minor, verified_by, authorised_at, rules, now))
}
