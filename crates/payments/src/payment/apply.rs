//! A payment after an event.

use base::id::AccountId;
use base::time::Timestamp;
use wire::api::PaymentStatus;

use super::{Event, Payment, next_status};
use crate::account::tier::VerifiedBy;

impl Payment {
    /// The payment after `event`, which was decided for this very state; another one is a bug and panics.
    pub fn apply(mut self, event: &Event, now: Timestamp) -> Self {
        self.status = next_status(self.status, event.step()).expect("an event is decided for the state it is applied to");
        match event {
            Event::Challenged(challenge) => self.challenge = Some(challenge.clone()),
            Event::ProbeReceived | Event::PasscodeWrong => {}
            Event::Missed(missed) => self.missed = Some(*missed),
            Event::PasscodeAsked { payer } => self.payer = Some(*payer),
            Event::Paid { payer, verified_by } => {
                self.authorise(*payer, *verified_by, now);
                self.paid_at = Some(now);
                self.captured_minor = self.amount.minor;
            }
            Event::VoucherTaken { payer, .. } => {
                self.authorise(*payer, VerifiedBy::Voucher, now);
                self.paid_at = Some(now);
                self.captured_minor = self.amount.minor;
            }
            Event::Authorised { payer, verified_by, expires_at } => {
                self.authorise(*payer, *verified_by, now);
                self.expires_at = *expires_at;
            }
            Event::Captured { amount_minor } => {
                self.paid_at = Some(now);
                self.captured_minor = *amount_minor;
            }
            Event::Undone => {
                self.refunded_minor = self.captured_minor;
                self.refund_count += 1;
            }
            Event::Refused { payer, code } => {
                self.payer = *payer;
                self.refusal = Some(*code);
            }
            Event::Cancelled | Event::Expired | Event::Voided => {}
            Event::Refunded { amount_minor } => {
                self.refunded_minor += amount_minor;
                self.refund_count += 1;
            }
        }
        assert!(self.captured_minor <= self.amount.minor, "no more is captured than was authorised");
        assert!(self.refunded_minor <= self.captured_minor, "refunds never exceed what was captured");
        let moved = matches!(self.status, PaymentStatus::Paid | PaymentStatus::Undone);
        assert_eq!(self.paid_at.is_some(), moved, "only what moved has a time of payment");
        assert_eq!(self.captured_minor > 0, moved, "only what moved was captured");
        self
    }

    fn authorise(&mut self, payer: AccountId, verified_by: VerifiedBy, now: Timestamp) {
        self.payer = Some(payer);
        self.verified_by = Some(verified_by);
        self.authorised_at = Some(now);
    }
}
