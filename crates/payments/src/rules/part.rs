//! The parts of a rule pack, one for each table of the file.

use serde::Deserialize;
use wire::api::Part;

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
    /// Largest sum a person pays in a day by a code that does not change, whatever else is verified (tier D).
    pub static_code_day_max_minor: i64,
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
    /// Class I: outside channels that agree on who somebody is.
    pub class_1_channels_min: u32,
    /// Class II: the same.
    pub class_2_channels_min: u32,
    /// Class III: the same.
    pub class_3_channels_min: u32,
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

/// Devices that approve, and what is new.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRules {
    /// From what a device is asked to its answer, in seconds.
    pub approval_lifetime_s: u64,
    /// Most devices of one account.
    pub devices_max: u32,
    /// How long after it was opened an account may bind its first device without more, in seconds.
    pub first_device_s: u64,
    /// How long a new face or device is watched, in seconds.
    pub cooling_off_s: u64,
    /// Largest payment in that time, in minor units.
    pub cooling_off_payment_max_minor: i64,
    /// How long limits are half after a device was bound in place of a lost one, in seconds.
    pub halved_s: u64,
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

/// Customer service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRules {
    /// Most cases that one clerk looks up in an hour, those that do not exist among them.
    pub look_ups_per_hour_max: u32,
    /// How long after a look-up its case may be acted on, in seconds.
    pub case_open_s: u64,
}

/// Paying merchants out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementRules {
    /// Local days from a payment to its payout: with 1, what was paid until midnight is paid out from then on.
    pub delay_days: u32,
    /// Smallest payout in minor units.
    pub payout_min_minor: i64,
    /// Seconds from a bank account's approval until it is paid to.
    pub bank_account_hold_s: u64,
    /// Payments of one payout from which on their pattern is watched.
    pub watch_payments_min: u64,
    /// A payment of a multiple of this is a round sum, in minor units.
    pub round_sum_minor: i64,
    /// Most round sums among 100 payments.
    pub round_share_max_percent: u64,
    /// Most payments by night among 100.
    pub night_share_max_percent: u64,
    /// Most of 100 minor units that may come from one payer.
    pub one_payer_share_max_percent: u64,
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
    /// The same in a part of the gallery that nobody has said to be in: most who look are strangers to it.
    pub narrow_match_budget_ppm: u64,
    /// Which parts may be searched, in the order in which they are tried.
    pub search_order: Vec<Part>,
}

/// Signs of laundering in what an account did on one local day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchRules {
    /// What an organisation takes in or gives out from which on it is reported, in minor units.
    pub organisation_day_minor: i64,
    /// What a person takes in or gives out from which on it is reported, in minor units.
    pub person_day_minor: i64,
    /// Top-ups near the largest that are structuring.
    pub structuring_count: u64,
    /// How near, in 100 of the largest.
    pub structuring_percent: i64,
    /// Smallest sum that came in for a pass-through, in minor units.
    pub pass_through_min_minor: i64,
    /// How much of 100 of it went on to one payee.
    pub pass_through_percent: i64,
    /// Days without a movement after which an account is dormant.
    pub dormant_days: u64,
    /// Smallest sum moved on the day on which it wakes, in minor units.
    pub dormant_min_minor: i64,
}

/// Top-ups from the bank.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUpRules {
    /// Largest single top-up in minor units.
    pub max_minor: i64,
}

/// Money that is held for a later capture.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRules {
    /// From the authorisation until what was not captured is released, in seconds.
    pub lifetime_s: u64,
}

/// Paying while the till has no network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineRules {
    /// Most that one voucher is worth, in minor units.
    pub voucher_max_minor: i64,
    /// Most that all vouchers of one account together are worth whose lifetime is not over, in minor units.
    pub day_max_minor: i64,
    /// How long tills take a voucher, in seconds.
    pub voucher_lifetime_s: u64,
    /// How long after that its sum stays set aside for tills that took it and still have no network, in seconds.
    pub upload_grace_s: u64,
    /// Oldest list of stopped vouchers with which a till takes vouchers, in seconds.
    pub list_age_max_s: u64,
}

/// Taking a small payment back oneself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoRules {
    /// Seconds after the payment in which its payer may.
    pub window_s: u64,
    /// Largest payment that may be taken back so, in minor units.
    pub payment_max_minor: i64,
}

/// Limits that owners set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerLimitRules {
    /// Seconds until a limit that was raised counts; a lowered one counts at once.
    pub raise_after_s: u64,
    /// When the night begins, in minutes after local midnight.
    pub night_from_minute: u32,
    /// When it ends, in minutes after local midnight.
    pub night_until_minute: u32,
    /// Largest sum of a night unless the owner says otherwise, in minor units.
    pub night_max_minor: i64,
}

/// Trusted helpers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelperRules {
    /// Most helpers of one account.
    pub most: u32,
    /// How many days somebody who was asked may agree.
    pub invitation_days: u64,
    /// From which sum on, in minor units, a payment is pointed out to helpers.
    pub notable_payment_minor: i64,
}

/// The passcode that is given under threat.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuressRules {
    /// Largest payment that it pays, in minor units.
    pub payment_max_minor: i64,
}

/// Payments that their payer disputes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeRules {
    /// Days after the payment in which it may be disputed.
    pub window_days: u64,
    /// Largest sum that is credited at once, in minor units.
    pub credit_at_once_max_minor: i64,
    /// Seconds until a larger sum is credited unless it is decided by then.
    pub credit_within_s: u64,
    /// Days until it is decided.
    pub decide_within_days: u64,
    /// Days until it is decided when the time was prolonged, once, with the reason told.
    pub extended_within_days: u64,
    /// Days after a rejection in which its payer may appeal, once.
    pub appeal_within_days: u64,
}
