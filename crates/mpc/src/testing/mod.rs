//! Three parties in one process, for tests and measurements: a network in memory, keys, and randomness from a seed.
//! The only place in this crate that starts threads; nothing outside tests and measuring commands uses it.

mod network;
mod rows;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use base::party::PartyId;
use base::secret::Secret;

use self::network::{Hub, MemoryLanes};
use crate::protocol::{Run, Session};
use crate::prss::NeighbourKeys;

pub use rows::{generated_row, generated_template};

/// How long a party waits for a message, unless a test says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// The keys of three parties, from a seed.
pub fn neighbour_keys(seed: u64) -> [NeighbourKeys; 3] {
    let key = |number: u8| {
        let mut bytes = [number; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Secret::new(bytes)
    };
    // Key number i is shared by party i and the party before it; number i + 10 is party i's own.
    PartyId::ALL.map(|party| NeighbourKeys {
        next: key(party.next().number()),
        previous: key(party.number()),
        own: key(10 + party.number()),
    })
}

/// What one party sent on one lane, message by message, before anybody altered it.
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

/// A message's place in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Who sends it.
    pub from: PartyId,
    /// Whom to.
    pub to: PartyId,
    /// On which lane.
    pub lane: u32,
    /// How many messages went before it in that direction on that lane.
    pub index: usize,
}

/// Alters what is delivered for the message at a place: the list holds that one message. Emptying it drops the message,
/// a further entry is delivered behind it. Called while the network is locked: it must not send.
pub type Tamper = dyn Fn(Place, &mut Vec<Vec<u8>>) + Send + Sync;

/// Three parties in memory. All randomness comes from one seed, which is printed when a test fails.
pub struct World {
    seed: u64,
    patience: Duration,
    delay_max: Option<Duration>,
    tamper: Option<Box<Tamper>>,
    is_recorded: bool,
}

impl World {
    /// Three honest parties.
    pub fn new(seed: u64) -> Self {
        // The test harness shows this only for a test that fails.
        eprintln!("world of seed {seed}");
        Self { seed, patience: PATIENCE, delay_max: None, tamper: None, is_recorded: true }
    }

    /// Lets `tamper` alter messages on their way: this is how a test makes a party lie.
    #[must_use]
    pub fn tamper(mut self, tamper: impl Fn(Place, &mut Vec<Vec<u8>>) + Send + Sync + 'static) -> Self {
        self.tamper = Some(Box::new(tamper));
        self
    }

    /// A party gives up after waiting for a message this long; for tests in which a message is dropped.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Every sending and receiving first takes some time, at most `max`: the seed says how much.
    #[must_use]
    pub fn delays(mut self, max: Duration) -> Self {
        self.delay_max = Some(max);
        self
    }

    /// Keeps no messages, only rounds: for measurements, which the copies would disturb.
    #[must_use]
    pub fn unrecorded(mut self) -> Self {
        self.is_recorded = false;
        self
    }

    /// Runs `protocol` as all three parties on lane 0, and gives back their results and traffic.
    ///
    /// # Panics
    /// If one of the three panics.
    pub fn run<T: Send>(&self, protocol: impl Fn(&mut Session<'_>) -> T + Sync) -> [(T, Traffic); 3] {
        let on_lane = |run: &Run<'_>| run.on_lane(0, |session| Ok(protocol(session))).expect("memory has every lane");
        self.run_lanes(on_lane).map(|(result, mut traffic)| (result, traffic.remove(&0).expect("lane 0 was used")))
    }

    /// Runs `protocol` as all three parties, each in a thread of its own with lanes to open as it likes.
    ///
    /// # Panics
    /// If one of the three panics.
    pub fn run_lanes<T: Send>(&self, protocol: impl Fn(&Run<'_>) -> T + Sync) -> [(T, BTreeMap<u32, Traffic>); 3] {
        let keys = neighbour_keys(self.seed);
        let salt = self.seed.to_le_bytes();
        let delays = self.delay_max.map(|max| (self.seed, max));
        let hub = Hub::new(self.patience, delays, self.tamper.as_deref(), self.is_recorded);
        let results = std::thread::scope(|scope| {
            let threads = PartyId::ALL.map(|party| {
                let (hub, keys, salt, protocol) = (&hub, &keys[party.index()], &salt, &protocol);
                scope.spawn(move || {
                    let _leaving = Leaving { party, hub };
                    let lanes = MemoryLanes { party, hub };
                    protocol(&Run { party, keys, salt, label: "test", lanes: &lanes })
                })
            });
            threads.map(|thread| thread.join().expect("no party panics"))
        });
        let mut traffic = hub.into_traffic().into_iter();
        results.map(|result| (result, traffic.next().expect("three parties")))
    }
}

/// Says goodbye for a party when its thread ends, also by a panic, so that the others do not wait for it.
struct Leaving<'h> {
    party: PartyId,
    hub: &'h Hub<'h>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.hub.leave(self.party);
    }
}

/// Runs `protocol` in an honest [`World`] of this seed.
pub fn run_three<T: Send>(seed: u64, protocol: impl Fn(&mut Session<'_>) -> T + Sync) -> [(T, Traffic); 3] {
    World::new(seed).run(protocol)
}

/// Pearson's chi-squared over the 256 values of a byte: 255 degrees of freedom, mean 255, standard deviation 22.6. A uniform
/// source is outside 255 ± 6 deviations, [119, 391], less than once in a hundred million tables.
///
/// # Panics
/// If there are too few bytes to tell.
pub fn chi_squared_of_bytes(bytes: impl Iterator<Item = u8>) -> f64 {
    let mut counts = [0_u64; 256];
    bytes.for_each(|byte| counts[usize::from(byte)] += 1);
    let expected = counts.iter().sum::<u64>() as f64 / 256.0;
    assert!(expected >= 30.0, "too few bytes to tell");
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

/// A made-up unit vector of `dimensions` features at scale 127, like a random person's template.
pub fn random_template(dimensions: usize, rng: &mut SeededRng) -> Vec<i16> {
    // The sum of twelve uniform numbers is near enough to normal.
    let direction: Vec<f64> =
        (0..dimensions).map(|_| (0..12).map(|_| rng.below(1 << 20) as f64 / (1 << 20) as f64).sum::<f64>() - 6.0).collect();
    let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    direction.iter().map(|x| (127.0 * x / norm).round() as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::network::Neighbour;

    /// Each party sends `count` numbered messages around the ring on each of three lanes, lanes in its own order.
    fn chatter(world: &World, count: u8) -> [Result<Vec<Vec<u8>>, Error>; 3] {
        let results = world.run_lanes(|run| {
            let speak = |lane: u32| {
                run.on_lane(lane, |session| {
                    (0..count).try_for_each(|number| session.send(Neighbour::Next, vec![lane as u8, number]))?;
                    (0..count).map(|_| session.receive(Neighbour::Previous, 2)).collect::<Result<Vec<_>, Error>>()
                })
            };
            let mut lanes: Vec<u32> = (0..3).collect();
            lanes.rotate_left(run.party.index());
            std::thread::scope(|scope| {
                let threads: Vec<_> = lanes.iter().map(|lane| scope.spawn(move || speak(*lane))).collect();
                let heard: Result<Vec<_>, Error> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
                heard.map(|lanes| lanes.concat())
            })
        });
        results.map(|(result, traffic)| {
            assert!(traffic.values().all(|lane| lane.to_next.len() == usize::from(count) && lane.rounds <= 1));
            result
        })
    }

    #[test]
    fn each_lane_keeps_its_order_whatever_the_speeds() {
        for seed in 0..5 {
            let world = World::new(seed).delays(Duration::from_micros(300));
            for (party, heard) in PartyId::ALL.into_iter().zip(chatter(&world, 5)) {
                let mut lanes: Vec<u8> = (0..3).collect();
                lanes.rotate_left(party.index());
                let expected: Vec<Vec<u8>> = lanes.iter().flat_map(|lane| (0..5).map(|number| vec![*lane, number])).collect();
                assert_eq!(heard, Ok(expected));
            }
        }
    }

    #[test]
    fn a_message_can_be_dropped_changed_and_sent_twice() {
        let at = |place: Place| (place.from, place.lane, place.index) == (PartyId::P1, 2, 0);
        let lie = |change: fn(&mut Vec<Vec<u8>>)| {
            let world = World::new(9).patience(Duration::from_secs(2)).tamper(move |place, messages| {
                if at(place) {
                    change(messages);
                }
            });
            chatter(&world, 1)
        };
        let dropped = lie(Vec::clear);
        assert_eq!(dropped[1], Err(Error::PeerUnavailable { peer: PartyId::P1 }));
        assert!(dropped[0].is_ok() && dropped[2].is_ok());
        let changed = lie(|messages| messages[0][1] ^= 1);
        assert!(changed[1].as_ref().is_ok_and(|heard| heard.contains(&vec![2, 1])));
        let longer = lie(|messages| messages[0].push(0));
        assert_eq!(longer[1], Err(Error::MessageLength { peer: PartyId::P1, expected: 2, found: 3 }));
        let twice = lie(|messages| messages.push(vec![2, 7]));
        assert!(twice.iter().all(Result::is_ok));
    }

    #[test]
    fn nobody_waits_for_a_party_that_has_left() {
        let results = World::new(10).run(|session| match session.party() {
            PartyId::P1 => Ok(vec![]),
            PartyId::P2 => session.receive(Neighbour::Previous, 1),
            PartyId::P3 => session.receive(Neighbour::Next, 1),
        });
        for (result, _) in &results[1..] {
            assert_eq!(result, &Err(Error::PeerUnavailable { peer: PartyId::P1 }));
        }
    }
}
