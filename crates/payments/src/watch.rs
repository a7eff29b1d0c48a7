//! Signs of laundering in what an account did on one local day. They refuse nothing: staff looks, and the authority is told what
//! the law wants it to be told (PBoC order 2016-3).

use crate::rules::RulePack;

/// What a wallet did on one day, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalletDay {
    /// Came from the bank, as refunds and as compensation.
    pub in_minor: i64,
    /// Went to payees.
    pub out_minor: i64,
    /// The largest sum that went to one payee.
    pub one_payee_minor: i64,
    /// Top-ups near the largest that is allowed; see [`RulePack::is_near_top_up_max`].
    pub top_ups_near_max: u64,
    /// Whole days since the movement before; `None` if this day has the first.
    pub still_days: Option<u64>,
}

/// Why staff should look at a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// So much came or went that the authority must be told.
    LargeAmount,
    /// Money came in parts that stay just below a threshold.
    Structuring,
    /// What came went on to one payee on the same day.
    PassThrough,
    /// An account that had been still for long moves much.
    DormantWoke,
}

impl RulePack {
    /// Whether a top-up is so near the largest that three of them are structuring.
    pub fn is_near_top_up_max(&self, amount_minor: i64) -> bool {
        amount_minor >= self.near_top_up_max_minor()
    }

    /// The smallest such top-up, in minor units.
    pub fn near_top_up_max_minor(&self) -> i64 {
        percent_of(self.watch.structuring_percent, self.top_ups.max_minor)
    }

    /// The smallest sum of a day that can be a sign of anything, in minor units.
    pub fn watched_day_min_minor(&self) -> i64 {
        let watch = &self.watch;
        let structuring = self.near_top_up_max_minor().saturating_mul(i64::try_from(watch.structuring_count).unwrap_or(i64::MAX));
        [watch.person_day_minor, structuring, watch.pass_through_min_minor, watch.dormant_min_minor].into_iter().min().unwrap_or(0)
    }
}

impl WalletDay {
    /// All signs of the day.
    pub fn signs(&self, rules: &RulePack) -> Vec<Sign> {
        let watch = &rules.watch;
        let signs = [
            (Sign::LargeAmount, self.in_minor.max(self.out_minor) >= watch.person_day_minor),
            (Sign::Structuring, self.top_ups_near_max >= watch.structuring_count),
            (
                Sign::PassThrough,
                self.in_minor >= watch.pass_through_min_minor
                    && self.one_payee_minor >= percent_of(watch.pass_through_percent, self.in_minor),
            ),
            (
                Sign::DormantWoke,
                self.still_days.is_some_and(|days| days >= watch.dormant_days)
                    && self.in_minor.max(self.out_minor) >= watch.dormant_min_minor,
            ),
        ];
        signs.into_iter().filter_map(|(sign, is_so)| is_so.then_some(sign)).collect()
    }
}

/// So much of 100 of a sum, rounded up.
fn percent_of(percent: i64, minor: i64) -> i64 {
    i64::try_from((i128::from(minor) * i128::from(percent) + 99) / 100).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use base::time::Timestamp;

    use super::*;
    use crate::rules::RuleBook;

    /// T31: each sign at its edge.
    #[test]
    fn t31_every_sign_begins_where_the_rules_say() {
        let book = RuleBook::parse(include_str!("../../../rules/cn.toml")).expect("sound");
        let rules = book.in_force(Timestamp::from_millis(1_795_000_000_000)).expect("in force");
        let day = WalletDay::default();
        for (what, day, signs) in [
            ("in, one fen below", WalletDay { in_minor: 49_999_999, ..day }, &[][..]),
            ("in", WalletDay { in_minor: 50_000_000, ..day }, &[Sign::LargeAmount]),
            ("out", WalletDay { out_minor: 50_000_000, ..day }, &[Sign::LargeAmount]),
            ("two parts", WalletDay { top_ups_near_max: 2, ..day }, &[]),
            ("three parts", WalletDay { top_ups_near_max: 3, ..day }, &[Sign::Structuring]),
            ("passed on", WalletDay { in_minor: 400_000, one_payee_minor: 360_000, ..day }, &[Sign::PassThrough]),
            ("not all", WalletDay { in_minor: 400_000, one_payee_minor: 359_999, ..day }, &[]),
            ("little", WalletDay { in_minor: 399_999, one_payee_minor: 399_999, ..day }, &[]),
            ("woke", WalletDay { out_minor: 200_000, still_days: Some(180), ..day }, &[Sign::DormantWoke]),
            ("was not still", WalletDay { out_minor: 200_000, still_days: Some(179), ..day }, &[]),
            ("is new", WalletDay { out_minor: 200_000, still_days: None, ..day }, &[]),
            ("moves little", WalletDay { out_minor: 199_999, still_days: Some(999), ..day }, &[]),
        ] {
            assert_eq!(day.signs(rules), signs, "{what}");
        }
        assert_eq!((rules.is_near_top_up_max(450_000), rules.is_near_top_up_max(449_999)), (true, false));
        assert_eq!(rules.watched_day_min_minor(), 200_000);
    }
}
