//! How a protocol talks: each party sends to and receives from its two neighbours in the ring 1 → 2 → 3 → 1.
//!
//! A protocol is straight-line code: send, send, receive, receive. A run has several *lanes*, so that parts of it do not
//! wait for one another: on one lane, messages between two parties arrive in the order in which they were sent; between
//! lanes there is no order. Sending does not wait for the receiver; receiving does, up to the implementation's bound.

use base::party::PartyId;

use crate::error::Error;

/// One of a party's two neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// The party after this one.
    Next,
    /// The party before this one.
    Previous,
}

impl Neighbour {
    /// Which party that is, seen from `party`.
    pub const fn of(self, party: PartyId) -> PartyId {
        match self {
            Self::Next => party.next(),
            Self::Previous => party.previous(),
        }
    }
}

/// One lane of one run: the connection to both neighbours.
pub trait Network: Send {
    /// Hands `message` over for sending.
    ///
    /// # Errors
    /// [`Error::PeerUnavailable`].
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), Error>;

    /// Waits for the next message of that neighbour.
    ///
    /// # Errors
    /// [`Error::PeerUnavailable`] if the connection is gone or the message does not come in time.
    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, Error>;
}

/// All lanes of one run. They may be used by different threads at the same time.
pub trait Lanes: Sync {
    /// This party's end of `lane`; all three parties use the same numbers. A lane is opened once in a run.
    ///
    /// # Errors
    /// [`Error::PeerUnavailable`] if a connection is gone.
    fn open(&self, lane: u32) -> Result<Box<dyn Network + '_>, Error>;
}
