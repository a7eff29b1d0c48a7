//! The network in memory: every lane between two parties is an ordered stream, recorded, and altered where a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use base::party::PartyId;

use super::{Place, SeededRng, Tamper, Traffic};
use crate::error::Error;
use crate::network::{Lanes, Neighbour, Network};

const NOT_POISONED: &str = "nobody panics while holding this lock";

/// What connects the three parties.
pub(super) struct Hub<'w> {
    patience: Duration,
    delays: Option<(u64, Duration)>,
    tamper: Option<&'w Tamper>,
    is_recorded: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    streams: BTreeMap<(PartyId, PartyId, u32), Stream>,
    /// Parties that have finished altogether.
    gone: [bool; 3],
    traffic: [BTreeMap<u32, Traffic>; 3],
}

#[derive(Default)]
struct Stream {
    sent: usize,
    waiting: VecDeque<Message>,
    closed: bool,
}

/// A message and the round it was sent in: one more than the latest round that its sender had received from.
struct Message {
    round: usize,
    bytes: Vec<u8>,
}

/// One party's view of all lanes.
pub(super) struct MemoryLanes<'h> {
    pub(super) party: PartyId,
    pub(super) hub: &'h Hub<'h>,
}

struct MemoryNetwork<'h> {
    party: PartyId,
    lane: u32,
    hub: &'h Hub<'h>,
    traffic: Traffic,
    delays: Option<(SeededRng, Duration)>,
}

impl<'w> Hub<'w> {
    pub(super) fn new(patience: Duration, delays: Option<(u64, Duration)>, tamper: Option<&'w Tamper>, is_recorded: bool) -> Self {
        Self { patience, delays, tamper, is_recorded, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Says that `party` has finished: whoever waits for it need not wait any longer.
    pub(super) fn leave(&self, party: PartyId) {
        self.state().gone[party.index()] = true;
        self.changed.notify_all();
    }

    /// What each party sent on each lane that it has closed.
    pub(super) fn into_traffic(self) -> [BTreeMap<u32, Traffic>; 3] {
        self.state.into_inner().expect(NOT_POISONED).traffic
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NOT_POISONED)
    }
}

impl Lanes for MemoryLanes<'_> {
    fn open(&self, lane: u32) -> Result<Box<dyn Network + '_>, Error> {
        let (party, hub) = (self.party, self.hub);
        let already = hub.state().traffic[party.index()].insert(lane, Traffic::default());
        assert!(already.is_none(), "{party} opened lane {lane} twice");
        let delays = hub.delays.map(|(seed, max)| (SeededRng::new(seed ^ u64::from(lane) << 8 ^ u64::from(party.number())), max));
        Ok(Box::new(MemoryNetwork { party, lane, hub, traffic: Traffic::default(), delays }))
    }
}

impl MemoryNetwork<'_> {
    fn dawdle(&mut self) {
        if let Some((rng, max)) = &mut self.delays {
            std::thread::sleep(Duration::from_nanos(rng.below(1 + max.as_nanos() as u64)));
        }
    }
}

impl Network for MemoryNetwork<'_> {
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), Error> {
        self.dawdle();
        if self.hub.is_recorded {
            let record = match to {
                Neighbour::Next => &mut self.traffic.to_next,
                Neighbour::Previous => &mut self.traffic.to_previous,
            };
            record.push(message.clone());
        }
        let (from, to, lane) = (self.party, to.of(self.party), self.lane);
        let mut messages = vec![message];
        let mut state = self.hub.state();
        let stream = state.streams.entry((from, to, lane)).or_default();
        let place = Place { from, to, lane, index: stream.sent };
        stream.sent += 1;
        if let Some(tamper) = self.hub.tamper {
            tamper(place, &mut messages);
        }
        let round = self.traffic.rounds + 1;
        stream.waiting.extend(messages.into_iter().map(|bytes| Message { round, bytes }));
        self.hub.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, Error> {
        self.dawdle();
        let peer = from.of(self.party);
        let key = (peer, self.party, self.lane);
        let pointless = |state: &State| state.gone[peer.index()] || state.streams.get(&key).is_some_and(|stream| stream.closed);
        let is_empty = |state: &State| state.streams.get(&key).is_none_or(|stream| stream.waiting.is_empty());
        let state = self.hub.state();
        let (mut state, _) = self
            .hub
            .changed
            .wait_timeout_while(state, self.hub.patience, |state| is_empty(state) && !pointless(state))
            .expect(NOT_POISONED);
        let message = state.streams.entry(key).or_default().waiting.pop_front().ok_or(Error::PeerUnavailable { peer })?;
        self.traffic.rounds = self.traffic.rounds.max(message.round);
        Ok(message.bytes)
    }
}

impl Drop for MemoryNetwork<'_> {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        for to in [self.party.next(), self.party.previous()] {
            state.streams.entry((self.party, to, self.lane)).or_default().closed = true;
        }
        state.traffic[self.party.index()].insert(self.lane, std::mem::take(&mut self.traffic));
        self.hub.changed.notify_all();
    }
}
