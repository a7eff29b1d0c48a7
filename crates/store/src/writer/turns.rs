//! Whose turn it is to write: the writer's own thread's, or a deputy's, which is awake when requests come and need wake nobody.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError};
use std::thread::{self, Thread};
use std::time::Duration;

use super::batches::Batches;

/// With nobody waiting for so long, what is in the redo log is folded into the file.
const IDLE: Duration = Duration::from_millis(20);

/// Who has the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The writer's own thread, which may wait for whatever it takes.
    Own,
    /// A deputy, which works as long as nothing has to be waited for.
    Deputy,
}

/// The turns of one writer.
pub(super) struct Turns {
    /// `None` when the writer has stopped.
    batches: Mutex<Option<Batches>>,
    /// Something came since whoever has the turn began to look.
    is_wanted: AtomicBool,
    /// A deputy can do what comes next.
    is_smooth: AtomicBool,
    /// How many there were.
    count: AtomicU64,
    is_closed: AtomicBool,
    own_thread: OnceLock<Thread>,
    /// Calls the deputy, if there is one.
    bell: RwLock<Option<Box<dyn Fn() + Send + Sync>>>,
}

/// Does the writer's work in place of its thread; see [`crate::Store::deputise`]. When it is dropped the thread does it again.
pub struct Deputy {
    turns: Arc<Turns>,
}

impl Deputy {
    pub(super) fn new(turns: Arc<Turns>, ring: Box<dyn Fn() + Send + Sync>) -> Self {
        turns.set_bell(Some(ring));
        Self { turns }
    }

    /// Does what was submitted by now, unless somebody is at it; what takes long is left to the writer's own thread.
    pub fn work(&self) {
        self.turns.take(Whose::Deputy);
    }
}

impl Drop for Deputy {
    fn drop(&mut self) {
        self.turns.set_bell(None);
        // What it was called for and did not do.
        self.turns.wake();
    }
}

impl Turns {
    pub(super) fn new(batches: Batches) -> Self {
        Self {
            batches: Mutex::new(Some(batches)),
            is_wanted: AtomicBool::new(false),
            is_smooth: AtomicBool::new(false),
            count: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            own_thread: OnceLock::new(),
            bell: RwLock::new(None),
        }
    }

    /// Something waits; a deputy may do it, if `for_deputy`.
    pub(super) fn call(&self, for_deputy: bool) {
        self.is_wanted.store(true, Ordering::SeqCst);
        match &*self.bell.read().unwrap_or_else(PoisonError::into_inner) {
            Some(ring) if for_deputy && self.is_smooth.load(Ordering::SeqCst) => ring(),
            _ => self.wake(),
        }
    }

    /// The store is closed, and nothing comes any more.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// What the writer's own thread runs, until the store is closed.
    pub(super) fn run(&self) {
        // Whoever wakes it before finds that something is wanted.
        self.own_thread.get_or_init(thread::current);
        let mut seen = 0;
        loop {
            self.take(Whose::Own);
            if self.is_closed.load(Ordering::SeqCst) {
                break;
            }
            let goes_on = self.idle(&mut seen);
            if self.is_wanted.load(Ordering::SeqCst) {
                continue;
            }
            if goes_on { thread::park_timeout(IDLE) } else { thread::park() }
        }
        if let Some(batches) = self.lock().take() {
            batches.end();
        }
    }

    fn set_bell(&self, ring: Option<Box<dyn Fn() + Send + Sync>>) {
        *self.bell.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }

    fn wake(&self) {
        if let Some(thread) = self.own_thread.get() {
            thread.unpark();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Batches>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works off all that waits. Whoever has the turn already looks again when it is done, so that nothing is left behind.
    fn take(&self, whose: Whose) {
        while self.is_wanted.load(Ordering::SeqCst) {
            let mut batches = match self.batches.try_lock() {
                Ok(batches) => batches,
                Err(TryLockError::Poisoned(batches)) => batches.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.is_wanted.swap(false, Ordering::SeqCst);
            self.count.fetch_add(1, Ordering::Relaxed);
            let is_done = self.in_order(&mut batches, |batches| batches.work(whose)).unwrap_or(true);
            drop(batches);
            if !is_done {
                self.is_wanted.store(true, Ordering::SeqCst);
                return self.wake();
            }
        }
    }

    /// If nobody has had the turn since the last time, what waits for the file is folded. Whether to look again after a moment.
    fn idle(&self, seen: &mut u64) -> bool {
        let count = self.count.load(Ordering::Relaxed);
        if std::mem::replace(seen, count) != count {
            return true;
        }
        match self.batches.try_lock() {
            Ok(mut batches) => self.in_order(&mut batches, Batches::idle).unwrap_or(false),
            Err(_) => true,
        }
    }

    /// What panics here has left nothing that can be relied on: the writer stops, and all who wait hear that.
    fn in_order<T>(&self, batches: &mut Option<Batches>, work: impl FnOnce(&mut Batches) -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(|| batches.as_mut().map(work)));
        if done.is_err() {
            tracing::error!("the writer ended in disorder");
            *batches = None;
        }
        self.is_smooth.store(batches.as_ref().is_some_and(Batches::is_smooth), Ordering::SeqCst);
        done.ok().flatten()
    }
}
