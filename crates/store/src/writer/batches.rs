//! The writer's work: what waits shares a transaction, or a batch, and is answered when that is durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use super::fold::Unfolded;
use super::turns::Whose;
use super::{Answer, Job, Lent, Offer, QUEUE_MAX, Step, Turn, lock, refuse};
use crate::Store;
use crate::db::{Location, Role, Tx};
use crate::error::StoreError;
use crate::idempotency::{self, Idempotency};
use crate::log_keeper::LogKeeper;
use crate::redo::{self, Answers, Redo};

/// Most requests in one transaction, so that nobody waits long for those behind.
const PARTS_MAX: usize = 512;
/// The same of a batch that a redo log makes durable while the next one is worked on: half of those who pay in one batch and half in the
/// next keep everybody busy.
const BATCH_MAX: usize = 32;

/// So many requests in one transaction show that many pay at once.
const MANY: usize = 8;
/// How often the processor is left to others before a transaction of many is closed.
const YIELDS_MAX: u32 = 2;

/// Bytes in the redo log for which there is to be room before a deputy begins a batch, some ten times as many as it is likely to want.
const BATCH_LEN: u64 = 1 << 20;

/// What whoever has the turn works with.
pub(super) struct Batches {
    pub(super) location: Location,
    /// A store whose writes are parts of the open transaction.
    pub(super) store: Store,
    pub(super) turn: Turn,
    /// Of a database with a log that is looked after from here.
    pub(super) log: Option<LogKeeper>,
    pub(super) redo: Option<Redo>,
    /// What is in the redo log and not in the file.
    pub(super) unfolded: Unfolded,
    /// What was acknowledged is in the redo log and was undone in the database.
    pub(super) is_torn: bool,
    waiting: Receiver<Job>,
    /// Whose turn it is.
    whose: Whose,
    /// Something in the batch is not to be acknowledged before the database has taken it.
    must_be_taken: bool,
    /// Of the open transaction.
    answers: Vec<Answer>,
    /// Jobs that no longer wait, in their order.
    taken: VecDeque<Job>,
}

impl Batches {
    pub(super) fn new(location: Location, store: Store, turn: Turn, redo: Option<Redo>, waiting: Receiver<Job>) -> Self {
        let log = LogKeeper::start(&location);
        Self {
            location,
            store,
            turn,
            log,
            redo,
            unfolded: Unfolded::default(),
            is_torn: false,
            waiting,
            whose: Whose::Own,
            must_be_taken: false,
            answers: Vec::new(),
            taken: VecDeque::new(),
        }
    }

    /// Works off all that waits. `false`: something is left for the writer's own thread.
    pub(super) fn work(&mut self, whose: Whose) -> bool {
        self.whose = whose;
        while let Some(first) = self.taken.pop_front().or_else(|| self.waiting.try_recv().ok()) {
            if whose == Whose::Deputy && !(matches!(first, Job::Here(..)) && self.is_smooth()) {
                self.taken.push_front(first);
                return false;
            }
            match first {
                Job::Between(lend) => self.between(lend),
                Job::Fold { erase: true, done } => drop(done.send(self.fold_and_erase())),
                Job::Fold { erase: false, done } => self.ask(done),
                first => self.transaction(first),
            }
        }
        true
    }

    /// Whether the next batch waits neither for the database nor for room.
    pub(super) fn is_smooth(&self) -> bool {
        let connection = lock(&self.turn);
        let is_sound = !self.is_torn && !connection.is_broken() && connection.is_in_transaction() && connection.has_room();
        is_sound && self.redo.as_ref().is_some_and(|redo| !redo.is_broken() && redo.has_room(BATCH_LEN))
    }

    /// Nobody has wanted anything for a moment: what is unfolded is folded. Whether that goes on.
    pub(super) fn idle(&mut self) -> bool {
        let is_open = |batches: &Self| batches.redo.is_some() && lock(&batches.turn).is_in_transaction();
        if is_open(self) {
            // What failed is logged, and told to who comes next.
            drop(self.rest());
        }
        is_open(self)
    }

    pub(super) fn end(mut self) {
        self.work(Whose::Own);
        // What cannot be folded now is done again at the next start.
        if self.fold().is_ok()
            && let Some(redo) = &mut self.redo
        {
            drop(redo.begin_anew(true));
        }
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
                (job @ Job::There(_), _) if self.whose == Whose::Deputy => {
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
                if redo.has_room(redo::record_len(&statements)) && lock(&self.turn).has_room() {
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
                    // What was committed is durable in SQLite's own log.
                    drop(log.finish(&lock(&self.turn)));
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
