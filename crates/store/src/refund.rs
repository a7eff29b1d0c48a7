//! Paying back.

use base::id::{PaymentId, RefundId, TransferId};
use base::money::Money;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::payment::Event;
use rand_core::CryptoRng;
use wire::api;
use wire::merchant::EventType;

use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};
use crate::setup::Payee;
use crate::{Store, activity, event, payment, payment_rows, posting};

impl Store {
    /// Pays back to whoever paid, in whole or in part: 201 with [`api::Payment`], or `not_found`, `state_conflict`,
    /// `invalid_request`, `refund_exceeds_payment`, `refund_window_over`. Any terminal of the payee may.
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
            let payer = before.payer.expect("what is paid has a payer");
            let after = before.apply(&event, now);
            payment_rows::save(tx, &after)?;
            let amount = Money { minor: amount_minor, currency: after.amount.currency };
            posting::post(
                tx,
                TransferId::from_bits(id.bits()),
                AccountKey::payable(after.merchant),
                AccountKey::wallet(payer),
                amount,
                now,
            )?;
            tx.execute(
                "INSERT INTO refunds (id, payment, amount_minor, refunded_at) VALUES (?1, ?2, ?3, ?4)",
                (Bits(id.bits()), Bits(after.id.bits()), amount_minor, At(now)),
            )?;
            activity::record(tx, payer, &activity::Entry::Refund { id, payment: after.id, amount_minor }, now)?;
            let shown = payment_rows::render(tx, &after, rules, now)?;
            event::record(tx, EventType::PaymentRefunded, shown.clone(), id.bits(), now)?;
            Ok(Answer::of(201, &shown))
        })
    }
}
