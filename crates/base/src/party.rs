//! The three share parties, in their fixed cyclic order.

use serde::{Deserialize, Serialize};

/// One of the three parties that hold shares: numbers 1, 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum PartyId {
    /// Party 1.
    P1,
    /// Party 2.
    P2,
    /// Party 3.
    P3,
}

impl PartyId {
    /// All parties in order.
    pub const ALL: [Self; 3] = [Self::P1, Self::P2, Self::P3];

    /// 1, 2 or 3.
    pub const fn number(self) -> u8 {
        self.index() as u8 + 1
    }

    /// 0, 1 or 2, for indexing arrays of three.
    pub const fn index(self) -> usize {
        match self {
            Self::P1 => 0,
            Self::P2 => 1,
            Self::P3 => 2,
        }
    }

    /// The party after this one: 1 → 2 → 3 → 1.
    pub const fn next(self) -> Self {
        Self::ALL[(self.index() + 1) % 3]
    }

    /// The party before this one: 1 → 3 → 2 → 1.
    pub const fn previous(self) -> Self {
        Self::ALL[(self.index() + 2) % 3]
    }
}

impl TryFrom<u8> for PartyId {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::P1),
            2 => Ok(Self::P2),
            3 => Ok(Self::P3),
            other => Err(format!("party {other} does not exist; the parties are 1, 2 and 3")),
        }
    }
}

impl From<PartyId> for u8 {
    fn from(party: PartyId) -> u8 {
        party.number()
    }
}

impl std::fmt::Display for PartyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "party {}", self.number())
    }
}
