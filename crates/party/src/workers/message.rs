//! What a party and its worker say to each other: one frame per message, its kind in the first byte, numbers little-endian.

use base::party::PartyId;
use base::secret::Secret;
use mpc::error::Error;
use mpc::network::Neighbour;
use mpc::protocol::chunk::ChunkOutcome;
use mpc::protocol::identify::Thresholds;
use mpc::protocol::verified::Verification;
use mpc::prss::NeighbourKeys;
use zeroize::Zeroizing;

use crate::gallery::header::CHECKSUM_LEN;
use crate::gallery::snapshot::Stamp;

/// The version of these messages; a worker says it first.
pub const VERSION: u8 = 1;
/// Times that a worker reports with an outcome: wall and processor microseconds of scan, compare, select and verify.
pub const TIMES: usize = 8;

/// Bytes that are no message of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// From the party.
pub enum ToWorker {
    /// What was sent of a segment and not committed is void.
    Begin,
    /// The slots of one group of a segment: their rows in blocks, then their tokens; slots behind the last are left out.
    Group { group: u8, checksum: [u8; CHECKSUM_LEN], rows: Zeroizing<Vec<u8>>, tokens: Vec<u8> },
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

impl ToWorker {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
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
            Self::Group { group, checksum, rows, tokens } => {
                to.put(&[1, *group]);
                to.put(checksum);
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
                to.task(6, *task);
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
            1 => Self::Group {
                group: from.array::<1>()?[0],
                checksum: from.array()?,
                rows: Zeroizing::new(from.list()?.to_vec()),
                tokens: from.rest().to_vec(),
            },
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
            6 => Self::Message { task: from.u64()?, message: from.rest().to_vec() },
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
        let [party, verification] = from.array()?;
        let party = PartyId::ALL.into_iter().find(|known| known.number() == party).ok_or(Malformed)?;
        let verification = match verification {
            0 => Verification::Off,
            1 => Verification::On,
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

impl FromWorker {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
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
                to.task(3, *task);
                to.put(&[number_of(*neighbour)]);
                to.put(message);
            }
            Self::Want { task, from } => {
                to.task(4, *task);
                to.put(&[number_of(*from)]);
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
            3 => Self::Send { task: from.u64()?, to: from.neighbour()?, message: from.rest().to_vec() },
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
        6 => {
            let [number] = from.array()?;
            let peer = PartyId::ALL.into_iter().find(|known| known.number() == number).ok_or(Malformed)?;
            Error::MessageLength { peer, expected: from.u64()? as usize, found: from.u64()? as usize }
        }
        _ => return Err(Malformed),
    }))
}

fn number_of(neighbour: Neighbour) -> u8 {
    match neighbour {
        Neighbour::Next => 0,
        Neighbour::Previous => 1,
    }
}

/// Bytes that are wiped, in room for all of them.
struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// With room for a message of `len` bytes besides its fixed parts.
    fn new(len: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(512 + len)))
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn task(&mut self, kind: u8, task: u64) {
        self.put(&[kind]);
        self.put(&task.to_le_bytes());
    }

    fn list(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u32).to_le_bytes());
        self.put(bytes);
    }

    fn stamp(&mut self, stamp: &Stamp) {
        self.put(&stamp.generation.to_le_bytes());
        self.put(&stamp.segment.to_le_bytes());
        self.put(&stamp.changed_at.to_le_bytes());
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    fn list(&mut self) -> Result<&'b [u8], Malformed> {
        let len = self.u32()? as usize;
        let (list, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(list)
    }

    fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.0)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    fn stamp(&mut self) -> Result<Stamp, Malformed> {
        Ok(Stamp { generation: self.u64()?, segment: self.u32()?, changed_at: self.u64()? })
    }

    fn neighbour(&mut self) -> Result<Neighbour, Malformed> {
        match self.array()? {
            [0] => Ok(Neighbour::Next),
            [1] => Ok(Neighbour::Previous),
            _ => Err(Malformed),
        }
    }

    fn end<T>(&self, value: T) -> Result<T, Malformed> {
        if self.0.is_empty() { Ok(value) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(bytes: &[u8]) -> [Option<Vec<u8>>; 2] {
        let to = ToWorker::from_bytes(bytes).ok().map(|message| message.to_bytes().to_vec());
        [to, FromWorker::from_bytes(bytes).ok().map(|message| message.to_bytes().to_vec())]
    }

    #[test]
    fn every_message_is_read_as_it_was_written_and_not_when_cut() {
        let stamp = Stamp { generation: 1, segment: 2, changed_at: 3 };
        let key = |byte| Secret::new([byte; 32]);
        let job = Job {
            party: PartyId::P2,
            number: 4,
            lane: 5,
            keys: NeighbourKeys { next: key(1), previous: key(2), own: key(3) },
            salt: [6; 32],
            label: "label".into(),
            thresholds: Thresholds::new(900, 700).expect("valid"),
            verification: Verification::On,
            macs: vec![None, Some(Zeroizing::new(vec![7; 9])), None],
        };
        let to = [
            ToWorker::Begin,
            ToWorker::Commit { stamp, dimensions: 8, slots: 9, checksums: [1; 32] },
            ToWorker::Drop { segment: 3 },
            ToWorker::Work { task: 1, job: Box::new(job) },
            ToWorker::Cancel { task: 1 },
        ];
        let from = [
            FromWorker::Hello { version: 1 },
            FromWorker::Held { stamp },
            FromWorker::Refused { segment: 1 },
            FromWorker::Want { task: 1, from: Neighbour::Previous },
            FromWorker::Done { task: 1, outcome: ChunkOutcome::from_bytes(&[5; 96]), times: [1; TIMES] },
            FromWorker::Failed { task: 1, error: Some(Error::MessageLength { peer: PartyId::P3, expected: 1, found: 2 }) },
            FromWorker::Failed { task: 1, error: Some(Error::MacMismatch) },
            FromWorker::Failed { task: 1, error: None },
        ];
        let to = to.iter().map(|message| (0, message.to_bytes()));
        for (side, bytes) in to.chain(from.iter().map(|message| (1, message.to_bytes()))) {
            assert_eq!(both(&bytes)[side].as_deref(), Some(&bytes[..]));
            assert_eq!(both(&[&bytes[..], &[9]].concat())[side], None, "too long");
            for len in 0..bytes.len() {
                assert!(both(&bytes[..len])[side].as_deref() != Some(&bytes[..]), "cut at {len}");
            }
        }
        // Those that end with a list of whatever length.
        let scan = ToWorker::Scan { task: 1, query: Zeroizing::new(vec![1; 6]), stamps: vec![stamp, stamp] }.to_bytes();
        let group = ToWorker::Group { group: 1, checksum: [2; 16], rows: Zeroizing::new(vec![3; 5]), tokens: vec![4; 3] }.to_bytes();
        let message = ToWorker::Message { task: 1, message: vec![1, 2, 3] }.to_bytes();
        for bytes in [scan, group, message] {
            assert_eq!(both(&bytes)[0].as_deref(), Some(&bytes[..]));
        }
        let send = FromWorker::Send { task: 1, to: Neighbour::Next, message: vec![1, 2] }.to_bytes();
        assert_eq!(both(&send)[1].as_deref(), Some(&send[..]));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_as_the_same_bytes(kind in 0..9_u8, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
            let bytes = [&[kind][..], &rest].concat();
            for written in both(&bytes).into_iter().flatten() {
                prop_assert_eq!(&written, &bytes);
            }
        }
    }
}
