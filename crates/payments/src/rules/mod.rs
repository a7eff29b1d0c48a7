//! Rule packs: the numbers that a regulator or the institution sets, as dated data. Changing one is a change of
//! `rules/*.toml`, and every payment records the version that judged it.

use base::money::Currency;
use base::time::Timestamp;
use serde::Deserialize;
use wire::api::IdentityClass;

use self::part::{
    Classes, Clocks, DeviceRules, DisputeRules, DuressRules, GalleryRules, HelperRules, HoldRules, OfflineRules, OwnerLimitRules,
    PasscodeRules, RefundRules, ServiceRules, SettlementRules, Strength, TopUpRules, UndoRules, WatchRules,
};
use crate::account::tier::Tier;

mod calendar;
mod check;
mod numbers;
pub mod part;
mod search;

pub use numbers::Number;

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
    /// A pack that has judged says something else now.
    #[error(
        "rule pack {version} has judged payments with {name} = {was}, and the file now says {is}: whoever edits the file puts it back, and \
         gives what changes a new [[pack]] with its own version and date"
    )]
    Changed {
        /// The pack.
        version: String,
        /// The number's name, such as `strength.look_only_day_max_minor`.
        name: String,
        /// What it judged with.
        was: String,
        /// What the file says now.
        is: String,
    },
    /// The date is before the first pack's.
    #[error("no rule pack is in force at {0} ms since 1970: check the machine's clock")]
    NotYetInForce(u64),
}

/// All packs of a jurisdiction, oldest first.
#[derive(Clone, Debug)]
pub struct RuleBook {
    packs: Vec<RulePack>,
    numbers: Vec<Number>,
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
    /// Money that is held for a later capture.
    pub holds: HoldRules,
    /// Paying while the till has no network.
    pub offline: OfflineRules,
    /// Refunds.
    pub refunds: RefundRules,
    /// Devices that approve, and what is new.
    pub devices: DeviceRules,
    /// Taking a small payment back oneself.
    pub undo: UndoRules,
    /// Limits that owners set.
    pub owner_limits: OwnerLimitRules,
    /// Trusted helpers.
    pub helpers: HelperRules,
    /// The passcode that is given under threat.
    pub duress: DuressRules,
    /// Payments that their payer disputes.
    pub disputes: DisputeRules,
    /// Customer service.
    pub service: ServiceRules,
    /// Paying merchants out.
    pub settlement: SettlementRules,
    /// Signs of laundering.
    pub watch: WatchRules,
    /// How many people one look may be compared with.
    pub gallery: GalleryRules,
    /// Top-ups from the bank.
    pub top_ups: TopUpRules,
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
        Ok(Self { packs, numbers: numbers::of_file(text)? })
    }

    /// Every number of every pack, for whoever keeps what payments were judged by.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
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

    /// What an account of this class may pay, and from when that counts.
    pub fn class_cap(&self, class: IdentityClass) -> ClassCap {
        match class {
            IdentityClass::I => ClassCap { max_minor: self.classes.class_1_life_max_minor, period: CapPeriod::Life },
            IdentityClass::II => ClassCap { max_minor: self.classes.class_2_year_max_minor, period: CapPeriod::Year },
            IdentityClass::III => ClassCap { max_minor: self.classes.class_3_year_max_minor, period: CapPeriod::Year },
        }
    }

    /// Largest sum that a person pays in a day in this tier, in minor units; `None` where the parties agree freely.
    pub fn tier_day_max_minor(&self, tier: Tier) -> Option<i64> {
        match tier {
            Tier::A => None,
            Tier::B => Some(self.strength.two_factor_day_max_minor),
            Tier::C => Some(self.strength.look_only_day_max_minor),
            Tier::D => Some(self.strength.static_code_day_max_minor),
        }
    }

    /// The night that `now` lies in, as the local day on which it began; `None` by day.
    pub fn local_night(&self, now: Timestamp) -> Option<u32> {
        let local = now.plus_millis(u64::from(self.utc_offset_minutes) * MINUTE_MS);
        let minute = (local.millis() % calendar::DAY_MS) / MINUTE_MS;
        let OwnerLimitRules { night_from_minute, night_until_minute, .. } = self.owner_limits;
        if minute >= u64::from(night_from_minute) {
            Some(self.local_day(now))
        } else if minute < u64::from(night_until_minute) {
            Some(self.local_day(now).saturating_sub(1))
        } else {
            None
        }
    }

    /// The local day of `now`: days since 1970-01-01.
    pub fn local_day(&self, now: Timestamp) -> u32 {
        calendar::day_of(now.plus_millis(u64::from(self.utc_offset_minutes) * MINUTE_MS))
    }

    /// When the local day of `now` began.
    pub fn local_midnight(&self, now: Timestamp) -> Timestamp {
        let local_ms = u64::from(self.local_day(now)) * calendar::DAY_MS;
        Timestamp::from_millis(local_ms.saturating_sub(u64::from(self.utc_offset_minutes) * MINUTE_MS))
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
