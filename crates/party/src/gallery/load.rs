//! Making the gallery from the journal: segments that are whole and as far as the journal are taken as they are, groups of
//! slots that are torn or behind are written anew, everything else is made anew. Taking a segment costs reading it once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;

use base::id::RecordId;
use mpc::share::Row;

use super::header::{Header, Touch};
use super::partitions::Partitions;
use super::segment::{GROUP_SLOTS, SEGMENT_SLOTS, Segment, destroy_file};
use super::snapshot::{LogState, Snapshot};
use super::write::slots_in;
use super::{Gallery, Place};
use crate::error::Error;
use crate::journal::StoredRecord;
use crate::keys::Keys;
use crate::row_seal::{self, open};
use crate::store::Store;

/// What the gallery is made from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    pub(crate) store: &'s Store,
    pub(crate) keys: &'s Keys,
    pub(crate) place: &'s Place,
}

impl Gallery {
    /// The gallery as the journal says, and how many groups of slots had to be written anew.
    ///
    /// # Errors
    /// [`Error::DimensionsDiffer`], [`Error::StoreUnusable`], [`Error::SegmentsUnusable`].
    pub(crate) fn load(source: Source<'_>) -> Result<(Self, usize), Error> {
        let Source { store, place, .. } = source;
        store.check_dimensions(place.dimensions)?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.directory)?;
        let log = store.log()?;
        remove_others(place, log)?;
        let lost = source.lost_records()?;
        let mut segments = Vec::new();
        let mut rewritten = 0;
        for number in 0..log.slots.div_ceil(SEGMENT_SLOTS as u32) {
            let (segment, groups) = source.load_segment(log, number, &lost)?;
            segments.push(segment);
            rewritten += groups;
        }
        let mut partitions = Partitions::default();
        store.for_each_label(|slot, label| partitions.insert(slot, &[label]))?;
        let records = store.records()?;
        let snapshot = Snapshot { log, dimensions: place.dimensions, records, segments, partitions, void: lost };
        Ok((Self::of(snapshot, place.clone()), rewritten))
    }
}

impl Source<'_> {
    /// Records without a row that opens here, by slot: the share did not open at enrolment, or its key is lost.
    fn lost_records(&self) -> Result<BTreeMap<u32, RecordId>, Error> {
        let known = self.keys.all()?;
        let mut lost = BTreeMap::new();
        self.store.for_each_row_key(|slot, record, epoch| {
            if epoch.is_none_or(|epoch| !known.contains(&(record, epoch))) {
                lost.insert(slot, record);
            }
        })?;
        Ok(lost)
    }

    fn load_segment(&self, log: LogState, number: u32, lost: &BTreeMap<u32, RecordId>) -> Result<(Segment, usize), Error> {
        let first = number * SEGMENT_SLOTS as u32;
        let slots = slots_in(log.slots, number);
        let range = first..first + slots as u32;
        let identity = self.place.identity(log.generation, number);
        let path = self.place.path(identity);
        let kept = match Segment::open(&path, identity)? {
            Some(segment) if segment.header().slots <= slots && self.can_be_kept(segment.header())? => Some(segment),
            // It is incomplete, of an older journal, or of one that took another way.
            _ => None,
        };
        let (segment, dirty) = match kept {
            Some(segment) => {
                let mut dirty: BTreeSet<usize> = segment.damaged_groups().into_iter().collect();
                let touched = self.store.slots_touched_since(range.clone(), segment.header().touched.sequence)?;
                dirty.extend(touched.into_iter().map(|slot| (slot - first) as usize / GROUP_SLOTS));
                // A lost record's row is not to be searched, should it be here still.
                dirty.extend(lost.range(range.clone()).map(|(slot, _)| (*slot - first) as usize / GROUP_SLOTS));
                (segment, dirty)
            }
            None => (Segment::create(&path, identity)?, (0..slots.div_ceil(GROUP_SLOTS)).collect()),
        };
        let sequence = self.store.last_touch(range, log.generation)?;
        let root = self.store.change(sequence)?.map(|change| change.log.root).unwrap_or_default();
        let segment = self.bring_up(segment, slots, Touch { sequence, root }, &dirty)?;
        if !dirty.is_empty() {
            segment.sync()?;
        }
        Ok((segment, dirty.len()))
    }

    /// The segment with its first `slots` slots given out, last touched by `touched`; the groups `dirty` are written anew, all
    /// others are right.
    pub(super) fn bring_up(&self, mut segment: Segment, slots: usize, touched: Touch, dirty: &BTreeSet<usize>) -> Result<Segment, Error> {
        let first = segment.header().identity.number * SEGMENT_SLOTS as u32;
        segment.make_room(slots)?;
        for group in dirty {
            self.write_group(&mut segment, first, group * GROUP_SLOTS..slots.min((group + 1) * GROUP_SLOTS))?;
        }
        segment.finish(slots, touched, dirty.iter().copied());
        Ok(segment)
    }

    /// Whether the segment has every row of this journal's log up to its last change.
    fn can_be_kept(&self, header: &Header) -> rusqlite::Result<bool> {
        let root = self.store.change(header.touched.sequence)?.map(|change| change.log.root);
        Ok(header.is_complete && (header.touched == Touch::default() || root == Some(header.touched.root)))
    }

    /// Writes these slots of the segment whose first slot is `first` as the journal has them.
    fn write_group(&self, segment: &mut Segment, first: u32, slots: Range<usize>) -> Result<(), Error> {
        slots.clone().for_each(|slot| segment.clear(slot));
        self.store.for_each_record(first + slots.start as u32..first + slots.end as u32, |stored| {
            segment.put((stored.slot - first) as usize, self.row(&stored)?.as_ref(), &stored.token);
            Ok(())
        })
    }

    /// Whether the record's row of this epoch is here and opens.
    pub(crate) fn has_row(&self, record: RecordId, epoch: u32) -> rusqlite::Result<bool> {
        let Some(sealed) = self.store.sealed_row(record, epoch)? else { return Ok(false) };
        let Some(key) = self.keys.key(record, epoch)? else { return Ok(false) };
        let place = row_seal::Place { party: self.place.party, record, epoch };
        Ok(open(&key, place, &sealed, self.place.dimensions).is_ok())
    }

    /// The record's row, if it opens here.
    pub(crate) fn row(&self, stored: &StoredRecord) -> rusqlite::Result<Option<Row>> {
        let Some(sealed) = &stored.sealed else { return Ok(None) };
        let Some(key) = self.keys.key(stored.record, stored.epoch)? else { return Ok(None) };
        let place = row_seal::Place { party: self.place.party, record: stored.record, epoch: stored.epoch };
        Ok(open(&key, place, sealed, self.place.dimensions).ok())
    }
}

/// Destroys the segments of other generations, and those behind the last slot.
fn remove_others(place: &Place, log: LogState) -> io::Result<()> {
    let needed: Vec<_> =
        (0..log.slots.div_ceil(SEGMENT_SLOTS as u32)).map(|number| place.path(place.identity(log.generation, number))).collect();
    for file in std::fs::read_dir(&place.directory)? {
        let path = file?.path();
        if !needed.contains(&path) {
            destroy_file(&path)?;
        }
    }
    Ok(())
}
