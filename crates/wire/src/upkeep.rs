//! Messages about the gallery as a whole: looking whether the parties' galleries are right and alike, refreshing the shares,
//! and rebuilding a party that lost its disk. They come from the platform like the others; none of them holds a share.

use base::id::{RecordId, SessionId};
use base::party::PartyId;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::HexArray;
use crate::probe::PartitionLabel;

/// Prepare the next epoch's rows, together with the other two. They are in force from the change
/// [`crate::party::GalleryOperation::Refresh`] on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrepareRefresh {
    /// The run's name, the same at all three, never used before.
    pub session: SessionId,
    /// The gallery as of this change is prepared; a party that is elsewhere refuses.
    pub gallery_sequence: u64,
    /// The epoch that is prepared: one more than the one in force.
    pub epoch: u32,
}

/// Take part in giving `party` back its gallery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rebuild {
    /// The run's name, the same at all three, never used before.
    pub session: SessionId,
    /// Whose gallery is lost or behind. The other two help.
    pub party: PartyId,
}

/// How a party's log stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// Whose.
    pub party: PartyId,
    /// The last change it applied; 0 before the first.
    pub sequence: u64,
    /// Hash chain over all changes so far.
    pub root: HexArray<32>,
    /// Records that are there.
    pub records: u64,
    /// Records that are there and not usable here.
    pub void: u64,
    /// Slots that were given out since the last compaction.
    pub slots: u32,
    /// Refreshes of the shares so far.
    pub epoch: u32,
    /// The change that was asked about, if it was applied here.
    pub change: Option<ChangeSummary>,
}

/// A change of the log, as a party applied it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSummary {
    /// Its number.
    pub sequence: u64,
    /// `enrol`, `delete`, `compact` or `refresh`.
    pub kind: String,
    /// How many records it names.
    pub records: u64,
    /// The first of them.
    pub first_record: Option<RecordId>,
    /// SHA-256 over the change without its shares.
    pub digest: HexArray<32>,
    /// The chain up to and with it.
    pub root: HexArray<32>,
    /// When, by the party's clock.
    pub applied_at: Timestamp,
}

/// Whether a party's segments are what its journal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Whose.
    pub party: PartyId,
    /// The change as of which was looked.
    pub sequence: u64,
    /// Hash chain over all changes so far.
    pub root: HexArray<32>,
    /// A hash over every record's name, slot, token and named parts: equal at the three parties.
    pub content: HexArray<32>,
    /// Records that are there.
    pub records: u64,
    /// Of each segment the hash over its groups' checksums. A party's own: shares differ, and so do these.
    pub segments: Vec<HexArray<32>>,
    /// How many slots hold another row or token than the journal says.
    pub slots_wrong: u64,
    /// The first of them.
    pub first_slot_wrong: Option<u32>,
    /// How many groups of 1,024 slots have a wrong checksum.
    pub groups_damaged: u64,
    /// Whether the named parts are the journal's.
    pub partitions_right: bool,
    /// The named parts and how many records stand in each, in order of labels.
    pub partitions: Vec<PartitionCount>,
}

/// How many records stand in a named part of the gallery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCount {
    /// Which.
    pub label: PartitionLabel,
    /// How many.
    pub records: u64,
}

impl Verified {
    /// Whether nothing is wrong at this party.
    pub fn is_good(&self) -> bool {
        self.slots_wrong == 0 && self.groups_damaged == 0 && self.partitions_right
    }
}
