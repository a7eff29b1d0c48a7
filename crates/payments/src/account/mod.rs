//! A shopper's account: what may be put into it, and what it has used of its limits.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use wire::api::IdentityClass;
use wire::problem::Code;

use self::limits::OwnerLimits;
use self::newness::Newness;
use self::usage::Usage;
use crate::passcode::Ladder;
use crate::refusal::Refusal;

pub mod helper;
pub mod identity;
pub mod limits;
pub mod newness;
pub mod tier;
pub mod usage;

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

/// Everything about a payer that a payment is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    /// Who.
    pub account: AccountId,
    /// How well the identity was checked.
    pub class: IdentityClass,
    /// Whether the account is closed.
    pub closed: bool,
    /// Whether it was stopped, by its owner or by support, until its owner has proved who they are.
    pub frozen: bool,
    /// Whether its owner paused paying by biometrics.
    pub paused: bool,
    /// Whether a face of this account is enrolled, for which there is a consent.
    pub enrolled: bool,
    /// What is new about it.
    pub newness: Newness,
    /// From when a device of its owner's approves; `None` without one, and while they are frozen.
    pub phone_from: Option<Timestamp>,
    /// Whether there is a passcode to ask for.
    pub has_passcode: bool,
    /// Where the passcode's attempts stand.
    pub ladder: Ladder,
    /// What the wallet may still spend, in minor units: its balance without what is held.
    pub balance_minor: i64,
    /// The limits that its owner set.
    pub limits: OwnerLimits,
    /// What was paid so far.
    pub usage: Usage,
    /// What the same person has paid from other accounts.
    pub elsewhere: Usage,
}

impl Payer {
    /// What the caps of classes and tiers count: all payment accounts of the person (PBoC announcement 2015-43, notice 2017-296).
    pub fn person_usage(&self) -> Usage {
        self.usage.plus(self.elsewhere)
    }
}

impl Payer {
    /// Whether a device of its owner's approves now.
    pub fn has_phone(&self, now: Timestamp) -> bool {
        self.phone_from.is_some_and(|from| now >= from)
    }
}

#[cfg(test)]
mod tests;
