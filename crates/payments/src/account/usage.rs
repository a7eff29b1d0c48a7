//! What an account has used of its limits.

use std::cmp::Ordering;

use base::time::Timestamp;
use wire::api::IdentityClass;

use super::tier::{Tier, VerifiedBy};
use crate::rules::{CapPeriod, RulePack};

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
    /// The local day (days since 1970) that the next three count.
    pub day: u32,
    /// Paid on that day.
    pub day_minor: i64,
    /// Paid on that day by look alone, or by voucher.
    pub day_look_only_minor: i64,
    /// Paid on that day with the phone's approval, which tier B does not count.
    pub day_phone_minor: i64,
    /// Payments by look alone in a row since the payer was last strongly known.
    pub look_only_run: u32,
    /// The night (the local day on which it began) that the next counts.
    pub night: u32,
    /// Paid in that night.
    pub night_minor: i64,
}

impl Usage {
    /// The same as of `now`: what was paid on other days and in other years no longer counts.
    pub fn as_of(self, rules: &RulePack, now: Timestamp) -> Self {
        let (year, day, night) = (rules.local_year(now), rules.local_day(now), rules.local_night(now));
        let same_year = self.year == year;
        let same_day = self.day == day;
        Self {
            year,
            year_minor: if same_year { self.year_minor } else { 0 },
            day,
            day_minor: if same_day { self.day_minor } else { 0 },
            day_look_only_minor: if same_day { self.day_look_only_minor } else { 0 },
            day_phone_minor: if same_day { self.day_phone_minor } else { 0 },
            night: night.unwrap_or(self.night),
            night_minor: if night.is_some_and(|night| night != self.night) { 0 } else { self.night_minor },
            ..self
        }
    }

    /// What two accounts of one person have paid together. Of two days, nights or years the later one counts: the other is over.
    /// The run of looks is this account's own.
    pub fn plus(self, other: Self) -> Self {
        let sum = |at: u32, minor: i64, other_at: u32, other_minor: i64| match at.cmp(&other_at) {
            Ordering::Equal => minor.saturating_add(other_minor),
            Ordering::Greater => minor,
            Ordering::Less => other_minor,
        };
        Self {
            life_minor: self.life_minor.saturating_add(other.life_minor),
            year: self.year.max(other.year),
            year_minor: sum(self.year, self.year_minor, other.year, other.year_minor),
            day: self.day.max(other.day),
            day_minor: sum(self.day, self.day_minor, other.day, other.day_minor),
            day_look_only_minor: sum(self.day, self.day_look_only_minor, other.day, other.day_look_only_minor),
            day_phone_minor: sum(self.day, self.day_phone_minor, other.day, other.day_phone_minor),
            look_only_run: self.look_only_run,
            night: self.night.max(other.night),
            night_minor: sum(self.night, self.night_minor, other.night, other.night_minor),
        }
    }

    /// The same after one more payment of `amount_minor` at `now`.
    pub fn after_payment(self, amount_minor: i64, verified_by: VerifiedBy, rules: &RulePack, now: Timestamp) -> Self {
        let before = self.as_of(rules, now);
        let (one_factor, by_phone) = (verified_by.tier() == Tier::C, verified_by == VerifiedBy::LookAndPhone);
        Self {
            life_minor: before.life_minor.saturating_add(amount_minor),
            year_minor: before.year_minor.saturating_add(amount_minor),
            day_minor: before.day_minor.saturating_add(amount_minor),
            day_look_only_minor: before.day_look_only_minor.saturating_add(if one_factor { amount_minor } else { 0 }),
            day_phone_minor: before.day_phone_minor.saturating_add(if by_phone { amount_minor } else { 0 }),
            look_only_run: match verified_by {
                VerifiedBy::Look => before.look_only_run.saturating_add(1),
                VerifiedBy::Voucher => before.look_only_run,
                VerifiedBy::LookAndPasscode | VerifiedBy::LookAndPhone => 0,
            },
            night_minor: before.night_minor.saturating_add(if rules.local_night(now).is_some() { amount_minor } else { 0 }),
            ..before
        }
    }

    /// The same after `amount_minor` that was held since `authorised_at` was released without having moved. A limit bounds
    /// what a thief could move, and this did not move.
    pub fn after_release(
        self,
        amount_minor: i64,
        verified_by: VerifiedBy,
        authorised_at: Timestamp,
        rules: &RulePack,
        now: Timestamp,
    ) -> Self {
        let before = self.as_of(rules, now);
        let less = |sum: i64, counted: bool| if counted { sum.saturating_sub(amount_minor).max(0) } else { sum };
        let (same_year, same_day) = (rules.local_year(authorised_at) == before.year, rules.local_day(authorised_at) == before.day);
        let one_factor = verified_by.tier() == Tier::C;
        Self {
            life_minor: less(before.life_minor, true),
            year_minor: less(before.year_minor, same_year),
            day_minor: less(before.day_minor, same_day),
            day_look_only_minor: less(before.day_look_only_minor, same_day && one_factor),
            day_phone_minor: less(before.day_phone_minor, same_day && verified_by == VerifiedBy::LookAndPhone),
            night_minor: less(before.night_minor, rules.local_night(authorised_at) == Some(before.night)),
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
