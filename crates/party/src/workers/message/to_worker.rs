//! What a party says to its worker.

use base::party::PartyId;
use base::secret::Secret;
use mpc::protocol::identify::Thresholds;
use mpc::protocol::verified::Verification;
use mpc::prss::NeighbourKeys;
use zeroize::Zeroizing;

use super::Malformed;
use super::bytes::{Bytes, PASSED_ON, Reader, Writer};
use crate::gallery::snapshot::Stamp;

/// From the party.
pub enum ToWorker {
    /// What was sent of a segment and not committed is void.
    Begin,
    /// The slots of one group of a segment: their rows in blocks, then their tokens; slots behind the last are left out.
    Group { group: u8, rows: Zeroizing<Vec<u8>>, tokens: Vec<u8> },
    /// The groups since [`ToWorker::Begin`], on top of the copy that is there, are this segment; `checksums` is a hash of
    /// all groups' checksums.
    Commit { stamp: Stamp, dimensions: u16, slots: u32, checksums: [u8; 32] },
    /// The copy of this segment is not needed any more.
    Drop { segment: u32 },
    /// A run begins: scan these segments for this query, and keep them as they are until the task ends.
    Scan { task: u64, query: Zeroizing<Vec<u8>>, stamps: Vec<Stamp> },
    /// Work on the chunk of these segments.
    Work { task: u64, job: Box<Job> },
    /// A neighbour's message.
    Message { task: u64, message: Vec<u8> },
    /// Nobody waits for the task any more.
    Cancel { task: u64 },
}

/// All that a chunk needs besides its segments and the query.
pub struct Job {
    /// The worker's party.
    pub party: PartyId,
    /// The chunk's number in the run.
    pub number: u32,
    /// The chunk's lane.
    pub lane: u32,
    /// The run's keys.
    pub keys: NeighbourKeys,
    /// The run's salt.
    pub salt: [u8; 32],
    /// The protocol's name.
    pub label: String,
    /// From which scores on a record is accepted, and near.
    pub thresholds: Thresholds,
    /// Whether cheating is noticed.
    pub verification: Verification,
    /// For each segment its MAC's bytes, if all three parties have one.
    pub macs: Vec<Option<Zeroizing<Vec<u8>>>>,
}

impl ToWorker {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Bytes {
        let len = match self {
            Self::Group { rows, tokens, .. } => rows.len() + tokens.len(),
            Self::Message { message, .. } => message.len(),
            Self::Work { job, .. } => job.macs.iter().flatten().map(|mac| 8 + mac.len()).sum(),
            Self::Scan { query, .. } => query.len(),
            _ => 0,
        };
        let mut to = Writer::new(len);
        match self {
            Self::Begin => to.put(&[0]),
            Self::Group { group, rows, tokens } => {
                to.put(&[1, *group]);
                to.list(rows);
                to.put(tokens);
            }
            Self::Commit { stamp, dimensions, slots, checksums } => {
                to.put(&[2]);
                to.stamp(stamp);
                to.put(&dimensions.to_le_bytes());
                to.put(&slots.to_le_bytes());
                to.put(checksums);
            }
            Self::Drop { segment } => {
                to.put(&[3]);
                to.put(&segment.to_le_bytes());
            }
            Self::Scan { task, query, stamps } => {
                to.task(4, *task);
                to.list(query);
                stamps.iter().for_each(|stamp| to.stamp(stamp));
            }
            Self::Work { task, job } => {
                to.task(5, *task);
                job.write(&mut to);
            }
            Self::Message { task, message } => {
                to.task(PASSED_ON, *task);
                to.put(message);
            }
            Self::Cancel { task } => to.task(7, *task),
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
            0 => Self::Begin,
            1 => Self::Group { group: from.array::<1>()?[0], rows: Zeroizing::new(from.list()?.to_vec()), tokens: from.rest().to_vec() },
            2 => Self::Commit { stamp: from.stamp()?, dimensions: from.u16()?, slots: from.u32()?, checksums: from.array()? },
            3 => Self::Drop { segment: from.u32()? },
            4 => {
                let (task, query) = (from.u64()?, Zeroizing::new(from.list()?.to_vec()));
                let mut stamps = vec![];
                while !from.0.is_empty() {
                    stamps.push(from.stamp()?);
                }
                Self::Scan { task, query, stamps }
            }
            5 => Self::Work { task: from.u64()?, job: Box::new(Job::read(&mut from)?) },
            PASSED_ON => Self::Message { task: from.u64()?, message: from.rest().to_vec() },
            7 => Self::Cancel { task: from.u64()? },
            _ => return Err(Malformed),
        };
        from.end(message)
    }
}

impl Job {
    fn write(&self, to: &mut Writer) {
        to.put(&[self.party.number(), u8::from(self.verification == Verification::On)]);
        to.put(&self.number.to_le_bytes());
        to.put(&self.lane.to_le_bytes());
        for key in [&self.keys.next, &self.keys.previous, &self.keys.own] {
            to.put(key.expose());
        }
        to.put(&self.salt);
        to.put(&self.thresholds.accept().to_le_bytes());
        to.put(&self.thresholds.ambiguous().to_le_bytes());
        to.list(self.label.as_bytes());
        for mac in &self.macs {
            to.list(mac.as_ref().map_or(&[], |mac| &mac[..]));
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let party = from.party()?;
        let verification = match from.array()? {
            [0] => Verification::Off,
            [1] => Verification::On,
            _ => return Err(Malformed),
        };
        let (number, lane) = (from.u32()?, from.u32()?);
        let mut key = || from.array().map(Secret::new);
        let keys = NeighbourKeys { next: key()?, previous: key()?, own: key()? };
        let (salt, accept, ambiguous) = (from.array()?, from.u16()?, from.u16()?);
        let thresholds = Thresholds::new(accept.into(), ambiguous.into()).map_err(|_| Malformed)?;
        let label = String::from_utf8(from.list()?.to_vec()).map_err(|_| Malformed)?;
        let mut macs = vec![];
        while !from.0.is_empty() {
            let mac = from.list()?;
            macs.push((!mac.is_empty()).then(|| Zeroizing::new(mac.to_vec())));
        }
        Ok(Self { party, number, lane, keys, salt, label, thresholds, verification, macs })
    }
}
