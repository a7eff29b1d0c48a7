//! What follows once a payer is accepted: the money moves or is held; what is held is captured or voided; a small payment
//! is taken back by its payer.

use base::id::{AccountId, VoucherId};
use base::time::Timestamp;
use wire::api::{Capture, PaymentStatus};
use wire::problem::Code;

use super::{Event, Payment, Step};
use crate::account::Payer;
use crate::account::tier::VerifiedBy;
use crate::refusal::Refusal;
use crate::rules::RulePack;

impl Payment {
    /// What accepting the payer leads to: paid, or authorised if the payee captures later.
    pub(super) fn accept(&self, payer: &Payer, verified_by: VerifiedBy, rules: &RulePack, now: Timestamp) -> Event {
        let payer = payer.account;
        match self.capture {
            Capture::Automatic => Event::Paid { payer, verified_by },
            Capture::Manual => Event::Authorised { payer, verified_by, expires_at: now.plus_millis(rules.holds.lifetime_s * 1000) },
        }
    }

    /// Takes a voucher that its till took without network and that [`crate::voucher::issue::check_taken`] lets pass. Refused:
    /// `payment_expired`, `payment_cancelled`, `state_conflict` unless just created.
    pub fn take_voucher(&self, payer: AccountId, voucher: VoucherId, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::TakeVoucher, now)?;
        Ok(Event::VoucherTaken { payer, voucher })
    }

    /// Takes `amount_minor` of what is held, or all of it without; the rest is released, and there is no second capture.
    /// Refused, in this order: `payment_expired`, `payment_cancelled`, `state_conflict` unless authorised, `invalid_request`
    /// below 1, `capture_exceeds_authorisation`.
    pub fn capture(&self, amount_minor: Option<i64>, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::Capture, now)?;
        let amount_minor = amount_minor.unwrap_or(self.amount.minor);
        if amount_minor < 1 {
            return Err(Refusal::of_field(Code::InvalidRequest, "amount_minor"));
        }
        if amount_minor > self.amount.minor {
            return Err(Code::CaptureExceedsAuthorisation.into());
        }
        Ok(Event::Captured { amount_minor })
    }

    /// Releases what is held. Refused: `payment_expired`, `payment_cancelled`, `state_conflict` unless authorised.
    pub fn void(&self, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::Void, now)?;
        Ok(Event::Voided)
    }

    /// Its payer takes it back: a small payment, soon, and as it was. Refused: `state_conflict` unless paid, `undo_over` if
    /// it is too large, too old, or was refunded in part.
    pub fn undo(&self, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        if self.status != PaymentStatus::Paid {
            return Err(Code::StateConflict.into());
        }
        let paid_at = self.paid_at.expect("what is paid has a time of payment");
        let in_time = now.millis_since(paid_at) < rules.undo.window_s * 1000;
        let small = self.captured_minor <= rules.undo.payment_max_minor;
        if in_time && small && self.refund_count == 0 { Ok(Event::Undone) } else { Err(Code::UndoOver.into()) }
    }
}
