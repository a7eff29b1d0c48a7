//! The platform's memory: one SQLite file, one method per use case, one transaction per method.
//!
//! All methods block; call them from a blocking context. Time and randomness are parameters. A write is durable when
//! its method returns (WAL, `synchronous=FULL`). Money moves only through [`ledger`], inside the same transaction as the
//! payment, refund or top-up it belongs to, its receipt and its idempotency record.
//!
//! Writes that take an [`Idempotency`] return an [`Answer`]: status and JSON body, stored in the same transaction, so
//! that the same request is answered with the same bytes for ever and its work is done once. A refusal that will not
//! change by asking again is an answer too (4xx with a problem document). An `Err` is an answer that is not remembered.
//!
//! Invariant: `store` knows no HTTP, no key but the passcodes' pepper, and no template: what a till sealed passes
//! through and is erased once the parties hold it.

mod account;
mod account_read;
mod account_rows;
mod activity;
pub mod alert;
pub mod api_key;
mod approval;
mod background;
pub mod bank_account;
mod books;
mod capture;
mod catalogue;
mod chain;
mod consent_rows;
pub mod copy;
pub mod crowd;
mod db;
pub mod delivery;
pub mod device;
pub mod dispute;
mod dispute_rows;
mod enrolment;
pub mod error;
pub mod event;
mod found;
pub mod gallery;
mod helper;
pub mod idempotency;
pub mod identity;
pub mod joining;
mod log_keeper;
pub mod membership;
mod merchant_lists;
mod migrate;
pub mod notice;
mod owner;
pub mod passkey;
pub mod payment;
mod payment_list;
mod payment_money;
mod payment_rows;
mod payout;
mod payout_rows;
mod place;
mod posting;
mod query_log;
mod redo;
mod refund;
mod row;
mod rules_kept;
pub mod service;
mod session;
mod settle;
pub mod setup;
pub mod shop;
mod simulate;
pub mod throwaway;
mod tx;
mod void;
pub mod voucher;
mod watch;
pub mod webhook;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use base::secret::Secret;
use base::time::Timestamp;
use payments::passcode::PasscodeHasher;
use payments::rules::{RuleBook, RulePack};

pub use crate::db::{Address, Location};
use crate::db::{Connection, Role, Tx};
use crate::error::StoreError;
pub use crate::writer::{Deputy, Step};

/// The store. Share it behind an `Arc`: one writer at a time, readers beside it.
pub struct Store {
    place: Place,
    shared: Arc<Shared>,
}

/// How its writes happen.
enum Place {
    /// In turn.
    Queue(writer::Writer),
    /// In this turn, whose transaction is open.
    Turn(writer::Turn),
}

/// What does not depend on that.
struct Shared {
    readers: tx::Readers,
    rules: RuleBook,
    passcodes: PasscodeHasher,
    /// Set when the books would have contradicted themselves: nothing is written from then on.
    halted: AtomicBool,
    /// Set while what was acknowledged is in the redo log and in memory alone, where no reader sees it.
    unfolded: AtomicBool,
    /// Whoever runs a transaction on a thread of its own is acknowledged before the file has taken it, as [`Store::submit`] does.
    lets_wait: AtomicBool,
    steps: OnceLock<Box<dyn Fn(Step) + Send + Sync>>,
}

impl Shared {
    fn reached(&self, step: Step) {
        if let Some(watch) = self.steps.get() {
            watch(step);
        }
    }
}

impl Store {
    /// Opens the database at `location`, makes it if it is missing, and brings its schema up to date. `pepper` is the
    /// platform's own secret that goes into every passcode hash: a copy of the file alone does not give passcodes away,
    /// and a lost pepper makes every passcode wrong.
    ///
    /// Refuses rule packs in which a number is another than payments were judged by.
    ///
    /// Call [`Store::recover`] once before anything else.
    pub fn open(location: impl Into<Location>, rules: RuleBook, pepper: Secret<[u8; 32]>) -> Result<Self, StoreError> {
        let location = location.into();
        let connection = Connection::open(&location, Role::Writer)?;
        let recovered = redo::recover(&location, &connection)?;
        migrate::migrate(&connection)?;
        connection.begin(Role::Writer)?;
        match rules_kept::keep(&Tx(&connection), &rules) {
            Ok(()) => connection.commit()?,
            Err(error) => {
                connection.rollback()?;
                return Err(error);
            }
        }
        let redo = recovered.map_or(Ok(None), |recovered| recovered.start(&connection))?;
        let readers = tx::Readers::new(location.clone());
        let shared = Arc::new(Shared {
            readers,
            rules,
            passcodes: PasscodeHasher::new(pepper),
            halted: AtomicBool::new(false),
            unfolded: AtomicBool::new(false),
            lets_wait: AtomicBool::new(false),
            steps: OnceLock::new(),
        });
        let view = shared.clone();
        let writer = writer::Writer::start(location, connection, redo, |turn| Self { place: Place::Turn(turn), shared: view });
        Ok(Self { place: Place::Queue(writer), shared })
    }

    /// Calls `watch` at every step of the writer, on the thread that comes to it. For tests that stop or kill it there; the first call counts.
    #[doc(hidden)]
    pub fn watch_steps(&self, watch: impl Fn(Step) + Send + Sync + 'static) {
        drop(self.shared.steps.set(Box::new(watch)));
    }

    /// From now on all rows wait for the file as those of [`Store::submit`] do. For tests that call the store as the platform does, and not
    /// through it.
    #[doc(hidden)]
    pub fn let_rows_wait(self) -> Self {
        self.shared.lets_wait.store(true, Ordering::Relaxed);
        self
    }

    fn is_halted(&self) -> bool {
        self.shared.halted.load(Ordering::SeqCst)
    }

    fn reached(&self, step: Step) {
        self.shared.reached(step);
    }

    /// The rules that hold at `now`.
    pub fn rules(&self, now: Timestamp) -> Result<&RulePack, StoreError> {
        Ok(self.shared.rules.in_force(now)?)
    }
}

#[cfg(test)]
mod tests;
