//! A merchant's bank account: nobody is paid there before staff approved it and some time has passed since.

use base::time::Timestamp;
use wire::problem::Code;
use wire::settlement::{BankAccountStatus, NewBankAccount};

use crate::refusal::Refusal;
use crate::rules::RulePack;

/// Longest name of a holder in characters.
pub const HOLDER_CHARS_MAX: usize = 64;

/// A bank account as it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankAccount {
    /// Where it stands.
    pub status: BankAccountStatus,
    /// From when on it is paid to, once approved.
    pub effective_at: Option<Timestamp>,
}

/// The stable name of a state, as in the API.
pub const fn status_name(status: BankAccountStatus) -> &'static str {
    match status {
        BankAccountStatus::Waiting => "waiting",
        BankAccountStatus::Approved => "approved",
        BankAccountStatus::Rejected => "rejected",
        BankAccountStatus::Withdrawn => "withdrawn",
    }
}

/// All states.
pub const STATUSES: [BankAccountStatus; 4] =
    [BankAccountStatus::Waiting, BankAccountStatus::Approved, BankAccountStatus::Rejected, BankAccountStatus::Withdrawn];

/// Whether this can be a bank account in China: `invalid_request` with the field at fault. The bank's code is the clearing
/// system's of 12 digits, the number has 8 to 30 digits.
pub fn check_new(new: &NewBankAccount) -> Result<(), Refusal> {
    let digits =
        |text: &str, len: std::ops::RangeInclusive<usize>| len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let holder = new.holder_name.as_str();
    let holder_fits = !holder.trim().is_empty() && holder.chars().count() <= HOLDER_CHARS_MAX && !holder.chars().any(char::is_control);
    let checks = [
        ("holder_name", holder_fits),
        ("bank_code", digits(&new.bank_code, 12..=12)),
        ("account_number", digits(new.account_number.expose(), 8..=30)),
    ];
    match checks.into_iter().find(|(_, fits)| !fits) {
        Some((field, _)) => Err(Refusal::of_field(Code::InvalidRequest, field)),
        None => Ok(()),
    }
}

impl BankAccount {
    /// Staff has asked the merchant back and approves it: it is paid to after the rules' delay. `state_conflict` unless it waits.
    pub fn approve(self, rules: &RulePack, now: Timestamp) -> Result<Self, Refusal> {
        self.require_waiting()?;
        let effective_at = Some(now.plus_millis(rules.settlement.bank_account_hold_s * 1000));
        Ok(Self { status: BankAccountStatus::Approved, effective_at })
    }

    /// Staff rejects it: `state_conflict` unless it waits.
    pub fn reject(self) -> Result<Self, Refusal> {
        self.require_waiting()?;
        Ok(Self { status: BankAccountStatus::Rejected, ..self })
    }

    /// The merchant takes it back, for instance because it never asked: `state_conflict` once it is paid to.
    pub fn withdraw(self, now: Timestamp) -> Result<Self, Refusal> {
        let approved_and_not_yet_paid_to = self.status == BankAccountStatus::Approved && !self.is_paid_to(now);
        if self.status != BankAccountStatus::Waiting && !approved_and_not_yet_paid_to {
            return Err(Code::StateConflict.into());
        }
        Ok(Self { status: BankAccountStatus::Withdrawn, effective_at: None })
    }

    /// Whether money may be sent there.
    pub fn is_paid_to(self, now: Timestamp) -> bool {
        self.status == BankAccountStatus::Approved && self.effective_at.is_some_and(|from| from <= now)
    }

    fn require_waiting(self) -> Result<(), Refusal> {
        if self.status == BankAccountStatus::Waiting { Ok(()) } else { Err(Code::StateConflict.into()) }
    }
}
