//! The gallery: this party's row and every payment token, in slots that are numbered the same at all three parties.
//!
//! The log decides which slot a record gets: the next one behind all others. A deleted record leaves its slot zero, which
//! nobody is near to, until a compaction numbers the slots anew. Read in this order: [`segment`] (the files), [`snapshot`]
//! (what a run searches), [`write`] (what a change does), [`next`] (how a refresh or a compaction is prepared beside it),
//! [`load`] (how a start makes it from the journal), [`check`] (whether it still is what the journal says).

pub mod check;
pub mod header;
pub mod load;
pub mod measure;
pub mod next;
pub mod partitions;
pub mod segment;
pub mod snapshot;
pub mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::party::PartyId;

use crate::gallery::header::Identity;
use crate::gallery::next::Next;
use crate::gallery::snapshot::Snapshot;

/// Between two looks whether the last run has let go.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The gallery and the right to change it.
pub struct Gallery {
    current: Arc<Snapshot>,
    /// What a refresh or a compaction has left behind, until no run holds it and it is destroyed.
    retired: Vec<Arc<Snapshot>>,
    /// What the next one prepares.
    next: Option<Next>,
    place: Place,
}

/// Where a gallery's segments are, and whose.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    party: PartyId,
    dimensions: usize,
}

/// Runs still hold the gallery as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Gallery {
    fn of(snapshot: Snapshot, place: Place) -> Self {
        Self { current: Arc::new(snapshot), retired: vec![], next: None, place }
    }

    /// What a run searches: it stays as it is until it is dropped. Enrolments and deletions wait for that; a refresh or a
    /// compaction puts another gallery in its place meanwhile.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.clone()
    }

    /// The gallery as it is now.
    pub fn now(&self) -> &Snapshot {
        &self.current
    }

    /// The gallery for changing it, as soon as no run holds it any more, but not later than after `patience`. Waiting keeps
    /// the three parties alike: none of them searches for somebody whose deletion another has carried out.
    ///
    /// # Errors
    /// [`Busy`]; then nothing has changed.
    pub(crate) fn alone(&mut self, patience: Duration) -> Result<&mut Snapshot, Busy> {
        let mut waited = Duration::ZERO;
        // Only this gallery makes new references, and it is borrowed: the counts can only fall.
        while self.retired.iter().chain([&self.current]).any(|snapshot| Arc::strong_count(snapshot) > 1) {
            if waited >= patience {
                return Err(Busy);
            }
            std::thread::sleep(LOOK_EVERY);
            waited += LOOK_EVERY;
        }
        Ok(Arc::get_mut(&mut self.current).expect("this is the only reference"))
    }

    /// What is retired and held by no run any more, to be destroyed.
    pub(crate) fn take_retired(&mut self) -> Vec<Snapshot> {
        let (over, held) = std::mem::take(&mut self.retired).into_iter().partition(|snapshot| Arc::strong_count(snapshot) == 1);
        self.retired = held;
        // Nobody can make another reference to what is not in the list any more.
        over.into_iter().filter_map(Arc::into_inner).collect()
    }

    /// Whether runs still hold something that is retired.
    pub(crate) fn has_retired(&self) -> bool {
        !self.retired.is_empty()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

impl Place {
    pub(crate) fn new(directory: &Path, party: PartyId, dimensions: usize) -> Self {
        Self { directory: directory.join("segments"), party, dimensions }
    }

    fn identity(&self, generation: u64, number: u32) -> Identity {
        Identity { party: self.party, dimensions: self.dimensions, generation, number }
    }

    fn path(&self, identity: Identity) -> PathBuf {
        self.directory.join(format!("{}-{:05}.segment", identity.generation, identity.number))
    }

    /// Where a segment is while it is prepared.
    fn next_path(&self, number: u32) -> PathBuf {
        self.directory.join(format!("next-{number:05}.segment"))
    }
}
