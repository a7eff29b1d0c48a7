//! What a change does to the gallery, after the journal has it. Nothing here can fail but taking room on the disk, which
//! comes before the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use base::id::RecordId;
use mpc::share::Row;
use mpc::token::Token;
use wire::probe::PartitionLabel;

use super::Place;
use super::header::Touch;
use super::segment::{GROUP_SLOTS, SEGMENT_SLOTS, Segment};
use super::snapshot::{LogState, Snapshot};

/// A record that comes.
pub struct NewRow<'a> {
    /// Its name.
    pub record: RecordId,
    /// Its place.
    pub slot: u32,
    /// `None` if the share did not open: the record must not be searched until it is deleted.
    pub row: Option<&'a Row>,
    /// Its payment token.
    pub token: &'a Token,
    /// The named parts it stands in.
    pub labels: &'a [PartitionLabel],
}

/// A record that goes.
pub struct OldRow {
    /// Its place.
    pub slot: u32,
    /// The named parts it stood in.
    pub labels: Vec<PartitionLabel>,
}

/// A record that stands in other named parts.
pub struct Moved<'a> {
    /// Its place.
    pub slot: u32,
    /// The named parts it stood in.
    pub from: Vec<PartitionLabel>,
    /// Those it stands in now.
    pub to: &'a [PartitionLabel],
}

impl Snapshot {
    /// Takes room on the disk for the first `slots` slots.
    ///
    /// # Errors
    /// What the system says, such as that the disk is full.
    pub(crate) fn make_room(&mut self, place: &Place, slots: u32) -> io::Result<()> {
        for number in 0..slots.div_ceil(SEGMENT_SLOTS as u32) {
            if self.segments.len() == number as usize {
                let identity = place.identity(self.log.generation, number);
                self.segments.push(Segment::create(&place.path(identity), identity)?);
            }
            self.segments[number as usize].make_room(slots_in(slots, number))?;
        }
        Ok(())
    }

    /// Puts records behind the others, for which there is room.
    pub(crate) fn push(&mut self, log: LogState, new: &[NewRow<'_>]) {
        for NewRow { record, slot, row, token, labels } in new {
            self.segments[*slot as usize / SEGMENT_SLOTS].put(*slot as usize % SEGMENT_SLOTS, *row, token);
            self.partitions.insert(*slot, labels);
            if row.is_none() {
                self.void.insert(*slot, *record);
            }
        }
        self.records += new.len() as u64;
        self.finish(log, new.iter().map(|new| new.slot));
    }

    /// Wipes records; on the disk after [`Snapshot::sync`].
    pub(crate) fn remove(&mut self, log: LogState, old: &[OldRow]) {
        for OldRow { slot, labels } in old {
            self.segments[*slot as usize / SEGMENT_SLOTS].clear(*slot as usize % SEGMENT_SLOTS);
            self.partitions.remove(*slot, labels);
            self.void.remove(slot);
        }
        self.records -= old.len() as u64;
        self.finish(log, old.iter().map(|old| old.slot));
    }

    /// Puts records into other named parts; no slot is touched.
    pub(crate) fn relabel(&mut self, log: LogState, moved: &[Moved<'_>]) {
        for Moved { slot, from, to } in moved {
            self.partitions.remove(*slot, from);
            self.partitions.insert(*slot, to);
        }
        self.log = log;
    }

    /// Waits until what was written to the segments of `slots` is on the disk. Slots that are there no more are passed over.
    ///
    /// # Errors
    /// What the system says; then wiped rows may be on the disk still.
    pub(crate) fn sync(&self, slots: impl Iterator<Item = u32>) -> io::Result<()> {
        let numbers: BTreeSet<usize> = slots.map(|slot| slot as usize / SEGMENT_SLOTS).collect();
        numbers.into_iter().filter_map(|number| self.segments.get(number)).try_for_each(Segment::sync)
    }

    /// Overwrites its files and removes them.
    ///
    /// # Errors
    /// What the system says; then rows may remain in files.
    pub(crate) fn destroy(self) -> io::Result<()> {
        self.segments.into_iter().try_for_each(Segment::destroy)
    }

    /// Ends a change that touched `slots`.
    fn finish(&mut self, log: LogState, slots: impl Iterator<Item = u32>) {
        let mut touched = BTreeMap::<usize, BTreeSet<usize>>::new();
        for slot in slots {
            touched.entry(slot as usize / SEGMENT_SLOTS).or_default().insert(slot as usize % SEGMENT_SLOTS / GROUP_SLOTS);
        }
        self.log = log;
        for (number, groups) in touched {
            let touched = Touch { sequence: log.sequence, root: log.root };
            self.segments[number].finish(slots_in(log.slots, number as u32), touched, groups);
        }
    }
}

/// How many of the first `slots` slots are in segment `number`.
pub(super) fn slots_in(slots: u32, number: u32) -> usize {
    (slots as usize).saturating_sub(number as usize * SEGMENT_SLOTS).min(SEGMENT_SLOTS)
}
