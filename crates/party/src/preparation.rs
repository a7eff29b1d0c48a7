//! Preparing a refresh or a compaction beside everything else that goes on, and erasing what it leaves behind.
//!
//! All three parties prepare as of the same change. Searches, enrolments and deletions go on: the gallery is held for some
//! slots at a time only. Then one change of the log puts it in force at a point that all agree on, which costs one line in
//! the journal and the segments' names; runs that are in flight end with the gallery that they began with, and no run begins
//! unless all three are at the same change. What is left behind is erased beside everything else, at the latest at the next
//! start.

use std::sync::MutexGuard;
use std::time::Duration;

use base::hash::hash_parts;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyRefusal};

use crate::error::Refusal;
use crate::gallery::next::{Next, Renewal, Renewed};
use crate::gallery::snapshot::{LogState, Snapshot};
use crate::journal::StoredRecord;
use crate::journal::records::ROWS_AT_ONCE;
use crate::link::NOT_POISONED;
use crate::service::{Service, State};

/// Slots that are prepared before others may use the gallery again.
pub(crate) const SLOTS_AT_ONCE: u32 = 1024;
/// For others to take their turn.
pub(crate) const TURN: Duration = Duration::from_millis(1);
/// Between two looks whether the last run has let go of what is retired.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Service {
    /// The right to refresh, compact or rebuild.
    pub(crate) fn begin_upkeep(&self) -> Result<MutexGuard<'_, ()>, Refusal> {
        let detail = "another refresh, compaction or rebuild is under way; try again when it is through";
        self.upkeep.try_lock().map_err(|_| Refusal::new(PartyRefusal::GalleryOutOfStep, detail))
    }

    /// Prepares the segments of a compaction.
    pub(crate) fn prepare_compaction(&self, gallery_sequence: u64) -> Result<PartyAnswer, Refusal> {
        let _upkeep = self.begin_upkeep()?;
        let begun = self.begin_preparation(Renewal::Compaction, gallery_sequence)?;
        let rows = self.prepare_slots(Renewal::Compaction, begun, |state, records| {
            let place = state.gallery.place().clone();
            let source = state.source(&place);
            let renewed = |stored: &StoredRecord| Ok(Renewed { slot: stored.slot, row: source.row(stored)?, token: stored.token });
            records.iter().map(renewed).collect()
        })?;
        self.finish_preparation(Renewal::Compaction, begun)?;
        tracing::info!(party = %self.config.party, gallery_sequence, rows, "compaction prepared");
        let name = hash_parts("handsel/compaction/v1", &[&begun.root, &begun.sequence.to_le_bytes()]);
        Ok(PartyAnswer::Prepared { name: HexArray(name), rows })
    }

    /// Begins segments for `renewal`, if the gallery is at the change `sequence`; says how far the log is.
    pub(crate) fn begin_preparation(&self, renewal: Renewal, sequence: u64) -> Result<LogState, Refusal> {
        let mut state = self.state.lock().expect(NOT_POISONED);
        let given_up = state.gallery.take_next();
        let destroying = self.destroying.lock().expect(NOT_POISONED);
        drop(state);
        given_up.map_or(Ok(()), Next::destroy)?;
        drop(destroying);

        let mut state = self.state.lock().expect(NOT_POISONED);
        self.settle(&mut state)?;
        let log = state.gallery.now().log();
        let is_next = match renewal {
            Renewal::Refresh(epoch) => epoch == log.epoch + 1,
            Renewal::Compaction => true,
        };
        if log.sequence != sequence || !is_next {
            let detail = format!("the gallery is at change {} of epoch {}", log.sequence, log.epoch);
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, detail));
        }
        let numbering = match renewal {
            Renewal::Refresh(_) => state.store.numbering.clone(),
            Renewal::Compaction => state.store.numbering_as_of(log.sequence)?,
        };
        state.gallery.begin_next(renewal, numbering);
        Ok(log)
    }

    /// Prepares every slot that there was at `begun`, some at a time, with what `renew` makes of the records that were there
    /// then; gives their number.
    pub(crate) fn prepare_slots(
        &self,
        renewal: Renewal,
        begun: LogState,
        mut renew: impl FnMut(&mut State, &[StoredRecord]) -> Result<Vec<Renewed>, Refusal>,
    ) -> Result<u64, Refusal> {
        let mut rows = 0;
        for start in (0..begun.slots).step_by(SLOTS_AT_ONCE as usize) {
            let mut state = self.lock_preparation(renewal, begun)?;
            let mut records = Vec::new();
            state.store.for_each_record(start..begun.slots.min(start + SLOTS_AT_ONCE), |stored| {
                records.extend(Some(stored).filter(|stored| stored.sequence <= begun.sequence));
                Ok::<_, Refusal>(())
            })?;
            let renewed = renew(&mut state, &records)?;
            let State { store, gallery, .. } = &mut *state;
            gallery.put_next(&store.numbering, &renewed)?;
            rows += renewed.len() as u64;
            drop(state);
            self.step("some slots of a preparation");
            std::thread::sleep(TURN);
        }
        Ok(rows)
    }

    /// Everything is prepared.
    pub(crate) fn finish_preparation(&self, renewal: Renewal, begun: LogState) -> Result<(), Refusal> {
        self.lock_preparation(renewal, begun)?.gallery.finish_next();
        self.step("every slot of a preparation");
        Ok(())
    }

    /// The state, if the preparation is still worth something.
    pub(crate) fn lock_preparation(&self, renewal: Renewal, begun: LogState) -> Result<MutexGuard<'_, State>, Refusal> {
        let state = self.state.lock().expect(NOT_POISONED);
        let is_same = state.gallery.now().log().generation == begun.generation && state.gallery.is_preparing(renewal, begun);
        match is_same {
            true => Ok(state),
            false => Err(Refusal::new(PartyRefusal::GalleryOutOfStep, "the gallery was made anew meanwhile; prepare again")),
        }
    }

    /// Erases what is of no use any more: keys and rows of the epoch before, segments that no run holds any more. Whether
    /// all of it is gone; if not, the reason is logged.
    pub fn erase_old(&self) -> bool {
        let party = self.config.party;
        match self.erase_rows().and_then(|()| self.erase_segments()) {
            Ok(()) => tracing::info!(%party, "what a refresh or a compaction left behind is erased"),
            Err(Refusal { detail, .. }) => {
                tracing::error!(%party, detail, "what a refresh or a compaction left behind is not erased yet");
                return false;
            }
        }
        true
    }

    /// Destroys the keys and then the rows of no use, some at a time.
    pub(crate) fn erase_rows(&self) -> Result<(), Refusal> {
        loop {
            let mut state = self.state.lock().expect(NOT_POISONED);
            let State { store, keys, .. } = &mut *state;
            let rows = store.unneeded_rows(ROWS_AT_ONCE)?;
            if rows.is_empty() {
                keys.erase_leftovers()?;
                store.erase_leftovers()?;
                self.step("every row of an old epoch");
                return Ok(());
            }
            keys.destroy_of_rows(rows.iter().map(|(_, record, epoch)| (*record, *epoch)))?;
            self.step("some keys of an old epoch");
            store.remove_rows(&rows)?;
            self.step("some rows of an old epoch");
            drop(state);
            std::thread::sleep(TURN);
        }
    }

    /// Destroys retired segments as runs let go of them.
    fn erase_segments(&self) -> Result<(), Refusal> {
        loop {
            let mut state = self.state.lock().expect(NOT_POISONED);
            let over = state.gallery.take_retired();
            let is_last = !state.gallery.has_retired();
            let destroying = self.destroying.lock().expect(NOT_POISONED);
            drop(state);
            over.into_iter().try_for_each(Snapshot::destroy)?;
            drop(destroying);
            if is_last {
                self.step("segments of an old generation");
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
