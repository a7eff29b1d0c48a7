//! A worker's copies of segments: in memory only, wiped when they are dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mpc::layout::{RowsView, SLOTS_PER_BLOCK, block_numbers, bytes_of_numbers};
use mpc::protocol::mac::SealedMac;
use mpc::share::{DIMENSIONS_MAX, ROW_BYTES};
use mpc::token::Token;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::connection::digest;
use crate::gallery::header::CHECKSUM_LEN;
use crate::gallery::segment::{GROUP_SLOTS, GROUPS, SEGMENT_SLOTS};
use crate::gallery::snapshot::Stamp;
use crate::link::NOT_POISONED;
use crate::scan_pool::Source;

/// All that a worker has.
#[derive(Default)]
pub struct Copies {
    staged: BTreeMap<u8, Staged>,
    held: BTreeMap<u32, Arc<Copy>>,
}

/// A group that belongs to the next commit.
pub struct Staged {
    /// Blocks of rows, up to the last slot that was given out.
    pub rows: Zeroizing<Vec<u8>>,
    /// As many tokens as slots.
    pub tokens: Vec<u8>,
}

/// One segment as of one change.
pub struct Copy {
    stamp: Stamp,
    slots: usize,
    dimensions: usize,
    /// In whole groups.
    numbers: Zeroizing<Vec<u16>>,
    /// In whole groups.
    tokens: Zeroizing<Vec<Token>>,
    checksums: Vec<[u8; CHECKSUM_LEN]>,
    /// The MAC that was used last, with its bytes.
    mac: Mutex<Option<KnownMac>>,
}

/// A MAC's bytes, and the MAC.
type KnownMac = (Zeroizing<Vec<u8>>, Arc<SealedMac>);

/// What was sent does not make the segment that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// A chunk's segments.
pub struct CopiedChunk(pub Vec<Arc<Copy>>);

impl Copies {
    /// Forgets what was staged and not committed.
    pub fn begin(&mut self) {
        self.staged.clear();
    }

    /// Keeps a group for the next commit.
    pub fn stage(&mut self, group: u8, staged: Staged) {
        if usize::from(group) < GROUPS {
            self.staged.insert(group, staged);
        }
    }

    /// Makes the segment `stamp` of what is staged and, for the rest, of the copy that is there.
    ///
    /// # Errors
    /// [`Damaged`]; then there is no copy of the segment any more.
    pub fn commit(&mut self, stamp: Stamp, dimensions: usize, slots: usize, checksums: &[u8; 32]) -> Result<(), Damaged> {
        let (before, staged) = (self.held.remove(&stamp.segment), std::mem::take(&mut self.staged));
        let valid = dimensions > 0 && dimensions.is_multiple_of(2) && dimensions <= DIMENSIONS_MAX && slots <= SEGMENT_SLOTS;
        if !valid {
            return Err(Damaged);
        }
        let copy = Copy::new(stamp, dimensions, slots, before.as_deref(), &staged).filter(|copy| digest(&copy.checksums) == *checksums);
        self.held.insert(stamp.segment, Arc::new(copy.ok_or(Damaged)?));
        Ok(())
    }

    /// Drops the copy of a segment; tasks that use it keep it until they end.
    pub fn drop_copy(&mut self, segment: u32) {
        self.held.remove(&segment);
    }

    /// The segments as of these changes, if all are there.
    pub fn chunk(&self, stamps: &[Stamp]) -> Option<CopiedChunk> {
        let of = |stamp: &Stamp| self.held.get(&stamp.segment).filter(|copy| copy.stamp == *stamp).cloned();
        stamps.iter().map(of).collect::<Option<Vec<_>>>().filter(|copies| !copies.is_empty()).map(CopiedChunk)
    }
}

impl Copy {
    fn new(stamp: Stamp, dimensions: usize, slots: usize, before: Option<&Self>, staged: &BTreeMap<u8, Staged>) -> Option<Self> {
        let groups = slots.div_ceil(GROUP_SLOTS);
        let group_numbers = GROUP_SLOTS * dimensions;
        let mut numbers = Zeroizing::new(vec![0; groups * group_numbers]);
        let mut tokens = Zeroizing::new(vec![Token::default(); groups * GROUP_SLOTS]);
        let mut checksums = vec![[0; CHECKSUM_LEN]; groups];
        let before = before.filter(|before| before.dimensions == dimensions);
        for at in 0..groups {
            let numbers = &mut numbers[at * group_numbers..(at + 1) * group_numbers];
            let tokens = &mut tokens[at * GROUP_SLOTS..(at + 1) * GROUP_SLOTS];
            if let Some(group) = staged.get(&(at as u8)) {
                let slots = (slots - at * GROUP_SLOTS).min(GROUP_SLOTS);
                let rows = ROW_BYTES * slots.div_ceil(SLOTS_PER_BLOCK) * block_numbers(dimensions);
                if group.rows.len() != rows || group.tokens.len() != size_of::<Token>() * slots {
                    return None;
                }
                numbers.iter_mut().zip(group.rows.as_chunks().0).for_each(|(number, bytes)| *number = u16::from_le_bytes(*bytes));
                tokens.iter_mut().zip(group.tokens.as_chunks().0).for_each(|(token, bytes)| *token = *bytes);
                checksums[at] = checksum(numbers, tokens);
            } else {
                let before = before.filter(|before| at < before.checksums.len())?;
                numbers.copy_from_slice(&before.numbers[at * group_numbers..(at + 1) * group_numbers]);
                tokens.copy_from_slice(&before.tokens[at * GROUP_SLOTS..(at + 1) * GROUP_SLOTS]);
                checksums[at] = before.checksums[at];
            }
        }
        Some(Self { stamp, slots, dimensions, numbers, tokens, checksums, mac: Mutex::default() })
    }

    /// Which segment it is.
    pub fn number(&self) -> u32 {
        self.stamp.segment
    }

    /// The slots' rows in whole blocks.
    pub fn rows(&self) -> RowsView<'_> {
        RowsView::new(&self.numbers, self.dimensions).slice(0..self.slots.div_ceil(SLOTS_PER_BLOCK))
    }

    /// The slots' tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens[..self.slots]
    }

    /// The MAC in `bytes`; expanded once as long as the same is asked for.
    ///
    /// # Errors
    /// As [`SealedMac::from_bytes`].
    pub fn mac(&self, bytes: &[u8]) -> Result<Arc<SealedMac>, mpc::error::Error> {
        let mut last = self.mac.lock().expect(NOT_POISONED);
        if let Some((_, mac)) = last.as_ref().filter(|(known, _)| known.as_slice() == bytes) {
            return Ok(mac.clone());
        }
        let mac = Arc::new(SealedMac::from_bytes(bytes, self.slots, self.dimensions)?);
        *last = Some((Zeroizing::new(bytes.to_vec()), mac.clone()));
        Ok(mac)
    }
}

impl CopiedChunk {
    /// Features of a row.
    pub fn dimensions(&self) -> usize {
        self.0[0].dimensions
    }

    /// Whether both are the same copies.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl Source for CopiedChunk {
    fn parts(&self) -> usize {
        self.0.len()
    }

    fn rows(&self, part: usize) -> RowsView<'_> {
        self.0[part].rows()
    }

    fn slots(&self, part: usize) -> usize {
        self.0[part].slots
    }
}

/// As a segment's own (`crate::gallery::header`).
fn checksum(numbers: &[u16], tokens: &[Token]) -> [u8; CHECKSUM_LEN] {
    let mut hasher = Sha256::new();
    hasher.update(bytes_of_numbers(numbers));
    hasher.update(tokens.as_flattened());
    hasher.finalize()[..CHECKSUM_LEN].try_into().expect("it is cut to its length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::layout::write_slot;
    use mpc::share::Row;

    const DIMENSIONS: usize = 4;
    const STAMP: Stamp = Stamp { generation: 1, segment: 3, changed_at: 5 };

    /// A group with rows in its first `slots` slots, and its whole checksum.
    fn group(slots: usize, seed: u16) -> (Staged, [u8; CHECKSUM_LEN]) {
        let mut numbers = vec![0; GROUP_SLOTS * DIMENSIONS];
        let mut tokens = vec![Token::default(); GROUP_SLOTS];
        for (slot, token) in tokens[..slots].iter_mut().enumerate() {
            write_slot(&mut numbers, slot, &Row::from_numbers(vec![seed, slot as u16, 1, 2]).expect("four"));
            *token = [seed as u8; 16];
        }
        let used = slots.div_ceil(SLOTS_PER_BLOCK) * block_numbers(DIMENSIONS);
        let rows = Zeroizing::new(bytes_of_numbers(&numbers[..used]).to_vec());
        (Staged { rows, tokens: tokens[..slots].as_flattened().to_vec() }, checksum(&numbers, &tokens))
    }

    fn committed(copies: &mut Copies, stamp: Stamp, slots: usize, checksums: &[[u8; CHECKSUM_LEN]]) -> Result<(), Damaged> {
        copies.commit(stamp, DIMENSIONS, slots, &digest(checksums))
    }

    #[test]
    fn a_change_needs_only_its_groups_and_whatever_does_not_fit_is_refused() {
        let mut copies = Copies::default();
        let slots = GROUP_SLOTS + 20;
        let [(first, a), (second, b), (changed, c)] = [group(GROUP_SLOTS, 1), group(20, 2), group(21, 3)];
        copies.stage(0, first);
        copies.stage(1, second);
        assert_eq!(committed(&mut copies, STAMP, slots, &[a, b]), Ok(()));
        let before = copies.chunk(&[STAMP]).expect("it is there");
        assert_eq!((before.0[0].rows().slots(), before.0[0].tokens().len()), (GROUP_SLOTS + 32, slots));
        assert_eq!(before.0[0].rows().read(GROUP_SLOTS + 19).as_slice(), [2, 19, 1, 2]);

        let after = Stamp { changed_at: 6, ..STAMP };
        assert!(copies.chunk(&[after]).is_none() && copies.chunk(&[STAMP, after]).is_none());
        copies.begin();
        copies.stage(1, changed);
        assert_eq!(committed(&mut copies, after, slots + 1, &[a, c]), Ok(()));
        assert!(copies.chunk(&[STAMP]).is_none());
        let now = copies.chunk(&[after]).expect("it is there");
        assert_eq!(now.0[0].rows().read(7).as_slice(), [1, 7, 1, 2], "kept");
        assert_eq!(now.0[0].rows().read(GROUP_SLOTS + 20).as_slice(), [3, 20, 1, 2], "new");
        assert_eq!(before.0[0].rows().read(GROUP_SLOTS + 20).as_slice(), [0; 4], "who began before keeps what was");

        // Each refusal leaves no copy, so it is made again first.
        let whole = |copies: &mut Copies| {
            copies.begin();
            copies.stage(0, group(GROUP_SLOTS, 1).0);
            copies.stage(1, group(20, 2).0);
        };
        for damage in 0..5 {
            whole(&mut copies);
            let (mut slots, mut checksums, mut dimensions) = (slots, vec![a, b], DIMENSIONS);
            match damage {
                0 => copies.staged.get_mut(&0).expect("staged").rows[9] ^= 1,
                1 => copies.staged.get_mut(&1).expect("staged").tokens[9] ^= 1,
                2 => slots += 1,
                3 => checksums[1] = c,
                _ => dimensions = 3,
            }
            assert_eq!(copies.commit(STAMP, dimensions, slots, &digest(&checksums)), Err(Damaged), "{damage}");
            assert!(copies.chunk(&[STAMP]).is_none(), "{damage}");
        }
        copies.begin();
        copies.stage(1, group(20, 2).0);
        assert_eq!(committed(&mut copies, STAMP, slots, &[a, b]), Err(Damaged), "nothing to change");
    }
}
