//! Judging a recognised payer by the rules.

use base::time::Timestamp;
use wire::api::PaymentStatus;
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
        if let Err(code) = check_limits(self.amount.minor, payer, rules, now) {
            return Ok(refused(code));
        }
        Ok(if !challenge.passcode_always && look_suffices(self.amount.minor, payer, rules, now) {
            self.accept(payer, VerifiedBy::Look, rules, now)
        } else if !payer.has_passcode {
            refused(Code::LimitExceeded)
        } else if payer.ladder.is_locked(now) {
            refused(Code::PasscodeLocked)
        } else {
            Event::PasscodeAsked { payer: payer.account }
        })
    }
}

/// What refuses a payment however well the payer is known, in this order: `account_closed`, `account_frozen`,
/// `account_paused`, `not_recognised` (the face was deleted since the look), `limit_exceeded` (class, then tier B's day, then
/// the owner's own), `insufficient_balance`.
pub fn check_limits(amount_minor: i64, payer: &Payer, rules: &RulePack, now: Timestamp) -> Result<(), Code> {
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
    if amount_minor > usage.class_remaining_minor(payer.class, rules, now) {
        return Err(Code::LimitExceeded);
    }
    if !tier_allows(Tier::B, usage.day_minor, amount_minor, rules) || !payer.limits.allow(amount_minor, &payer.usage, rules, now) {
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
    !payer.limits.passcode_always
        && amount_minor <= rules.strength.look_only_payment_max_minor
        && tier_allows(Tier::C, usage.day_look_only_minor, amount_minor, rules)
        && usage.look_only_run < rules.strength.look_only_run_max
}

/// Whether a tier's day has room for `amount_minor` more of this source, the wallet's balance.
pub fn tier_allows(tier: Tier, used_minor: i64, amount_minor: i64, rules: &RulePack) -> bool {
    rules.tier_day_max_minor(tier).is_none_or(|max_minor| used_minor.saturating_add(amount_minor) <= max_minor)
}
