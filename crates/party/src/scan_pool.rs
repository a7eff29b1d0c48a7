//! The party's scan: a few threads read the gallery once for all queries that wait, piece by piece, and hand each query
//! its scores as they come, so that the network works on the first records while the last are still read.
//!
//! A run *announces* itself as soon as its request is read and *submits* its query once it is checked and opened. A pass
//! begins when nobody who is announced is still to submit, when it is full, or when the first in line has waited for
//! [`Policy::patience`].

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use mpc::kernel::Kernel;
use mpc::layout::{RowsView, SLOTS_PER_BLOCK};
use mpc::scan::scan;
use mpc::share::PreparedQuery;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::cpu::thread_time;
use crate::link::NOT_POISONED;

/// Slots that one thread scans at a time: several pieces to a segment, so that all cores work also on a small gallery.
const PIECE_SLOTS: usize = 1 << 14;
/// A pass over a gallery takes seconds at the most; a scan that has not come by then never will.
const SCAN_MAX: Duration = Duration::from_secs(60);

/// Rows that can be scanned, in parts that lie together in memory.
pub trait Source: Send + Sync {
    /// How many parts.
    fn parts(&self) -> usize;
    /// The rows of a part; whole blocks.
    fn rows(&self, part: usize) -> RowsView<'_>;
    /// Slots of a part that count: at most as many as its rows.
    fn slots(&self, part: usize) -> usize;
}

/// How passes are put together.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Threads that scan.
    pub threads: usize,
    /// Queries of one pass at most.
    pub queries_max: usize,
    /// How long the first in line waits for runs that are announced.
    pub patience: Duration,
}

/// The threads; they end when it is dropped.
pub struct ScanPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    policy: Policy,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    announced: usize,
    waiting: VecDeque<Arc<Job>>,
    pass: Option<Arc<Pass>>,
    passes: u64,
    is_closing: bool,
}

/// A run that will soon submit its query, or be dropped.
pub struct Announced {
    shared: Arc<Shared>,
}

/// The scores of one query, as far as they are there.
pub struct Scores {
    job: Arc<Job>,
}

/// The scan broke; nothing is wrong with the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanFailed;

struct Job {
    query: PreparedQuery,
    source: Arc<dyn Source>,
    /// Jobs of the same group scan the same rows.
    group: Option<usize>,
    submitted: Instant,
    is_cancelled: AtomicBool,
    results: Mutex<Results>,
}

struct Results {
    pieces: Vec<Option<Zeroizing<Vec<u16>>>>,
    waiters: Vec<Waiter>,
    cpu: Duration,
    has_failed: bool,
}

/// Somebody who is woken once all of these pieces are there, and not before: waking costs more than a piece's bookkeeping.
struct Waiter {
    pieces: Range<usize>,
    are_there: Arc<Condvar>,
}

/// One reading of the gallery for some queries.
struct Pass {
    jobs: Vec<Arc<Job>>,
    pieces: Vec<Piece>,
    next: AtomicUsize,
}

/// Some blocks of a part.
struct Piece {
    part: usize,
    blocks: Range<usize>,
}

impl Policy {
    /// As many threads as the machine has cores, 32 queries, 20 ms.
    pub fn for_this_machine() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { threads, queries_max: 32, patience: Duration::from_millis(20) }
    }
}

impl ScanPool {
    /// Starts the threads.
    pub fn new(policy: Policy) -> Self {
        let shared = Arc::new(Shared { policy, state: Mutex::default(), changed: Condvar::new() });
        let threads = (0..policy.threads.max(1)).map(|_| {
            let shared = shared.clone();
            std::thread::spawn(move || shared.work())
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    /// A run is on its way: passes wait for it a little.
    pub fn announce(&self) -> Announced {
        self.shared.lock().announced += 1;
        Announced { shared: self.shared.clone() }
    }

    /// How often the gallery was read so far.
    pub fn passes(&self) -> u64 {
        self.shared.lock().passes
    }
}

impl Drop for ScanPool {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Announced {
    /// Queues `query` over `source`. Queries of the same `group` scan the same rows and may share a pass.
    pub fn submit(self, query: PreparedQuery, source: Arc<dyn Source>, group: Option<usize>) -> Scores {
        let pieces = pieces_of(source.as_ref()).len();
        let results = Results { pieces: (0..pieces).map(|_| None).collect(), waiters: vec![], cpu: Duration::ZERO, has_failed: false };
        let job = Arc::new(Job {
            query,
            source,
            group,
            submitted: Instant::now(),
            is_cancelled: AtomicBool::new(false),
            results: Mutex::new(results),
        });
        self.shared.lock().waiting.push_back(job.clone());
        // Dropping the announcement wakes the threads.
        Scores { job }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.shared.lock().announced -= 1;
        self.shared.changed.notify_all();
    }
}

impl Scores {
    /// Waits for the scores of `parts` and hands them out, in order and once: this party's additive shares modulo 2^16.
    ///
    /// # Errors
    /// [`ScanFailed`].
    pub fn take(&self, parts: Range<usize>) -> Result<Zeroizing<Vec<u16>>, ScanFailed> {
        let source = self.job.source.as_ref();
        let all = pieces_of(source);
        let pieces = all.partition_point(|piece| piece.part < parts.start)..all.partition_point(|piece| piece.part < parts.end);
        let found = self.wait_for(pieces.clone())?;
        let mut scores = Zeroizing::new(Vec::with_capacity(parts.map(|part| source.slots(part)).sum()));
        for (piece, found) in all[pieces].iter().zip(&found) {
            let used = source.slots(piece.part).saturating_sub(SLOTS_PER_BLOCK * piece.blocks.start).min(found.len());
            scores.extend_from_slice(&found[..used]);
        }
        Ok(scores)
    }

    /// Processor time that was spent on this query so far: its part of the passes that it shared.
    pub fn cpu(&self) -> Duration {
        self.job.results.lock().expect(NOT_POISONED).cpu
    }

    fn wait_for(&self, pieces: Range<usize>) -> Result<Vec<Zeroizing<Vec<u16>>>, ScanFailed> {
        let are_there = Arc::new(Condvar::new());
        let mut results = self.job.results.lock().expect(NOT_POISONED);
        results.waiters.push(Waiter { pieces: pieces.clone(), are_there: are_there.clone() });
        let is_waiting = |results: &mut Results| !results.has(&pieces) && !results.has_failed;
        let (mut results, _) = are_there.wait_timeout_while(results, SCAN_MAX, is_waiting).expect(NOT_POISONED);
        results.pieces[pieces].iter_mut().map(|piece| piece.take().ok_or(ScanFailed)).collect()
    }
}

impl Drop for Scores {
    fn drop(&mut self) {
        self.job.is_cancelled.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NOT_POISONED)
    }

    /// What each thread does: takes the next piece of the pass, or begins another pass.
    fn work(&self) {
        let mut state = self.lock();
        while !state.is_closing {
            let piece = state.pass.as_ref().and_then(|pass| Some((pass.clone(), pass.claim()?)));
            if let Some((pass, piece)) = piece {
                drop(state);
                // A piece that cannot be read ends the runs that want it, not the thread.
                if catch_unwind(AssertUnwindSafe(|| pass.scan(piece))).is_err() {
                    pass.jobs.iter().for_each(|job| job.fail());
                }
                state = self.lock();
                continue;
            }
            state.pass = None;
            match state.patience_left(&self.policy) {
                None => state = self.changed.wait(state).expect(NOT_POISONED),
                Some(left) if left.is_zero() => {
                    state.begin_pass(self.policy.queries_max);
                    self.changed.notify_all();
                }
                Some(left) => state = self.changed.wait_timeout(state, left).expect(NOT_POISONED).0,
            }
        }
        state.waiting.iter().for_each(|job| job.fail());
    }
}

impl State {
    /// How much longer the next pass waits for others; `None` if nobody is in line.
    fn patience_left(&self, policy: &Policy) -> Option<Duration> {
        let first = self.waiting.front()?;
        let companions = self.waiting.iter().filter(|job| job.goes_with(first)).count();
        if self.announced == 0 || companions >= policy.queries_max {
            return Some(Duration::ZERO);
        }
        Some(policy.patience.saturating_sub(first.submitted.elapsed()))
    }

    fn begin_pass(&mut self, queries_max: usize) {
        let first = self.waiting.pop_front().expect("somebody is in line");
        let mut jobs = vec![first];
        let mut others = VecDeque::new();
        for job in self.waiting.drain(..) {
            if jobs.len() < queries_max && job.goes_with(&jobs[0]) { jobs.push(job) } else { others.push_back(job) }
        }
        self.waiting = others;
        self.passes += 1;
        let pieces = pieces_of(jobs[0].source.as_ref());
        self.pass = Some(Arc::new(Pass { jobs, pieces, next: AtomicUsize::new(0) }));
    }
}

impl Job {
    fn goes_with(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other) || (self.group.is_some() && self.group == other.group)
    }

    fn fail(&self) {
        let mut results = self.results.lock().expect(NOT_POISONED);
        results.has_failed = true;
        results.waiters.iter().for_each(|waiter| waiter.are_there.notify_one());
    }
}

impl Results {
    fn has(&self, pieces: &Range<usize>) -> bool {
        self.pieces[pieces.clone()].iter().all(Option::is_some)
    }
}

impl Pass {
    fn claim(&self) -> Option<usize> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        (at < self.pieces.len()).then_some(at)
    }

    /// Scans one piece for all queries of the pass and hands out the scores.
    fn scan(&self, at: usize) {
        let began = thread_time();
        let jobs: Vec<&Arc<Job>> = self.jobs.iter().filter(|job| !job.is_cancelled.load(Ordering::Relaxed)).collect();
        let Some(first) = jobs.first() else { return };
        let Piece { part, blocks } = &self.pieces[at];
        let rows = first.source.rows(*part).slice(blocks.clone());
        let mut scores: Vec<Zeroizing<Vec<u16>>> = jobs.iter().map(|_| Zeroizing::new(vec![0; rows.slots()])).collect();
        let queries: Vec<&PreparedQuery> = jobs.iter().map(|job| &job.query).collect();
        let mut out: Vec<&mut [u16]> = scores.iter_mut().map(|scores| scores.as_mut_slice()).collect();
        scan(Kernel::best(), &queries, rows, &mut out);
        let each = thread_time().saturating_sub(began) / jobs.len() as u32;
        for (job, scores) in jobs.iter().zip(scores) {
            let mut results = job.results.lock().expect(NOT_POISONED);
            results.pieces[at] = Some(scores);
            results.cpu += each;
            let ready = results.waiters.iter().filter(|waiter| waiter.pieces.contains(&at) && results.has(&waiter.pieces));
            ready.for_each(|waiter| waiter.are_there.notify_one());
        }
    }
}

/// The same for every query over the same source.
fn pieces_of(source: &dyn Source) -> Vec<Piece> {
    let step = PIECE_SLOTS / SLOTS_PER_BLOCK;
    let of_part = |part: usize| {
        let blocks = source.slots(part).div_ceil(SLOTS_PER_BLOCK);
        (0..blocks).step_by(step).map(move |start| Piece { part, blocks: start..(start + step).min(blocks) })
    };
    (0..source.parts()).flat_map(of_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::party::PartyId;
    use mpc::layout::{block_numbers, write_slot};
    use mpc::share::{TemplateShare, share_template};
    use mpc::testing::{SeededRng, random_template};

    const DIMENSIONS: usize = 32;

    /// Random rows in parts of several pieces, the last with spare slots.
    struct Matrix {
        parts: Vec<Vec<u16>>,
        slots: Vec<usize>,
        /// Reading it panics.
        is_broken: bool,
        reads: AtomicUsize,
    }

    impl Source for Matrix {
        fn parts(&self) -> usize {
            self.parts.len()
        }
        fn rows(&self, part: usize) -> RowsView<'_> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            assert!(!self.is_broken, "the disk is gone");
            RowsView::new(&self.parts[part], DIMENSIONS)
        }
        fn slots(&self, part: usize) -> usize {
            self.slots[part]
        }
    }

    fn share(rng: &mut SeededRng) -> TemplateShare {
        let [first, ..] = share_template(&random_template(DIMENSIONS, rng), rng).expect("a template");
        first
    }

    fn matrix(slots: &[usize], rng: &mut SeededRng) -> Arc<Matrix> {
        let part = |slots: usize, rng: &mut SeededRng| {
            let mut numbers = vec![0; slots.div_ceil(SLOTS_PER_BLOCK) * block_numbers(DIMENSIONS)];
            let rows: Vec<_> = (0..16).map(|_| share(rng).to_row()).collect();
            (0..slots).for_each(|slot| write_slot(&mut numbers, slot, &rows[rng.below(16) as usize]));
            numbers
        };
        Arc::new(Matrix {
            parts: slots.iter().map(|slots| part(*slots, rng)).collect(),
            slots: slots.to_vec(),
            is_broken: false,
            reads: AtomicUsize::new(0),
        })
    }

    fn expected(matrix: &Matrix, query: &PreparedQuery, part: usize) -> Vec<u16> {
        (0..matrix.slots[part]).map(|slot| query.inner_product(matrix.rows(part).read(slot).as_slice())).collect()
    }

    fn pool(patience_ms: u64) -> ScanPool {
        ScanPool::new(Policy { threads: 3, queries_max: 4, patience: Duration::from_millis(patience_ms) })
    }

    #[test]
    fn each_query_gets_its_own_scores_in_order_whatever_it_shares_a_pass_with() {
        let mut rng = SeededRng::new(5);
        let (large, small) = (matrix(&[2 * PIECE_SLOTS, PIECE_SLOTS + 16, 21], &mut rng), matrix(&[3], &mut rng));
        let pool = pool(1000);
        let queries: Vec<PreparedQuery> = (0..7).map(|_| share(&mut rng).prepare_query(PartyId::P1)).collect();
        let announced: Vec<Announced> = queries.iter().map(|_| pool.announce()).collect();
        std::thread::scope(|scope| {
            for (at, (query, announced)) in queries.iter().zip(announced).enumerate() {
                let matrix = if at == 3 { &small } else { &large };
                scope.spawn(move || {
                    let scores = announced.submit(query.clone(), matrix.clone(), (at != 5).then(|| Arc::as_ptr(matrix).addr()));
                    let (first, rest) = (scores.take(0..1), scores.take(1..matrix.parts()));
                    assert_eq!(first.expect("scanned").as_slice(), expected(matrix, query, 0), "query {at}");
                    let expected: Vec<u16> = (1..matrix.parts()).flat_map(|part| expected(matrix, query, part)).collect();
                    assert_eq!(rest.expect("scanned").as_slice(), expected, "query {at}");
                });
            }
        });
        // Six over the large matrix, of which one shares with nobody: passes of four, one and one; and the small one.
        assert!((4..=5).contains(&pool.passes()), "{} passes", pool.passes());
    }

    #[test]
    fn a_pass_waits_for_who_is_announced_but_not_for_ever() {
        let mut rng = SeededRng::new(6);
        let matrix = matrix(&[100], &mut rng);
        let pool = pool(2000);
        let submit =
            |announced: Announced, rng: &mut SeededRng| announced.submit(share(rng).prepare_query(PartyId::P2), matrix.clone(), Some(1));
        let [first, second] = [(); 2].map(|()| pool.announce());
        let first = submit(first, &mut rng);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(pool.passes(), 0, "the second is on its way");
        let second = submit(second, &mut rng);
        assert!(first.take(0..1).is_ok() && second.take(0..1).is_ok());
        assert_eq!(pool.passes(), 1);

        let (third, never) = (pool.announce(), pool.announce());
        let began = Instant::now();
        assert!(submit(third, &mut rng).take(0..1).is_ok());
        assert!(began.elapsed() >= Duration::from_secs(2), "it waited for the other");
        drop(never);
        let began = Instant::now();
        assert!(submit(pool.announce(), &mut rng).take(0..1).is_ok());
        assert!(began.elapsed() < Duration::from_millis(1900), "who is gone is not waited for");
    }

    #[test]
    fn a_scan_that_breaks_is_told_and_a_query_that_is_gone_is_not_scanned() {
        let mut rng = SeededRng::new(7);
        let pool = pool(20);
        let query = share(&mut rng).prepare_query(PartyId::P3);
        let broken = Arc::new(Matrix { parts: vec![vec![]], slots: vec![16], is_broken: true, reads: AtomicUsize::new(0) });
        for _ in 0..5 {
            assert_eq!(pool.announce().submit(query.clone(), broken.clone(), None).take(0..1), Err(ScanFailed));
        }
        assert_eq!(broken.reads.load(Ordering::Relaxed), 5, "no thread was lost");
        let other = pool.announce();
        drop(pool.announce().submit(query.clone(), broken.clone(), None));
        drop(other);
        let good = matrix(&[40], &mut rng);
        assert_eq!(
            pool.announce().submit(query.clone(), good.clone(), None).take(0..1).expect("scanned").as_slice(),
            expected(&good, &query, 0)
        );
        assert_eq!(broken.reads.load(Ordering::Relaxed), 5, "who is gone wants no scores");
        assert!(pool.announce().submit(query, matrix(&[], &mut rng), None).take(0..0).expect("nothing to scan").is_empty());
    }
}
