//! Setting the named parts that records stand in. It touches no row: the journal has the labels, and the gallery keeps which
//! slots stand in each in memory.

use std::collections::BTreeMap;

use base::id::RecordId;
use wire::party::Relabelled;
use wire::probe::PartitionLabel;

use crate::apply::{CHANGE_PATIENCE, busy, next_log};
use crate::error::Refusal;
use crate::gallery::write::Moved;
use crate::journal::{AppliedChange, ChangeKind};
use crate::service::{Service, State};

impl Service {
    /// Applies a relabelling. It waits for runs, as every change does that decides who is searched.
    pub(crate) fn relabel(&self, state: &mut State, digest: [u8; 32], records: Vec<Relabelled>) -> Result<(), Refusal> {
        let State { store, gallery, .. } = state;
        let gallery = gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        let log = next_log(gallery, &digest, 0)?;
        let change = AppliedChange {
            log,
            kind: ChangeKind::Relabel,
            records: (records.len() as u64, records.first().map(|first| first.record)),
            digest,
            as_of: None,
            is_void: false,
            applied_at: self.clock.now(),
        };
        let labels: BTreeMap<RecordId, Vec<PartitionLabel>> = records.into_iter().map(|of| (of.record, of.partitions)).collect();
        let mut moved = Vec::with_capacity(labels.len());
        for (record, to) in &labels {
            if let Some(slot) = store.slot_of(*record)? {
                moved.push(Moved { slot, from: store.labels_of(*record)?, to });
            }
        }
        store.relabel(&change, &labels)?;
        self.step("journal of a relabelling");
        gallery.relabel(log, &moved);
        // What somebody stood in and does not any more is nobody's business.
        store.erase_leftovers()?;
        self.step("everything of a relabelling");
        Ok(())
    }
}
