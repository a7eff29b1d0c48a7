//! "Not me": a payment that its payer disputes, from the freeze to the decision. One table of moves, as for payments.
//!
//! Money comes from the compensation fund and goes back there: the payee keeps what it was paid, and is not refunded
//! against meanwhile.

use base::id::{AccountId, DisputeId, PaymentId};
use base::time::Timestamp;
use wire::api::PaymentStatus;
use wire::dispute::{DisputeCause, DisputeStatus};
use wire::problem::Code;

use crate::payment::Payment;
use crate::refusal::Refusal;
use crate::rules::RulePack;

const DAY_MS: u64 = 86_400_000;

/// A dispute as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Its identifier.
    pub id: DisputeId,
    /// What is disputed; once.
    pub payment: PaymentId,
    /// Who disputes: whoever was charged.
    pub account: AccountId,
    /// Why.
    pub cause: DisputeCause,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What was paid and not refunded when it was opened, in minor units.
    pub amount_minor: i64,
    /// What the fund gave and has not got back, in minor units.
    pub credited_minor: i64,
    /// What could not be taken back after a rejection, in minor units.
    pub uncollected_minor: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By when the provisional credit is given.
    pub credit_due_at: Timestamp,
    /// By when it is decided; after that the payer is right.
    pub decide_by: Timestamp,
    /// Whether the time was prolonged since it was opened or appealed.
    pub extended: bool,
    /// When its payer appealed against a rejection.
    pub appealed_at: Option<Timestamp>,
    /// When it was decided or withdrawn.
    pub decided_at: Option<Timestamp>,
    /// Why it was decided so or prolonged, in words for the payer.
    pub reason: Option<String>,
    /// The rule pack that its clocks and sums come from.
    pub rules_version: String,
}

/// What happens to a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The fund gives the amount until the decision.
    Credited,
    /// The time is prolonged, with a reason.
    Extended {
        /// Until when.
        decide_by: Timestamp,
        /// Why.
        reason: String,
    },
    /// The payer is right: the amount stays, or is given now.
    Upheld {
        /// Why.
        reason: String,
    },
    /// The payer paid after all: what was given goes back, as far as it is there.
    Rejected {
        /// What goes back, in minor units.
        taken_back_minor: i64,
        /// Why.
        reason: String,
    },
    /// The payer does not agree with the rejection: it is decided anew, without credit until then.
    Appealed {
        /// Until when.
        decide_by: Timestamp,
    },
    /// The payer takes the dispute back; what was given goes back, as far as it is there.
    Withdrawn {
        /// What goes back, in minor units.
        taken_back_minor: i64,
    },
}

/// The kinds of moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Provisional credit.
    Credit,
    /// More time, once.
    Extend,
    /// For the payer.
    Uphold,
    /// Against the payer.
    Reject,
    /// Against the rejection, once.
    Appeal,
    /// Taken back by the payer.
    Withdraw,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 6] = [Self::Credit, Self::Extend, Self::Uphold, Self::Reject, Self::Appeal, Self::Withdraw];

    /// Its words in the diagram.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Credit => "provisional credit from the fund",
            Self::Extend => "time prolonged once, with a reason",
            Self::Uphold => "the payer is right, or time is over",
            Self::Reject => "it was the payer",
            Self::Appeal => "appealed once by the payer",
            Self::Withdraw => "taken back by the payer",
        }
    }
}

/// Every legal move. The diagram in `docs/payments.md` is made from it.
pub const TRANSITIONS: [(DisputeStatus, Step, DisputeStatus); 6] = {
    use DisputeStatus::*;
    [
        (Open, Step::Credit, Open),
        (Open, Step::Extend, Open),
        (Open, Step::Uphold, Upheld),
        (Open, Step::Reject, Rejected),
        (Open, Step::Withdraw, Withdrawn),
        (Rejected, Step::Appeal, Open),
    ]
};

/// All states.
pub const STATUSES: [DisputeStatus; 4] = [DisputeStatus::Open, DisputeStatus::Upheld, DisputeStatus::Rejected, DisputeStatus::Withdrawn];

/// The stable name of a state, as in the API.
pub const fn status_name(status: DisputeStatus) -> &'static str {
    match status {
        DisputeStatus::Open => "open",
        DisputeStatus::Upheld => "upheld",
        DisputeStatus::Rejected => "rejected",
        DisputeStatus::Withdrawn => "withdrawn",
    }
}

/// All causes.
pub const CAUSES: [DisputeCause; 5] =
    [DisputeCause::NotThere, DisputeCause::Lookalike, DisputeCause::WrongBasket, DisputeCause::Forced, DisputeCause::Other];

/// The stable name of a cause, as in the API.
pub const fn cause_name(cause: DisputeCause) -> &'static str {
    match cause {
        DisputeCause::NotThere => "not_there",
        DisputeCause::Lookalike => "lookalike",
        DisputeCause::WrongBasket => "wrong_basket",
        DisputeCause::Forced => "forced",
        DisputeCause::Other => "other",
    }
}

/// The table as a Mermaid state diagram.
pub fn diagram() -> String {
    let mut lines = vec!["stateDiagram-v2".to_owned(), "    [*] --> open: not me".to_owned()];
    lines.extend(
        TRANSITIONS.iter().map(|(from, step, to)| format!("    {} --> {}: {}", status_name(*from), status_name(*to), step.words())),
    );
    lines.extend(
        STATUSES.iter().filter(|status| **status != DisputeStatus::Open).map(|status| format!("    {} --> [*]", status_name(*status))),
    );
    lines.join("\n")
}

impl Dispute {
    /// Opens a dispute of `payment` by whoever paid it. Refused, in this order: `not_found` if somebody else paid,
    /// `state_conflict` unless money moved and something of it is not refunded, `dispute_window_over`.
    pub fn open(
        id: DisputeId,
        payment: &Payment,
        account: AccountId,
        cause: DisputeCause,
        rules: &RulePack,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if payment.payer != Some(account) {
            return Err(Code::NotFound.into());
        }
        let amount_minor = payment.captured_minor - payment.refunded_minor;
        let (PaymentStatus::Paid, Some(paid_at), 1..) = (payment.status, payment.paid_at, amount_minor) else {
            return Err(Code::StateConflict.into());
        };
        if now.millis_since(paid_at) > rules.disputes.window_days * DAY_MS {
            return Err(Code::DisputeWindowOver.into());
        }
        let at_once = amount_minor <= rules.disputes.credit_at_once_max_minor;
        let wait_ms = if at_once { 0 } else { rules.disputes.credit_within_s * 1000 };
        Ok(Self {
            id,
            payment: payment.id,
            account,
            cause,
            status: DisputeStatus::Open,
            amount_minor,
            credited_minor: 0,
            uncollected_minor: 0,
            opened_at: now,
            credit_due_at: now.plus_millis(wait_ms),
            decide_by: now.plus_millis(rules.disputes.decide_within_days * DAY_MS),
            extended: false,
            appealed_at: None,
            decided_at: None,
            reason: None,
            rules_version: rules.version.clone(),
        })
    }

    /// Whether `step` leads anywhere from here; `state_conflict` if not.
    fn require(&self, step: Step) -> Result<(), Refusal> {
        let legal = TRANSITIONS.iter().any(|(from, by, _)| (*from, *by) == (self.status, step));
        if legal { Ok(()) } else { Err(Code::StateConflict.into()) }
    }

    /// What time demands, if anything: the credit when it is due, and the payer's right when nobody decided in time.
    pub fn due(&self, now: Timestamp) -> Option<Event> {
        if self.status != DisputeStatus::Open {
            None
        } else if now >= self.decide_by {
            Some(Event::Upheld { reason: "The institution did not decide in time.".into() })
        } else if self.credited_minor == 0 && now >= self.credit_due_at && self.appealed_at.is_none() {
            Some(Event::Credited)
        } else {
            None
        }
    }

    /// More time, once: `state_conflict` if it is over or was prolonged.
    pub fn extend(&self, reason: &str, rules: &RulePack) -> Result<Event, Refusal> {
        self.require(Step::Extend)?;
        if self.extended {
            return Err(Code::StateConflict.into());
        }
        let begun = self.appealed_at.unwrap_or(self.opened_at);
        let decide_by = begun.plus_millis(rules.disputes.extended_within_days * DAY_MS);
        Ok(Event::Extended { decide_by, reason: reason.into() })
    }

    /// Decides for the payer.
    pub fn uphold(&self, reason: &str) -> Result<Event, Refusal> {
        self.require(Step::Uphold)?;
        Ok(Event::Upheld { reason: reason.into() })
    }

    /// Decides against the payer, whose wallet has `available_minor`.
    pub fn reject(&self, available_minor: i64, reason: &str) -> Result<Event, Refusal> {
        self.require(Step::Reject)?;
        Ok(Event::Rejected { taken_back_minor: self.credited_minor.min(available_minor.max(0)), reason: reason.into() })
    }

    /// Until when the payer may appeal: after the first rejection only.
    pub fn appeal_by(&self, rules: &RulePack) -> Option<Timestamp> {
        let first = self.status == DisputeStatus::Rejected && self.appealed_at.is_none();
        self.decided_at.filter(|_| first).map(|decided_at| decided_at.plus_millis(rules.disputes.appeal_within_days * DAY_MS))
    }

    /// The payer does not agree with the rejection. Refused, in this order: `state_conflict` unless it was rejected and not
    /// appealed before, `dispute_window_over`.
    pub fn appeal(&self, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::Appeal)?;
        let appeal_by = self.appeal_by(rules).ok_or(Code::StateConflict)?;
        if now > appeal_by {
            return Err(Code::DisputeWindowOver.into());
        }
        Ok(Event::Appealed { decide_by: now.plus_millis(rules.disputes.decide_within_days * DAY_MS) })
    }

    /// The payer, whose wallet has `available_minor`, takes it back.
    pub fn withdraw(&self, available_minor: i64) -> Result<Event, Refusal> {
        self.require(Step::Withdraw)?;
        Ok(Event::Withdrawn { taken_back_minor: self.credited_minor.min(available_minor.max(0)) })
    }

    /// What the fund gives (positive) or gets back (negative) by `event`, in minor units.
    pub fn moves_minor(&self, event: &Event) -> i64 {
        match event {
            // What could not be taken back is with the payer still.
            Event::Credited | Event::Upheld { .. } => self.amount_minor - self.credited_minor - self.uncollected_minor,
            Event::Extended { .. } | Event::Appealed { .. } => 0,
            Event::Rejected { taken_back_minor, .. } | Event::Withdrawn { taken_back_minor } => -taken_back_minor,
        }
    }

    /// The dispute after `event`, which was decided for this very state; another one is a bug and panics.
    pub fn apply(mut self, event: &Event, now: Timestamp) -> Self {
        let expected = if matches!(event, Event::Appealed { .. }) { DisputeStatus::Rejected } else { DisputeStatus::Open };
        assert_eq!(self.status, expected, "an event is decided for the state it is applied to");
        let moved_minor = self.moves_minor(event);
        match event {
            Event::Credited => {}
            Event::Extended { decide_by, reason } => {
                (self.decide_by, self.extended, self.reason) = (*decide_by, true, Some(reason.clone()));
            }
            Event::Appealed { decide_by } => {
                (self.status, self.decide_by, self.extended) = (DisputeStatus::Open, *decide_by, false);
                (self.appealed_at, self.decided_at) = (Some(now), None);
            }
            Event::Upheld { reason } => {
                self.credited_minor += std::mem::take(&mut self.uncollected_minor);
                self.close(DisputeStatus::Upheld, Some(reason), now);
            }
            Event::Rejected { reason, .. } => self.close(DisputeStatus::Rejected, Some(reason), now),
            Event::Withdrawn { .. } => self.close(DisputeStatus::Withdrawn, None, now),
        }
        self.credited_minor += moved_minor;
        if matches!(self.status, DisputeStatus::Rejected | DisputeStatus::Withdrawn) {
            self.uncollected_minor += std::mem::take(&mut self.credited_minor);
        }
        assert!((0..=self.amount_minor).contains(&self.credited_minor), "no more is credited than is disputed");
        assert!(self.uncollected_minor >= 0, "no more is taken back than was credited");
        self
    }

    fn close(&mut self, status: DisputeStatus, reason: Option<&String>, now: Timestamp) {
        self.status = status;
        self.decided_at = Some(now);
        self.reason = reason.cloned().or(self.reason.take());
    }

    /// Whether the payee may refund the payment meanwhile or afterwards: not while somebody else pays for it.
    pub fn blocks_refunds(&self) -> bool {
        matches!(self.status, DisputeStatus::Open | DisputeStatus::Upheld)
    }
}

#[cfg(test)]
mod tests;
