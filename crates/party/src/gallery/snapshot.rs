//! The gallery as of one change: what a run searches. Nothing of it changes as long as anybody holds it; a change waits.

use std::collections::BTreeMap;

use base::hash::hash_parts;
use base::id::RecordId;
use mpc::layout::{RowsView, SLOTS_PER_BLOCK, block_numbers, write_slot};
use mpc::share::Row;
use mpc::token::Token;
use wire::probe::PartitionLabel;
use wire::upkeep::PartitionCount;
use zeroize::Zeroize;

use super::partitions::Partitions;
use super::segment::{SEGMENT_SLOTS, Segment};

/// How far the log is, and what it leads to: the same at all three parties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// The last change that was applied; 0 before the first.
    pub sequence: u64,
    /// Hash chain over all changes so far.
    pub root: [u8; 32],
    /// Slots that were given out since the last compaction.
    pub slots: u32,
    /// Refreshes of the shares so far.
    pub epoch: u32,
    /// The change that last renumbered or refreshed the gallery; 0 before the first.
    pub generation: u64,
}

/// This party's whole gallery after a certain change.
pub struct Snapshot {
    pub(super) log: LogState,
    pub(super) dimensions: usize,
    pub(super) records: u64,
    pub(super) segments: Vec<Segment>,
    pub(super) partitions: Partitions,
    /// Records whose row is not usable here, by slot.
    pub(super) void: BTreeMap<u32, RecordId>,
}

/// A record that cannot be searched is among those that were to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoidRecord(pub RecordId);

/// A segment as of the last change that touched it: the same at all three parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The change that last renumbered or refreshed the gallery.
    pub generation: u64,
    /// Which segment.
    pub segment: u32,
    /// The last change that touched it.
    pub changed_at: u64,
}

/// What a run searches, in pieces of at most [`SEGMENT_SLOTS`] slots.
pub enum Chunks<'s> {
    /// Every segment, where it lies.
    Whole(&'s [Segment]),
    /// The rows of a partition, copied into blocks of their own.
    Gathered(Vec<Gathered>),
}

/// Some rows of a partition in whole blocks.
pub struct Gathered {
    numbers: Vec<u16>,
    tokens: Vec<Token>,
    dimensions: usize,
}

/// One piece of what a run searches.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    /// How many slots; those of deleted records count.
    pub slots: usize,
    /// Their rows in whole blocks; lanes behind the last slot are zero, as are slots without a record.
    pub rows: RowsView<'a>,
    /// One token per slot; zero where there is no record.
    pub tokens: &'a [Token],
    /// Which segment it is, if it is one.
    pub stamp: Option<Stamp>,
}

impl Snapshot {
    /// The last change that was applied; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.log.sequence
    }

    /// Hash chain over all changes so far.
    pub fn root(&self) -> [u8; 32] {
        self.log.root
    }

    /// Refreshes of the shares so far.
    pub fn epoch(&self) -> u32 {
        self.log.epoch
    }

    /// How far the log is.
    pub fn log(&self) -> LogState {
        self.log
    }

    /// Features of a row.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Slots that were given out; those of deleted records count.
    pub fn slots(&self) -> usize {
        self.log.slots as usize
    }

    /// Records that are there.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Records that are there and not usable here.
    pub fn void_records(&self) -> impl Iterator<Item = RecordId> {
        self.void.values().copied()
    }

    /// The segments in order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    pub(crate) fn segment(&self, at: usize) -> &Segment {
        &self.segments[at]
    }

    /// The named parts and how many records stand in each, in order of labels.
    pub fn partition_counts(&self) -> Vec<PartitionCount> {
        self.partitions.counts()
    }

    /// Records in the named part.
    pub fn partition_len(&self, label: &PartitionLabel) -> usize {
        self.partitions.slots(label).len()
    }

    /// The chain's next link: the root after a change with this digest.
    pub fn root_after(&self, change_digest: &[u8; 32]) -> [u8; 32] {
        root_after(&self.log.root, self.log.sequence + 1, change_digest)
    }

    /// A hash of what a search of `partition`, or of everything, compares with: equal at the three parties, or they would
    /// search different records. The root stands for every record, its slot and its token.
    pub fn digest(&self, partition: Option<&PartitionLabel>) -> [u8; 32] {
        let (label, count) = match partition {
            Some(label) => (&label.0[..], self.partition_len(label)),
            None => (&[][..], self.slots()),
        };
        hash_parts("handsel/searched/v2", &[&self.log.root, &self.log.sequence.to_le_bytes(), label, &(count as u64).to_le_bytes()])
    }

    /// What a search of `partition`, or of everything, compares with.
    ///
    /// # Errors
    /// [`VoidRecord`] if one of them must not be searched.
    pub fn chunks(&self, partition: Option<&PartitionLabel>) -> Result<Chunks<'_>, VoidRecord> {
        let Some(label) = partition else {
            return self.void.values().next().map_or(Ok(Chunks::Whole(&self.segments)), |record| Err(VoidRecord(*record)));
        };
        let slots = self.partitions.slots(label);
        if let Some((_, record)) = self.void.iter().find(|(slot, _)| slots.binary_search(slot).is_ok()) {
            return Err(VoidRecord(*record));
        }
        Ok(Chunks::Gathered(slots.chunks(SEGMENT_SLOTS).map(|slots| self.gather(slots)).collect()))
    }

    fn gather(&self, slots: &[u32]) -> Gathered {
        let blocks = slots.len().div_ceil(SLOTS_PER_BLOCK);
        let mut numbers = vec![0; blocks * block_numbers(self.dimensions)];
        let mut tokens = Vec::with_capacity(slots.len());
        for (at, slot) in slots.iter().enumerate() {
            let (segment, slot) = self.place(*slot);
            write_slot(&mut numbers, at, &segment.rows().read(slot));
            tokens.push(segment.tokens()[slot]);
        }
        Gathered { numbers, tokens, dimensions: self.dimensions }
    }

    /// The row in `slot`.
    ///
    /// # Panics
    /// If that slot was never given out.
    pub fn row(&self, slot: u32) -> Row {
        let (segment, at) = self.place(slot);
        segment.rows().read(at)
    }

    /// The segment of a slot and its place within it.
    pub(super) fn place(&self, slot: u32) -> (&Segment, usize) {
        (&self.segments[slot as usize / SEGMENT_SLOTS], slot as usize % SEGMENT_SLOTS)
    }
}

/// The chain's next link: the root after a change is applied as `sequence`.
pub fn root_after(root: &[u8; 32], sequence: u64, change_digest: &[u8; 32]) -> [u8; 32] {
    hash_parts("handsel/gallery-root/v1", &[root, &sequence.to_le_bytes(), change_digest])
}

impl Chunks<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Whole(segments) => segments.len(),
            Self::Gathered(gathered) => gathered.len(),
        }
    }

    /// Whether there is nobody to search for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chunk `at`, of [`Chunks::len`].
    pub fn get(&self, at: usize) -> Chunk<'_> {
        match self {
            Self::Whole(segments) => segments[at].chunk(),
            Self::Gathered(gathered) => {
                let Gathered { numbers, tokens, dimensions } = &gathered[at];
                Chunk { slots: tokens.len(), rows: RowsView::new(numbers, *dimensions), tokens, stamp: None }
            }
        }
    }

    /// All in order.
    pub fn iter(&self) -> impl Iterator<Item = Chunk<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }
}

impl Segment {
    pub(crate) fn chunk(&self) -> Chunk<'_> {
        let header = self.header();
        let stamp = Stamp { generation: header.identity.generation, segment: header.identity.number, changed_at: header.touched.sequence };
        Chunk { slots: header.slots, rows: self.rows(), tokens: self.tokens(), stamp: Some(stamp) }
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.numbers.zeroize();
    }
}
