//! Signs of cash-out in what a payout consists of: round sums, by night, always the same payer.

use wire::settlement::HoldReason;

use crate::rules::RulePack;

/// The payments that one payout is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// How many.
    pub payments: u64,
    /// Their sum in minor units.
    pub sum_minor: i64,
    /// How many of them are round sums.
    pub round: u64,
    /// How many of them came by night.
    pub by_night: u64,
    /// The largest sum of one payer, in minor units.
    pub one_payer_minor: i64,
}

impl Profile {
    /// Why staff must look before it is paid out, if they must. Few payments say nothing.
    pub fn suspicion(&self, rules: &RulePack) -> Option<HoldReason> {
        let rules = &rules.settlement;
        if self.payments < rules.watch_payments_min {
            return None;
        }
        let more_than = |part: u128, whole: u128, percent: u64| part * 100 > whole * u128::from(percent);
        let (payments, sum) = (u128::from(self.payments), u128::from(self.sum_minor.unsigned_abs()));
        let signs = [
            (HoldReason::RoundSums, more_than(self.round.into(), payments, rules.round_share_max_percent)),
            (HoldReason::Night, more_than(self.by_night.into(), payments, rules.night_share_max_percent)),
            (HoldReason::OnePayer, more_than(self.one_payer_minor.unsigned_abs().into(), sum, rules.one_payer_share_max_percent)),
        ];
        signs.into_iter().find_map(|(reason, is_so)| is_so.then_some(reason))
    }
}
