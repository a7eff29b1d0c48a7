//! What every handler and task shares.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use base::id::{ApiKeyId, PaymentId};
use base::secret::Secret;
use base::time::{Clock, Timestamp};
use ed25519_dalek::VerifyingKey;
use payments::payment::status_name;
use payments::voucher::VoucherKey;
use payments::webhook::reach::Reach;
use rand_core::{CryptoRng, Rng};
use store::Store;
use store::error::StoreError;
use store::idempotency::Idempotency;
use store::setup::Terminal;
use tokio::sync::{Notify, RwLock, broadcast, oneshot};
use tokio::task::JoinSet;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::auth::KnownTills;
use crate::config::Timing;
use crate::hashing::{Hashing, Lane};
use crate::limits::{Limits, Rates};
use crate::metrics::Metrics;
use crate::passkey::ceremony::RelyingParty;
use crate::problem::{Answer, Refused};
use crate::resolver::Resolver;
pub use crate::rng::SystemRng;
use crate::webhooks::sender::Sender;

/// [`App`], shared.
pub type SharedApp = Arc<App>;

/// The running platform.
pub struct App {
    /// The books, payments, accounts and the log of gallery changes.
    pub store: Arc<Store>,
    /// The same of test mode: made-up shoppers, made-up money, nothing else.
    pub test_store: Arc<Store>,
    /// The three parties.
    pub resolver: Resolver,
    /// Deletion confirmations are verified with these, in the parties' order.
    pub confirmation_keys: [VerifyingKey; 3],
    /// Key of labels and fingerprints.
    pub label_secret: Secret<[u8; 32]>,
    /// All webhook endpoints' keys are derived from it.
    pub webhook_secret: Secret<[u8; 32]>,
    /// Signs offline vouchers.
    pub voucher_key: VoucherKey,
    /// Where passkeys hold.
    pub relying_party: RelyingParty,
    /// Sends webhooks.
    pub sender: Sender,
    /// What webhooks of test mode may reach.
    pub test_webhook_reach: Reach,
    /// Rings when something may have been queued for a webhook.
    pub events_recorded: Notify,
    /// Says which payment may have changed, to whoever watches it.
    pub payment_changed: broadcast::Sender<PaymentId>,
    /// How much each may ask.
    pub rates: Rates,
    /// How much each has asked.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Metrics,
    /// Tills that have asked before.
    pub known_tills: KnownTills,
    /// When each API key's use was last noted.
    pub keys_noted: Mutex<HashMap<ApiKeyId, Timestamp>>,
    /// The institution's code in the clearing system.
    pub acquirer_code: String,
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
        self.with_store_of(Mode::Live, work).await
    }

    /// [`App::with_store`] on the store of `mode`.
    ///
    /// # Errors
    /// As [`App::with_store`].
    pub async fn with_store_of<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let store = self.store_of(mode).clone();
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&store))).await;
        told(done.expect("the store does not panic, and nobody cancels it"))
    }

    /// Runs `work`, which writes once and hashes no passcode, on the store's own writer: it shares a transaction with
    /// whatever else comes at this moment, and no thread waits for the disk.
    ///
    /// # Errors
    /// As [`App::with_store`]; `storage_full` when too many wait.
    pub async fn write<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let span = tracing::Span::current();
        // Whoever hung up does not listen any more.
        let submit = |tell: oneshot::Sender<_>| {
            self.store_of(mode).submit(move |store| span.in_scope(|| work(store)), move |outcome| drop(tell.send(outcome)))
        };
        self.outcome_of(submit).await
    }

    /// [`App::write`] of work that does a request once, for the till or the merchant's server that asks. Whether the till still
    /// holds its key is settled in the same transaction: the layer in front may have known it from before.
    ///
    /// # Errors
    /// As [`App::write`]; `unauthenticated`.
    pub async fn write_for<T: Send + 'static>(
        &self,
        mode: Mode,
        till: Option<Arc<Terminal>>,
        request: Idempotency,
        work: impl FnOnce(&Store, &Idempotency) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let asking = till.clone();
        let work = move |store: &Store, request: &Idempotency| {
            asking.as_ref().map_or(Ok(()), |till| store.check_token(till))?;
            work(store, request)
        };
        let span = tracing::Span::current();
        let answer = self
            .outcome_of(|tell| {
                let work = move |store: &Store, request: &Idempotency| span.in_scope(|| work(store, request));
                self.store_of(mode).submit_once(request, work, move |outcome| drop(tell.send(outcome)))
            })
            .await;
        if let Some(till) = till
            && answer.as_ref().is_err_and(|refused| refused.code() == Code::Unauthenticated)
        {
            self.known_tills.forget(&till);
        }
        answer
    }

    async fn outcome_of<T>(&self, submit: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Result<(), StoreError>) -> Answer<T> {
        let (tell, outcome) = oneshot::channel();
        match submit(tell) {
            Ok(()) => told(outcome.await.unwrap_or_else(|_| Err(StoreError::Corrupt("a request broke an invariant".into())))),
            Err(error) => told(Err(error)),
        }
    }

    /// The store of `mode`.
    pub fn store_of(&self, mode: Mode) -> &Arc<Store> {
        match mode {
            Mode::Live => &self.store,
            Mode::Test => &self.test_store,
        }
    }
}

/// The store's word as an answer; what is nobody's input is logged here.
fn told<T>(outcome: Result<T, StoreError>) -> Answer<T> {
    outcome.map_err(|error| {
        if !matches!(error, StoreError::Refused(_)) {
            tracing::error!(%error, "the store failed");
        }
        Refused(Box::new(error.problem()))
    })
}

impl App {
    /// What webhooks of `mode` may reach.
    pub fn webhook_reach(&self, mode: Mode) -> Reach {
        match mode {
            Mode::Live => Reach::Public,
            Mode::Test => self.test_webhook_reach,
        }
    }

    /// Tells whoever watches a payment that it may have changed and, if something may be `queued` for them, the webhooks.
    pub fn payment_may_have_changed(&self, payment: PaymentId, queued: bool) {
        // Nobody may be watching.
        let _ = self.payment_changed.send(payment);
        if queued {
            self.events_recorded.notify_waiters();
        }
    }

    /// The same after a step that may have settled the payment in `answer`, and counts it.
    pub fn settled(&self, answer: &store::idempotency::Answer) {
        let Some(payment) = answer.payment.or_else(|| answer.resource()) else { return };
        if answer.is_first_success() {
            self.metrics.payment(status_name(payment.status));
        }
        self.payment_may_have_changed(payment.id, answer.queued);
    }
}

/// The operating system's randomness.
pub fn rng() -> SystemRng {
    SystemRng
}

/// `N` random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rng().fill_bytes(&mut bytes);
    bytes
}
