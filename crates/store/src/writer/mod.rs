//! The one writer: a thread that owns the connection. Requests that come while it is busy share its next transaction,
//! each as a part of its own, so that the wait for the disk is paid once for all of them. Nobody is answered before
//! their transaction is durable.
//!
//! With a redo log what shares a transaction is a batch: durable by the log, while the writer goes on with the next. Its rows wait in
//! memory and are *folded* into the database's file, those of many batches together, when a reader wants to see them, when nobody has
//! wanted anything for a moment, or when they have waited for long enough (see [`fold`]).

mod fold;

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use self::fold::{Asking, Unfolded};
use crate::Store;
use crate::db::{Connection, Location, Role, Tx};
use crate::error::StoreError;
use crate::idempotency::{self, Idempotency};
use crate::log_keeper::LogKeeper;
use crate::redo::{self, Answers, Redo};

/// Requests that may wait; one more is told to come again.
const QUEUE_MAX: usize = 4_096;
/// Most requests in one transaction, so that nobody waits long for those behind.
const PARTS_MAX: usize = 512;
/// The same of a batch that a redo log makes durable while the next one is worked on: half of those who pay in one batch and half in the
/// next keep everybody busy.
const BATCH_MAX: usize = 32;

/// So many requests in one transaction show that many pay at once.
const MANY: usize = 8;
/// How often the processor is left to others before a transaction of many is closed.
const YIELDS_MAX: u32 = 2;

/// With nobody waiting for so long, what is in the redo log is folded into the file.
const IDLE: Duration = Duration::from_millis(20);

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
    /// Runs on the writer's thread; whose answer it first asks for, if that is known.
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
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which works with `connection` and stops when this is dropped. `view` is the store that works
    /// on the turn it is given.
    pub(crate) fn start(location: Location, connection: Connection, redo: Option<Redo>, view: impl FnOnce(Turn) -> Store) -> Self {
        connection.known().keep();
        let (jobs, waiting) = sync_channel(QUEUE_MAX);
        let turn = Arc::new(Mutex::new(connection));
        let log = LogKeeper::start(&location);
        let store = view(turn.clone());
        let work = Thread {
            location,
            store,
            turn,
            log,
            redo,
            unfolded: Unfolded::default(),
            is_torn: false,
            waiting,
            must_be_taken: false,
            answers: Vec::new(),
            taken: VecDeque::new(),
        };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || work.run());
        Self { jobs: Some(jobs), thread: Some(thread.expect("the system has room for one thread")) }
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        match self.jobs.as_ref().expect("is there until it is dropped").try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(StoreError::Overloaded),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Corrupt("the writer has stopped".into())),
        }
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
        let jobs = self.jobs.as_ref().expect("is there until it is dropped");
        jobs.send(Job::Fold { erase, done }).map_err(|_| stopped())?;
        is_done.recv().map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
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

/// What the thread works with.
struct Thread {
    location: Location,
    /// A store whose writes are parts of the open transaction.
    store: Store,
    turn: Turn,
    /// Of a database with a log that is looked after from here.
    log: Option<LogKeeper>,
    redo: Option<Redo>,
    /// What is in the redo log and not in the file.
    unfolded: Unfolded,
    /// What was acknowledged is in the redo log and was undone in the database.
    is_torn: bool,
    waiting: Receiver<Job>,
    /// Something in the batch is not to be acknowledged before the database has taken it.
    must_be_taken: bool,
    /// Of the open transaction.
    answers: Vec<Answer>,
    /// Jobs that no longer wait, in their order.
    taken: VecDeque<Job>,
}

impl Thread {
    fn run(mut self) {
        while let Some(first) = self.next() {
            match first {
                Job::Between(lend) => self.between(lend),
                Job::Fold { erase: true, done } => drop(done.send(self.fold_and_erase())),
                Job::Fold { erase: false, done } => self.ask(done),
                first => self.transaction(first),
            }
        }
        // What cannot be folded now is done again at the next start.
        if self.fold().is_ok()
            && let Some(redo) = &mut self.redo
        {
            drop(redo.begin_anew(true));
        }
    }

    /// The next job; while there is none for a moment, what is unfolded is folded.
    fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.taken.pop_front() {
            return Some(job);
        }
        while self.redo.is_some() && lock(&self.turn).is_in_transaction() {
            match self.waiting.recv_timeout(IDLE) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                // What failed is logged, and told to who comes next.
                Err(RecvTimeoutError::Timeout) => drop(self.rest()),
            }
        }
        self.waiting.recv().ok()
    }

    fn between(&mut self, lend: SyncSender<Offer>) {
        match self.fold() {
            Ok(()) => self.lend(lend, false),
            Err(error) => refuse(Job::Between(lend), &Arc::new(error)),
        }
    }

    /// The next of those who wait by now, if anybody does. Where many pay at once and all wait for the disk, those whose requests are
    /// being read this moment come along: the processor is theirs first.
    fn next_waiting(&mut self) -> Option<Job> {
        let yields = if self.redo.is_some() { 0 } else { YIELDS_MAX };
        for _ in 0..=yields {
            if self.taken.is_empty() {
                self.take_waiting();
            }
            if !self.taken.is_empty() || self.answers.len() < MANY {
                break;
            }
            std::thread::yield_now();
        }
        self.taken.pop_front()
    }

    /// Takes all who wait, and looks up at once which of them were answered before.
    fn take_waiting(&mut self) {
        self.taken.extend(self.waiting.try_iter().take(PARTS_MAX));
        let asks: Vec<&Idempotency> = self.taken.iter().filter_map(Job::asks).collect();
        if let Err(error) = idempotency::look_up(&Tx(&lock(&self.turn)), &asks) {
            // Whoever needs the answer asks for it again.
            tracing::warn!(%error, "answers could not be looked up ahead");
        }
    }

    /// One transaction for `first` and all that waits.
    fn transaction(&mut self, first: Job) {
        let begun = self.begin();
        let parts_max = if self.redo.is_some() { BATCH_MAX } else { PARTS_MAX };
        let begun = begun.map_err(Arc::new);
        self.taken.push_front(first);
        if begun.is_ok() {
            self.take_waiting();
        }
        let mut next = self.taken.pop_front();
        while let Some(job) = next {
            match (job, &begun) {
                (job @ (Job::Between(_) | Job::Fold { .. }), _) => {
                    self.taken.push_front(job);
                    break;
                }
                (job, Ok(())) => self.do_part(job),
                (job, Err(error)) => {
                    self.refuse_all(job, error);
                    break;
                }
            }
            self.store.reached(Step::Part);
            if self.store.is_halted() {
                // What contradicts itself may rest on any part of this transaction.
                break;
            }
            let is_lost = !lock(&self.turn).is_in_transaction();
            next = if self.answers.len() < parts_max && !is_lost { self.next_waiting() } else { None };
        }
        if begun.is_ok() {
            self.commit();
        }
    }

    /// No transaction can begin: neither for `job` nor for those who wait by now, since trying again takes its time.
    fn refuse_all(&mut self, job: Job, error: &Arc<StoreError>) {
        refuse(job, error);
        let waiting: Vec<Job> = self.taken.drain(..).chain(self.waiting.try_iter().take(QUEUE_MAX)).collect();
        for job in waiting {
            match job {
                // Who reads needs no transaction that writes.
                Job::Fold { .. } => self.taken.push_back(job),
                job => refuse(job, error),
            }
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.store.is_halted() {
            return Err(StoreError::Halted);
        }
        self.mend()?;
        if lock(&self.turn).is_in_transaction() {
            // It goes on.
            lock(&self.turn).known().begin();
            return Ok(());
        }
        lock(&self.turn).begin(Role::Writer)?;
        if self.redo.is_none() && redo::is_left_behind(&self.location)? {
            // The program that wrote it died meanwhile: what it acknowledged comes first.
            self.is_torn = true;
            self.mend()?;
            lock(&self.turn).begin(Role::Writer)?;
        }
        Ok(())
    }

    fn do_part(&mut self, job: Job) {
        match job {
            Job::Here(run, _) => match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(Ok(&self.store)))) {
                Ok(answer) => self.answers.push(answer),
                // Its part is undone and whoever asked finds that nobody answers; the panic was printed.
                Err(_) => tracing::error!("a request broke an invariant and was undone"),
            },
            Job::There(lend) | Job::Between(lend) => {
                self.must_be_taken |= !self.store.shared.lets_wait.load(Ordering::Relaxed);
                self.lend(lend, true);
            }
            Job::Fold { .. } => unreachable!("is done between two batches"),
        }
    }

    /// Lets another thread have the turn, and waits until it gives it back.
    fn lend(&mut self, lend: SyncSender<Offer>, in_transaction: bool) {
        let (until, given_back) = sync_channel(0);
        let (say, durable) = channel();
        if lend.send(Ok(Lent { turn: self.turn.clone(), _until: until, durable })).is_err() {
            return;
        }
        // Nothing is ever sent: the end of the other side is what is waited for.
        let _ = given_back.recv();
        if in_transaction {
            // One that panicked does not listen any more.
            self.answers.push(Box::new(move |durable| drop(say.send(durable))));
        }
    }

    /// Ends the transaction, or the batch: durable, then answered.
    fn commit(&mut self) {
        self.store.reached(Step::Written);
        let (parts, answers) = (self.answers.len(), self.take_answers());
        let must_be_taken = std::mem::take(&mut self.must_be_taken);
        let ended = {
            let connection = lock(&self.turn);
            match self.store.is_halted() {
                true => Err(StoreError::Halted),
                false if connection.is_in_transaction() => connection.end_batch(must_be_taken).map_err(StoreError::from),
                false => Err(connection.why_lost().into()),
            }
        };
        match (ended, &mut self.redo) {
            (Ok(Some(statements)), Some(redo)) => {
                self.unfolded.add(parts);
                if redo.has_room(&statements) && lock(&self.turn).has_room() {
                    // Before anybody is answered: readers are not to miss it.
                    self.store.shared.unfolded.store(true, Ordering::SeqCst);
                    redo.append(statements, answers);
                } else {
                    answers(self.fold_whole());
                }
                // What failed is logged, and told to who comes next.
                drop(self.fold_what_is_due());
            }
            (Ok(_), _) => {
                let committed = lock(&self.turn).commit().map_err(StoreError::from);
                if let Err(error) = &committed {
                    tracing::error!(%error, parts, "a transaction failed");
                    self.undo_open();
                }
                answers(committed);
                if let Some(log) = &self.log
                    && log.committed(parts)
                {
                    log.finish(&lock(&self.turn));
                }
            }
            (Err(error), _) => {
                tracing::error!(%error, parts, "a transaction failed");
                self.undo_open();
                answers(Err(error));
            }
        }
    }

    /// Gives the answers of all parts, when it is known what came of their transaction.
    fn take_answers(&mut self) -> Answers {
        let (answers, shared) = (std::mem::take(&mut self.answers), self.store.shared.clone());
        Box::new(move |durable| match durable {
            Ok(()) => {
                shared.reached(Step::Durable);
                for answer in answers {
                    answer(Ok(()));
                    shared.reached(Step::Answered);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                answers.into_iter().for_each(|answer| answer(Err(StoreError::Shared(error.clone()))));
            }
        })
    }
}
