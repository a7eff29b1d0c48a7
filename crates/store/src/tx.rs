//! Transactions: one writer, and readers beside it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::db::{Connection, Location, Role, Tx};
use crate::error::StoreError;
use crate::idempotency::Idempotency;
use crate::writer::{self, Deputy};
use crate::{Place, Store};

/// Most connections for reading; one more waits.
const READERS_MAX: usize = 32;

/// Connections for reading.
pub(crate) struct Readers {
    location: Location,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    busy: usize,
    /// Counts the servers that the writer went to: connections to an earlier one are not used again.
    server: u64,
}

/// A connection in use; goes back when it is dropped.
struct Reading<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
    server: u64,
}

impl Readers {
    pub(crate) fn new(location: Location) -> Self {
        Self { location, pool: Mutex::default(), returned: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer has connected anew: so do the readers.
    pub(crate) fn renew(&self) {
        let mut pool = self.lock();
        pool.server += 1;
        pool.idle.clear();
    }

    fn take(&self) -> Result<Reading<'_>, StoreError> {
        let mut pool = self.lock();
        while pool.idle.is_empty() && pool.busy >= READERS_MAX {
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.busy += 1;
        let (idle, server) = (pool.idle.pop(), pool.server);
        drop(pool);
        let mut reading = Reading { readers: self, connection: idle, server };
        if reading.connection.is_none() {
            reading.connection = Some(Connection::open(&self.location, Role::Reader)?);
        }
        Ok(reading)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // Nothing was written, so there is nothing to commit.
        let sound = self.connection.take().filter(|connection| connection.rollback().is_ok() && !connection.is_broken());
        let mut pool = self.readers.lock();
        pool.busy -= 1;
        if pool.server == self.server {
            pool.idle.extend(sound);
        }
        drop(pool);
        self.readers.returned.notify_one();
    }
}

impl Store {
    /// Runs `work` in one write transaction: all of it is durable when this returns `Ok`, nothing of it happened when it
    /// returns `Err`. One write runs at a time; those that wait for it share the next transaction, each as a part whose
    /// error undoes nothing but itself.
    ///
    /// Inside [`Store::submit`] it joins the transaction that is open, and is durable when the submission is answered.
    pub(crate) fn run_tx<T>(&self, name: &'static str, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // Before anybody commits: what contradicts itself may rest on the parts before.
        let work = |tx: &Tx| {
            work(tx).inspect_err(|error| {
                if matches!(error, StoreError::Breach(_)) {
                    self.shared.halted.store(true, Ordering::SeqCst);
                }
            })
        };
        let outcome = match &self.place {
            Place::Queue(writer) => writer.run(work),
            Place::Turn(turn) => writer::part(&writer::lock(turn), work),
        };
        outcome.inspect_err(|error| note_failure(name, error))
    }

    /// Runs `work`, which writes once, on the writer's own thread: cheaper than a write from a thread of one's own,
    /// because no thread waits. `answer` gets the outcome when it is durable, on that thread, and must not block. Work
    /// that takes long for other reasons, such as a passcode's hash, does not belong here.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.submit_asking(None, work, answer)
    }

    /// [`Store::submit`] of work that does a request once: whether it was answered before is looked up for all together that
    /// share a transaction.
    pub fn submit_once<T: Send + 'static>(
        &self,
        request: Idempotency,
        work: impl FnOnce(&Store, &Idempotency) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let request = Arc::new(request);
        self.submit_asking(Some(request.clone()), move |store| work(store, &request), answer)
    }

    /// Has what is submitted done by a deputy, on a thread that is awake then, and not by the writer's own thread, which would have to be
    /// woken: `ring` is called after a submission, on the thread that made it, must not block, and sees to it that [`Deputy::work`] is
    /// called soon. What takes long is left to the writer's own thread, as is everything when the deputy is dropped.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] inside [`Store::submit`].
    pub fn deputise(&self, ring: impl Fn() + Send + Sync + 'static) -> Result<Deputy, StoreError> {
        match &self.place {
            Place::Queue(writer) => Ok(writer.deputise(Box::new(ring))),
            Place::Turn(_) => Err(StoreError::Corrupt("a transaction is open here".into())),
        }
    }

    fn submit_asking<T: Send + 'static>(
        &self,
        asks: Option<Arc<Idempotency>>,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        match &self.place {
            Place::Queue(writer) => writer.submit(asks, work, answer),
            Place::Turn(_) => {
                answer(work(self));
                Ok(())
            }
        }
    }

    /// Runs `work` on the writer's connection outside any transaction.
    fn between<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &self.place {
            Place::Queue(writer) => writer.run_between(work),
            Place::Turn(_) => Err(StoreError::Corrupt("a transaction is open here".into())),
        }
    }

    /// Empties the logs, so that nothing is left there of what was erased, as far as readers allow; the next time does the rest.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Queue(writer) => writer.fold(true),
            Place::Turn(_) => Err(StoreError::Corrupt("a transaction is open here".into())),
        }
    }

    /// Lets the file grow by at most `pages` pages from now on: to everything above SQLite, a disk with that much room. For
    /// tests of a full disk.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> Result<(), StoreError> {
        self.between(|connection| match connection {
            Connection::Sqlite(sqlite) => Ok(sqlite.limit_growth(pages)?),
            Connection::Postgres(_) => Ok(()),
        })
    }

    /// Runs `work` on one consistent view of the database, beside the writer; inside [`Store::submit`], on what the open
    /// transaction sees.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &self.place {
            Place::Turn(turn) => return work(&Tx(&writer::lock(turn))),
            Place::Queue(writer) if self.shared.unfolded.load(Ordering::SeqCst) => writer.fold(false)?,
            Place::Queue(_) => {}
        }
        let reading = self.shared.readers.take()?;
        let connection = reading.connection.as_ref().expect("is there until it is dropped");
        connection.begin(Role::Reader)?;
        work(&Tx(connection))
    }
}

/// One line in the log for what is nobody's input; refusals are expected and go to whoever asked.
fn note_failure(transaction: &'static str, error: &StoreError) {
    if !matches!(error, StoreError::Refused(_)) {
        tracing::error!(transaction, %error, "transaction rolled back");
    }
}
