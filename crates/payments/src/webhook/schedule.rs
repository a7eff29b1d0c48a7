//! When an event is sent again. The steps are those that the Standard Webhooks rules propose.

use base::time::Timestamp;

/// Attempts before a delivery is dead.
pub const ATTEMPTS_MAX: u32 = STEPS_S.len() as u32;

/// Seconds between one attempt and the next; the first is made at once. Together about 76 hours.
pub const STEPS_S: [u64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// When the next attempt is due after `attempts` failed ones, the last of them at `now`; `None` if there is none left.
///
/// `random` spreads the receivers of one outage: each step takes up to a tenth longer.
pub fn next_due(attempts: u32, now: Timestamp, random: u32) -> Option<Timestamp> {
    let step_ms = STEPS_S.get(attempts as usize)? * 1000;
    let jitter_ms = step_ms / 10 * u64::from(random) / u64::from(u32::MAX);
    Some(now.plus_millis(step_ms + jitter_ms))
}
