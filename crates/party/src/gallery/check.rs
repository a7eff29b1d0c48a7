//! Whether the gallery still is what the journal says, slot by slot.

use std::ops::Range;

use base::hash::hash_parts;
use sha2::{Digest, Sha256};

use super::load::Source;
use super::partitions::Partitions;
use super::segment::GROUP_SLOTS;
use super::snapshot::Snapshot;
use crate::error::Error;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// A hash over every record's name, slot, token and partitions: equal at the three parties.
    pub content: [u8; 32],
    /// Slots whose row or token is not the journal's.
    pub slots_wrong: Vec<u32>,
    /// Groups of 1,024 slots whose checksum is wrong, by their first slot.
    pub groups_damaged: Vec<u32>,
    /// Whether the partitions are the journal's.
    pub partitions_right: bool,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.slots_wrong.is_empty() && self.groups_damaged.is_empty() && self.partitions_right
    }
}

impl Snapshot {
    /// Compares with the journal in `source`, which must be as far.
    ///
    /// # Errors
    /// [`Error::StoreUnusable`].
    pub(crate) fn check(&self, source: Source<'_>) -> Result<Findings, Error> {
        let mut content = Sha256::new();
        let mut slots_wrong = Vec::new();
        for start in (0..self.log.slots).step_by(GROUP_SLOTS) {
            let slots = start..self.log.slots.min(start + GROUP_SLOTS as u32);
            slots_wrong.extend(self.check_slots(source, slots, &mut content)?);
        }
        let mut partitions = Partitions::default();
        source.store.for_each_label(|slot, label| {
            content.update(hash_parts("handsel/label/v1", &[&slot.to_le_bytes(), &label.0]));
            partitions.insert(slot, &[label]);
        })?;
        let damaged = |(at, segment): (usize, &super::segment::Segment)| {
            let first = at * super::segment::SEGMENT_SLOTS;
            segment.damaged_groups().into_iter().map(move |group| (first + group * GROUP_SLOTS) as u32).collect::<Vec<_>>()
        };
        Ok(Findings {
            content: content.finalize().into(),
            slots_wrong,
            groups_damaged: self.segments.iter().enumerate().flat_map(damaged).collect(),
            partitions_right: partitions == self.partitions,
        })
    }

    /// The slots of one group that differ; every record goes into `content`.
    fn check_slots(&self, source: Source<'_>, slots: Range<u32>, content: &mut Sha256) -> Result<Vec<u32>, Error> {
        let mut expected = slots.clone().map(|_| None).collect::<Vec<_>>();
        source.store.for_each_record(slots.clone(), |stored| {
            content
                .update(hash_parts("handsel/record/v1", &[&stored.record.bits().to_le_bytes(), &stored.slot.to_le_bytes(), &stored.token]));
            expected[(stored.slot - slots.start) as usize] = Some((source.row(&stored)?, stored.token));
            Ok::<_, Error>(())
        })?;
        let is_wrong = |(slot, expected): &(u32, Option<(Option<mpc::share::Row>, mpc::token::Token)>)| {
            let (segment, at) = self.place(*slot);
            let found = segment.rows().read(at);
            let (row, token) = expected.as_ref().map_or((None, [0; 16]), |(row, token)| (row.as_ref(), *token));
            let same_row = row.map_or_else(|| found.as_slice().iter().all(|number| *number == 0), |row| row.as_slice() == found.as_slice());
            !same_row || segment.tokens()[at] != token
        };
        Ok(slots.zip(expected).filter(is_wrong).map(|(slot, _)| slot).collect())
    }
}
