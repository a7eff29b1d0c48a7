//! What a worker says to its party.

use mpc::error::Error;
use mpc::network::Neighbour;
use mpc::protocol::chunk::ChunkOutcome;
use zeroize::Zeroizing;

use super::Malformed;
use super::bytes::{Bytes, PASSED_ON, Reader, Writer};
use crate::gallery::snapshot::Stamp;

/// Times that a worker reports with an outcome: wall and processor microseconds of scan, compare, select and verify.
pub const TIMES: usize = 8;

/// From the worker.
pub enum FromWorker {
    /// The first message.
    Hello { version: u8 },
    /// The copy is whole.
    Held { stamp: Stamp },
    /// The copy is not what it should be, and was dropped.
    Refused { segment: u32 },
    /// A message for a neighbour.
    Send { task: u64, to: Neighbour, message: Vec<u8> },
    /// The task waits for the next message of a neighbour.
    Want { task: u64, from: Neighbour },
    /// The task is done.
    Done { task: u64, outcome: ChunkOutcome, times: [u64; TIMES] },
    /// The task came to nothing; `None` if the worker does not have what it is asked for.
    Failed { task: u64, error: Option<Error> },
}

impl FromWorker {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Bytes {
        let mut to = Writer::new(if let Self::Send { message, .. } = self { message.len() } else { 0 });
        match self {
            Self::Hello { version } => to.put(&[0, *version]),
            Self::Held { stamp } => {
                to.put(&[1]);
                to.stamp(stamp);
            }
            Self::Refused { segment } => {
                to.put(&[2]);
                to.put(&segment.to_le_bytes());
            }
            Self::Send { task, to: neighbour, message } => {
                to.task(PASSED_ON, *task);
                to.neighbour(*neighbour);
                to.put(message);
            }
            Self::Want { task, from } => {
                to.task(4, *task);
                to.neighbour(*from);
            }
            Self::Done { task, outcome, times } => {
                to.task(5, *task);
                to.put(outcome.to_bytes().as_slice());
                times.iter().for_each(|time| to.put(&time.to_le_bytes()));
            }
            Self::Failed { task, error } => {
                to.task(6, *task);
                write_error(&mut to, *error);
            }
        }
        to.0
    }

    /// The message in `bytes`.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        let [kind] = from.array()?;
        let message = match kind {
            0 => Self::Hello { version: from.array::<1>()?[0] },
            1 => Self::Held { stamp: from.stamp()? },
            2 => Self::Refused { segment: from.u32()? },
            PASSED_ON => Self::Send { task: from.u64()?, to: from.neighbour()?, message: from.rest().to_vec() },
            4 => Self::Want { task: from.u64()?, from: from.neighbour()? },
            5 => {
                let (task, outcome) = (from.u64()?, Zeroizing::new(from.array::<{ ChunkOutcome::BYTES }>()?));
                let mut times = [0; TIMES];
                for time in &mut times {
                    *time = from.u64()?;
                }
                Self::Done { task, outcome: ChunkOutcome::from_bytes(&outcome), times }
            }
            6 => Self::Failed { task: from.u64()?, error: read_error(&mut from)? },
            _ => return Err(Malformed),
        };
        from.end(message)
    }
}

/// Errors that a chunk's own work can end with; all others come from the party's side of the tunnel, which knows them better.
fn write_error(to: &mut Writer, error: Option<Error>) {
    match error {
        Some(Error::MacMismatch) => to.put(&[1]),
        Some(Error::CheckFailed) => to.put(&[2]),
        Some(Error::CoinMismatch) => to.put(&[3]),
        Some(Error::ResultInconsistent) => to.put(&[4]),
        Some(Error::ThresholdsInvalid) => to.put(&[5]),
        Some(Error::MessageLength { peer, expected, found }) => {
            to.put(&[6, peer.number()]);
            to.put(&(expected as u64).to_le_bytes());
            to.put(&(found as u64).to_le_bytes());
        }
        _ => to.put(&[0]),
    }
}

fn read_error(from: &mut Reader<'_>) -> Result<Option<Error>, Malformed> {
    Ok(Some(match from.array::<1>()?[0] {
        0 => return Ok(None),
        1 => Error::MacMismatch,
        2 => Error::CheckFailed,
        3 => Error::CoinMismatch,
        4 => Error::ResultInconsistent,
        5 => Error::ThresholdsInvalid,
        6 => Error::MessageLength { peer: from.party()?, expected: from.u64()? as usize, found: from.u64()? as usize },
        _ => return Err(Malformed),
    }))
}
