//! A payment: its states, and the one table of the moves between them.

use base::id::{AccountId, MerchantId, PaymentId, TerminalId, VoucherId};
use base::money::Money;
use base::time::Timestamp;
use wire::api::{Capture, PaymentStatus};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::account::tier::VerifiedBy;
use crate::probe::Challenge;

pub mod apply;
pub mod decide;
pub mod judge;
pub mod settle;

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
    /// Whether the money moves when the payer is known, or is held until the payee captures it.
    pub capture: Capture,
    /// When it began.
    pub created_at: Timestamp,
    /// From then on it is given up unless it is done; what is held is released.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The open challenge; kept while the look is being checked.
    pub challenge: Option<Challenge>,
    /// A search without the phone's digits that met nobody or several people, if there was one: the digits are needed.
    pub missed: Option<Missed>,
    /// Who pays, once recognised.
    pub payer: Option<AccountId>,
    /// Why it was refused.
    pub refusal: Option<Code>,
    /// When the payer's money was held, or moved.
    pub authorised_at: Option<Timestamp>,
    /// When the money moved.
    pub paid_at: Option<Timestamp>,
    /// What moved of the amount, in minor units.
    pub captured_minor: i64,
    /// How the payer was known.
    pub verified_by: Option<VerifiedBy>,
    /// Sum of the refunds in minor units; at most what was captured.
    pub refunded_minor: i64,
    /// How many refunds there are.
    pub refund_count: u32,
    /// The rule pack that judged it last.
    pub rules_version: String,
    /// SHA-256 of the terms that hold for it; only payments older than the terms have none.
    pub terms_sha256: Option<HexArray<32>>,
}

/// A search that did not meet one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// How many people were searched.
    pub people: u64,
    /// Whether it met several, and not nobody.
    pub was_ambiguous: bool,
}

/// What happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The till may look.
    Challenged(Challenge),
    /// A look was taken and is with the parties.
    ProbeReceived,
    /// The look met nobody, or several people, in a part that was searched without the phone's digits.
    Missed(Missed),
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
    /// The money is held until the payee captures it.
    Authorised {
        /// Whose.
        payer: AccountId,
        /// How the payer was known.
        verified_by: VerifiedBy,
        /// When what was not captured is released.
        expires_at: Timestamp,
    },
    /// A voucher that its till took without network came in: what was set aside for it moved, as far as it was used.
    VoucherTaken {
        /// Who paid.
        payer: AccountId,
        /// With which.
        voucher: VoucherId,
    },
    /// The payee took what was held, or part of it; the rest is released.
    Captured {
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// The payee released what was held.
    Voided,
    /// Its payer took it back within the window: everything went back.
    Undone,
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
    /// The phone's digits are asked.
    AskDigits,
    /// The passcode is asked.
    AskPasscode,
    /// The passcode is wrong.
    WrongPasscode,
    /// The money moves.
    Pay,
    /// The money is held.
    Authorise,
    /// A voucher comes in.
    TakeVoucher,
    /// What is held moves, in whole or in part.
    Capture,
    /// What is held is released.
    Void,
    /// The payer takes it back.
    Undo,
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
    pub const ALL: [Self; 15] = [
        Self::Challenge,
        Self::TakeProbe,
        Self::AskDigits,
        Self::AskPasscode,
        Self::WrongPasscode,
        Self::Pay,
        Self::Authorise,
        Self::TakeVoucher,
        Self::Capture,
        Self::Void,
        Self::Undo,
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
            Self::AskDigits => "not one person in a city or among regulars",
            Self::AskPasscode => "payer recognised, passcode needed",
            Self::WrongPasscode => "wrong passcode, tries left",
            Self::Pay => "rules kept, posted",
            Self::Authorise => "rules kept, held for capture",
            Self::TakeVoucher => "voucher of an outage came in, posted",
            Self::Capture => "captured, whole or in part",
            Self::Void => "voided by the payee",
            Self::Undo => "undone by the payer",
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
            Self::Missed(_) => Step::AskDigits,
            Self::PasscodeAsked { .. } => Step::AskPasscode,
            Self::PasscodeWrong => Step::WrongPasscode,
            Self::Paid { .. } => Step::Pay,
            Self::Authorised { .. } => Step::Authorise,
            Self::VoucherTaken { .. } => Step::TakeVoucher,
            Self::Captured { .. } => Step::Capture,
            Self::Voided => Step::Void,
            Self::Undone => Step::Undo,
            Self::Refused { .. } => Step::Refuse,
            Self::Cancelled => Step::Cancel,
            Self::Expired => Step::Expire,
            Self::Refunded { .. } => Step::Refund,
        }
    }
}

/// Every legal move; whatever is not here is refused. The diagram in `docs/payments.md` is made from it.
pub const TRANSITIONS: [(PaymentStatus, Step, PaymentStatus); 25] = {
    use PaymentStatus::*;
    [
        (Created, Step::Challenge, Challenged),
        (Created, Step::TakeVoucher, Paid),
        (Created, Step::Cancel, Cancelled),
        (Created, Step::Expire, Expired),
        (Challenged, Step::Challenge, Challenged),
        (Challenged, Step::TakeProbe, BeingChecked),
        (Challenged, Step::Cancel, Cancelled),
        (Challenged, Step::Expire, Expired),
        (BeingChecked, Step::Pay, Paid),
        (BeingChecked, Step::Authorise, Authorised),
        (BeingChecked, Step::AskDigits, Created),
        (BeingChecked, Step::AskPasscode, AwaitingPasscode),
        (BeingChecked, Step::Refuse, Refused),
        (BeingChecked, Step::Expire, Expired),
        (AwaitingPasscode, Step::WrongPasscode, AwaitingPasscode),
        (AwaitingPasscode, Step::Pay, Paid),
        (AwaitingPasscode, Step::Authorise, Authorised),
        (AwaitingPasscode, Step::Refuse, Refused),
        (AwaitingPasscode, Step::Cancel, Cancelled),
        (AwaitingPasscode, Step::Expire, Expired),
        (Authorised, Step::Capture, Paid),
        (Authorised, Step::Void, Voided),
        (Authorised, Step::Expire, Expired),
        (Paid, Step::Refund, Paid),
        (Paid, Step::Undo, Undone),
    ]
};

/// All states.
pub const STATUSES: [PaymentStatus; 11] = {
    use PaymentStatus::*;
    [Created, Challenged, BeingChecked, AwaitingPasscode, Authorised, Paid, Refused, Expired, Cancelled, Voided, Undone]
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
        PaymentStatus::Authorised => "authorised",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Refused => "refused",
        PaymentStatus::Expired => "expired",
        PaymentStatus::Cancelled => "cancelled",
        PaymentStatus::Voided => "voided",
        PaymentStatus::Undone => "undone",
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
