//! Applying the gallery's log: the same changes in the same order at all three parties.
//!
//! A change is either applied for good or not at all, and applying it again answers as the first time. What decides whether
//! a change is applied must be the same at all three parties, or they drift apart; so an enrolment's challenge is not
//! checked for its age (a party that was down catches up later; the platform checked it when it came), nor the terminal's
//! counter, but that its nonce was never used. Two things can differ between parties: whether a share opens, and whether its
//! terminal is one that this party knows. An enrolment that fails in them, or in anything else that its terminal is to blame
//! for, is applied as *void*: its records keep their place and are searched by nobody until they are deleted, and the log
//! goes on. Refusing it would block every later change, deletions among them.
//!
//! Three things are written: keys, journal, segments. The journal's transaction is the change; keys come before it and
//! segments after it, so that whatever a crash cuts off is either unneeded (a key of no row) or made again from the journal
//! at the next start (a segment, the end of a deletion). [`Service::at_each_step`] lets tests end the process in between.

use std::collections::BTreeSet;
use std::time::Duration;

use base::hash::hash_parts;
use base::id::RecordId;
use ed25519_dalek::Signer;
use mpc::share::Row;
use mpc::token::Token;
use wire::bytes::HexArray;
use wire::party::{DeletionConfirmation, GalleryChange, GalleryOperation, NewRecord, PartyAnswer, PartyRefusal, Relabelled};
use wire::probe::{PartitionLabel, ProbeForParty, Purpose};

use crate::checks;
use crate::error::Refusal;
use crate::gallery::load::Source;
use crate::gallery::next::Renewal;
use crate::gallery::snapshot::{LogState, Snapshot};
use crate::gallery::write::{NewRow, OldRow};
use crate::gallery::{Busy, Gallery};
use crate::journal::numbering::Numbering;
use crate::journal::{AppliedChange, ChangeKind, OpenDeletion, StoredRecord};
use crate::link::NOT_POISONED;
use crate::row_seal::{self, RowKey, fresh_key};
use crate::service::{Reached, Service, State};

/// How long an enrolment, a deletion or a relabelling waits for runs that hold the gallery as it was. The platform lets none run at the
/// same time.
pub(crate) const CHANGE_PATIENCE: Duration = Duration::from_secs(10);

/// A record as it comes in: its name, its named parts, its token and its row if its share opened.
struct Incoming {
    new: NewRecord,
    row: Option<Row>,
}

impl Service {
    /// Applies `change` if it is the next one, or answers again if it was applied.
    pub(crate) fn apply(&self, change: GalleryChange) -> Result<PartyAnswer, Refusal> {
        let digest = digest_of(&change.operation);
        let mut state = self.state.lock().expect(NOT_POISONED);
        self.settle(&mut state)?;
        let (sequence, reached) = (change.sequence, state.gallery.now().sequence());
        if sequence == 0 || sequence > reached + 1 {
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, format!("change {sequence} came after {reached}")));
        }
        if sequence == reached + 1 {
            match change.operation {
                GalleryOperation::Enrol { probe, records } => self.enrol(&mut state, digest, &probe, records)?,
                GalleryOperation::Delete { records } => self.delete(&mut state, digest, &records)?,
                GalleryOperation::Compact { as_of } => self.compact(&mut state, digest, as_of)?,
                GalleryOperation::Refresh { epoch, name } => self.refresh(&mut state, digest, epoch, name.0)?,
                GalleryOperation::Relabel { records } => self.relabel(&mut state, digest, records)?,
            }
            *self.reached.lock().expect(NOT_POISONED) = Reached::by(state.gallery.now());
            tracing::info!(party = %self.config.party, sequence, records = state.gallery.now().records(), "change applied");
        }
        self.answer_again(&state, sequence, &digest)
    }

    /// The answer to a change that is applied.
    fn answer_again(&self, state: &State, sequence: u64, digest: &[u8; 32]) -> Result<PartyAnswer, Refusal> {
        let applied = state.store.change(sequence)?.filter(|applied| applied.digest == *digest);
        let applied =
            applied.ok_or_else(|| Refusal::new(PartyRefusal::GalleryOutOfStep, format!("another change was applied as {sequence}")))?;
        if applied.is_void {
            return Err(checks::malformed(self.config.party));
        }
        let deletions = state.store.deletions(self.config.party, sequence)?;
        Ok(PartyAnswer::Applied { sequence, gallery_root: HexArray(applied.log.root), deletions })
    }

    fn enrol(&self, state: &mut State, digest: [u8; 32], probe: &ProbeForParty, new: Vec<NewRecord>) -> Result<(), Refusal> {
        let now = self.clock.now();
        checks::check_issued(&probe.context, now)?;
        if state.store.is_nonce_used(&probe.context.nonce.0)? {
            return Err(Refusal::new(PartyRefusal::NonceReused, "this enrolment's probe was used before"));
        }
        check_names(state, probe, &new)?;
        let is_valid = state.store.enrolment_check(&probe.digest())?;
        let is_valid = is_valid.ok_or_else(|| Refusal::new(PartyRefusal::EnrolmentUnchecked, "its templates were not checked yet"))?;
        let log = next_log(state.gallery.now(), &digest, new.len())?;
        let rows = match checks::check_origin(probe, Purpose::Enrol, &self.config) {
            Ok(()) if !is_valid => None,
            Ok(()) => self.open_templates(probe),
            Err(Refusal { code, detail }) => {
                tracing::error!(party = %self.config.party, log.sequence, ?code, detail, "an enrolment is applied as void");
                None
            }
        };
        let change = AppliedChange {
            log,
            kind: ChangeKind::Enrol,
            records: (new.len() as u64, new.first().map(|new| new.record)),
            digest,
            as_of: None,
            is_void: rows.is_none(),
            applied_at: now,
        };
        let mut rows = rows.into_iter().flatten();
        let incoming: Vec<Incoming> =
            new.into_iter().map(|new| Incoming { new, row: rows.next().map(|template| template.to_row()) }).collect();
        self.keep(state, &change, probe, &incoming)
    }

    /// Writes an enrolment to all three places.
    fn keep(&self, state: &mut State, change: &AppliedChange, probe: &ProbeForParty, incoming: &[Incoming]) -> Result<(), Refusal> {
        let State { store, keys, gallery, .. } = state;
        let (place, log) = (gallery.place().clone(), change.log);
        let gallery = gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        gallery.make_room(&place, log.slots)?;
        let first_slot = log.slots - incoming.len() as u32;
        let row_keys = incoming.iter().map(|_| fresh_key()).collect::<Result<Vec<RowKey>, _>>().map_err(no_randomness)?;
        let stored: Vec<(StoredRecord, Vec<PartitionLabel>)> = incoming
            .iter()
            .zip(&row_keys)
            .zip(first_slot..)
            .map(|((Incoming { new, row }, key), slot)| {
                let place = row_seal::Place { party: self.config.party, record: new.record, epoch: log.epoch };
                let sealed = row.as_ref().map(|row| row_seal::seal(key, place, row));
                let (record, sequence, epoch) = (new.record, log.sequence, log.epoch);
                (StoredRecord { record, slot, sequence, epoch, sealed, token: new.token.0 }, new.partitions.clone())
            })
            .collect();
        let with_row = incoming.iter().zip(&row_keys).filter(|(incoming, _)| incoming.row.is_some());
        keys.insert(with_row.map(|(incoming, key)| (incoming.new.record, log.epoch, key)))?;
        self.step("keys of an enrolment");
        store.enrol(change, &probe.context, &stored)?;
        self.step("journal of an enrolment");
        let rows: Vec<NewRow<'_>> = incoming
            .iter()
            .zip(first_slot..)
            .map(|(Incoming { new, row }, slot)| NewRow {
                record: new.record,
                slot,
                row: row.as_ref(),
                token: &new.token.0,
                labels: &new.partitions,
            })
            .collect();
        gallery.push(log, &rows);
        self.step("segment of an enrolment");
        Ok(())
    }

    fn delete(&self, state: &mut State, digest: [u8; 32], records: &[RecordId]) -> Result<(), Refusal> {
        let State { store, gallery, .. } = state;
        let gallery = gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        let log = next_log(gallery, &digest, 0)?;
        let mut old = Vec::new();
        for record in records.iter().collect::<BTreeSet<_>>() {
            if let Some(slot) = store.slot_of(*record)? {
                old.push(OldRow { slot, labels: store.labels_of(*record)? });
            }
        }
        let change = AppliedChange {
            log,
            kind: ChangeKind::Delete,
            records: (records.len() as u64, records.first().copied()),
            digest,
            as_of: None,
            is_void: false,
            applied_at: self.clock.now(),
        };
        store.delete(&change, records)?;
        self.step("journal of a deletion");
        gallery.remove(log, &old);
        self.step("segment of a deletion");
        state.gallery.wipe_next(&state.store.numbering, old.iter().map(|old| old.slot))?;
        self.step("prepared segment of a deletion");
        self.finish_deletions(state)
    }

    /// Carries deletions that are decided out to the end, and signs them: their keys and rows are gone from every file.
    pub(crate) fn finish_deletions(&self, state: &mut State) -> Result<(), Refusal> {
        let open = state.store.open_deletions()?;
        if open.is_empty() {
            return Ok(());
        }
        state.keys.destroy(&open.iter().map(|deletion| deletion.record).collect::<Vec<_>>())?;
        self.step("keys of a deletion");
        state.gallery.now().sync(open.iter().filter_map(|deletion| deletion.slot))?;
        // What a refresh or a compaction has left behind holds them too.
        state.gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        let _done = self.destroying.lock().expect(NOT_POISONED);
        state.gallery.take_retired().into_iter().try_for_each(Snapshot::destroy)?;
        state.store.erase_leftovers()?;
        self.step("everything of a deletion but the signature");
        let confirm = |deletion: OpenDeletion| (deletion, self.confirm(deletion.record, deletion.sequence));
        state.store.close_deletions(&open.into_iter().map(confirm).collect::<Vec<_>>())?;
        self.step("signature of a deletion");
        Ok(())
    }

    fn confirm(&self, record: RecordId, sequence: u64) -> DeletionConfirmation {
        let (party, destroyed_at) = (self.config.party, self.clock.now());
        let mut confirmation = DeletionConfirmation { party, record, sequence, destroyed_at, signature: HexArray([0; 64]) };
        confirmation.signature = HexArray(self.config.confirmation_key.sign(&confirmation.message()).to_bytes());
        confirmation
    }

    /// Applies a compaction. Which gaps it closes depends on the log alone, whatever number the platform gives.
    fn compact(&self, state: &mut State, digest: [u8; 32], as_of: u64) -> Result<(), Refusal> {
        let now = state.gallery.now();
        let as_of = as_of.min(now.sequence()).max(state.store.compacted_as_of()?);
        let mut log = next_log(now, &digest, 0)?;
        let (before, after) = (state.store.numbering.clone(), state.store.numbering_as_of(as_of)?);
        log.slots = after.slot_at_or_after(before.ordinal(log.slots));
        log.generation = log.sequence;
        let (kind, applied_at) = (ChangeKind::Compact, self.clock.now());
        let change = AppliedChange { log, kind, records: (0, None), digest, as_of: Some(as_of), is_void: false, applied_at };
        state.store.compact(&change)?;
        self.step("journal of a compaction");
        self.put_in_force(state, Renewal::Compaction, as_of, &before)
    }

    /// Goes over to the gallery that was prepared for the journal's last change; if none was, it is made now.
    pub(crate) fn put_in_force(&self, state: &mut State, renewal: Renewal, as_of: u64, before: &Numbering) -> Result<(), Refusal> {
        let place = state.gallery.place().clone();
        let source = Source { store: &state.store, keys: &state.keys, place: &place };
        if !state.gallery.switch(source, renewal, as_of, before)? {
            tracing::warn!(party = %self.config.party, ?renewal, "it was not prepared here: the gallery is made from the journal");
            self.reload(state)?;
        }
        self.step("segments of another generation");
        *self.reached.lock().expect(NOT_POISONED) = Reached::by(state.gallery.now());
        self.has_old.notify_one();
        self.finish_deletions(state)
    }

    /// Brings keys and segments to where the journal is, after a start, or when something after the journal failed.
    pub(crate) fn settle(&self, state: &mut State) -> Result<(), Refusal> {
        if state.store.log()? != state.gallery.now().log() {
            self.reload(state)?;
        }
        self.finish_deletions(state)
    }

    /// Makes the gallery anew from the journal, and destroys keys that it does not need.
    pub(crate) fn reload(&self, state: &mut State) -> Result<(), Refusal> {
        state.gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        state.keys.destroy_all_but(&state.store.keys_in_use()?)?;
        self.step("keys of a gallery made anew");
        let place = state.gallery.place().clone();
        state.gallery = Gallery::load(state.source(&place))?.0;
        self.step("segments of a gallery made anew");
        state.store.erase_leftovers()?;
        *self.reached.lock().expect(NOT_POISONED) = Reached::by(state.gallery.now());
        Ok(())
    }
}

/// As many new names as templates.
fn check_names(state: &State, probe: &ProbeForParty, new: &[NewRecord]) -> Result<(), Refusal> {
    let names: BTreeSet<RecordId> = new.iter().map(|record| record.record).collect();
    let mut are_new = names.len() == new.len() && !new.iter().any(|new| new.token.0 == Token::default());
    for record in names {
        are_new &= !state.store.contains(record)?;
    }
    if !are_new || new.len() != probe.context.templates as usize || new.is_empty() {
        return Err(Refusal::new(PartyRefusal::RequestMalformed, "as many new records are needed as there are templates"));
    }
    Ok(())
}

/// Where the log is after a change that takes `new` slots.
pub(crate) fn next_log(gallery: &Snapshot, digest: &[u8; 32], new: usize) -> Result<LogState, Refusal> {
    let log = gallery.log();
    let slots = u32::try_from(new).ok().and_then(|new| log.slots.checked_add(new));
    let slots = slots.ok_or_else(|| Refusal::new(PartyRefusal::RequestMalformed, "the gallery has no more slots; compact it"))?;
    Ok(LogState { sequence: log.sequence + 1, root: gallery.root_after(digest), slots, ..log })
}

pub(crate) fn busy(_: Busy) -> Refusal {
    Refusal::new(PartyRefusal::GalleryOutOfStep, "a run holds the gallery as it was; send the change again")
}

pub(crate) fn no_randomness(_: getrandom::Error) -> Refusal {
    Refusal::new(PartyRefusal::StorageFailed, "the operating system gives no randomness")
}

/// A hash over what is the same at all three parties: everything but the shares, and those by the terminal's signature.
fn digest_of(operation: &GalleryOperation) -> [u8; 32] {
    let concat = |labels: &[PartitionLabel]| labels.iter().flat_map(|label| label.0).collect::<Vec<u8>>();
    match operation {
        GalleryOperation::Enrol { probe, records } => {
            let digest_of = |new: &NewRecord| {
                hash_parts("handsel/new-record/v2", &[&new.record.bits().to_le_bytes(), &concat(&new.partitions), &new.token.0])
            };
            let records: Vec<u8> = records.iter().flat_map(digest_of).collect();
            hash_parts("handsel/change-enrol/v1", &[&probe.digest(), &records])
        }
        GalleryOperation::Delete { records } => {
            let records: Vec<u8> = records.iter().flat_map(|record| record.bits().to_le_bytes()).collect();
            hash_parts("handsel/change-delete/v1", &[&records])
        }
        GalleryOperation::Compact { as_of } => hash_parts("handsel/change-compact/v2", &[&as_of.to_le_bytes()]),
        GalleryOperation::Refresh { epoch, name } => hash_parts("handsel/change-refresh/v1", &[&epoch.to_le_bytes(), &name.0]),
        GalleryOperation::Relabel { records } => {
            let digest_of =
                |of: &Relabelled| hash_parts("handsel/relabelled/v1", &[&of.record.bits().to_le_bytes(), &concat(&of.partitions)]);
            hash_parts("handsel/change-relabel/v1", &[&records.iter().flat_map(digest_of).collect::<Vec<u8>>()])
        }
    }
}
