//! Judging a recognised payer by the rules.

use base::time::Timestamp;
use wire::api::{Asks, PaymentStatus};
use wire::problem::Code;

use super::{Event, Missed, Payment};
use crate::account::Payer;
use crate::account::tier::{Tier, VerifiedBy};
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// What a look led to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each look, and most are payers")]
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
    /// Judges what a look led to: paid by look alone, passcode asked, the phone's digits asked, refused, or expired while it
    /// was being checked. Nobody and several people lead to the same, so that a till cannot tell them apart.
    /// Errs with `state_conflict` if nothing is being checked.
    pub fn judge(&self, found: &Found, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        if self.status != PaymentStatus::BeingChecked {
            return Err(Code::StateConflict.into());
        }
        if self.is_overdue(now) {
            return Ok(Event::Expired);
        }
        let challenge = self.challenge.as_ref().expect("what is being checked had a challenge");
        let narrow = challenge.searched.filter(|searched| searched.part.is_narrow());
        let payer = match (found, narrow) {
            (Found::Nobody | Found::Ambiguous, Some(searched)) => {
                return Ok(Event::Missed(Missed { people: searched.people, was_ambiguous: *found == Found::Ambiguous }));
            }
            (Found::Payer(payer), _) => payer,
            (Found::Nobody, None) => return Ok(Event::Refused { payer: None, code: Code::NotRecognised }),
            (Found::Ambiguous, None) => return Ok(Event::Refused { payer: None, code: Code::Ambiguous }),
            (Found::Failed(code), _) => return Ok(Event::Refused { payer: None, code: *code }),
        };
        let refused = |code| Event::Refused { payer: Some(payer.account), code };
        let strongest = if payer.has_phone(now) { Tier::A } else { Tier::B };
        if let Err(code) = check_limits(self.amount.minor, strongest, payer, rules, now) {
            return Ok(refused(code));
        }
        Ok(if !challenge.passcode_always && look_suffices(self.amount.minor, payer, rules, now) {
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
    let usage = payer.person_usage().as_of(rules, now);
    if payer.newness.cooling_off_until(rules, now).is_some() && amount_minor > rules.devices.cooling_off_payment_max_minor {
        return Err(Code::LimitExceeded);
    }
    if amount_minor > usage.class_remaining_minor(payer.class, rules, now) {
        return Err(Code::LimitExceeded);
    }
    let halved = payer.newness.halved_until(rules, now).is_some();
    let limits = if halved { payer.limits.halved(rules) } else { payer.limits };
    let used_minor = usage.day_minor.saturating_sub(usage.day_phone_minor);
    if !tier_allows(tier, used_minor, amount_minor, halved, rules) || !limits.allow(amount_minor, &payer.usage, rules, now) {
        return Err(Code::LimitExceeded);
    }
    if amount_minor > payer.balance_minor {
        return Err(Code::InsufficientBalance);
    }
    Ok(())
}

/// Whether the look alone is enough (tier C): its owner never wants the passcode besides, it is a small payment, the day's
/// sum by look alone is within its cap, and there were not too many in a row.
pub fn look_suffices(amount_minor: i64, payer: &Payer, rules: &RulePack, now: Timestamp) -> bool {
    let usage = payer.person_usage().as_of(rules, now);
    let halved = payer.newness.halved_until(rules, now).is_some();
    let payment_max_minor = rules.strength.look_only_payment_max_minor / if halved { 2 } else { 1 };
    !payer.limits.passcode_always
        && amount_minor <= payment_max_minor
        && tier_allows(Tier::B, usage.day_minor.saturating_sub(usage.day_phone_minor), amount_minor, halved, rules)
        && tier_allows(Tier::C, usage.day_look_only_minor, amount_minor, halved, rules)
        && usage.look_only_run < rules.strength.look_only_run_max
}

/// Whether a tier's day, or half of it, has room for `amount_minor` more of this source, the wallet's balance.
pub fn tier_allows(tier: Tier, used_minor: i64, amount_minor: i64, halved: bool, rules: &RulePack) -> bool {
    let room_minor = rules.tier_day_max_minor(tier).map(|max_minor| max_minor / if halved { 2 } else { 1 });
    room_minor.is_none_or(|max_minor| used_minor.saturating_add(amount_minor) <= max_minor)
}
