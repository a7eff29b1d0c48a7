//! What a party reads from its own disk and from the other two when it is rebuilt: headers of segments, sealed rows, MACs,
//! shares, heads and pages of a journal.

#![no_main]

use base::hash::hash_parts;
use base::id::RecordId;
use base::party::PartyId;
use base::secret::Secret;
use base::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use mpc::protocol::mac::SealedMac;
use mpc::share::{Row, TemplateShare};
use party::gallery::header::{HEADER_LEN, Header};
use party::row_seal::{self, Place};
use party::staging::Takeover;
use party::takeover::{Head, pages, read_page};

/// Bytes of a segment's header in front of its hash.
const CHECKED_LEN: usize = 1092;

fn read(pages: &[Vec<u8>]) -> Option<Takeover> {
    let mut takeover = Takeover { from: 0, changes: vec![], deletions: vec![], records: vec![] };
    pages.iter().try_for_each(|page| read_page(page, &mut takeover, Timestamp::from_millis(1))).ok()?;
    Some(takeover)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind {
        0 => _ = Header::from_bytes(bytes),
        1 => {
            // With a right hash, so that what it covers is read.
            let mut page = bytes.to_vec();
            page.resize(HEADER_LEN, 0);
            let hash = hash_parts("handsel/segment-header/v1", &[&page[..CHECKED_LEN]]);
            page[CHECKED_LEN..CHECKED_LEN + 32].copy_from_slice(&hash);
            if let Some(header) = Header::from_bytes(&page) {
                assert_eq!(Header::from_bytes(&header.to_bytes()).expect("its own bytes").to_bytes(), header.to_bytes());
            }
        }
        2 => {
            if let Ok(head) = Head::from_bytes(bytes) {
                assert_eq!(head.to_bytes(), bytes);
            }
        }
        3 => {
            if let Some(takeover) = read(&[bytes.to_vec()]) {
                let once = pages(&takeover);
                assert_eq!(pages(&read(&once).expect("its own pages")), once);
            }
        }
        4..=6 => {
            let Some((dimensions, bytes)) = bytes.split_first_chunk() else { return };
            let dimensions = usize::from(u16::from_le_bytes(*dimensions));
            match kind {
                4 => _ = SealedMac::from_bytes(bytes, 64, dimensions),
                5 => {
                    if let Ok(row) = Row::from_bytes(bytes, dimensions) {
                        assert_eq!(&row.to_bytes()[..], bytes);
                    }
                }
                _ => _ = TemplateShare::from_bytes(bytes, dimensions),
            }
        }
        7 => {
            let place = Place { party: PartyId::P1, record: RecordId::from_bits(1), epoch: 0 };
            assert!(row_seal::open(&Secret::new([7; 32]), place, bytes, 128).is_err(), "nobody has the key");
        }
        _ => {}
    }
});
