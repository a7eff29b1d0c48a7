//! What a party and its worker say to each other: one frame per message, its kind in the first byte, numbers little-endian.

mod bytes;
mod from_worker;
mod to_worker;

pub use bytes::Bytes;
pub use from_worker::{FromWorker, TIMES};
pub use to_worker::{Job, ToWorker};

/// The version of these messages; a worker says it first.
pub const VERSION: u8 = 1;

/// Bytes that are no message of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[cfg(test)]
mod tests {
    use base::party::PartyId;
    use base::secret::Secret;
    use mpc::error::Error;
    use mpc::network::Neighbour;
    use mpc::protocol::chunk::ChunkOutcome;
    use mpc::protocol::identify::Thresholds;
    use mpc::protocol::verified::Verification;
    use mpc::prss::NeighbourKeys;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;
    use crate::gallery::snapshot::Stamp;

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
        let group = ToWorker::Group { group: 1, rows: Zeroizing::new(vec![3; 5]), tokens: vec![4; 3] }.to_bytes();
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
