//! The first page of a segment's file: whose it is, how far it is, and a checksum of each group of its slots.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `HSLSEGM` and the version, 1 |
//! | 8 | 1 | the party's number |
//! | 9 | 2 | features of a row |
//! | 11 | 4 | the segment's number |
//! | 15 | 8 | the generation: the change that last renumbered or refreshed the gallery |
//! | 23 | 8 | the last change that touched the segment |
//! | 31 | 32 | the log's root after that change, since another log may have a change of that number |
//! | 63 | 4 | slots that were given out |
//! | 67 | 1 | 1 if every record's row is in it; 0 if one was lost or did not open |
//! | 68 | 64 x 16 | of each group of 1,024 slots: SHA-256 over its rows and tokens, cut to 16 bytes |
//! | 1,092 | 32 | SHA-256 over all of the above |
//!
//! Numbers are little-endian. A page is torn only if its checksum says so, and then the segment is made anew.

use base::hash::hash_parts;
use base::party::PartyId;

use super::segment::{GROUPS, SEGMENT_SLOTS};

/// Bytes in front of the tokens: a page.
pub const HEADER_LEN: usize = 4096;
/// Bytes of a group's checksum.
pub const CHECKSUM_LEN: usize = 16;

const MAGIC: [u8; 8] = *b"HSLSEGM\x01";
const CHECKED_LEN: usize = 68 + GROUPS * CHECKSUM_LEN;

/// What a segment's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which segment of which gallery.
    pub identity: Identity,
    /// The last change that touched it.
    pub touched: Touch,
    /// Slots that were given out, at most [`SEGMENT_SLOTS`]; those of deleted records count.
    pub slots: usize,
    /// Whether every record's row is in it. If not, it is made anew at the next start: the rows may have come back.
    pub is_complete: bool,
    /// One per group of slots.
    pub checksums: [[u8; CHECKSUM_LEN]; GROUPS],
}

/// A change of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Its number; 0 for none.
    pub sequence: u64,
    /// The log's root after it.
    pub root: [u8; 32],
}

/// Which segment of which gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose shares.
    pub party: PartyId,
    /// Features of a row.
    pub dimensions: usize,
    /// The change that last renumbered or refreshed the gallery; 0 before the first.
    pub generation: u64,
    /// 0 for the first 65,536 slots.
    pub number: u32,
}

impl Header {
    /// The page.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(self.identity.party.number());
        bytes.extend_from_slice(&(self.identity.dimensions as u16).to_le_bytes());
        bytes.extend_from_slice(&self.identity.number.to_le_bytes());
        bytes.extend_from_slice(&self.identity.generation.to_le_bytes());
        bytes.extend_from_slice(&self.touched.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.touched.root);
        bytes.extend_from_slice(&(self.slots as u32).to_le_bytes());
        bytes.push(self.is_complete.into());
        bytes.extend_from_slice(self.checksums.as_flattened());
        let checksum = hash_parts("handsel/segment-header/v1", &[&bytes]);
        bytes.extend_from_slice(&checksum);
        bytes.resize(HEADER_LEN, 0);
        bytes.try_into().expect("it was resized to a page")
    }

    /// The header in `bytes`; `None` if it is torn, of another version, or says what cannot be.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (checked, rest) = bytes.split_at_checked(CHECKED_LEN)?;
        if rest.first_chunk::<32>()? != &hash_parts("handsel/segment-header/v1", &[checked]) || !checked.starts_with(&MAGIC) {
            return None;
        }
        let number_at = |at: usize, len: usize| {
            let mut number = [0; 8];
            number[..len].copy_from_slice(&checked[at..at + len]);
            u64::from_le_bytes(number)
        };
        let slots = number_at(63, 4) as usize;
        let (checksums, _) = checked[68..].as_chunks::<CHECKSUM_LEN>();
        (slots <= SEGMENT_SLOTS).then_some(())?;
        Some(Self {
            identity: Identity {
                party: PartyId::ALL.into_iter().find(|party| party.number() == checked[8])?,
                dimensions: number_at(9, 2) as usize,
                number: number_at(11, 4) as u32,
                generation: number_at(15, 8),
            },
            touched: Touch { sequence: number_at(23, 8), root: *checked[31..].first_chunk()? },
            slots,
            is_complete: checked[67] == 1,
            checksums: checksums.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::hash::hex;
    use proptest::prelude::*;

    fn header() -> Header {
        let identity = Identity { party: PartyId::P3, dimensions: 512, generation: 9, number: 2 };
        let mut checksums = [[0; CHECKSUM_LEN]; GROUPS];
        checksums[0] = [0xaa; CHECKSUM_LEN];
        checksums[GROUPS - 1] = [0xbb; CHECKSUM_LEN];
        Header { identity, touched: Touch { sequence: 17, root: [0xcc; 32] }, slots: 3, is_complete: true, checksums }
    }

    #[test]
    fn the_page_is_as_documented() {
        let bytes = header().to_bytes();
        let expected = ["48534c5345474d01", "03", "0002", "02000000", "0900000000000000", "1100000000000000"].concat();
        assert_eq!(hex(&bytes[..31]), expected);
        assert_eq!((&bytes[31..63], hex(&bytes[63..67])), (&[0xcc; 32][..], "03000000".into()));
        assert_eq!((bytes[67], bytes[68], bytes[1091], bytes[67 + 16 * 63]), (1, 0xaa, 0xbb, 0));
        assert_eq!(Header::from_bytes(&bytes), Some(header()));
        assert!(bytes[1092 + 32..].iter().all(|byte| *byte == 0));
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_noticed(at in 0..1124_usize, bit in 0..8_u32) {
            let mut bytes = header().to_bytes();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Header::from_bytes(&bytes), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(Header::from_bytes(&bytes), None);
        }
    }
}
