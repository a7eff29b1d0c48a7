//! Has the parties make the MACs of their galleries' segments when nothing has changed for a while: a search with them costs
//! half of one that makes its own.

use std::time::Duration;

use base::id::SessionId;
use tokio::time::Instant;

use crate::app::SharedApp;
use crate::identification::common_sequence;

/// Looks for ever at whether the galleries have settled.
pub async fn keep_made(app: SharedApp) {
    let mut settled = Settled { sequence: 0, since: Instant::now(), made_at: None };
    loop {
        tokio::time::sleep(Duration::from_millis(app.timing.gallery_interval_ms)).await;
        let Some(sequence) = common_sequence(&app.resolver.status().await) else { continue };
        if settled.is_time(sequence, &app) && make_all(&app).await {
            settled.made_at = Some(Instant::now());
        }
    }
}

/// Since when the galleries have been where they are, and when MACs were made for them.
struct Settled {
    sequence: u64,
    since: Instant,
    made_at: Option<Instant>,
}

impl Settled {
    fn is_time(&mut self, sequence: u64, app: &SharedApp) -> bool {
        if sequence != self.sequence {
            *self = Self { sequence, since: Instant::now(), made_at: None };
        }
        let has_settled = self.since.elapsed() >= Duration::from_millis(app.timing.settle_ms);
        // A party throws a MAC away that did not fit, and one that was rebuilt has none.
        let is_old = |made_at: Instant| made_at.elapsed() >= Duration::from_millis(app.timing.seal_again_ms);
        has_settled && self.made_at.is_none_or(is_old)
    }
}

/// Asks until no segment is without; whether that was reached. Searches go on in between, and so may a change, with which
/// it ends.
async fn make_all(app: &SharedApp) -> bool {
    loop {
        let gate = app.gallery_gate.read().await;
        let Some(sequence) = common_sequence(&app.resolver.status().await) else { return false };
        let missing = app.resolver.seal(app.new_id(SessionId::new), sequence, app.timing.apply_ms).await;
        drop(gate);
        match missing {
            Ok(0) => return true,
            Ok(missing) => tracing::debug!(missing, "segments without a MAC"),
            Err(failed) => {
                tracing::warn!(%failed, "the parties could not make MACs; they will be asked again");
                return false;
            }
        }
    }
}
