//! Answers to whoever looks after the three galleries: how the log stands here, and whether the segments are what the
//! journal says. Neither says anything about a share.

use base::hash::hash_parts;
use wire::bytes::HexArray;
use wire::party::PartyAnswer;
use wire::upkeep::{Audited, ChangeSummary, Verified};

use crate::error::Refusal;
use crate::gallery::load::Source;
use crate::journal::AppliedChange;
use crate::keys::Keys;
use crate::link::NOT_POISONED;
use crate::service::Service;
use crate::store::Store;

impl Service {
    /// How the log stands, and what the change `at` was.
    pub(crate) fn audit(&self, at: Option<u64>) -> Result<PartyAnswer, Refusal> {
        let state = self.state.lock().expect(NOT_POISONED);
        let (now, store) = (state.gallery.now(), &state.store);
        let change = at.map_or(Ok(None), |at| store.change(at))?;
        Ok(PartyAnswer::Audited(Box::new(Audited {
            party: self.config.party,
            sequence: now.sequence(),
            root: HexArray(now.root()),
            records: now.records(),
            void: now.void_records().count() as u64,
            slots: now.slots() as u32,
            epoch: now.epoch(),
            change: change.map(summary),
        })))
    }

    /// Compares every slot with the journal, beside whatever else goes on. Changes wait until it is done.
    pub(crate) fn verify(&self) -> Result<PartyAnswer, Refusal> {
        let (snapshot, place, store, keys) = {
            let mut state = self.state.lock().expect(NOT_POISONED);
            self.settle(&mut state)?;
            // Views of their own, as of now, so that the store is free for others meanwhile.
            let (store, keys) = (Store::view(&self.config.directory)?, Keys::view(&self.config.directory)?);
            (state.gallery.snapshot(), state.gallery.place().clone(), store, keys)
        };
        let findings = snapshot.check(Source { store: &store, keys: &keys, place: &place })?;
        let is_good = findings.is_good();
        let verified = Verified {
            party: self.config.party,
            sequence: snapshot.sequence(),
            root: HexArray(snapshot.root()),
            content: HexArray(findings.content),
            records: snapshot.records(),
            segments: snapshot
                .segments()
                .map(|segment| HexArray(hash_parts("handsel/segment/v1", &[segment.header().checksums.as_flattened()])))
                .collect(),
            slots_wrong: findings.slots_wrong.len() as u64,
            first_slot_wrong: findings.slots_wrong.first().copied(),
            groups_damaged: findings.groups_damaged.len() as u64,
            partitions_right: findings.partitions_right,
            partitions: snapshot.partition_counts(),
        };
        match is_good {
            true => tracing::info!(party = %self.config.party, sequence = verified.sequence, "the gallery is what the journal says"),
            false => tracing::error!(party = %self.config.party, ?verified, "the gallery is not what the journal says; restart the party"),
        }
        Ok(PartyAnswer::Verified(Box::new(verified)))
    }
}

fn summary(change: AppliedChange) -> ChangeSummary {
    ChangeSummary {
        sequence: change.log.sequence,
        kind: change.kind.name().to_owned(),
        records: change.records.0,
        first_record: change.records.1,
        digest: HexArray(change.digest),
        root: HexArray(change.log.root),
        applied_at: change.applied_at,
    }
}
