//! Limits that the owner of an account sets: lowered at once, raised after a while, so that a thief cannot raise them and pay.

use base::time::Timestamp;
use wire::problem::Code;

use super::usage::Usage;
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// Largest sums in minor units, where `None` leaves it to the rules; and whether a look is ever enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerLimits {
    /// Of one payment.
    pub payment_max_minor: Option<i64>,
    /// Of a local day.
    pub day_max_minor: Option<i64>,
    /// Of a night.
    pub night_max_minor: Option<i64>,
    /// The passcode is asked for whatever the sum: for twins, and for whoever wishes it.
    pub passcode_always: bool,
}

/// A decision about limits and from when it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// The limits.
    pub limits: OwnerLimits,
    /// From when.
    pub effective_at: Timestamp,
}

impl OwnerLimits {
    /// Each limit of both that is lower, where `None` is the highest; the passcode always if one of them wants it.
    fn lower_of(self, other: Self) -> Self {
        let lower = |one: Option<i64>, two: Option<i64>| one.into_iter().chain(two).min();
        Self {
            payment_max_minor: lower(self.payment_max_minor, other.payment_max_minor),
            day_max_minor: lower(self.day_max_minor, other.day_max_minor),
            night_max_minor: lower(self.night_max_minor, other.night_max_minor),
            passcode_always: self.passcode_always || other.passcode_always,
        }
    }

    /// Half of each, where there is one; of the night, also of the rules' own.
    pub fn halved(self, rules: &RulePack) -> Self {
        let half = |limit: Option<i64>| limit.map(|limit| limit / 2);
        Self {
            payment_max_minor: half(self.payment_max_minor),
            day_max_minor: half(self.day_max_minor),
            night_max_minor: Some(self.night_max_minor.unwrap_or(rules.owner_limits.night_max_minor) / 2),
            passcode_always: self.passcode_always,
        }
    }

    /// Whether wanting `wanted` where `self` is in force raises any of them.
    pub fn raises(self, wanted: Self) -> bool {
        self.lower_of(wanted) != wanted
    }

    /// What follows from the owner wanting `wanted` where `self` is in force: at once whatever is lower, and, if anything
    /// is higher, all of it after the rules' delay. `invalid_request` for a negative limit.
    pub fn change(self, wanted: Self, rules: &RulePack, now: Timestamp) -> Result<Vec<LimitChange>, Refusal> {
        let fields = [
            ("payment_max_minor", wanted.payment_max_minor),
            ("day_max_minor", wanted.day_max_minor),
            ("night_max_minor", wanted.night_max_minor),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, limit)| limit.is_some_and(|limit| limit < 0)) {
            return Err(Refusal::of_field(Code::InvalidRequest, field));
        }
        let at_once = self.lower_of(wanted);
        let mut changes = vec![LimitChange { limits: at_once, effective_at: now }];
        if at_once != wanted {
            changes.push(LimitChange { limits: wanted, effective_at: now.plus_millis(rules.owner_limits.raise_after_s * 1000) });
        }
        Ok(changes)
    }

    /// Whether `amount_minor` more stays within them at `now`.
    pub fn allow(&self, amount_minor: i64, usage: &Usage, rules: &RulePack, now: Timestamp) -> bool {
        let usage = usage.as_of(rules, now);
        let within = |limit: Option<i64>, used: i64| limit.is_none_or(|limit| used.saturating_add(amount_minor) <= limit);
        let by_night = rules.local_night(now).is_some();
        let night_max_minor = self.night_max_minor.unwrap_or(rules.owner_limits.night_max_minor);
        within(self.payment_max_minor, 0)
            && within(self.day_max_minor, usage.day_minor)
            && (!by_night || within(Some(night_max_minor), usage.night_minor))
    }
}

#[cfg(test)]
mod tests;
