//! Applying the gallery's log: enrolments and deletions, in the same order at all three parties.
//!
//! A change is either applied for good or not at all, and applying it again answers as the first time. What decides whether
//! a change is applied must be the same at all three parties, or they drift apart; so an enrolment's challenge is not
//! checked for its age (a party that was down catches up later; the platform checked it when it came), nor the terminal's
//! counter, but that its nonce was never used. Two things can differ between parties: whether a share opens, and whether its
//! terminal is one that this party knows. An enrolment that fails in them, or in anything else that its terminal is to blame
//! for, is applied as *void*: its records keep their place and are searched by nobody until they are deleted, and the log
//! goes on. Refusing it would block every later change, deletions among them.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::hash::hash_parts;
use base::id::RecordId;
use base::time::Timestamp;
use ed25519_dalek::Signer;
use mpc::share::{Row, SHARE_BYTES, TemplateShare};
use mpc::token::TokenShare;
use wire::bytes::HexArray;
use wire::party::{DeletionConfirmation, GalleryChange, GalleryOperation, NewRecord, PartyAnswer, PartyRefusal};
use wire::probe::{ProbeForParty, Purpose};
use wire::seal;

use crate::checks;
use crate::error::Refusal;
use crate::gallery::Record;
use crate::link::NOT_POISONED;
use crate::service::{Reached, Service, State};
use crate::store::AppliedChange;

impl Service {
    /// Applies `change` if it is the next one, or answers again if it was applied.
    pub(crate) fn apply(&self, change: GalleryChange) -> Result<PartyAnswer, Refusal> {
        let digest = digest_of(&change.operation);
        let mut state = self.state.lock().expect(NOT_POISONED);
        let (sequence, reached) = (change.sequence, state.gallery.sequence);
        if sequence == 0 || sequence > reached + 1 {
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, format!("change {sequence} came after {reached}")));
        }
        if sequence == reached + 1 {
            let now = self.clock.now();
            match change.operation {
                GalleryOperation::Enrol { probe, records } => self.enrol(&mut state, sequence, digest, &probe, records, now)?,
                GalleryOperation::Delete { records } => self.delete(&mut state, sequence, digest, records, now)?,
            }
            *self.reached.lock().expect(NOT_POISONED) = Reached::by(&state.gallery);
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
        if !deletions.is_empty() {
            // The signed word leaves this machine only after the shares have.
            state.store.erase_leftovers()?;
        }
        Ok(PartyAnswer::Applied { sequence, gallery_root: HexArray(applied.root), deletions })
    }

    fn enrol(
        &self,
        state: &mut State,
        sequence: u64,
        digest: [u8; 32],
        probe: &ProbeForParty,
        new: Vec<NewRecord>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        checks::check_issued(&probe.context, now)?;
        if state.store.is_nonce_used(&probe.context.nonce.0)? {
            return Err(Refusal::new(PartyRefusal::NonceReused, "this enrolment's probe was used before"));
        }
        let names: BTreeSet<RecordId> = new.iter().map(|record| record.record).collect();
        let are_new = names.len() == new.len() && !names.iter().any(|record| state.gallery.contains(*record));
        if !are_new || new.len() != probe.context.templates as usize || new.is_empty() {
            return Err(Refusal::new(PartyRefusal::RequestMalformed, "as many new records are needed as there are templates"));
        }
        let shares = match checks::check_origin(probe, Purpose::Enrol, &self.config) {
            Ok(()) => self.open_all(probe),
            Err(Refusal { code, detail }) => {
                tracing::error!(party = %self.config.party, sequence, ?code, detail, "an enrolment is applied as void");
                None
            }
        };
        let root = state.gallery.root_after(sequence, &digest);
        let change = AppliedChange { sequence, digest, root, is_void: shares.is_none(), applied_at: now };
        let mut shares = shares.into_iter().flatten();
        let records: Vec<Record> = new
            .into_iter()
            .map(|new| Record {
                record: new.record,
                partitions: new.partitions,
                share: shares.next(),
                token: TokenShare::from_parts(new.token_share.map(|part| part.0)),
            })
            .collect();
        state.store.enrol(&change, &probe.context, &records)?;
        let gallery = Arc::make_mut(&mut state.gallery);
        records.iter().for_each(|record| gallery.push(record));
        (gallery.sequence, gallery.root) = (sequence, root);
        tracing::info!(party = %self.config.party, sequence, enrolled = records.len(), void = change.is_void, "change applied");
        Ok(())
    }

    /// The templates' shares, or `None` if the sealed share does not open or has another length than announced.
    fn open_all(&self, probe: &ProbeForParty) -> Option<Vec<Row>> {
        let dimensions = usize::from(self.config.dimensions);
        let opened = seal::open(self.config.sealing_key.expose(), &probe.context.associated_data(self.config.party), &probe.sealed).ok()?;
        if opened.len() != SHARE_BYTES * dimensions * probe.context.templates as usize {
            return None;
        }
        opened
            .chunks_exact(SHARE_BYTES * dimensions)
            .map(|bytes| Some(TemplateShare::from_bytes(bytes, dimensions).ok()?.to_row()))
            .collect()
    }

    fn delete(&self, state: &mut State, sequence: u64, digest: [u8; 32], records: Vec<RecordId>, now: Timestamp) -> Result<(), Refusal> {
        let root = state.gallery.root_after(sequence, &digest);
        let change = AppliedChange { sequence, digest, root, is_void: false, applied_at: now };
        let confirmations: Vec<DeletionConfirmation> = records.iter().map(|record| self.confirm(*record, sequence, now)).collect();
        state.store.delete(&change, &confirmations)?;
        let gallery = Arc::make_mut(&mut state.gallery);
        records.iter().for_each(|record| gallery.remove(*record));
        (gallery.sequence, gallery.root) = (sequence, root);
        tracing::info!(party = %self.config.party, sequence, deleted = records.len(), "change applied");
        Ok(())
    }

    fn confirm(&self, record: RecordId, sequence: u64, now: Timestamp) -> DeletionConfirmation {
        let mut confirmation =
            DeletionConfirmation { party: self.config.party, record, sequence, destroyed_at: now, signature: HexArray([0; 64]) };
        confirmation.signature = HexArray(self.config.confirmation_key.sign(&confirmation.message()).to_bytes());
        confirmation
    }
}

/// A hash over what is the same at all three parties: everything but the shares, and those by the terminal's signature.
fn digest_of(operation: &GalleryOperation) -> [u8; 32] {
    match operation {
        GalleryOperation::Enrol { probe, records } => {
            let records: Vec<u8> = records
                .iter()
                .flat_map(|new| {
                    let labels: Vec<&[u8]> = new.partitions.iter().map(|label| &label.0[..]).collect();
                    hash_parts("handsel/new-record/v1", &[&new.record.bits().to_le_bytes(), &labels.concat()])
                })
                .collect();
            hash_parts("handsel/change-enrol/v1", &[&probe.digest(), &records])
        }
        GalleryOperation::Delete { records } => {
            let records: Vec<u8> = records.iter().flat_map(|record| record.bits().to_le_bytes()).collect();
            hash_parts("handsel/change-delete/v1", &[&records])
        }
    }
}
