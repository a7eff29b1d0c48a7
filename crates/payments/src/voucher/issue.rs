//! Which vouchers an account gets, and when a till's word about one is taken.

use base::time::Timestamp;
use wire::problem::Code;

use crate::account::Payer;
use crate::account::tier::Tier;
use crate::payment::judge::{check_limits, tier_allows};
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// What the next voucher of `payer` is worth, in minor units, while vouchers of `signed_minor` together have not expired, whatever
/// became of them: a till without network may have taken any. `None` when there is no room for one more.
///
/// # Errors
/// What refuses every payment of the payer's, as [`check_limits`]: the account's state, its limits, `insufficient_balance`.
pub fn next_voucher(payer: &Payer, signed_minor: i64, rules: &RulePack, now: Timestamp) -> Result<Option<i64>, Code> {
    let room_minor = rules.offline.day_max_minor.saturating_sub(signed_minor);
    if room_minor < 1 {
        return Ok(None);
    }
    // Whoever has less on account gets a smaller voucher; whoever has nothing hears so.
    let most_minor = room_minor.min(rules.offline.voucher_max_minor).min(payer.balance_minor.max(1));
    check_limits(most_minor, Tier::B, payer, rules, now)?;
    let used_minor = payer.person_usage().as_of(rules, now).day_look_only_minor;
    let halved = payer.newness.halved_until(rules, now).is_some();
    if tier_allows(Tier::C, used_minor, most_minor, halved, rules) { Ok(Some(most_minor)) } else { Err(Code::LimitExceeded) }
}

/// What became of a voucher, as far as the platform knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherState {
    /// Good: its sum is set aside.
    Open,
    /// A till's payment came in.
    Used,
    /// Its owner took it back, or the account was frozen, paused or closed.
    Stopped,
    /// Its time is over, and nothing came in.
    Expired,
}

impl VoucherState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Used, Self::Stopped, Self::Expired];

    /// The stable name, as in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
        }
    }

    /// The state of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a till says that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How much of the voucher, in minor units.
    pub amount_minor: i64,
    /// When, by the till's clock.
    pub at: Timestamp,
}

/// Whether what a till took becomes a payment, for a voucher of `most_minor` in `state` that no till takes from `expires_at` on.
///
/// # Errors
/// In this order: `voucher_used`, `voucher_stopped`, `voucher_expired` (its time was over when the till took it, or what was set
/// aside for it is released), `invalid_request` below 1, `voucher_exceeded`.
pub fn check_taken(taken: &Taken, state: VoucherState, most_minor: i64, expires_at: Timestamp) -> Result<(), Refusal> {
    match state {
        VoucherState::Used => return Err(Code::VoucherUsed.into()),
        VoucherState::Stopped => return Err(Code::VoucherStopped.into()),
        VoucherState::Expired => return Err(Code::VoucherExpired.into()),
        VoucherState::Open => {}
    }
    if taken.at >= expires_at {
        return Err(Code::VoucherExpired.into());
    }
    if taken.amount_minor < 1 {
        return Err(Refusal::of_field(Code::InvalidRequest, "amount_minor"));
    }
    if taken.amount_minor > most_minor { Err(Code::VoucherExceeded.into()) } else { Ok(()) }
}
