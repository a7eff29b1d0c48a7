//! Judging a recognised payer by the rules.

use base::time::Timestamp;
use wire::api::{Asks, PaymentStatus};
use wire::problem::Code;

use super::{Event, Payment};
use crate::account::Payer;
use crate::account::tier::{Tier, VerifiedBy};
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// What a look led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One person.
    Payer(Payer),
    /// Nobody enrolled.
    Nobody,
    /// More than one person.
    Ambiguous,
    /// Nothing, with the code that says why.
    Failed(Code),
}

impl Payment {
    /// Judges what a look led to: paid by look alone, passcode asked, refused, or expired while it was being checked.
    /// Errs with `state_conflict` if nothing is being checked.
    pub fn judge(&self, found: &Found, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        if self.status != PaymentStatus::BeingChecked {
            return Err(Code::StateConflict.into());
        }
        if self.is_overdue(now) {
            return Ok(Event::Expired);
        }
        let payer = match found {
            Found::Payer(payer) => payer,
            Found::Nobody => return Ok(Event::Refused { payer: None, code: Code::NotRecognised }),
            Found::Ambiguous => return Ok(Event::Refused { payer: None, code: Code::Ambiguous }),
            Found::Failed(code) => return Ok(Event::Refused { payer: None, code: *code }),
        };
        let refused = |code| Event::Refused { payer: Some(payer.account), code };
        let strongest = if payer.has_phone(now) { Tier::A } else { Tier::B };
        if let Err(code) = check_limits(self.amount.minor, strongest, payer, rules, now) {
            return Ok(refused(code));
        }
        let passcode_always = self.challenge.as_ref().expect("what is being checked had a challenge").passcode_always;
        Ok(if !passcode_always && look_suffices(self.amount.minor, payer, rules, now) {
            self.accept(payer, VerifiedBy::Look, rules, now)
        } else if payer.has_phone(now) {
            Event::PasscodeAsked { payer: payer.account }
        } else if !payer.has_passcode {
            refused(Code::LimitExceeded)
        } else if payer.ladder.is_locked(now) {
            refused(Code::PasscodeLocked)
        } else {
            Event::PasscodeAsked { payer: payer.account }
        })
    }
}

/// How a recognised payer may go on with a payment of `amount_minor` above what the look suffices for. Above tier B's day, or
/// while the passcode is locked, only the phone is left.
pub fn asks(amount_minor: i64, payer: &Payer, rules: &RulePack, now: Timestamp) -> Asks {
    let passcode = payer.has_passcode
        && !payer.ladder.is_locked(now)
        && check_limits(amount_minor, Tier::B, payer, rules, now) != Err(Code::LimitExceeded);
    match (passcode, payer.has_phone(now)) {
        (true, true) => Asks::PasscodeOrPhone,
        (false, true) => Asks::Phone,
        (_, false) => Asks::Passcode,
    }
}

/// What refuses a payment however well the payer is known, in this order: `account_closed`, `account_frozen`,
/// `account_paused`, `not_recognised` (the face was deleted since the look), `limit_exceeded` (what is new about the account,
/// class, then the day of `tier`, then the owner's own), `insufficient_balance`.
pub fn check_limits(amount_minor: i64, tier: Tier, payer: &Payer, rules: &RulePack, now: Timestamp) -> Result<(), Code> {
    if payer.closed {
        return Err(Code::AccountClosed);
    }
    if payer.frozen {
        return Err(Code::AccountFrozen);
    }
    if payer.paused {
        return Err(Code::AccountPaused);
    }
    if !payer.enrolled {
        return Err(Code::NotRecognised);
    }
    let usage = payer.usage.as_of(rules, now);
    if payer.newness.cooling_off_until(rules, now).is_some() && amount_minor > rules.devices.cooling_off_payment_max_minor {
        return Err(Code::LimitExceeded);
    }
    if amount_minor > usage.class_remaining_minor(payer.class, rules, now) {
        return Err(Code::LimitExceeded);
    }
    let halved = payer.newness.halved_until(rules, now).is_some();
    let limits = if halved { payer.limits.halved(rules) } else { payer.limits };
    let used_minor = usage.day_minor.saturating_sub(usage.day_phone_minor);
    if !tier_allows(tier, used_minor, amount_minor, halved, rules) || !limits.allow(amount_minor, &usage, rules, now) {
        return Err(Code::LimitExceeded);
    }
    if amount_minor > payer.balance_minor {
        return Err(Code::InsufficientBalance);
    }
    Ok(())
}

/// Whether the look alone is enough (tier C): a small payment, the day's sum by look alone within its cap, and not too
/// many in a row.
pub fn look_suffices(amount_minor: i64, payer: &Payer, rules: &RulePack, now: Timestamp) -> bool {
    let usage = payer.usage.as_of(rules, now);
    let halved = payer.newness.halved_until(rules, now).is_some();
    let payment_max_minor = rules.strength.look_only_payment_max_minor / if halved { 2 } else { 1 };
    amount_minor <= payment_max_minor
        && tier_allows(Tier::B, usage.day_minor.saturating_sub(usage.day_phone_minor), amount_minor, halved, rules)
        && tier_allows(Tier::C, usage.day_look_only_minor, amount_minor, halved, rules)
        && usage.look_only_run < rules.strength.look_only_run_max
}

/// Whether a tier's day, or half of it, has room for `amount_minor` more.
fn tier_allows(tier: Tier, used_minor: i64, amount_minor: i64, halved: bool, rules: &RulePack) -> bool {
    let room_minor = rules.tier_day_max_minor(tier).map(|max_minor| max_minor / if halved { 2 } else { 1 });
    room_minor.is_none_or(|max_minor| used_minor.saturating_add(amount_minor) <= max_minor)
}
