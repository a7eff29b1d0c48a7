//! One event on its way to one endpoint.

use base::time::Timestamp;
use wire::merchant::{DeliveryFailure, DeliveryStatus};

use super::schedule::next_due;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Pending, delivered or dead.
    pub status: DeliveryStatus,
    /// Attempts since it was queued or last replayed.
    pub attempts: u32,
    /// When the next attempt is due; only while it is pending.
    pub due_at: Option<Timestamp>,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver answered with this HTTP status.
    Answered(u16),
    /// There was no answer.
    Failed(DeliveryFailure),
}

/// What an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// Where the delivery stands now.
    pub delivery: Delivery,
    /// Whether the receiver said that it wants nothing more: its endpoint is switched off.
    pub endpoint_gone: bool,
}

impl Delivery {
    /// A new one: due at once.
    pub const fn queued(now: Timestamp) -> Self {
        Self { status: DeliveryStatus::Pending, attempts: 0, due_at: Some(now) }
    }

    /// What an attempt at `now` leads to. A 2xx delivers; a 410 ends it and switches the endpoint off; everything else,
    /// redirects too, is tried again as [`super::schedule`] says, and dead after the last time. `random` is the jitter's.
    ///
    /// # Panics
    /// If it is not pending: nobody may attempt it then.
    pub fn after(self, attempt: Attempt, now: Timestamp, random: u32) -> After {
        assert!(self.status == DeliveryStatus::Pending, "only a pending delivery is attempted");
        let attempts = self.attempts + 1;
        let ended = |status| Self { status, attempts, due_at: None };
        match attempt {
            Attempt::Answered(200..=299) => After { delivery: ended(DeliveryStatus::Delivered), endpoint_gone: false },
            Attempt::Answered(410) => After { delivery: ended(DeliveryStatus::Dead), endpoint_gone: true },
            Attempt::Answered(_) | Attempt::Failed(_) => {
                let delivery = match next_due(attempts, now, random) {
                    Some(due_at) => Self { status: DeliveryStatus::Pending, attempts, due_at: Some(due_at) },
                    None => ended(DeliveryStatus::Dead),
                };
                After { delivery, endpoint_gone: false }
            }
        }
    }

    /// The same from the beginning, because its merchant asks for it: whatever came of it before.
    pub const fn replayed(now: Timestamp) -> Self {
        Self::queued(now)
    }
}
