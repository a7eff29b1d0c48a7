//! The gallery that a refresh or a compaction is about to put in force, prepared beside the one that is searched: segments of
//! their own, filled some slots at a time while searches and changes go on. When the log's change comes, what was enrolled or
//! deleted since is written to them, and they take the place of the others; runs that hold those end with them. A party that
//! has nothing prepared when the change comes, such as one that was started again, makes the segments from its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use mpc::share::Row;
use mpc::token::Token;

use super::Gallery;
use super::header::Touch;
use super::load::Source;
use super::segment::{GROUP_SLOTS, SEGMENT_SLOTS, Segment};
use super::snapshot::{LogState, Snapshot};
use super::write::slots_in;
use crate::error::Error;
use crate::journal::numbering::Numbering;

/// What segments are prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// The refresh that begins this epoch.
    Refresh(u32),
    /// A compaction.
    Compaction,
}

/// Segments in the making.
pub(crate) struct Next {
    renewal: Renewal,
    /// How far the log was when they were begun.
    as_of: LogState,
    /// How their slots are numbered.
    numbering: Numbering,
    segments: Vec<Segment>,
    /// Every record as of then is in them.
    is_filled: bool,
}

/// A slot of the gallery as it is, with what stands in it in the next.
pub(crate) struct Renewed {
    pub(crate) slot: u32,
    pub(crate) row: Option<Row>,
    pub(crate) token: Token,
}

impl Gallery {
    /// Begins segments for `renewal`. There must be none in the making.
    pub(crate) fn begin_next(&mut self, renewal: Renewal, numbering: Numbering) {
        assert!(self.next.is_none(), "what was begun before is destroyed first");
        self.next = Some(Next { renewal, as_of: self.current.log, numbering, segments: vec![], is_filled: false });
    }

    /// Takes out the segments that are in the making, to be destroyed.
    pub(crate) fn take_next(&mut self) -> Option<Next> {
        self.next.take()
    }

    /// Whether segments for `renewal`, begun at `as_of`, are in the making.
    pub(crate) fn is_preparing(&self, renewal: Renewal, as_of: LogState) -> bool {
        self.next.as_ref().is_some_and(|next| (next.renewal, next.as_of) == (renewal, as_of))
    }

    /// Puts records in, in order of slots, which are numbered by `now` in the gallery as it is.
    ///
    /// # Errors
    /// What the system says, such as that the disk is full.
    pub(crate) fn put_next(&mut self, now: &Numbering, records: &[Renewed]) -> io::Result<()> {
        let Some(next) = &mut self.next else { return Ok(()) };
        let as_of = Touch { sequence: next.as_of.sequence, root: next.as_of.root };
        let mut end = 0;
        for Renewed { slot, row, token } in records {
            let slot = next.numbering.slot(now.ordinal(*slot)).expect("a record that is there has a slot");
            end = slot + 1;
            for number in next.segments.len() as u32..end.div_ceil(SEGMENT_SLOTS as u32) {
                // A name that no segment in force has; it gets its own when it is in force.
                let identity = self.place.identity(next.as_of.generation, number);
                next.segments.push(Segment::create(&self.place.next_path(number), identity)?);
            }
            let segment = &mut next.segments[slot as usize / SEGMENT_SLOTS];
            segment.make_room(slot as usize % SEGMENT_SLOTS + 1)?;
            segment.put(slot as usize % SEGMENT_SLOTS, row.as_ref(), token);
        }
        // Also those that were passed over because nobody is in them.
        for (segment, number) in next.segments.iter_mut().zip(0..) {
            let (before, slots) = (segment.header().slots, slots_in(end, number));
            if slots > before {
                segment.make_room(slots)?;
                segment.finish(slots, as_of, before / GROUP_SLOTS..slots.div_ceil(GROUP_SLOTS));
            }
        }
        Ok(())
    }

    /// Every record is in the segments that are in the making.
    pub(crate) fn finish_next(&mut self) {
        self.next.iter_mut().for_each(|next| next.is_filled = true);
    }

    /// Wipes slots, which are numbered by `now`, from the segments that are in the making too, also on the disk.
    ///
    /// # Errors
    /// What the system says; then wiped rows may be on the disk still.
    pub(crate) fn wipe_next(&mut self, now: &Numbering, slots: impl Iterator<Item = u32>) -> io::Result<()> {
        let Some(next) = &mut self.next else { return Ok(()) };
        let mut numbers = BTreeSet::new();
        for slot in slots.filter_map(|slot| next.numbering.slot(now.ordinal(slot))) {
            let (number, at) = (slot as usize / SEGMENT_SLOTS, slot as usize % SEGMENT_SLOTS);
            if let Some(segment) = next.segments.get_mut(number).filter(|segment| at < segment.header().slots) {
                segment.clear(at);
                let header = segment.header();
                segment.finish(header.slots, header.touched, [at / GROUP_SLOTS]);
                numbers.insert(number);
            }
        }
        numbers.into_iter().try_for_each(|number| next.segments[number].sync())
    }

    /// Puts the prepared segments in force for the journal's last change, if they were prepared for it; whether they were.
    /// The gallery as it was, whose slots are numbered by `before`, is retired.
    ///
    /// # Errors
    /// [`Error::StoreUnusable`], [`Error::SegmentsUnusable`]; then the gallery must be loaded anew.
    pub(crate) fn switch(&mut self, source: Source<'_>, renewal: Renewal, as_of: u64, before: &Numbering) -> Result<bool, Error> {
        let log = source.store.log()?;
        let fits = |next: &mut Next| next.is_filled && next.renewal == renewal && next.as_of.sequence == as_of;
        let Some(next) = self.next.take_if(fits) else { return Ok(false) };
        let number = |slot: u32| source.store.numbering.slot(before.ordinal(slot)).expect("a record that is there has a slot");
        let mut dirty = BTreeMap::<u32, BTreeSet<usize>>::new();
        for slot in source.store.slots_touched_after(as_of)? {
            let (segment, group) = (slot / SEGMENT_SLOTS as u32, slot as usize % SEGMENT_SLOTS / GROUP_SLOTS);
            dirty.entry(segment).or_default().insert(group);
        }
        let mut segments = Vec::new();
        let mut prepared = next.segments.into_iter();
        for number in 0..log.slots.div_ceil(SEGMENT_SLOTS as u32) {
            let identity = self.place.identity(log.generation, number);
            let path = self.place.path(identity);
            let segment = match prepared.next() {
                Some(mut segment) => segment.become_segment(&path, identity).map(|()| segment)?,
                None => Segment::create(&path, identity)?,
            };
            let slots = slots_in(log.slots, number);
            let mut dirty = dirty.remove(&number).unwrap_or_default();
            // Slots at the end that nobody is in any more were not prepared.
            if segment.header().slots < slots {
                dirty.extend(segment.header().slots / GROUP_SLOTS..slots.div_ceil(GROUP_SLOTS));
            }
            segments.push(source.bring_up(segment, slots, Touch { sequence: log.sequence, root: log.root }, &dirty)?);
        }
        let now = &self.current;
        let snapshot = Snapshot {
            log,
            dimensions: now.dimensions,
            records: now.records,
            segments,
            partitions: now.partitions.renumbered(number),
            void: now.void.iter().map(|(slot, record)| (number(*slot), *record)).collect(),
        };
        self.retired.push(std::mem::replace(&mut self.current, Arc::new(snapshot)));
        Ok(true)
    }
}

impl Next {
    /// Overwrites its files and removes them.
    ///
    /// # Errors
    /// What the system says; then rows may remain in files.
    pub(crate) fn destroy(self) -> io::Result<()> {
        self.segments.into_iter().try_for_each(Segment::destroy)
    }
}
