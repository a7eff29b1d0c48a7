//! A payment after an event.

use base::time::Timestamp;

use super::{Event, Payment, next_status};

impl Payment {
    /// The payment after `event`, which was decided for this very state; another one is a bug and panics.
    pub fn apply(mut self, event: &Event, now: Timestamp) -> Self {
        self.status = next_status(self.status, event.step()).expect("an event is decided for the state it is applied to");
        match event {
            Event::Challenged(challenge) => self.challenge = Some(challenge.clone()),
            Event::ProbeReceived | Event::PasscodeWrong => {}
            Event::PasscodeAsked { payer } => self.payer = Some(*payer),
            Event::Paid { payer, verified_by } => {
                self.payer = Some(*payer);
                self.verified_by = Some(*verified_by);
                self.paid_at = Some(now);
            }
            Event::Refused { payer, code } => {
                self.payer = *payer;
                self.refusal = Some(*code);
            }
            Event::Cancelled | Event::Expired => {}
            Event::Refunded { amount_minor } => {
                self.refunded_minor += amount_minor;
                self.refund_count += 1;
            }
        }
        assert!(self.refunded_minor <= self.amount.minor, "refunds never exceed the payment");
        assert_eq!(self.paid_at.is_some(), self.status == wire::api::PaymentStatus::Paid, "only what is paid has a time of payment");
        self
    }
}
