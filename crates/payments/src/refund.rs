//! Refunds: to whoever paid, at most what was captured, for a bounded time.

use base::time::Timestamp;
use wire::api::PaymentStatus;
use wire::problem::Code;

use crate::payment::{Event, Payment};
use crate::refusal::Refusal;
use crate::rules::RulePack;

const DAY_MS: u64 = 86_400_000;

impl Payment {
    /// Pays `amount_minor` back, or all that is left without. Refused, in this order: `state_conflict` unless paid,
    /// `invalid_request` below 1, `refund_exceeds_payment` above what is left, `refund_window_over` by age or count.
    pub fn refund(&self, amount_minor: Option<i64>, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        if self.status != PaymentStatus::Paid {
            return Err(Code::StateConflict.into());
        }
        let paid_at = self.paid_at.expect("what is paid has a time of payment");
        let left = self.captured_minor - self.refunded_minor;
        let amount_minor = amount_minor.unwrap_or(left.max(1));
        if amount_minor < 1 {
            return Err(Refusal::of_field(Code::InvalidRequest, "amount_minor"));
        }
        if amount_minor > left {
            return Err(Code::RefundExceedsPayment.into());
        }
        let too_old = now.millis_since(paid_at) > rules.refunds.window_days * DAY_MS;
        if too_old || self.refund_count >= rules.refunds.count_max {
            return Err(Code::RefundWindowOver.into());
        }
        Ok(Event::Refunded { amount_minor })
    }
}
