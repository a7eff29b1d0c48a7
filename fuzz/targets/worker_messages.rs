//! What a party and its worker say to each other: whatever is read is written as the same bytes, and a worker's copies take
//! whatever comes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use party::workers::copies::{Copies, Staged};
use party::workers::message::{FromWorker, ToWorker};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = FromWorker::from_bytes(bytes) {
        assert_eq!(&*message.to_bytes(), bytes);
    }
    // Several messages in a row: each behind two bytes of length.
    let (mut rest, mut copies) = (bytes, Copies::default());
    while let Some((len, behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes(*len)).min(behind.len());
        let (message, behind) = behind.split_at(len);
        rest = behind;
        let Ok(read) = ToWorker::from_bytes(message) else { continue };
        assert_eq!(&*read.to_bytes(), message);
        match read {
            ToWorker::Begin => copies.begin(),
            ToWorker::Group { group, rows, tokens } => copies.stage(group, Staged { rows, tokens }),
            ToWorker::Commit { stamp, dimensions, slots, checksums } => {
                // A large one needs as many groups, which do not fit here.
                let made = copies.commit(stamp, usize::from(dimensions), slots.min(4096) as usize, &checksums);
                assert_eq!(made.is_ok(), copies.chunk(&[stamp]).is_some());
            }
            ToWorker::Drop { segment } => copies.drop_copy(segment),
            ToWorker::Scan { stamps, .. } => _ = copies.chunk(&stamps),
            ToWorker::Work { .. } | ToWorker::Message { .. } | ToWorker::Cancel { .. } => {}
        }
    }
});
