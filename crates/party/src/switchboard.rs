//! Messages that have come in over one link and wait for their run: told apart by run and lane, in order within a lane.
//!
//! Memory is bounded: a run that a peer floods is ended by name, runs that nobody here has begun are few and are forgotten
//! after a while, and what comes for a run that has ended is dropped.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use base::id::SessionId;
use tokio::time::Instant;

use crate::link::NOT_POISONED;

/// What one link may hold of messages that nobody has taken yet.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one run.
    pub run_bytes: usize,
    /// Bytes of all runs together.
    pub link_bytes: usize,
    /// Runs that the peer has begun and the platform has not told us of.
    pub unclaimed_runs: usize,
    /// How long such a run is kept.
    pub unclaimed_for: Duration,
    /// Runs that are remembered after their end, so that late messages are dropped.
    pub ended_runs: usize,
}

/// The limits of a party in service: several times what a run over ten million records has under way.
pub const LIMITS: Limits =
    Limits { run_bytes: 64 << 20, link_bytes: 256 << 20, unclaimed_runs: 256, unclaimed_for: Duration::from_secs(30), ended_runs: 4096 };

/// What a waiting message and a lane cost beside the message's bytes.
const OVERHEAD: usize = 128;

/// The messages of one link.
pub struct Switchboard {
    limits: Limits,
    /// `None` once the connection is gone.
    runs: Mutex<Option<Runs>>,
}

#[derive(Default)]
struct Runs {
    open: HashMap<SessionId, Run>,
    ended: HashSet<SessionId>,
    ended_in_order: VecDeque<SessionId>,
    bytes: usize,
}

struct Run {
    /// Whether it has begun here.
    is_claimed: bool,
    opened: Instant,
    /// When its last message came.
    last_message: Instant,
    lanes: HashMap<u32, Lane>,
    bytes: usize,
    /// Why no further message will come.
    over: Option<Lost>,
}

#[derive(Default)]
struct Lane {
    messages: VecDeque<Vec<u8>>,
    has_come: Arc<Condvar>,
}

/// Why a run cannot begin on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotBegin {
    /// The connection is gone.
    Gone,
    /// A run of that name is under way, or has just ended.
    NameInUse,
}

/// Why no message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The connection is gone.
    Gone,
    /// None came in time.
    TimedOut,
    /// The peer gave the run up; its reason is one byte that only people read.
    GivenUp(u8),
    /// This party itself gave the run up.
    Abandoned,
    /// The peer sent more than a run can have under way; its software differs from ours, or it means ill.
    Flooded,
}

impl Switchboard {
    /// Without any run.
    pub fn new(limits: Limits) -> Self {
        Self { limits, runs: Mutex::new(Some(Runs::default())) }
    }

    /// Whether the connection still stands.
    pub fn is_alive(&self) -> bool {
        self.lock().is_some()
    }

    /// Begins the run `session` here; what has come for it already is kept.
    ///
    /// # Errors
    /// [`CannotBegin`].
    pub fn begin(&self, session: SessionId) -> Result<(), CannotBegin> {
        let mut runs = self.lock();
        let runs = runs.as_mut().ok_or(CannotBegin::Gone)?;
        if runs.ended.contains(&session) {
            return Err(CannotBegin::NameInUse);
        }
        let run = runs.open.entry(session).or_insert_with(Run::new);
        if run.is_claimed {
            return Err(CannotBegin::NameInUse);
        }
        run.is_claimed = true;
        Ok(())
    }

    /// Whether the run `session` has begun here and not ended.
    pub fn is_under_way(&self, session: SessionId) -> bool {
        self.lock().as_ref().is_some_and(|runs| runs.open.get(&session).is_some_and(|run| run.is_claimed))
    }

    /// Takes in a message that came for `lane` of the run `session`.
    pub fn deliver(&self, session: SessionId, lane: u32, message: Vec<u8>) {
        let mut runs = self.lock();
        let Some(runs) = runs.as_mut() else { return };
        if !runs.admit(session, &self.limits) {
            return;
        }
        runs.make_room(session, message.len() + 2 * OVERHEAD, self.limits.link_bytes);
        let (cost, fits_link) = (message.len() + OVERHEAD, runs.bytes + message.len() + 2 * OVERHEAD <= self.limits.link_bytes);
        let run = runs.open.get_mut(&session).expect("admitted above");
        if run.over.is_some() {
            return;
        }
        let lane_cost = if run.lanes.contains_key(&lane) { 0 } else { OVERHEAD };
        if !fits_link || run.bytes + cost + lane_cost > self.limits.run_bytes {
            runs.bytes -= run.finish(Lost::Flooded);
            return;
        }
        run.last_message = Instant::now();
        run.bytes += cost + lane_cost;
        runs.bytes += cost + lane_cost;
        let lane = run.lanes.entry(lane).or_default();
        lane.messages.push_back(message);
        lane.has_come.notify_one();
    }

    /// The peer says that it gives the run `session` up.
    pub fn given_up(&self, session: SessionId, reason: u8) {
        let mut runs = self.lock();
        let Some(runs) = runs.as_mut() else { return };
        if runs.admit(session, &self.limits) {
            let run = runs.open.get_mut(&session).expect("admitted above");
            run.over = run.over.or(Some(Lost::GivenUp(reason)));
            run.wake_all();
        }
    }

    /// This party gives the run `session` up: whoever waits for it here is told.
    pub fn abandon(&self, session: SessionId) {
        if let Some(run) = self.lock().as_mut().and_then(|runs| runs.open.get_mut(&session)) {
            run.over = run.over.or(Some(Lost::Abandoned));
            run.wake_all();
        }
    }

    /// Waits for the next message on `lane` of the run `session`, until nothing has come for the run for `silence`. What
    /// came before the run was given up is still handed out.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn receive(&self, session: SessionId, lane: u32, silence: Duration) -> Result<Vec<u8>, Lost> {
        let began = Instant::now();
        let mut runs = self.lock();
        loop {
            let all = runs.as_mut().ok_or(Lost::Gone)?;
            let run = all.open.get_mut(&session).ok_or(Lost::Gone)?;
            if !run.lanes.contains_key(&lane) {
                run.bytes += OVERHEAD;
                all.bytes += OVERHEAD;
            }
            let queue = run.lanes.entry(lane).or_default();
            if let Some(message) = queue.messages.pop_front() {
                run.bytes -= message.len() + OVERHEAD;
                all.bytes -= message.len() + OVERHEAD;
                return Ok(message);
            }
            if let Some(lost) = run.over {
                return Err(lost);
            }
            let left = (run.last_message.max(began) + silence).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lost::TimedOut);
            }
            let has_come = queue.has_come.clone();
            runs = has_come.wait_timeout(runs, left).expect(NOT_POISONED).0;
        }
    }

    /// Ends the run `session` here.
    pub fn end(&self, session: SessionId) {
        if let Some(runs) = self.lock().as_mut() {
            runs.forget(session);
            runs.remember_ended(session, self.limits.ended_runs);
        }
    }

    /// The connection is gone: whoever waits is told.
    pub fn close(&self) {
        if let Some(runs) = self.lock().take() {
            runs.open.values().for_each(Run::wake_all);
        }
    }

    /// Bytes that wait now, for tests.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.lock().as_ref().map_or(0, |runs| runs.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Runs>> {
        self.runs.lock().expect(NOT_POISONED)
    }
}

impl Runs {
    /// Whether a message of `session` is kept; opens the run if it is new.
    fn admit(&mut self, session: SessionId, limits: &Limits) -> bool {
        if self.open.contains_key(&session) {
            return true;
        }
        if self.ended.contains(&session) {
            return false;
        }
        let stale: Vec<SessionId> = self
            .open
            .iter()
            .filter(|(_, run)| !run.is_claimed && run.opened.elapsed() >= limits.unclaimed_for)
            .map(|(name, _)| *name)
            .collect();
        stale.into_iter().for_each(|name| self.forget(name));
        if self.open.values().filter(|run| !run.is_claimed).count() >= limits.unclaimed_runs {
            tracing::warn!(%session, "too many runs that the platform has not asked for; a message was dropped");
            return false;
        }
        self.open.insert(session, Run::new());
        true
    }

    /// Forgets the oldest runs that nobody has begun here, but not `keep`, until `cost` more bytes fit.
    fn make_room(&mut self, keep: SessionId, cost: usize, limit: usize) {
        while self.bytes + cost > limit {
            let unclaimed = self.open.iter().filter(|(name, run)| !run.is_claimed && **name != keep && run.bytes > 0);
            let Some(oldest) = unclaimed.min_by_key(|(_, run)| run.opened).map(|(name, _)| *name) else { return };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, session: SessionId) {
        if let Some(run) = self.open.remove(&session) {
            self.bytes -= run.bytes;
            run.wake_all();
        }
    }

    fn remember_ended(&mut self, session: SessionId, limit: usize) {
        if self.ended.insert(session) {
            self.ended_in_order.push_back(session);
        }
        while self.ended_in_order.len() > limit {
            let oldest = self.ended_in_order.pop_front().expect("there are some");
            self.ended.remove(&oldest);
        }
    }
}

impl Run {
    fn new() -> Self {
        let now = Instant::now();
        Self { is_claimed: false, opened: now, last_message: now, lanes: HashMap::new(), bytes: 0, over: None }
    }

    /// Throws away what waits, wakes everybody, and says how many bytes were freed.
    fn finish(&mut self, why: Lost) -> usize {
        self.over = Some(why);
        self.wake_all();
        let freed: usize = self.lanes.values_mut().flat_map(|lane| lane.messages.drain(..)).map(|message| message.len() + OVERHEAD).sum();
        self.bytes -= freed;
        freed
    }

    fn wake_all(&self) {
        self.lanes.values().for_each(|lane| lane.has_come.notify_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const SMALL: Limits =
        Limits { run_bytes: 4000, link_bytes: 6000, unclaimed_runs: 3, unclaimed_for: Duration::from_millis(50), ended_runs: 2 };

    fn session(number: u128) -> SessionId {
        SessionId::from_bits(number)
    }

    #[test]
    fn messages_come_out_by_run_and_lane_in_order() {
        let board = Switchboard::new(LIMITS);
        // Before the run began here, and after.
        board.deliver(session(1), 0, vec![1]);
        board.deliver(session(1), 7, vec![2]);
        board.deliver(session(2), 0, vec![3]);
        assert_eq!(board.begin(session(1)), Ok(()));
        assert_eq!(board.begin(session(1)), Err(CannotBegin::NameInUse));
        board.deliver(session(1), 0, vec![4]);
        for (lane, message) in [(7, 2), (0, 1), (0, 4)] {
            assert_eq!(board.receive(session(1), lane, SHORT), Ok(vec![message]));
        }
        assert_eq!(board.receive(session(1), 0, SHORT), Err(Lost::TimedOut));
        assert_eq!(board.begin(session(2)), Ok(()));
        assert_eq!(board.receive(session(2), 0, SHORT), Ok(vec![3]));

        board.end(session(1));
        board.end(session(2));
        assert_eq!(board.bytes(), 0);
        board.deliver(session(1), 0, vec![5]);
        assert_eq!(board.bytes(), 0, "what comes late is dropped");
        assert_eq!(board.begin(session(1)), Err(CannotBegin::NameInUse), "a name is used once");
        board.close();
        assert_eq!(board.begin(session(3)), Err(CannotBegin::Gone));
    }

    #[test]
    fn a_run_that_the_peer_gives_up_ends_at_once_but_keeps_what_came() {
        let board = Switchboard::new(LIMITS);
        board.begin(session(1)).expect("the name is free");
        board.deliver(session(1), 0, vec![1]);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| board.receive(session(1), 1, Duration::from_secs(60)));
            board.given_up(session(1), 9);
            assert_eq!(waiting.join().expect("no panic"), Err(Lost::GivenUp(9)));
        });
        assert_eq!(board.receive(session(1), 0, SHORT), Ok(vec![1]));
        assert_eq!(board.receive(session(1), 0, SHORT), Err(Lost::GivenUp(9)));
        // Before it began here.
        board.given_up(session(2), 8);
        board.begin(session(2)).expect("the name is free");
        assert_eq!(board.receive(session(2), 0, Duration::from_secs(60)), Err(Lost::GivenUp(8)));
        std::thread::scope(|scope| {
            board.begin(session(3)).expect("the name is free");
            let waiting = scope.spawn(|| board.receive(session(3), 1, Duration::from_secs(60)));
            board.close();
            assert_eq!(waiting.join().expect("no panic"), Err(Lost::Gone));
        });
    }

    #[test]
    fn a_run_lives_as_long_as_any_of_its_lanes_hears_something() {
        let board = Switchboard::new(LIMITS);
        board.begin(session(1)).expect("the name is free");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| board.receive(session(1), 1, Duration::from_millis(2000)));
            for _ in 0..6 {
                std::thread::sleep(Duration::from_millis(400));
                board.deliver(session(1), 2, vec![]);
            }
            board.deliver(session(1), 1, vec![5]);
            assert_eq!(waiting.join().expect("no panic"), Ok(vec![5]));
        });
    }

    #[test]
    fn a_flood_ends_its_own_run_and_no_other() {
        let board = Switchboard::new(SMALL);
        board.begin(session(1)).expect("the name is free");
        board.begin(session(2)).expect("the name is free");
        board.deliver(session(2), 0, vec![2; 1000]);
        for _ in 0..10 {
            board.deliver(session(1), 0, vec![1; 1000]);
        }
        assert_eq!(board.receive(session(1), 0, SHORT), Err(Lost::Flooded));
        assert_eq!(board.receive(session(2), 0, SHORT), Ok(vec![2; 1000]));
        // Lanes and empty messages cost too.
        board.begin(session(3)).expect("the name is free");
        (0..100).for_each(|lane| board.deliver(session(3), lane, vec![]));
        assert_eq!(board.receive(session(3), 0, SHORT), Err(Lost::Flooded));
        (1..=3).for_each(|number| board.end(session(number)));
        assert_eq!(board.bytes(), 0);
    }

    #[test]
    fn runs_that_nobody_asked_for_are_few_make_room_and_are_forgotten() {
        let board = Switchboard::new(SMALL);
        (1..=5).for_each(|number| board.deliver(session(number), 0, vec![7; 1000]));
        board.begin(session(4)).expect("the name is free");
        assert_eq!(board.receive(session(4), 0, SHORT), Err(Lost::TimedOut), "there were three already");
        // A run that has begun needs the room: the oldest that nobody asked for goes.
        for _ in 0..3 {
            board.deliver(session(4), 0, vec![4; 1000]);
        }
        assert_eq!(board.receive(session(4), 0, SHORT), Ok(vec![4; 1000]));
        board.begin(session(1)).expect("the name is free");
        assert_eq!(board.receive(session(1), 0, SHORT), Err(Lost::TimedOut));
        board.begin(session(3)).expect("the name is free");
        assert_eq!(board.receive(session(3), 0, SHORT), Ok(vec![7; 1000]));
        (1..=5).for_each(|number| board.end(session(number)));
        assert_eq!(board.bytes(), 0);

        board.deliver(session(10), 0, vec![1]);
        std::thread::sleep(SMALL.unclaimed_for);
        board.deliver(session(11), 0, vec![2]);
        board.begin(session(10)).expect("the name is free");
        assert_eq!(board.receive(session(10), 0, SHORT), Err(Lost::TimedOut), "it was forgotten");
    }
}
