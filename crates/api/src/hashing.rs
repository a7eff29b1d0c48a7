//! How many passcodes are hashed at once. One hash takes 19 MiB and a processor for some 20 ms, and signing in is open to
//! anybody: without a bound, a thousand requests would take all memory. Tills wait in a lane of their own, so that a flood of
//! sign-ins holds up no payment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::problem::Code;

use crate::problem::Answer;

/// Who waits longer for a turn is asked to come again.
const WAIT: Duration = Duration::from_secs(5);

/// Who asks for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A till, which the platform knows.
    Till,
    /// Anybody with a browser.
    Wallet,
}

/// The turns to hash.
pub struct Hashing {
    tills: Arc<Semaphore>,
    wallets: Arc<Semaphore>,
    wait: Duration,
}

impl Hashing {
    /// As many turns in each lane as there are processors.
    pub fn new() -> Self {
        Self::with(std::thread::available_parallelism().map_or(1, usize::from), WAIT)
    }

    fn with(turns: usize, wait: Duration) -> Self {
        Self { tills: Arc::new(Semaphore::new(turns)), wallets: Arc::new(Semaphore::new(turns)), wait }
    }

    /// A turn to hash; the next one comes when it is dropped.
    ///
    /// # Errors
    /// `request_in_flight` after five seconds: whoever asked may send the same request again.
    pub async fn turn(&self, lane: Lane) -> Answer<OwnedSemaphorePermit> {
        let turns = match lane {
            Lane::Till => self.tills.clone(),
            Lane::Wallet => self.wallets.clone(),
        };
        match tokio::time::timeout(self.wait, turns.acquire_owned()).await {
            Ok(turn) => Ok(turn.expect("nobody closes the lanes")),
            Err(_) => {
                tracing::warn!(?lane, "too many passcodes to hash");
                Err(Code::RequestInFlight.into())
            }
        }
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_turns_than_there_are_and_none_is_waited_for_long() {
        let hashing = Hashing::with(2, Duration::from_millis(50));
        let first = hashing.turn(Lane::Wallet).await.expect("a turn");
        let _second = hashing.turn(Lane::Wallet).await.expect("a turn");
        assert_eq!(hashing.turn(Lane::Wallet).await.expect_err("both are taken").code(), Code::RequestInFlight);
        let _till = hashing.turn(Lane::Till).await.expect("tills do not wait for wallets");
        let (third, ()) = tokio::join!(hashing.turn(Lane::Wallet), async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(first);
        });
        drop(third.expect("the turn that was given back"));
    }
}
