//! One run's connection to both neighbours: what its protocols talk through, lane by lane.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use mpc::error::Error;
use mpc::network::{Lanes, Neighbour, Network};
use mpc::prss::NeighbourKeys;
use wire::party::PartyRefusal;

use crate::error::Refusal;
use crate::link::{Conversation, NOT_POISONED};
use crate::switchboard::Lost;

/// Bytes in front of a message: the frame's length, the run's name, the lane.
const FRAMING_LEN: usize = 24;

/// One run on the links to both neighbours. Dropped before [`RunNetwork::finish`], it tells them that the run is given up.
pub struct RunNetwork {
    party: PartyId,
    next: Conversation,
    previous: Conversation,
    own_key: Secret<[u8; 32]>,
    silence: Duration,
    opened: Mutex<BTreeSet<u32>>,
    /// What to tell the neighbours if nothing comes of the run; `None` once it is done.
    reason: Mutex<Option<PartyRefusal>>,
    lost: Mutex<Option<(PartyId, Lost)>>,
    bytes_sent: AtomicU64,
    rounds: Mutex<BTreeMap<u32, u64>>,
}

/// One lane of a run.
struct LaneNetwork<'r> {
    run: &'r RunNetwork,
    lane: u32,
    /// Whether something was sent since something was last waited for.
    has_sent: bool,
    rounds: u64,
}

impl RunNetwork {
    /// Over the run's side of the two links; a message is awaited until nothing has come for `silence`. `own_key` is known
    /// to nobody else and may serve many runs.
    pub fn new(party: PartyId, next: Conversation, previous: Conversation, own_key: Secret<[u8; 32]>, silence: Duration) -> Self {
        Self {
            party,
            next,
            previous,
            own_key,
            silence,
            opened: Mutex::default(),
            reason: Mutex::new(Some(PartyRefusal::PeerUnavailable)),
            lost: Mutex::default(),
            bytes_sent: AtomicU64::default(),
            rounds: Mutex::default(),
        }
    }

    /// The keys of the connections that this run talks over, and the party's own.
    pub fn keys(&self) -> NeighbourKeys {
        NeighbourKeys { next: self.next.link().key.clone(), previous: self.previous.link().key.clone(), own: self.own_key.clone() }
    }

    /// Bytes sent so far to both neighbours, frames included, TLS not.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load(Ordering::Relaxed)
    }

    /// How often each lane that has ended waited for messages after it had sent some.
    pub fn rounds(&self) -> BTreeMap<u32, u64> {
        self.rounds.lock().expect(NOT_POISONED).clone()
    }

    /// The refusal with what is known here of a neighbour that was lost.
    pub fn explain(&self, session: SessionId, refusal: Refusal) -> Refusal {
        let lost = *self.lost.lock().expect(NOT_POISONED);
        let Some((peer, lost)) = lost.filter(|_| refusal.code == PartyRefusal::PeerUnavailable) else { return refusal };
        let how = match lost {
            Lost::Gone => "the connection broke".to_owned(),
            Lost::TimedOut => "it sent nothing in time".to_owned(),
            Lost::Abandoned => "the run was given up here".to_owned(),
            Lost::Flooded => "it sent more than a run has under way".to_owned(),
            Lost::GivenUp(reason) => match PartyRefusal::from_number(reason) {
                Some(reason) => format!("it gave the run up: {reason:?}"),
                None => "it gave the run up".to_owned(),
            },
        };
        Refusal::new(refusal.code, format!("{session}: {peer} was lost: {how}"))
    }

    /// The run is done: nothing more is said about it.
    pub fn finish(self) {
        *self.reason.lock().expect(NOT_POISONED) = None;
    }

    /// The run is given up: both neighbours are told why.
    pub fn give_up(self, reason: PartyRefusal) {
        *self.reason.lock().expect(NOT_POISONED) = Some(reason);
    }

    /// Ends the other lanes of this party: nothing will come of the run, and they need not wait.
    pub fn abandon(&self) {
        self.next.abandon();
        self.previous.abandon();
    }

    fn conversation(&self, neighbour: Neighbour) -> &Conversation {
        match neighbour {
            Neighbour::Next => &self.next,
            Neighbour::Previous => &self.previous,
        }
    }

    fn lose(&self, neighbour: Neighbour, lost: Lost) -> Error {
        let peer = neighbour.of(self.party);
        if lost != Lost::Abandoned {
            self.lost.lock().expect(NOT_POISONED).get_or_insert((peer, lost));
        }
        Error::PeerUnavailable { peer }
    }
}

impl Drop for RunNetwork {
    fn drop(&mut self) {
        if let Some(reason) = *self.reason.lock().expect(NOT_POISONED) {
            self.next.give_up(reason as u8);
            self.previous.give_up(reason as u8);
        }
    }
}

impl Lanes for RunNetwork {
    /// # Panics
    /// If the lane was opened before: its randomness would be used twice.
    fn open(&self, lane: u32) -> Result<Box<dyn Network + '_>, Error> {
        assert!(self.opened.lock().expect(NOT_POISONED).insert(lane), "a lane is opened once in a run");
        Ok(Box::new(LaneNetwork { run: self, lane, has_sent: false, rounds: 0 }))
    }
}

impl Network for LaneNetwork<'_> {
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), Error> {
        self.has_sent = true;
        self.run.bytes_sent.fetch_add((FRAMING_LEN + message.len()) as u64, Ordering::Relaxed);
        self.run.conversation(to).send(self.lane, message, self.run.silence).map_err(|lost| self.run.lose(to, lost))
    }

    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, Error> {
        self.rounds += u64::from(std::mem::take(&mut self.has_sent));
        self.run.conversation(from).receive(self.lane, self.run.silence).map_err(|lost| self.run.lose(from, lost))
    }
}

impl Drop for LaneNetwork<'_> {
    fn drop(&mut self) {
        *self.run.rounds.lock().expect(NOT_POISONED).entry(self.lane).or_default() += self.rounds;
    }
}
