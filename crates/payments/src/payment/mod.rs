//! A payment: its states, and the one table of the moves between them.

use base::id::{AccountId, MerchantId, PaymentId, TerminalId};
use base::money::Money;
use base::time::Timestamp;
use wire::api::PaymentStatus;
use wire::problem::Code;

use crate::account::VerifiedBy;
use crate::probe::Challenge;

pub mod apply;
pub mod decide;
pub mod judge;

/// A payment as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its identifier.
    pub id: PaymentId,
    /// Where it began.
    pub terminal: TerminalId,
    /// The payee.
    pub merchant: MerchantId,
    /// What is paid.
    pub amount: Money,
    /// When it began.
    pub created_at: Timestamp,
    /// From then on it is given up unless it is done.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The open challenge; kept while the look is being checked.
    pub challenge: Option<Challenge>,
    /// Who pays, once recognised.
    pub payer: Option<AccountId>,
    /// Why it was refused.
    pub refusal: Option<Code>,
    /// When it was posted.
    pub paid_at: Option<Timestamp>,
    /// How the payer was known.
    pub verified_by: Option<VerifiedBy>,
    /// Sum of the refunds in minor units; at most the amount.
    pub refunded_minor: i64,
    /// How many refunds there are.
    pub refund_count: u32,
    /// The rule pack that judged it last.
    pub rules_version: String,
}

/// What happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The till may look.
    Challenged(Challenge),
    /// A look was taken and is with the parties.
    ProbeReceived,
    /// The payer is known and must give the passcode.
    PasscodeAsked {
        /// Who.
        payer: AccountId,
    },
    /// The passcode was wrong, and tries are left.
    PasscodeWrong,
    /// The money moved.
    Paid {
        /// Who paid.
        payer: AccountId,
        /// How the payer was known.
        verified_by: VerifiedBy,
    },
    /// It will not be paid.
    Refused {
        /// Who would have paid, if anybody was recognised.
        payer: Option<AccountId>,
        /// Why.
        code: Code,
    },
    /// Given up at the till.
    Cancelled,
    /// Given up because time was over.
    Expired,
    /// Money went back.
    Refunded {
        /// How much, in minor units.
        amount_minor: i64,
    },
}

/// The kinds of moves: what the arrows of the diagram say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A challenge is issued.
    Challenge,
    /// A look comes in.
    TakeProbe,
    /// The passcode is asked.
    AskPasscode,
    /// The passcode is wrong.
    WrongPasscode,
    /// The money moves.
    Pay,
    /// It is refused.
    Refuse,
    /// The till gives it up.
    Cancel,
    /// Time is over.
    Expire,
    /// Money goes back.
    Refund,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 9] = [
        Self::Challenge,
        Self::TakeProbe,
        Self::AskPasscode,
        Self::WrongPasscode,
        Self::Pay,
        Self::Refuse,
        Self::Cancel,
        Self::Expire,
        Self::Refund,
    ];

    /// Its words in the diagram.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Challenge => "challenge issued",
            Self::TakeProbe => "look taken",
            Self::AskPasscode => "payer recognised, passcode needed",
            Self::WrongPasscode => "wrong passcode, tries left",
            Self::Pay => "rules kept, posted",
            Self::Refuse => "refused with a code",
            Self::Cancel => "cancelled at the till",
            Self::Expire => "time over",
            Self::Refund => "refund posted",
        }
    }
}

impl Event {
    /// Which arrow this event takes.
    pub const fn step(&self) -> Step {
        match self {
            Self::Challenged(_) => Step::Challenge,
            Self::ProbeReceived => Step::TakeProbe,
            Self::PasscodeAsked { .. } => Step::AskPasscode,
            Self::PasscodeWrong => Step::WrongPasscode,
            Self::Paid { .. } => Step::Pay,
            Self::Refused { .. } => Step::Refuse,
            Self::Cancelled => Step::Cancel,
            Self::Expired => Step::Expire,
            Self::Refunded { .. } => Step::Refund,
        }
    }
}

/// Every legal move; whatever is not here is refused. The diagram in `docs/payments.md` is made from it.
pub const TRANSITIONS: [(PaymentStatus, Step, PaymentStatus); 17] = {
    use PaymentStatus::*;
    [
        (Created, Step::Challenge, Challenged),
        (Created, Step::Cancel, Cancelled),
        (Created, Step::Expire, Expired),
        (Challenged, Step::Challenge, Challenged),
        (Challenged, Step::TakeProbe, BeingChecked),
        (Challenged, Step::Cancel, Cancelled),
        (Challenged, Step::Expire, Expired),
        (BeingChecked, Step::Pay, Paid),
        (BeingChecked, Step::AskPasscode, AwaitingPasscode),
        (BeingChecked, Step::Refuse, Refused),
        (BeingChecked, Step::Expire, Expired),
        (AwaitingPasscode, Step::WrongPasscode, AwaitingPasscode),
        (AwaitingPasscode, Step::Pay, Paid),
        (AwaitingPasscode, Step::Refuse, Refused),
        (AwaitingPasscode, Step::Cancel, Cancelled),
        (AwaitingPasscode, Step::Expire, Expired),
        (Paid, Step::Refund, Paid),
    ]
};

/// All states.
pub const STATUSES: [PaymentStatus; 8] = {
    use PaymentStatus::*;
    [Created, Challenged, BeingChecked, AwaitingPasscode, Paid, Refused, Expired, Cancelled]
};

/// Where `step` leads from `status`, if it may be made.
pub fn next_status(status: PaymentStatus, step: Step) -> Option<PaymentStatus> {
    TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (status, step)).map(|(_, _, to)| *to)
}

/// Whether the outcome is still open, so that time may end it.
pub fn is_open(status: PaymentStatus) -> bool {
    next_status(status, Step::Expire).is_some()
}

/// The stable name of a state, as in the API.
pub const fn status_name(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Created => "created",
        PaymentStatus::Challenged => "challenged",
        PaymentStatus::BeingChecked => "being_checked",
        PaymentStatus::AwaitingPasscode => "awaiting_passcode",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Refused => "refused",
        PaymentStatus::Expired => "expired",
        PaymentStatus::Cancelled => "cancelled",
    }
}

/// The table as a Mermaid state diagram.
pub fn diagram() -> String {
    let begins = std::iter::once(format!("    [*] --> {}: amount set", status_name(PaymentStatus::Created)));
    let moves = TRANSITIONS.iter().map(|(from, step, to)| format!("    {} --> {}: {}", status_name(*from), status_name(*to), step.words()));
    let ends = STATUSES.iter().filter(|status| !is_open(**status)).map(|status| format!("    {} --> [*]", status_name(*status)));
    let lines: Vec<String> = std::iter::once("stateDiagram-v2".to_owned()).chain(begins).chain(moves).chain(ends).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
