//! What one run searches, held until the run ends: the whole gallery as of one change, or a named part of it, in pieces that
//! are worked on lane by lane.

use std::ops::Range;
use std::sync::Arc;

use mpc::layout::RowsView;
use wire::probe::PartitionLabel;

use crate::gallery::snapshot::{Chunk, Chunks, Snapshot, Stamp, VoidRecord};
use crate::scan_pool::Source;

/// Segments that one lane works on. Fewer lanes mean fewer messages, more lanes more that goes on at once.
pub(crate) const PARTS_PER_CHUNK: usize = 4;

/// The rows and tokens of one search.
pub enum Searched {
    /// Every segment, where it lies.
    Whole(Arc<Snapshot>),
    /// The rows of a partition, copied together.
    Gathered(Chunks<'static>),
}

impl Searched {
    /// What a search of `partition`, or of everything, goes over.
    ///
    /// # Errors
    /// [`VoidRecord`] if one of the records must not be searched.
    pub fn new(snapshot: &Arc<Snapshot>, partition: Option<&PartitionLabel>) -> Result<Self, VoidRecord> {
        Ok(match snapshot.chunks(partition)? {
            Chunks::Whole(_) => Self::Whole(snapshot.clone()),
            Chunks::Gathered(gathered) => Self::Gathered(Chunks::Gathered(gathered)),
        })
    }

    /// Searches of the same group go over the same rows.
    pub fn group(&self) -> Option<usize> {
        match self {
            Self::Whole(snapshot) => Some(Arc::as_ptr(snapshot).addr()),
            Self::Gathered(_) => None,
        }
    }

    /// One part: a segment, or so much of a partition.
    pub fn part(&self, at: usize) -> Chunk<'_> {
        match self {
            Self::Whole(snapshot) => snapshot.segment(at).chunk(),
            Self::Gathered(chunks) => chunks.get(at),
        }
    }

    /// The parts' stamps; `None` for a part that is no segment.
    pub fn stamps(&self) -> Vec<Option<Stamp>> {
        (0..self.parts()).map(|at| self.part(at).stamp).collect()
    }

    /// How many chunks: pieces that are worked on lane by lane.
    pub fn chunks(&self) -> usize {
        self.parts().div_ceil(PARTS_PER_CHUNK)
    }

    /// The parts of the chunk `at`.
    pub fn parts_of(&self, at: usize) -> Range<usize> {
        PARTS_PER_CHUNK * at..(PARTS_PER_CHUNK * (at + 1)).min(self.parts())
    }
}

impl Source for Searched {
    fn parts(&self) -> usize {
        match self {
            Self::Whole(snapshot) => snapshot.segments().count(),
            Self::Gathered(chunks) => chunks.len(),
        }
    }

    fn rows(&self, part: usize) -> RowsView<'_> {
        self.part(part).rows
    }

    fn slots(&self, part: usize) -> usize {
        self.part(part).slots
    }
}
