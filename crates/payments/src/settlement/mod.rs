//! Paying merchants out: what is due, to which bank account, and what must be looked at first.

use base::time::Timestamp;
use wire::problem::Code;
use wire::settlement::{HoldReason, PayoutStatus};

use crate::refusal::Refusal;
use crate::rules::RulePack;

pub mod bank_account;
pub mod profile;

/// The kinds of moves of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Staff looked at what was held and lets it go.
    Release,
    /// Staff gives it up; the money stays with the merchant here.
    Cancel,
    /// The bank says that it has arrived.
    Arrive,
    /// The bank sends it back.
    Return,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 4] = [Self::Release, Self::Cancel, Self::Arrive, Self::Return];
}

/// Every legal move; whatever is not here is refused.
pub const TRANSITIONS: [(PayoutStatus, Step, PayoutStatus); 4] = {
    use PayoutStatus::*;
    [
        (Held, Step::Release, InTransit),
        (Held, Step::Cancel, Cancelled),
        (InTransit, Step::Arrive, Arrived),
        (InTransit, Step::Return, Returned),
    ]
};

/// Where `step` leads from `status`; `state_conflict` if it may not be made.
pub fn next_status(status: PayoutStatus, step: Step) -> Result<PayoutStatus, Refusal> {
    let found = TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (status, step));
    found.map(|(_, _, to)| *to).ok_or(Code::StateConflict.into())
}

/// The stable name of a state, as in the API.
pub const fn status_name(status: PayoutStatus) -> &'static str {
    match status {
        PayoutStatus::Held => "held",
        PayoutStatus::InTransit => "in_transit",
        PayoutStatus::Arrived => "arrived",
        PayoutStatus::Returned => "returned",
        PayoutStatus::Cancelled => "cancelled",
    }
}

/// All states.
pub const STATUSES: [PayoutStatus; 5] =
    [PayoutStatus::Held, PayoutStatus::InTransit, PayoutStatus::Arrived, PayoutStatus::Returned, PayoutStatus::Cancelled];

/// All reasons to hold a payout.
pub const HOLD_REASONS: [HoldReason; 4] = [HoldReason::RoundSums, HoldReason::Night, HoldReason::OnePayer, HoldReason::ReturnedBefore];

/// The stable name of a reason, as in the API.
pub const fn hold_reason_name(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::RoundSums => "round_sums",
        HoldReason::Night => "night",
        HoldReason::OnePayer => "one_payer",
        HoldReason::ReturnedBefore => "returned_before",
    }
}

impl RulePack {
    /// Payments before this moment are paid out at `now`.
    pub fn settles_until(&self, now: Timestamp) -> Timestamp {
        let days_ms = u64::from(self.settlement.delay_days - 1) * 86_400_000;
        Timestamp::from_millis(self.local_midnight(now).millis().saturating_sub(days_ms))
    }

    /// The earliest beginning of a payment that was paid at `paid_at` or later: an open payment ends, and so does a hold.
    pub fn begun_before_paid(&self, paid_at: Timestamp) -> Timestamp {
        let open_ms = (self.clocks.payment_lifetime_s + self.holds.lifetime_s) * 1000;
        Timestamp::from_millis(paid_at.millis().saturating_sub(open_ms))
    }

    /// What is paid out of what a merchant has here, in minor units: without what was paid since the cut and not refunded; 0
    /// if that is too little to send.
    pub fn payout_minor(&self, available_minor: i64, paid_since_minor: i64) -> i64 {
        let due = available_minor.saturating_sub(paid_since_minor);
        if due < self.settlement.payout_min_minor { 0 } else { due }
    }
}

#[cfg(test)]
mod tests;
