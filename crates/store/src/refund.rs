//! Paying back.

use base::id::{PaymentId, RefundId};
use base::time::Timestamp;
use payments::payment::{Event, Payment};
use payments::rules::RulePack;
use rand_core::CryptoRng;
use wire::api;
use wire::merchant::EventType;

use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::setup::Payee;
use crate::shop::Maker;
use crate::{Store, dispute_rows, event, payment, payment_money, payment_rows, shop};

impl Store {
    /// Pays back to whoever paid, in whole or in part: 201 with [`api::Payment`], or `not_found`, `state_conflict`,
    /// `invalid_request`, `refund_exceeds_payment`, `refund_window_over`, `payment_disputed`, `refund_unfunded`, and at a till
    /// `refund_needs_approval`. The payee may, at any of its terminals.
    pub fn refund(
        &self,
        idempotency: &Idempotency,
        by: impl Into<Payee>,
        payment: PaymentId,
        new: &api::NewRefund,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (by, rules) = (by.into(), self.rules(now)?);
        let id = RefundId::new(now, rng);
        self.once("refund", idempotency, Keep::Forever, now, |tx| {
            let before = payment::of_payee(tx, by, payment)?;
            let maker = match by {
                Payee::Terminal(till) => Some(Maker::Till(till)),
                Payee::Merchant(_) => None,
            };
            Ok(Answer::of(201, &pay_back(tx, before, new.amount_minor, id, maker, rules, now)?))
        })
    }
}

/// Pays a part back under `id`, if `maker` may do so alone; all that is left without an amount. Whoever holds the merchant's API
/// key is no maker: the merchant's own system knows who asked it.
pub(crate) fn pay_back(
    tx: &Tx,
    before: Payment,
    amount_minor: Option<i64>,
    id: RefundId,
    maker: Option<Maker>,
    rules: &RulePack,
    now: Timestamp,
) -> Result<api::Payment, StoreError> {
    let event = before.refund(amount_minor, rules, now)?;
    let Event::Refunded { amount_minor } = event else { unreachable!("a refund is decided as one") };
    dispute_rows::check_refundable(tx, before.id)?;
    let is_noted = match maker {
        Some(maker) => shop::check_refund(tx, &before, maker, amount_minor, rules, now)?,
        None => false,
    };
    let after = payment::apply(tx, before, &event, rules, now)?;
    payment_money::pay_back(tx, &after, id, amount_minor, now)?;
    if let Some(maker) = maker.filter(|_| is_noted) {
        shop::note_refund(tx, id, maker, amount_minor, now)?;
    }
    let shown = payment_rows::render(tx, &after, rules, now)?;
    event::record(tx, EventType::PaymentRefunded, shown, id.bits(), now)
}
