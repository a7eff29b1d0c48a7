//! The protocols, one per file, each with its `ideal` twin: the plain function that it must agree with.

pub mod agree;
pub mod boolean;
pub mod chunk;
pub mod coin;
pub mod compare;
pub mod conclude;
pub mod convert;
pub mod fold;
pub mod identify;
pub mod mac;
pub mod planes;
pub mod probe;
pub mod rebuild;
pub mod refresh;
pub mod reshare;
pub mod variants;
pub mod verified;

use base::party::PartyId;

use crate::error::Error;
use crate::network::{Lanes, Neighbour, Network};
use crate::prss::{NeighbourKeys, Prss};

/// One party's side of one run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Who this is.
    pub party: PartyId,
    /// Its keys.
    pub keys: &'a NeighbourKeys,
    /// The run's name, used once.
    pub salt: &'a [u8],
    /// The protocol's name.
    pub label: &'a str,
    /// Its connections.
    pub lanes: &'a dyn Lanes,
}

/// One party's side of one lane of a run: who it is, its correlated randomness and its connection to the neighbours.
pub struct Session<'n> {
    party: PartyId,
    prss: Prss,
    network: &'n mut dyn Network,
}

/// A kind of work in a search, for whoever measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Inner products of the query's share with the rows.
    Scan,
    /// Which records are near.
    Compare,
    /// The near record's token and score.
    Select,
    /// What shows that no party cheated.
    Verify,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Compare, Self::Select, Self::Verify];

    /// The stage's name in measurements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Compare => "compare",
            Self::Select => "select",
            Self::Verify => "verify",
        }
    }
}

impl Run<'_> {
    /// Opens `lane`, which may be done once, and runs `protocol` on it.
    ///
    /// # Errors
    /// Those of `protocol`, and [`Error::PeerUnavailable`] if the lane cannot be opened.
    pub fn on_lane<T>(&self, lane: u32, protocol: impl FnOnce(&mut Session<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut network = self.lanes.open(lane)?;
        protocol(&mut Session::new(self.party, Prss::new(self.keys, self.salt, self.label, lane), &mut *network))
    }
}

impl<'n> Session<'n> {
    /// A lane for `party`; `prss` must be made for this lane of this run alone.
    pub fn new(party: PartyId, prss: Prss, network: &'n mut dyn Network) -> Self {
        Self { party, prss, network }
    }

    /// Who this is.
    pub fn party(&self) -> PartyId {
        self.party
    }

    pub(crate) fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), Error> {
        self.network.send(to, message)
    }

    /// The next message of a neighbour, which must be `expected` bytes long.
    pub(crate) fn receive(&mut self, from: Neighbour, expected: usize) -> Result<Vec<u8>, Error> {
        let message = self.network.receive(from)?;
        if message.len() != expected {
            return Err(Error::MessageLength { peer: from.of(self.party), expected, found: message.len() });
        }
        Ok(message)
    }
}

fn words_to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().map(|word| word.to_le_bytes()).collect::<Vec<_>>().into_flattened()
}

fn bytes_to_words(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

fn numbers_to_bytes(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().map(|number| number.to_le_bytes()).collect::<Vec<_>>().into_flattened()
}

fn bytes_to_numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|number| u16::from_le_bytes(*number)).collect()
}
