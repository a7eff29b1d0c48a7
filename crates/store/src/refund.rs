//! Paying back.

use base::id::{PaymentId, RefundId};
use base::time::Timestamp;
use payments::payment::Event;
use rand_core::CryptoRng;
use wire::api;
use wire::merchant::EventType;

use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::setup::Payee;
use crate::{Store, dispute_rows, event, payment, payment_money, payment_rows};

impl Store {
    /// Pays back to whoever paid, in whole or in part: 201 with [`api::Payment`], or `not_found`, `state_conflict`,
    /// `invalid_request`, `refund_exceeds_payment`, `refund_window_over`, `payment_disputed`, `refund_unfunded`. The payee may,
    /// at any of its terminals.
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
            let event = before.refund(new.amount_minor, rules, now)?;
            let Event::Refunded { amount_minor } = event else { unreachable!("a refund is decided as one") };
            dispute_rows::check_refundable(tx, payment)?;
            let after = payment::apply(tx, before, &event, rules, now)?;
            payment_money::pay_back(tx, &after, id, amount_minor, now)?;
            let shown = payment_rows::render(tx, &after, rules, now)?;
            event::record(tx, EventType::PaymentRefunded, shown.clone(), id.bits(), now)?;
            Ok(Answer::of(201, &shown))
        })
    }
}
