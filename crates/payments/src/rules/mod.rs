//! Rule packs: the numbers that a regulator or the institution sets, as dated data. Changing one is a change of
//! `rules/*.toml`, and every payment records the version that judged it.

use base::money::Currency;
use base::time::Timestamp;
use serde::Deserialize;
use wire::api::IdentityClass;

mod calendar;

const MINUTE_MS: u64 = 60_000;

/// Why a file of rule packs is not taken. Whoever edits the file can mend it.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The text is no rule pack.
    #[error("the rule packs cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// A number contradicts another.
    #[error("rule pack {version}: {reason}")]
    Contradiction {
        /// The pack at fault.
        version: String,
        /// What contradicts what.
        reason: &'static str,
    },
    /// There is no pack at all.
    #[error("the file holds no rule pack")]
    Empty,
    /// The date is before the first pack's.
    #[error("no rule pack is in force at {0} ms since 1970: check the machine's clock")]
    NotYetInForce(u64),
}

/// All packs of a jurisdiction, oldest first.
#[derive(Clone, Debug)]
pub struct RuleBook {
    packs: Vec<RulePack>,
}

/// The rules of one jurisdiction from one date on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Its name on receipts, such as `cn/2026-11-01`.
    pub version: String,
    /// The first local day it holds, as `YYYY-MM-DD`.
    pub effective_from: String,
    /// The jurisdiction's clock: minutes east of UTC. Days and years of caps begin by it.
    pub utc_offset_minutes: u32,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// How strongly a payer must be known for how much.
    pub strength: Strength,
    /// What accounts may pay from their balance, by identity class.
    pub classes: Classes,
    /// The payment passcode's attempts.
    pub passcode: PasscodeRules,
    /// How long things live.
    pub clocks: Clocks,
    /// Refunds.
    pub refunds: RefundRules,
    /// How many people one look may be compared with.
    pub gallery: GalleryRules,
    /// Top-ups from the bank.
    pub top_ups: TopUpRules,
}

/// How strongly a payer must be known for how much.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Largest sum a person pays in a day with two factors and no certificate (tier B), in minor units.
    pub two_factor_day_max_minor: i64,
    /// Largest sum a person pays in a day by look alone (tier C), in minor units.
    pub look_only_day_max_minor: i64,
    /// Largest single payment by look alone, in minor units.
    pub look_only_payment_max_minor: i64,
    /// Most payments by look alone in a row: the next one asks for the passcode.
    pub look_only_run_max: u32,
}

/// What accounts may pay from their balance, by identity class, in minor units.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// Class I: since the account was opened.
    pub class_1_life_max_minor: i64,
    /// Class II: in a calendar year.
    pub class_2_year_max_minor: i64,
    /// Class III: in a calendar year.
    pub class_3_year_max_minor: i64,
}

/// The payment passcode's attempts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasscodeRules {
    /// Wrong tries in a row until the lock.
    pub wrong_max: u32,
    /// How long the first, second, … lock lasts; the last one repeats. Minutes.
    pub lock_minutes: Vec<u64>,
}

/// How long things live.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// From a payment's challenge to the look's arrival, in seconds.
    pub challenge_lifetime_s: u64,
    /// From an enrolment's challenge to the template's arrival, in seconds.
    pub enrolment_lifetime_s: u64,
    /// From a payment's beginning until it is given up, in seconds.
    pub payment_lifetime_s: u64,
}

/// Refunds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRules {
    /// Days after the payment in which it may be refunded.
    pub window_days: u64,
    /// Most refunds of one payment.
    pub count_max: u32,
}

/// How many people one look may be compared with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GalleryRules {
    /// Two strangers' looks that pass the accept threshold, per 1,000,000,000 comparisons. Goes with the threshold that
    /// the parties use.
    pub false_match_rate_ppb: u64,
    /// Strangers' looks that may meet somebody in the whole search, per 1,000,000 looks.
    pub false_match_budget_ppm: u64,
}

/// Top-ups from the bank.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUpRules {
    /// Largest single top-up in minor units.
    pub max_minor: i64,
}

impl RuleBook {
    /// Reads the packs of one file (`[[pack]]` tables) and checks that they make sense.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            pack: Vec<RulePack>,
        }
        let mut packs = toml::from_str::<File>(text)?.pack;
        if packs.is_empty() {
            return Err(RulesError::Empty);
        }
        for pack in &packs {
            pack.contradiction().map_or(Ok(()), |reason| Err(RulesError::Contradiction { version: pack.version.clone(), reason }))?;
        }
        packs.sort_by_key(RulePack::effective_at);
        Ok(Self { packs })
    }

    /// The pack that holds at `now`: the youngest that has begun.
    pub fn in_force(&self, now: Timestamp) -> Result<&RulePack, RulesError> {
        self.packs.iter().rfind(|pack| pack.effective_at() <= Some(now)).ok_or(RulesError::NotYetInForce(now.millis()))
    }
}

impl RulePack {
    /// When it begins; `None` if its date is no date, which [`RuleBook::parse`] refuses.
    fn effective_at(&self) -> Option<Timestamp> {
        let day = calendar::day_of_date(&self.effective_from)?;
        Some(Timestamp::from_millis((day * calendar::DAY_MS).checked_sub(u64::from(self.utc_offset_minutes) * MINUTE_MS)?))
    }

    fn contradiction(&self) -> Option<&'static str> {
        let Strength { two_factor_day_max_minor, look_only_day_max_minor, look_only_payment_max_minor, .. } = self.strength;
        let checks = [
            (self.effective_at().is_none(), "effective_from is no date of the form YYYY-MM-DD after 1970-01-01"),
            (self.utc_offset_minutes >= 24 * 60, "utc_offset_minutes is a day or more"),
            (look_only_payment_max_minor < 0, "look_only_payment_max_minor is negative"),
            (look_only_day_max_minor < look_only_payment_max_minor, "look_only_payment_max_minor is above look_only_day_max_minor"),
            (two_factor_day_max_minor < look_only_day_max_minor, "look_only_day_max_minor is above two_factor_day_max_minor"),
            (self.classes.class_1_life_max_minor < 0, "class_1_life_max_minor is negative"),
            (self.classes.class_3_year_max_minor < self.classes.class_2_year_max_minor, "class II may pay more than class III"),
            (self.classes.class_2_year_max_minor < self.classes.class_1_life_max_minor, "class I may pay more than class II"),
            (self.passcode.wrong_max == 0, "wrong_max is 0"),
            (self.passcode.lock_minutes.is_empty(), "lock_minutes is empty"),
            (self.passcode.lock_minutes.contains(&0), "a lock of 0 minutes is no lock"),
            (self.clocks.payment_lifetime_s < self.clocks.challenge_lifetime_s, "challenges outlive payments"),
            (self.clocks.challenge_lifetime_s == 0 || self.clocks.enrolment_lifetime_s == 0, "a lifetime is 0"),
            (self.gallery.false_match_rate_ppb == 0, "no matcher has a false-match rate of 0"),
            (self.top_ups.max_minor < 1, "no top-up is possible"),
        ];
        checks.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason))
    }

    /// Whether searching `gallery_len` people breaks the false-match budget, so that one more thing is needed: the
    /// phone's last four digits for the whole gallery, the passcode for a part of it. At most
    /// `false_match_budget_ppm / false_match_rate_ppb * 1000` people are searched without.
    pub fn search_too_large(&self, gallery_len: u64) -> bool {
        let expected_ppb = u128::from(gallery_len) * u128::from(self.gallery.false_match_rate_ppb);
        expected_ppb > u128::from(self.gallery.false_match_budget_ppm) * 1000
    }

    /// What an account of this class may pay, and from when that counts.
    pub fn class_cap(&self, class: IdentityClass) -> ClassCap {
        match class {
            IdentityClass::I => ClassCap { max_minor: self.classes.class_1_life_max_minor, period: CapPeriod::Life },
            IdentityClass::II => ClassCap { max_minor: self.classes.class_2_year_max_minor, period: CapPeriod::Year },
            IdentityClass::III => ClassCap { max_minor: self.classes.class_3_year_max_minor, period: CapPeriod::Year },
        }
    }

    /// The local day of `now`: days since 1970-01-01.
    pub fn local_day(&self, now: Timestamp) -> u32 {
        calendar::day_of(now.plus_millis(u64::from(self.utc_offset_minutes) * MINUTE_MS))
    }

    /// The local calendar year of `now`.
    pub fn local_year(&self, now: Timestamp) -> u32 {
        calendar::year_of_day(self.local_day(now))
    }
}

/// A cap on payments from the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCap {
    /// In minor units.
    pub max_minor: i64,
    /// From when payments count.
    pub period: CapPeriod,
}

/// From when payments count towards a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapPeriod {
    /// Since the account was opened.
    Life,
    /// Since the local year began.
    Year,
}

#[cfg(test)]
mod tests;
