//! A shopper's account: what may be put into it, and what it has used of its limits.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use wire::api::IdentityClass;
use wire::problem::Code;

use crate::passcode::Ladder;
use crate::refusal::Refusal;
use crate::rules::{CapPeriod, RulePack};

/// Longest name in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Whether this can be a name: 1 to 64 characters, none of them a control character, not only blanks.
pub fn check_name(name: &Secret<String>) -> Result<(), Refusal> {
    let text = name.expose();
    let fits = !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Refusal::of_field(Code::InvalidRequest, "name")) }
}

/// Whether this can be a mainland mobile number: 11 ASCII digits that begin with 1 and 3 to 9.
pub fn check_phone(phone: &Secret<String>) -> Result<(), Refusal> {
    let digits = phone.expose().as_bytes();
    let fits = digits.len() == 11 && digits.iter().all(u8::is_ascii_digit) && digits[0] == b'1' && digits[1] >= b'3';
    if fits { Ok(()) } else { Err(Refusal::of_field(Code::InvalidRequest, "phone")) }
}

/// The number with all but its last four digits hidden.
pub fn mask_phone(phone: &str) -> String {
    let shown = phone.len().saturating_sub(4);
    format!("{}{}", "*".repeat(shown), &phone[shown..])
}

/// What an account has paid, as far as limits count it. Refunds give nothing back: a limit bounds what a thief could
/// move, and a refund does not undo that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Paid since the account was opened, in minor units.
    pub life_minor: i64,
    /// The local year that `year_minor` counts.
    pub year: u32,
    /// Paid in that year.
    pub year_minor: i64,
    /// The local day (days since 1970) that the next two count.
    pub day: u32,
    /// Paid on that day.
    pub day_minor: i64,
    /// Paid on that day by look alone.
    pub day_look_only_minor: i64,
    /// Payments by look alone in a row since the passcode was last right.
    pub look_only_run: u32,
}

impl Usage {
    /// The same as of `now`: what was paid on other days and in other years no longer counts.
    pub fn as_of(self, rules: &RulePack, now: Timestamp) -> Self {
        let (year, day) = (rules.local_year(now), rules.local_day(now));
        let same_year = self.year == year;
        let same_day = self.day == day;
        Self {
            year,
            year_minor: if same_year { self.year_minor } else { 0 },
            day,
            day_minor: if same_day { self.day_minor } else { 0 },
            day_look_only_minor: if same_day { self.day_look_only_minor } else { 0 },
            ..self
        }
    }

    /// The same after one more payment of `amount_minor` at `now`.
    pub fn after_payment(self, amount_minor: i64, verified_by: VerifiedBy, rules: &RulePack, now: Timestamp) -> Self {
        let before = self.as_of(rules, now);
        let look_only = verified_by == VerifiedBy::Look;
        Self {
            life_minor: before.life_minor.saturating_add(amount_minor),
            year_minor: before.year_minor.saturating_add(amount_minor),
            day_minor: before.day_minor.saturating_add(amount_minor),
            day_look_only_minor: before.day_look_only_minor.saturating_add(if look_only { amount_minor } else { 0 }),
            look_only_run: if look_only { before.look_only_run.saturating_add(1) } else { 0 },
            ..before
        }
    }

    /// What an account of `class` may still pay from its balance in the class's period, in minor units; never negative.
    pub fn class_remaining_minor(&self, class: IdentityClass, rules: &RulePack, now: Timestamp) -> i64 {
        let now_used = self.as_of(rules, now);
        let cap = rules.class_cap(class);
        let used = match cap.period {
            CapPeriod::Life => now_used.life_minor,
            CapPeriod::Year => now_used.year_minor,
        };
        cap.max_minor.saturating_sub(used).max(0)
    }
}

/// How the payer of a payment was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedBy {
    /// By look alone: one factor.
    Look,
    /// By look and passcode: two factors.
    LookAndPasscode,
}

impl VerifiedBy {
    /// The stable name on receipts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::LookAndPasscode => "look_and_passcode",
        }
    }

    /// The way of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Look, Self::LookAndPasscode].into_iter().find(|way| way.name() == name)
    }
}

/// Everything about a payer that a payment is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    /// Who.
    pub account: AccountId,
    /// How well the identity was checked.
    pub class: IdentityClass,
    /// Whether the account is closed.
    pub closed: bool,
    /// Whether its owner paused paying by biometrics.
    pub paused: bool,
    /// Whether a face of this account is enrolled, for which there is a consent.
    pub enrolled: bool,
    /// Whether there is a passcode to ask for.
    pub has_passcode: bool,
    /// Where the passcode's attempts stand.
    pub ladder: Ladder,
    /// The wallet's balance in minor units.
    pub balance_minor: i64,
    /// What was paid so far.
    pub usage: Usage,
}

#[cfg(test)]
mod tests;
