//! What is new about an account: a face or a device of yesterday pays little, and a device in place of a lost one halves
//! the limits for a while, so that whoever took over an account cannot empty it before its owner hears of it.

use base::time::Timestamp;

use crate::rules::RulePack;

/// When what is new began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Newness {
    /// When its face was enrolled.
    pub enrolled_at: Option<Timestamp>,
    /// When its newest device was bound.
    pub device_bound_at: Option<Timestamp>,
    /// When a device was last bound in place of a lost one.
    pub rebound_at: Option<Timestamp>,
}

impl Newness {
    /// Until when a payment is at most the rules' `cooling_off_payment_max_minor`; `None` if nothing is that new.
    pub fn cooling_off_until(&self, rules: &RulePack, now: Timestamp) -> Option<Timestamp> {
        let newest = self.enrolled_at.into_iter().chain(self.device_bound_at).max()?;
        Some(newest.plus_millis(rules.devices.cooling_off_s * 1000)).filter(|end| now < *end)
    }

    /// Until when limits are half; `None` if they are whole.
    pub fn halved_until(&self, rules: &RulePack, now: Timestamp) -> Option<Timestamp> {
        let end = self.rebound_at?.plus_millis(rules.devices.halved_s * 1000);
        Some(end).filter(|end| now < *end)
    }
}
