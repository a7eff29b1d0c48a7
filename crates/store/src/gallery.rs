//! The log of changes to the parties' galleries, and what the resolver looks up.

use base::id::AccountId;
use base::party::PartyId;
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::party::{DeletionConfirmation, GalleryChange};
use wire::probe::PartitionLabel;

use crate::Store;
use crate::error::StoreError;

/// How far the gallery's log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GallerySequence {
    /// The last change that was queued; 0 before the first.
    pub queued: u64,
    /// The last change that all three parties have applied.
    pub applied: u64,
}

impl Store {
    /// Changes that `party` has not applied yet, in order, at most `limit`.
    pub fn pending_changes(&self, party: PartyId, limit: u32) -> Result<Vec<GalleryChange>, StoreError> {
        todo!()
    }

    /// `party` has applied the change `sequence` and, for a deletion, confirmed it. When all three have, the enrolment
    /// stands (or is deleted), its owner's right-to-know log says so, and the sealed shares are erased here. Again: no
    /// effect. Confirmations must have been verified. Errs with `state_conflict` out of order.
    pub fn acknowledge_change(
        &self,
        party: PartyId,
        sequence: u64,
        deletions: &[DeletionConfirmation],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// How far the log is.
    pub fn gallery_sequence(&self) -> Result<GallerySequence, StoreError> {
        todo!()
    }

    /// How far `party` is: the last change it acknowledged.
    pub fn acknowledged(&self, party: PartyId) -> Result<u64, StoreError> {
        todo!()
    }

    /// Records that a look may be compared with: all, or those in one part.
    pub fn gallery_len(&self, part: Option<&PartitionLabel>) -> Result<u64, StoreError> {
        todo!()
    }

    /// Whose token this is, if the enrolment stands.
    pub fn resolve_token(&self, token: &[u8; 16]) -> Result<Option<AccountId>, StoreError> {
        todo!()
    }
}
