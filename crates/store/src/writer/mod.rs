//! The one writer. Requests that come while it is busy share its next transaction, each as a part of its own, so that the wait for the
//! disk is paid once for all of them. Nobody is answered before their transaction is durable. It has a thread of its own, and where a
//! *deputy* is awake anyway that does the work in its place (see [`turns`]).
//!
//! With a redo log what shares a transaction is a batch: durable by the log, while the writer goes on with the next. Its rows wait in
//! memory and are *folded* into the database's file, those of many batches together, when a reader wants to see them, when nobody has
//! wanted anything for a moment, or when they have waited for long enough (see [`fold`]).

mod batches;
mod fold;
mod turns;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use self::batches::Batches;
use self::fold::Asking;
pub use self::turns::Deputy;
use self::turns::Turns;
use crate::Store;
use crate::db::{Connection, Location, Tx};
use crate::error::StoreError;
use crate::idempotency::Idempotency;
use crate::redo::Redo;

/// Requests that may wait; one more is told to come again.
const QUEUE_MAX: usize = 4_096;

/// The writer's connection. Locked by whoever's turn it is, so never contended.
pub(crate) type Turn = Arc<Mutex<Connection>>;

/// A request's answer, to be given when its transaction is durable, or with why it is not.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Where the writer is in a transaction; tests stop it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request's part is done, others may follow.
    Part,
    /// All parts are done, nothing is committed.
    Written,
    /// All is durable, nobody is answered.
    Durable,
    /// One of those who wait is answered, others may not be.
    Answered,
}

/// A request's work, on a store whose writes join the open transaction; or there is none, and why.
type Work = Box<dyn FnOnce(Result<&Store, StoreError>) -> Answer + Send>;

/// What waits for the writer.
enum Job {
    /// Runs on the thread of whoever has the turn; whose answer it first asks for, if that is known.
    Here(Work, Option<Arc<Idempotency>>),
    /// Runs on the thread that asked, in its turn.
    There(SyncSender<Offer>),
    /// The same, outside any transaction.
    Between(SyncSender<Offer>),
    /// Readers are to see all that was acknowledged; with nothing of it left in any log, if that is asked for.
    Fold { erase: bool, done: Asking },
}

impl Job {
    fn asks(&self) -> Option<&Idempotency> {
        match self {
            Self::Here(_, asks) => asks.as_deref(),
            Self::There(_) | Self::Between(_) | Self::Fold { .. } => None,
        }
    }
}

/// A turn, or why there is none.
type Offer = Result<Lent, StoreError>;

/// The connection, lent to another thread.
struct Lent {
    turn: Turn,
    /// Dropping it gives the turn back.
    _until: SyncSender<()>,
    /// Whether what was written is durable.
    durable: Receiver<Result<(), StoreError>>,
}

/// The way to the writer.
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
    turns: Arc<Turns>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which works with `connection` and ends when this is dropped. `view` is the store that works
    /// on the turn it is given.
    pub(crate) fn start(location: Location, connection: Connection, redo: Option<Redo>, view: impl FnOnce(Turn) -> Store) -> Self {
        connection.known().keep();
        let (jobs, waiting) = sync_channel(QUEUE_MAX);
        let turn = Arc::new(Mutex::new(connection));
        let store = view(turn.clone());
        let turns = Arc::new(Turns::new(Batches::new(location, store, turn, redo, waiting)));
        let own = turns.clone();
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || own.run());
        Self { jobs, turns, thread: Some(thread.expect("the system has room for one thread")) }
    }

    /// Calls `ring` in place of the thread when something comes that a deputy can do.
    pub(crate) fn deputise(&self, ring: Box<dyn Fn() + Send + Sync>) -> Deputy {
        Deputy::new(self.turns.clone(), ring)
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let for_deputy = matches!(job, Job::Here(..));
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => stopped(),
        })?;
        self.turns.call(for_deputy);
        Ok(())
    }

    /// Runs `work`, which begins with the answer to `asks`, on the writer's thread; `answer` gets its outcome when that is durable.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        asks: Option<Arc<Idempotency>>,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let work: Work = Box::new(move |store| {
            let outcome = store.and_then(work);
            Box::new(move |durable: Result<(), StoreError>| answer(durable.and(outcome)))
        });
        self.enqueue(Job::Here(work, asks))
    }

    /// Runs `work` as one part of a transaction on this thread, in its turn; returns when that is durable.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (lend, lent) = sync_channel(1);
        self.enqueue(Job::There(lend))?;
        let Lent { turn, _until, durable } = lent.recv().map_err(|_| stopped())??;
        let outcome = part(&lock(&turn), work);
        drop(_until);
        durable.recv().map_err(|_| stopped())?.and(outcome)
    }

    /// Runs `work` on this thread between two transactions.
    pub(crate) fn run_between<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (lend, lent) = sync_channel(1);
        self.enqueue(Job::Between(lend))?;
        let lent = lent.recv().map_err(|_| stopped())??;
        work(&lock(&lent.turn))
    }

    /// Waits until readers see all that was acknowledged. With `erase` the logs are emptied, as far as readers allow; the next time does
    /// the rest.
    pub(crate) fn fold(&self, erase: bool) -> Result<(), StoreError> {
        let (done, is_done) = sync_channel(1);
        self.jobs.send(Job::Fold { erase, done }).map_err(|_| stopped())?;
        self.turns.call(false);
        is_done.recv().map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.turns.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer ended in disorder");
        }
    }
}

/// One request's part of the open transaction: its error, or panic, undoes it and nothing else.
pub(crate) fn part<T>(connection: &Connection, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let tx = Tx(connection);
    tx.undoing_errors(|| work(&tx))
}

/// A panic while it is held undid its own part, so what is behind a poisoned lock is sound.
pub(crate) fn lock(turn: &Turn) -> MutexGuard<'_, Connection> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stopped() -> StoreError {
    StoreError::Corrupt("the writer has stopped".into())
}

/// There is no transaction to do a job in.
fn refuse(job: Job, error: &Arc<StoreError>) {
    let error = || StoreError::Shared(error.clone());
    match job {
        Job::Here(run, _) => run(Err(error()))(Ok(())),
        // Whoever gave up waiting needs no answer.
        Job::There(lend) | Job::Between(lend) => drop(lend.send(Err(error()))),
        Job::Fold { done, .. } => drop(done.send(Err(error()))),
    }
}
