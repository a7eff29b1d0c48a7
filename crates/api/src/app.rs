//! What every handler and task shares.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use base::secret::Secret;
use base::time::{Clock, Timestamp};
use ed25519_dalek::VerifyingKey;
use rand_core::{CryptoRng, Rng, UnwrapErr};
use store::Store;
use store::error::StoreError;
use tokio::sync::{Notify, RwLock};
use tokio::task::JoinSet;

use crate::config::Timing;
use crate::hashing::{Hashing, Lane};
use crate::problem::{Answer, Refused};
use crate::resolver::Resolver;

/// The operating system's randomness; a machine without it stops here.
pub type SystemRng = UnwrapErr<getrandom::SysRng>;

/// [`App`], shared.
pub type SharedApp = Arc<App>;

/// The running platform.
pub struct App {
    /// The books, payments, accounts and the log of gallery changes.
    pub store: Arc<Store>,
    /// The three parties.
    pub resolver: Resolver,
    /// Deletion confirmations are verified with these, in the parties' order.
    pub confirmation_keys: [VerifyingKey; 3],
    /// Key of labels and fingerprints.
    pub label_secret: Secret<[u8; 32]>,
    /// Where the shopper's browser finds the capture agent.
    pub capture_agent_url: String,
    /// The API's description, as `GET /openapi.json` answers it.
    pub document: Bytes,
    /// How long to wait for what.
    pub timing: Timing,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Rings when a change of the gallery was queued.
    pub gallery_changed: Notify,
    /// Searches read; a change of the gallery writes, so that no search runs while the parties take a change.
    pub gallery_gate: RwLock<()>,
    /// Turns to hash passcodes.
    pub hashing: Hashing,
    /// Scope and key of the requests that are being worked on.
    pub in_flight: Mutex<HashSet<(String, String)>>,
    /// Looks that are with the parties.
    pub checks: tokio::sync::Mutex<JoinSet<()>>,
}

impl App {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh identifier: `app.new_id(SessionId::new)`.
    pub fn new_id<T>(&self, make: impl FnOnce(Timestamp, &mut dyn CryptoRng) -> T) -> T {
        make(self.now(), &mut rng())
    }

    /// [`App::with_store`] for work that hashes a passcode, in turn. Whoever hangs up meanwhile gives the turn back only
    /// when the work is done.
    ///
    /// # Errors
    /// As [`App::with_store`], and `request_in_flight` when too many wait: see [`Hashing::turn`].
    pub async fn with_store_hashing<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let turn = self.hashing.turn(lane).await?;
        self.with_store(move |store| {
            let _turn = turn;
            work(store)
        })
        .await
    }

    /// Runs `work` on the store, away from the tasks that serve sockets: it waits for the disk.
    ///
    /// # Errors
    /// What the store refuses, as it is; what went wrong inside, logged here and shown as `internal` or `storage_full`.
    pub async fn with_store<T: Send + 'static>(&self, work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static) -> Answer<T> {
        let store = self.store.clone();
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&store))).await;
        match done.expect("the store does not panic, and nobody cancels it") {
            Ok(value) => Ok(value),
            Err(error) => {
                if !matches!(error, StoreError::Refused(_)) {
                    tracing::error!(%error, "the store failed");
                }
                Err(Refused(Box::new(error.problem())))
            }
        }
    }
}

/// The operating system's randomness.
pub fn rng() -> SystemRng {
    UnwrapErr(getrandom::SysRng)
}

/// `N` random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rng().fill_bytes(&mut bytes);
    bytes
}
