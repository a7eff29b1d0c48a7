//! The party's workers that are connected, and what of a run is handed to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc as std_mpsc};

use mpc::layout::{RowsView, bytes_of_numbers};
use mpc::share::PreparedQuery;
use tokio::sync::{Notify, mpsc};
use zeroize::Zeroizing;

use super::assignment::{Assignment, Step, WorkerId};
use super::handed::Task;
use super::message::{Bytes, FromWorker, ToWorker};
use crate::gallery::snapshot::Stamp;
use crate::link::NOT_POISONED;
use crate::scan_pool::Source;
use crate::searched::{PARTS_PER_CHUNK, Searched};

/// All of a party's workers.
#[derive(Default)]
pub struct Workers {
    state: Mutex<State>,
    names: AtomicU64,
}

#[derive(Default)]
struct State {
    assignment: Assignment,
    links: BTreeMap<WorkerId, Arc<WorkerLink>>,
    /// Runs over the same segments with the same plan scan the rest together.
    last_plan: Weak<Plan>,
}

/// A connected worker.
pub struct WorkerLink {
    pub(super) worker: WorkerId,
    urgent: mpsc::UnboundedSender<Bytes>,
    tasks: Mutex<BTreeMap<u64, std_mpsc::Sender<FromWorker>>>,
    is_gone: AtomicBool,
    pub(super) hung_up: Notify,
}

#[derive(PartialEq, Eq)]
struct Plan {
    segments: Vec<Stamp>,
    /// By chunk.
    workers: Vec<Option<WorkerId>>,
}

/// What of one run is handed out; what is not worked on when it is dropped is called back.
pub struct HandedOut {
    plan: Option<Arc<Plan>>,
    /// By chunk; empty if nothing is handed out.
    tasks: Vec<Option<Task>>,
}

/// What is left for the party itself to scan.
struct Rest {
    searched: Arc<Searched>,
    plan: Arc<Plan>,
}

impl Workers {
    /// Adds a worker whose connection has just been made; also gives what is to be written to it first.
    pub(super) fn join(&self) -> (Arc<WorkerLink>, mpsc::UnboundedReceiver<Bytes>) {
        let (urgent, queue) = mpsc::unbounded_channel();
        let link = Arc::new(WorkerLink {
            worker: self.name(),
            urgent,
            tasks: Mutex::default(),
            is_gone: AtomicBool::new(false),
            hung_up: Notify::new(),
        });
        let mut state = self.state.lock().expect(NOT_POISONED);
        state.assignment.join(link.worker);
        state.links.insert(link.worker, link.clone());
        (link, queue)
    }

    /// Takes a worker out; its tasks end.
    pub(super) fn lose(&self, link: &WorkerLink) {
        {
            let mut state = self.state.lock().expect(NOT_POISONED);
            state.assignment.lose(link.worker);
            state.links.remove(&link.worker);
        }
        // No task is added any more: that is done only while a link is among the others.
        link.end_tasks();
    }

    /// What is to be done with a worker's copies, the gallery being as `segments` says.
    pub(super) fn next(&self, worker: WorkerId, segments: &[Stamp]) -> Option<Step> {
        let mut state = self.state.lock().expect(NOT_POISONED);
        state.assignment.update(segments);
        state.assignment.next(worker)
    }

    pub(super) fn confirm(&self, worker: WorkerId, stamp: Stamp) {
        self.state.lock().expect(NOT_POISONED).assignment.confirm(worker, stamp);
    }

    pub(super) fn fail(&self, worker: WorkerId) {
        self.state.lock().expect(NOT_POISONED).assignment.fail(worker);
    }

    /// Hands out what it can of a search: those workers begin to scan at once.
    pub fn hand_out(&self, query: &PreparedQuery, searched: &Searched) -> HandedOut {
        let segments: Option<Vec<Stamp>> = searched.stamps().into_iter().collect();
        let mut state = self.state.lock().expect(NOT_POISONED);
        let Some(segments) = segments.filter(|_| !state.links.is_empty()) else { return HandedOut::nothing() };
        let workers = state.assignment.plan(&segments);
        if workers.iter().all(Option::is_none) {
            return HandedOut::nothing();
        }
        let plan = Plan { segments, workers };
        let plan = state.last_plan.upgrade().filter(|last| **last == plan).unwrap_or_else(|| Arc::new(plan));
        state.last_plan = Arc::downgrade(&plan);
        let query = Zeroizing::new(bytes_of_numbers(query.as_slice()).to_vec());
        // Under the lock, so that no change of a copy is sent before the scan that wants it as it is.
        let begin = |(chunk, worker): (usize, &Option<WorkerId>)| {
            let link = worker.and_then(|worker| state.links.get(&worker))?;
            let (task, (sender, events)) = (self.name(), std_mpsc::channel());
            link.tasks.lock().expect(NOT_POISONED).insert(task, sender);
            link.send(&ToWorker::Scan { task, query: query.clone(), stamps: plan.segments[searched.parts_of(chunk)].to_vec() });
            Some(Task::new(task, link.clone(), events))
        };
        let tasks = plan.workers.iter().enumerate().map(begin).collect();
        HandedOut { plan: Some(plan), tasks }
    }

    /// For each chunk of a search over `segments` the worker that it would be handed to.
    pub(crate) fn plan(&self, segments: &[Stamp]) -> Vec<Option<WorkerId>> {
        self.state.lock().expect(NOT_POISONED).assignment.plan(segments)
    }

    /// How many chunks of the gallery would be handed out, as of the last look at it.
    pub(crate) fn chunks_at_workers(&self) -> u32 {
        self.state.lock().expect(NOT_POISONED).assignment.chunks_at_workers() as u32
    }

    fn name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }
}

impl WorkerLink {
    /// Queues a message of a run.
    pub(super) fn send(&self, message: &ToWorker) {
        // If the connection is gone, the tasks are told.
        let _ = self.urgent.send(message.to_bytes());
    }

    /// Hands what the worker says of a task to whoever waits for it.
    pub(super) fn deliver(&self, task: u64, event: FromWorker) {
        if let Some(sender) = self.tasks.lock().expect(NOT_POISONED).get(&task) {
            let _ = sender.send(event);
        }
    }

    pub(super) fn forget(&self, task: u64) {
        self.tasks.lock().expect(NOT_POISONED).remove(&task);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    fn end_tasks(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
        // Whoever waits for one of them finds that nothing will come.
        self.tasks.lock().expect(NOT_POISONED).clear();
    }
}

impl HandedOut {
    /// The party does all itself.
    pub fn nothing() -> Self {
        Self { plan: None, tasks: vec![] }
    }

    /// The task of a chunk that is handed out.
    pub fn task(&self, chunk: usize) -> Option<&Task> {
        self.tasks.get(chunk)?.as_ref()
    }

    /// What the party itself scans, and for whom else at the same time.
    pub fn rest(&self, searched: &Arc<Searched>) -> (Arc<dyn Source>, Option<usize>) {
        match &self.plan {
            None => (searched.clone(), searched.group()),
            // The same plan means the same segments as of the same changes. It lives as long as somebody scans by it.
            Some(plan) => (Arc::new(Rest { searched: searched.clone(), plan: plan.clone() }), Some(Arc::as_ptr(plan).addr())),
        }
    }
}

impl Rest {
    fn is_handed_out(&self, part: usize) -> bool {
        self.plan.workers[part / PARTS_PER_CHUNK].is_some()
    }
}

impl Source for Rest {
    fn parts(&self) -> usize {
        self.searched.parts()
    }

    fn rows(&self, part: usize) -> RowsView<'_> {
        self.searched.rows(part)
    }

    fn slots(&self, part: usize) -> usize {
        if self.is_handed_out(part) { 0 } else { self.searched.slots(part) }
    }
}
