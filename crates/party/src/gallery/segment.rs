//! One segment of the gallery: 65,536 slots in one file that is mapped into memory, so that a start reads nothing twice and
//! the scan reads the rows where they lie.
//!
//! ```text
//! header   4 KiB           see `header`
//! tokens   65,536 x 16     the payment token of each slot's record
//! rows     4,096 blocks    the compute layout of `mpc::layout`
//! ```
//!
//! A slot without a record is zero. The file is sparse: what no slot was given out for takes no room, up to the next 2 MiB. A
//! segment is a cache of the journal: whatever in it is torn or behind is written anew at the next start, and it is in no
//! backup.
//!
//! The scan walks through a gigabyte, and looking up where each page of 4 KiB lies would take it a fifth of its time. So room
//! is taken 2 MiB at a time and pages of that size are asked for, which file systems with large folios then give.
//!
//! The only place of this crate with `unsafe`: mapping a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use memmap2::{Advice, MmapMut};
use mpc::layout::{RowsView, SLOTS_PER_BLOCK, block_numbers, bytes_of_numbers, numbers_of_bytes_mut, write_slot, zero_slot};
use mpc::share::{ROW_BYTES, Row};
use mpc::token::Token;
use sha2::{Digest, Sha256};

use super::header::{CHECKSUM_LEN, HEADER_LEN, Header, Identity, Touch};

/// Slots of a segment.
pub const SEGMENT_SLOTS: usize = 1 << 16;
/// Slots with a checksum of their own.
pub const GROUP_SLOTS: usize = 1024;
/// Groups of a segment.
pub const GROUPS: usize = SEGMENT_SLOTS / GROUP_SLOTS;

const TOKEN_LEN: usize = size_of::<Token>();
const ROWS_AT: usize = HEADER_LEN + SEGMENT_SLOTS * TOKEN_LEN;
const _: () = assert!(GROUP_SLOTS.is_multiple_of(SLOTS_PER_BLOCK) && HEADER_LEN.is_multiple_of(TOKEN_LEN) && ROWS_AT.is_multiple_of(64));

/// Room on the disk is taken up to multiples of this in the file: a large page.
const ROOM_STEP: usize = 2 << 20;

/// A mapped segment. Shared references read, the one mutable reference writes.
pub struct Segment {
    path: PathBuf,
    file: File,
    map: MmapMut,
    header: Header,
    /// Groups whose room on the disk is taken, so that writing to the map cannot fail.
    groups_with_room: usize,
}

impl Segment {
    /// A fresh segment in place of whatever file there is.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path, identity: Identity) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.set_len(file_len(identity.dimensions))?;
        let header = Header { identity, touched: Touch::default(), slots: 0, is_complete: true, checksums: [[0; CHECKSUM_LEN]; GROUPS] };
        file.write_all_at(&header.to_bytes(), 0)?;
        Self::map(path, file, header)
    }

    /// The segment in the file, or `None` if there is none that can be used: its groups may still be damaged.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, identity: Identity) -> io::Result<Option<Self>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut page = [0; HEADER_LEN];
        if file.metadata()?.len() != file_len(identity.dimensions) {
            return Ok(None);
        }
        file.read_exact_at(&mut page, 0)?;
        match Header::from_bytes(&page).filter(|header| header.identity == identity) {
            Some(header) => Self::map(path, file, header).map(Some),
            None => Ok(None),
        }
    }

    #[expect(unsafe_code, reason = "a map of a file can only be made so")]
    fn map(path: &Path, file: File, header: Header) -> io::Result<Self> {
        // SAFETY: the file has its full length, which nothing here ever changes, and no other process touches it: it lies in
        // the party's own directory (mode 0700), which the party holds a lock on. So the mapped bytes change only through
        // the one `&mut Segment`, as a slice's would.
        let map = unsafe { MmapMut::map_mut(&file)? };
        // Where the system has no large pages for files, the small ones do.
        let _ = map.advise(Advice::HugePage);
        let groups_with_room = header.slots.div_ceil(GROUP_SLOTS);
        Ok(Self { path: path.to_owned(), file, map, header, groups_with_room })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The groups of given-out slots whose bytes are not those of the checksum.
    pub fn damaged_groups(&self) -> Vec<usize> {
        (0..self.header.slots.div_ceil(GROUP_SLOTS)).filter(|group| self.checksum(*group) != self.header.checksums[*group]).collect()
    }

    /// Takes room on the disk for the first `slots` slots, so that writing to them cannot fail.
    ///
    /// # Errors
    /// What the system says, such as that the disk is full.
    pub fn make_room(&mut self, slots: usize) -> io::Result<()> {
        assert!(slots <= SEGMENT_SLOTS);
        let first = self.groups_with_room;
        if slots <= first * GROUP_SLOTS {
            return Ok(());
        }
        let group_bytes = GROUP_SLOTS * ROW_BYTES * self.header.identity.dimensions;
        let wanted = ROWS_AT + slots.div_ceil(GROUP_SLOTS) * group_bytes;
        let end = wanted.next_multiple_of(ROOM_STEP).min(ROWS_AT + GROUPS * group_bytes);
        let groups = (end - ROWS_AT) / group_bytes;
        self.write_zeros(ROWS_AT + first * group_bytes..end)?;
        self.write_zeros(token_bytes(first * GROUP_SLOTS..groups * GROUP_SLOTS))?;
        self.groups_with_room = groups;
        Ok(())
    }

    fn write_zeros(&self, bytes: Range<usize>) -> io::Result<()> {
        let zeros = vec![0; ROOM_STEP.min(bytes.len())];
        let mut at = bytes.start;
        while at < bytes.end {
            let next = (at + 1).next_multiple_of(ROOM_STEP).min(bytes.end);
            self.file.write_all_at(&zeros[..next - at], at as u64)?;
            at = next;
        }
        Ok(())
    }

    /// Writes a record into `slot`; without a row the slot's stays zero and the segment is incomplete. There must be room.
    pub fn put(&mut self, slot: usize, row: Option<&Row>, token: &Token) {
        assert!(slot < self.groups_with_room * GROUP_SLOTS, "there is room for the slot");
        match row {
            Some(row) => {
                assert_eq!(row.dimensions(), self.header.identity.dimensions, "rows are checked before they are kept");
                write_slot(self.numbers_mut(), slot, row);
            }
            None => self.header.is_complete = false,
        }
        self.map[token_bytes(slot..slot + 1)].copy_from_slice(token);
    }

    /// Writes zeros into `slot`.
    pub fn clear(&mut self, slot: usize) {
        let dimensions = self.header.identity.dimensions;
        zero_slot(self.numbers_mut(), dimensions, slot);
        self.map[token_bytes(slot..slot + 1)].fill(0);
    }

    /// Ends a change that wrote to `groups`: from now on `slots` slots are given out and the checksums are right.
    pub fn finish(&mut self, slots: usize, touched: Touch, groups: impl IntoIterator<Item = usize>) {
        assert!(slots >= self.header.slots && slots <= self.groups_with_room * GROUP_SLOTS);
        (self.header.slots, self.header.touched) = (slots, touched);
        for group in groups {
            self.header.checksums[group] = self.checksum(group);
        }
        self.map[..HEADER_LEN].copy_from_slice(&self.header.to_bytes());
    }

    /// Waits until all that was written is on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        self.map.flush()
    }

    /// The rows of all given-out slots, in whole blocks; lanes behind the last slot are zero.
    pub fn rows(&self) -> RowsView<'_> {
        self.blocks(0..self.header.slots.div_ceil(SLOTS_PER_BLOCK))
    }

    /// The tokens of all given-out slots.
    pub fn tokens(&self) -> &[Token] {
        self.map[token_bytes(0..self.header.slots)].as_chunks().0
    }

    /// Makes it another segment, in a file of another name.
    ///
    /// # Errors
    /// What the system says; then it may have its old name still.
    pub fn become_segment(&mut self, path: &Path, identity: Identity) -> io::Result<()> {
        self.header.identity = identity;
        self.map[..HEADER_LEN].copy_from_slice(&self.header.to_bytes());
        std::fs::rename(&self.path, path)?;
        path.clone_into(&mut self.path);
        Ok(())
    }

    /// Overwrites the file with zeros and removes it; nobody can read the segment any more.
    ///
    /// # Errors
    /// What the system says; then bytes may remain.
    pub fn destroy(self) -> io::Result<()> {
        destroy_file(&self.path)
    }

    fn checksum(&self, group: usize) -> [u8; CHECKSUM_LEN] {
        let blocks = GROUP_SLOTS / SLOTS_PER_BLOCK;
        let mut hasher = Sha256::new();
        hasher.update(bytes_of_numbers(self.blocks(group * blocks..(group + 1) * blocks).numbers()));
        hasher.update(&self.map[token_bytes(group * GROUP_SLOTS..(group + 1) * GROUP_SLOTS)]);
        hasher.finalize()[..CHECKSUM_LEN].try_into().expect("it is cut to its length")
    }

    fn blocks(&self, blocks: Range<usize>) -> RowsView<'_> {
        let dimensions = self.header.identity.dimensions;
        let block_len = ROW_BYTES * block_numbers(dimensions);
        let bytes = &self.map[ROWS_AT + blocks.start * block_len..ROWS_AT + blocks.end * block_len];
        RowsView::from_bytes(bytes, dimensions).expect("rows begin on a page, and this program runs on little-endian machines only")
    }

    fn numbers_mut(&mut self) -> &mut [u16] {
        numbers_of_bytes_mut(&mut self.map[ROWS_AT..]).expect("rows begin on a page, and this program runs on little-endian machines only")
    }
}

/// Overwrites a segment's file with zeros and removes it, if it is there.
///
/// # Errors
/// What the system says; then bytes may remain.
pub fn destroy_file(path: &Path) -> io::Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    const PIECE: usize = 1 << 20;
    let (zeros, len) = (vec![0; PIECE], file.metadata()?.len());
    for at in (0..len).step_by(PIECE) {
        file.write_all_at(&zeros[..PIECE.min((len - at) as usize)], at)?;
    }
    file.sync_all()?;
    std::fs::remove_file(path)
}

fn token_bytes(slots: Range<usize>) -> Range<usize> {
    HEADER_LEN + slots.start * TOKEN_LEN..HEADER_LEN + slots.end * TOKEN_LEN
}

fn file_len(dimensions: usize) -> u64 {
    (ROWS_AT + SEGMENT_SLOTS * ROW_BYTES * dimensions) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::party::PartyId;

    const IDENTITY: Identity = Identity { party: PartyId::P1, dimensions: 4, generation: 0, number: 0 };

    fn row(number: u16) -> Row {
        Row::from_numbers(vec![number, number + 1, number + 2, number + 3]).expect("four features")
    }

    /// A segment with records in slots 0 to `count`.
    fn filled(path: &Path, count: u16) -> Segment {
        let mut segment = Segment::create(path, IDENTITY).expect("made");
        segment.make_room(usize::from(count)).expect("room");
        for slot in 0..count {
            segment.put(usize::from(slot), Some(&row(slot)), &[slot as u8; 16]);
        }
        segment.finish(usize::from(count), Touch { sequence: 5, root: [5; 32] }, 0..usize::from(count).div_ceil(GROUP_SLOTS));
        segment
    }

    #[test]
    fn what_is_put_is_there_after_opening_and_what_is_cleared_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("segment");
        assert!(Segment::open(&path, IDENTITY).expect("no error").is_none());
        drop(filled(&path, 1500));
        let mut segment = Segment::open(&path, IDENTITY).expect("opens").expect("is one");
        assert_eq!((segment.header().slots, segment.header().touched), (1500, Touch { sequence: 5, root: [5; 32] }));
        assert_eq!(segment.rows().slots(), 1504);
        assert_eq!(segment.tokens().len(), 1500);
        assert!(segment.damaged_groups().is_empty());
        segment.clear(1200);
        assert_eq!(segment.damaged_groups(), [1], "until the change is finished");
        segment.finish(1500, Touch { sequence: 6, root: [6; 32] }, [1]);
        assert!(segment.damaged_groups().is_empty());
        segment.sync().expect("on disk");
        for (slot, expected) in [(0, [0, 1, 2, 3]), (1199, [1199, 1200, 1201, 1202]), (1200, [0; 4]), (1503, [0; 4])] {
            assert_eq!(segment.rows().read(slot).as_slice(), expected, "{slot}");
        }
        assert_eq!((segment.tokens()[1199], segment.tokens()[1200]), ([1199_u16 as u8; 16], [0; 16]));
        let bytes = std::fs::read(&path).expect("reads");
        assert_eq!(bytes.len() as u64, file_len(4));
    }

    #[test]
    fn damage_is_found_in_its_group_and_another_file_is_not_taken() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("segment");
        drop(filled(&path, 3000));
        for (what, at) in [("a row", ROWS_AT + 8 * 2100), ("a token", HEADER_LEN + 16 * 2100)] {
            let file = OpenOptions::new().read(true).write(true).open(&path).expect("opens");
            let mut byte = [0];
            file.read_exact_at(&mut byte, at as u64).expect("reads");
            file.write_all_at(&[byte[0] ^ 1], at as u64).expect("writes");
            assert_eq!(Segment::open(&path, IDENTITY).expect("opens").expect("is one").damaged_groups(), [2], "{what}");
            file.write_all_at(&byte, at as u64).expect("writes");
        }
        for other in [
            Identity { party: PartyId::P2, ..IDENTITY },
            Identity { dimensions: 6, ..IDENTITY },
            Identity { generation: 1, ..IDENTITY },
            Identity { number: 1, ..IDENTITY },
        ] {
            assert!(Segment::open(&path, other).expect("no error").is_none(), "{other:?}");
        }
        File::options().write(true).open(&path).expect("opens").write_all_at(&[9], 12).expect("writes");
        assert!(Segment::open(&path, IDENTITY).expect("no error").is_none(), "a torn header");
    }

    #[test]
    fn a_destroyed_segment_leaves_no_bytes() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, kept) = (directory.path().join("segment"), directory.path().join("link"));
        let segment = filled(&path, 20);
        std::fs::hard_link(&path, &kept).expect("a second name of the same bytes");
        segment.destroy().expect("gone");
        assert!(!path.exists());
        assert!(std::fs::read(&kept).expect("reads").iter().all(|byte| *byte == 0));
    }
}
