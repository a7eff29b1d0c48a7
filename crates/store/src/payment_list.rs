//! Payments read, and those that end by themselves.

use base::id::PaymentId;
use base::time::Timestamp;
use payments::payment::{Event, Payment};
use wire::api::{self, List};
use wire::merchant::Expandable;

use crate::activity::LIST_MAX;
use crate::error::StoreError;
use crate::row::Bits;
use crate::setup::Payee;
use crate::{Store, chain, dispute_rows, merchant_lists, payment, payment_rows};

/// Payments that may still end by themselves, of those that expire until then: in the words of the index `payments_open`, so
/// that all others are not read.
const OPEN: &str = "p.expires_at <= ?1 AND p.status IN ('created', 'challenged', 'being_checked', 'awaiting_passcode', 'authorised')";
/// Those of them whose look is with the parties.
const BEING_CHECKED: &str = "p.expires_at <= ?1 AND p.status IN ('created', 'challenged', 'being_checked', 'awaiting_passcode', 'authorised') AND p.status = 'being_checked'";
const FOR_EVER: Timestamp = Timestamp::from_millis(i64::MAX as u64);

impl Store {
    /// A payment of the payee, or `not_found`.
    pub fn payment(&self, by: impl Into<Payee>, payment: PaymentId, now: Timestamp) -> Result<api::Payment, StoreError> {
        let (by, rules) = (by.into(), self.rules(now)?);
        self.read(|tx| {
            let payment = payment::of_payee(tx, by, payment)?;
            payment_rows::render(tx, &payment, rules, now)
        })
    }

    /// The payee's payments, newest first, older than `starting_after`; at most `limit`, and at most 100. `cursor_unknown` if that is
    /// none of them.
    pub fn payments(
        &self,
        by: impl Into<Payee>,
        starting_after: Option<PaymentId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<List<api::Payment>, StoreError> {
        let (by, rules) = (by.into(), self.rules(now)?);
        self.read(|tx| {
            let merchant = by.merchant(tx)?;
            let last = || merchant_lists::last_payment(tx, merchant);
            let begin = chain::PAYMENTS.begin(tx, merchant.bits(), starting_after.map(PaymentId::bits), last)?;
            let limit = limit.clamp(1, LIST_MAX);
            let sql = format!("{}SELECT id FROM chain ORDER BY place", chain::PAYMENTS.walk_some());
            let ids = begin.map_or(Ok(Vec::new()), |begin| tx.list(&sql, (begin, limit + 1), |row| row.get::<Bits>(0)))?;
            let has_more = ids.len() > limit as usize;
            let data = ids.into_iter().take(limit as usize).map(|bits| {
                let payment = payment_rows::load(tx, PaymentId::from_bits(bits.0))?;
                payment_rows::render(tx, &payment, rules, now)
            });
            Ok(List { data: data.collect::<Result<_, _>>()?, has_more })
        })
    }

    /// Says of each payment whether its payer disputes it: with the dispute's identifier, or where `expand` asks for it with what
    /// the payee may know.
    pub fn add_disputes(&self, payments: &mut [api::Payment], expand: bool) -> Result<(), StoreError> {
        self.read(|tx| {
            for payment in payments.iter_mut().filter(|payment| payment.captured_minor > 0) {
                payment.dispute = dispute_rows::for_payee(tx, payment.id)?
                    .map(|dispute| if expand { Expandable::Object(Box::new(dispute)) } else { Expandable::Id(dispute.id) });
            }
            Ok(())
        })
    }

    /// Gives up what was not completed in time, and says which. Run it every few seconds.
    pub fn expire_payments(&self, now: Timestamp) -> Result<Vec<PaymentId>, StoreError> {
        self.expire_vouchers(now)?;
        // Most runs find nothing, and then the writer is not needed.
        if self.read(|tx| payment_rows::load_where(tx, OPEN, now))?.is_empty() {
            return Ok(Vec::new());
        }
        self.end("expire_payments", OPEN, (now, now), |payment| payment.expire(now))
    }

    /// After a start: payments whose look was with the parties when the process ended are refused with
    /// `identification_interrupted`; nothing was charged for them. Says which.
    pub fn recover(&self, now: Timestamp) -> Result<Vec<PaymentId>, StoreError> {
        self.end("recover", BEING_CHECKED, (FOR_EVER, now), Payment::interrupt)
    }

    fn end(
        &self,
        name: &'static str,
        which: &'static str,
        (until, now): (Timestamp, Timestamp),
        decide: impl Fn(&Payment) -> Option<Event>,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx(name, |tx| {
            let mut ended = Vec::new();
            for payment in payment_rows::load_where(tx, which, until)? {
                if let Some(event) = decide(&payment) {
                    ended.push(payment.id);
                    payment::apply(tx, payment, &event, rules, now)?;
                }
            }
            Ok(ended)
        })
    }
}

#[cfg(test)]
mod tests;
