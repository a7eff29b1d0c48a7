//! What a payee does with money that is held, and what a payer does with a small payment that was a mistake.

use base::id::{AccountId, PaymentId};
use base::time::Timestamp;
use payments::payment::{Event, Payment};
use payments::refusal::Refusal;
use payments::rules::RulePack;
use wire::api;
use wire::problem::Code;

use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::setup::Payee;
use crate::{Store, activity, dispute_rows, payment, payment_rows};

impl Store {
    /// Takes what is held, or part of it, and releases the rest: 200 with [`api::Payment`], or `not_found`,
    /// `payment_expired`, `payment_cancelled`, `state_conflict`, `invalid_request`, `capture_exceeds_authorisation`. The payee
    /// may, at any of its terminals.
    pub fn capture_payment(
        &self,
        idempotency: &Idempotency,
        by: impl Into<Payee>,
        payment: PaymentId,
        new: &api::NewCapture,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.by_payee("capture_payment", idempotency, by.into(), payment, now, |payment| payment.capture(new.amount_minor, now))
    }

    /// Releases what is held: 200 with [`api::Payment`], or `not_found`, `payment_expired`, `payment_cancelled`,
    /// `state_conflict`. The payee may, at any of its terminals.
    pub fn void_payment(
        &self,
        idempotency: &Idempotency,
        by: impl Into<Payee>,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.by_payee("void_payment", idempotency, by.into(), payment, now, |payment| payment.void(now))
    }

    /// The payer takes a small payment back: 201 with the [`api::Activity`] of what came back, or `not_found`,
    /// `state_conflict`, `payment_disputed`, `undo_over`, `refund_unfunded`.
    pub fn undo_payment(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("undo_payment", idempotency, Keep::Forever, now, |tx| {
            let before = payment_rows::load(tx, payment)?;
            if before.payer != Some(account) {
                return Err(Code::NotFound.into());
            }
            dispute_rows::check_refundable(tx, payment)?;
            let event = before.undo(rules, now)?;
            payment::apply(tx, before, &event, rules, now)?;
            Ok(Answer::of(201, &activity::newest(tx, account)?))
        })
    }

    fn by_payee(
        &self,
        name: &'static str,
        idempotency: &Idempotency,
        by: Payee,
        payment: PaymentId,
        now: Timestamp,
        decide: impl FnOnce(&Payment) -> Result<Event, Refusal>,
    ) -> Result<Answer, StoreError> {
        let rules: &RulePack = self.rules(now)?;
        self.once(name, idempotency, Keep::Forever, now, |tx| {
            let before = payment::of_payee(tx, by, payment)?;
            let event = decide(&before)?;
            let after = payment::apply(tx, before, &event, rules, now)?;
            Ok(Answer::of_payment(200, &payment_rows::render(tx, &after, rules, now)?))
        })
    }
}
