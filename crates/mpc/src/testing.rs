//! Three parties in one process, for tests and measurements: a network of channels, keys, and randomness from a seed.
//! The only place in this crate that starts threads; nothing outside tests and measuring commands uses it.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};

use base::party::PartyId;
use base::secret::Secret;

use crate::error::Error;
use crate::network::{Neighbour, Network};
use crate::protocol::Session;
use crate::prss::{NeighbourKeys, Prss};

/// Randomness that a seed determines: for tests and crowds of made-up templates, never for a key.
pub struct SeededRng(u64);

impl SeededRng {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, near enough to uniform for a test.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }

    /// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl rand_core::TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for SeededRng {}

/// The pairwise keys of three parties, from a seed.
pub fn neighbour_keys(seed: u64) -> [NeighbourKeys; 3] {
    // Key number i is shared by party i and the party before it.
    let key = |party: PartyId| {
        let mut bytes = [party.number(); 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Secret::new(bytes)
    };
    PartyId::ALL.map(|party| NeighbourKeys { next: key(party.next()), previous: key(party) })
}

/// What one party sent in a run, message by message.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// To the next party: each message's bytes.
    pub to_next: Vec<Vec<u8>>,
    /// To the previous party.
    pub to_previous: Vec<Vec<u8>>,
    /// How often this party had to wait for a message that depends on what it sent before.
    pub rounds: usize,
}

impl Traffic {
    /// Bytes sent to both neighbours.
    pub fn bytes(&self) -> usize {
        self.to_next.iter().chain(&self.to_previous).map(Vec::len).sum()
    }
}

/// A party's ends of the channels in memory.
pub struct MemoryNetwork {
    party: PartyId,
    to_next: Sender<Message>,
    to_previous: Sender<Message>,
    from_next: Receiver<Message>,
    from_previous: Receiver<Message>,
    traffic: Traffic,
}

/// A message and the round it was sent in: one more than the latest round that its sender had received from.
type Message = (usize, Vec<u8>);

impl MemoryNetwork {
    /// Three connected networks.
    pub fn three() -> [Self; 3] {
        let forward = [(); 3].map(|()| channel());
        let backward = [(); 3].map(|()| channel());
        let mut forward_receivers = Vec::new();
        let mut backward_receivers = Vec::new();
        let mut senders = Vec::new();
        for ((to_next, at_next), (to_previous, at_previous)) in forward.into_iter().zip(backward) {
            senders.push((to_next, to_previous));
            forward_receivers.push(Some(at_next));
            backward_receivers.push(Some(at_previous));
        }
        let mut senders = senders.into_iter();
        PartyId::ALL.map(|party| {
            let (to_next, to_previous) = senders.next().expect("three pairs of senders");
            Self {
                party,
                to_next,
                to_previous,
                from_next: backward_receivers[party.next().index()].take().expect("taken once"),
                from_previous: forward_receivers[party.previous().index()].take().expect("taken once"),
                traffic: Traffic::default(),
            }
        })
    }
}

impl Network for MemoryNetwork {
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), Error> {
        let (sender, sent) = match to {
            Neighbour::Next => (&self.to_next, &mut self.traffic.to_next),
            Neighbour::Previous => (&self.to_previous, &mut self.traffic.to_previous),
        };
        sent.push(message.clone());
        sender.send((self.traffic.rounds + 1, message)).map_err(|_| Error::PeerUnavailable { peer: to.of(self.party) })
    }

    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, Error> {
        let receiver = match from {
            Neighbour::Next => &self.from_next,
            Neighbour::Previous => &self.from_previous,
        };
        let (round, message) = receiver.recv().map_err(|_| Error::PeerUnavailable { peer: from.of(self.party) })?;
        self.traffic.rounds = self.traffic.rounds.max(round);
        Ok(message)
    }
}

/// Runs `protocol` as all three parties, each in a thread of its own, and gives back their results and traffic.
///
/// # Panics
/// If one of the three panics.
pub fn run_three<T: Send>(seed: u64, protocol: impl Fn(&mut Session<'_>) -> T + Sync) -> [(T, Traffic); 3] {
    let keys = neighbour_keys(seed);
    let networks = MemoryNetwork::three();
    std::thread::scope(|scope| {
        let threads = networks.map(|mut network| {
            let (keys, protocol) = (&keys, &protocol);
            scope.spawn(move || {
                let party = network.party;
                let prss = Prss::new(&keys[party.index()], &seed.to_le_bytes(), "test");
                let result = protocol(&mut Session::new(party, prss, &mut network));
                (result, network.traffic)
            })
        });
        threads.map(|thread| thread.join().expect("no party panics"))
    })
}

/// A made-up unit vector of `dimensions` features at scale 127, like a random person's template.
pub fn random_template(dimensions: usize, rng: &mut SeededRng) -> Vec<i16> {
    // The sum of twelve uniform numbers is near enough to normal.
    let direction: Vec<f64> =
        (0..dimensions).map(|_| (0..12).map(|_| rng.below(1 << 20) as f64 / (1 << 20) as f64).sum::<f64>() - 6.0).collect();
    let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    direction.iter().map(|x| (127.0 * x / norm).round() as i16).collect()
}
