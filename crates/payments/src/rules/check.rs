//! Whether the numbers of a rule pack fit each other.

use super::RulePack;
use super::part::Strength;

const DAY_MINUTES: u32 = 24 * 60;

impl RulePack {
    /// The first contradiction, in words for whoever edits the file.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let Strength { two_factor_day_max_minor, look_only_day_max_minor, look_only_payment_max_minor, static_code_day_max_minor, .. } =
            self.strength;
        let (limits, disputes, settlement, offline) = (&self.owner_limits, &self.disputes, &self.settlement, &self.offline);
        let checks = [
            (self.effective_at().is_none(), "effective_from is no date of the form YYYY-MM-DD after 1970-01-01"),
            (self.utc_offset_minutes >= DAY_MINUTES, "utc_offset_minutes is a day or more"),
            (look_only_payment_max_minor < 0, "look_only_payment_max_minor is negative"),
            (look_only_day_max_minor < look_only_payment_max_minor, "look_only_payment_max_minor is above look_only_day_max_minor"),
            (two_factor_day_max_minor < look_only_day_max_minor, "look_only_day_max_minor is above two_factor_day_max_minor"),
            (look_only_day_max_minor < static_code_day_max_minor, "static_code_day_max_minor is above look_only_day_max_minor"),
            (static_code_day_max_minor < 0, "static_code_day_max_minor is negative"),
            (self.classes.class_1_life_max_minor < 0, "class_1_life_max_minor is negative"),
            (self.classes.class_3_year_max_minor < self.classes.class_2_year_max_minor, "class II may pay more than class III"),
            (self.classes.class_2_year_max_minor < self.classes.class_1_life_max_minor, "class I may pay more than class II"),
            (self.classes.class_1_channels_min == 0, "class_1_channels_min is 0: nobody has an account unchecked"),
            (self.classes.class_2_channels_min < self.classes.class_1_channels_min, "class II needs fewer channels than class I"),
            (self.classes.class_3_channels_min < self.classes.class_2_channels_min, "class III needs fewer channels than class II"),
            (self.passcode.wrong_max == 0, "wrong_max is 0"),
            (self.passcode.lock_minutes.is_empty(), "lock_minutes is empty"),
            (self.passcode.lock_minutes.contains(&0), "a lock of 0 minutes is no lock"),
            (self.clocks.payment_lifetime_s < self.clocks.challenge_lifetime_s, "challenges outlive payments"),
            (self.clocks.challenge_lifetime_s == 0 || self.clocks.enrolment_lifetime_s == 0, "a lifetime is 0"),
            (self.devices.approval_lifetime_s == 0 || self.devices.devices_max == 0, "nobody can bind a device"),
            (self.devices.cooling_off_payment_max_minor < 0, "cooling_off_payment_max_minor is negative"),
            (self.holds.lifetime_s == 0, "a hold ends when it begins"),
            (offline.voucher_max_minor < 1, "a voucher is worth nothing"),
            (offline.voucher_max_minor > i64::from(u32::MAX), "voucher_max_minor is above what a voucher can say"),
            (offline.day_max_minor < offline.voucher_max_minor, "voucher_max_minor is above day_max_minor"),
            (offline.day_max_minor > offline.voucher_max_minor.saturating_mul(20), "an account would have more than 20 vouchers"),
            (offline.voucher_lifetime_s == 0 || offline.list_age_max_s == 0, "no voucher is ever taken"),
            (self.undo.payment_max_minor < 0, "undo.payment_max_minor is negative"),
            (limits.night_from_minute >= DAY_MINUTES, "night_from_minute is a day or more"),
            (limits.night_until_minute > limits.night_from_minute, "the night ends after it begins on the same day"),
            (limits.night_max_minor < 0, "night_max_minor is negative"),
            (self.helpers.notable_payment_minor < 0, "notable_payment_minor is negative"),
            (self.duress.payment_max_minor < 0, "duress.payment_max_minor is negative"),
            (disputes.credit_at_once_max_minor < 0, "credit_at_once_max_minor is negative"),
            (disputes.extended_within_days < disputes.decide_within_days, "prolonging a dispute makes it shorter"),
            (disputes.decide_within_days == 0, "a dispute has no time"),
            (self.service.look_ups_per_hour_max == 0 || self.service.case_open_s == 0, "customer service can do nothing"),
            (settlement.delay_days == 0, "what is paid today cannot be paid out whole today: delay_days is 0"),
            (settlement.payout_min_minor < 1, "payout_min_minor is below 1"),
            (settlement.round_sum_minor < 1, "round_sum_minor is below 1"),
            (self.watch.person_day_minor < 1 || self.watch.organisation_day_minor < 1, "every day would be reported"),
            (self.watch.structuring_count == 0, "structuring_count is 0"),
            (self.top_ups.max_minor < 1, "no top-up is possible"),
        ];
        checks.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason)).or_else(|| self.search_contradiction())
    }
}
