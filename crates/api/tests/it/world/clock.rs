//! A clock that begins on a fixed day, runs by itself and can be put forward.

use std::sync::atomic::{AtomicU64, Ordering};

use base::time::{Clock, Timestamp};
use tokio::time::Instant;

/// 2026-11-20T04:00:00Z, noon in China, after the rule pack's first day.
const BEGIN_MS: u64 = 1_795_147_200_000;

pub struct TestClock {
    begun: Instant,
    ahead_ms: AtomicU64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { begun: Instant::now(), ahead_ms: AtomicU64::new(0) }
    }
}

impl TestClock {
    pub fn put_forward(&self, millis: u64) {
        self.ahead_ms.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(BEGIN_MS + self.begun.elapsed().as_millis() as u64 + self.ahead_ms.load(Ordering::SeqCst))
    }
}
