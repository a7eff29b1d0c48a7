//! Enrolling a face and deleting it.

use base::id::{AccountId, EnrolmentId, RecordId, TerminalId};
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::api;
use wire::bytes::HexArray;
use wire::probe::SealedProbe;

use crate::Store;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency};

/// What the resolver adds to one template: the record's name and the shares of its payment token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// The record's name in the parties' galleries.
    pub record: RecordId,
    /// SHA-256 of the 16 random bytes of the token; the token itself is kept nowhere.
    pub token_sha256: [u8; 32],
    /// Each party's replicated share of the token, in the parties' order.
    pub token_shares: [[HexArray<16>; 2]; 3],
}

impl Store {
    /// Begins an enrolment: 201 with [`api::Enrolment`] and its challenge, or `consent_missing`, `consent_outdated`,
    /// `enrolment_exists`. One that still waits for its capture is replaced.
    pub fn create_enrolment(&self, idempotency: &Idempotency, account: AccountId, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// The account's own enrolment, or `not_found`.
    pub fn enrolment(&self, account: AccountId, id: EnrolmentId) -> Result<api::Enrolment, StoreError> {
        todo!()
    }

    /// Takes the sealed templates of an enrolment and queues them for the parties: 202 with [`api::Enrolment`], or
    /// `probe_invalid`, `probe_replayed`, `probe_mismatch`, `challenge_expired`, `state_conflict`, `consent_missing`.
    /// `tokens` holds one for each template in the probe. The change is durable before any party sees it: see
    /// [`Store::pending_changes`].
    pub fn receive_template(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        enrolment: EnrolmentId,
        probe: &SealedProbe,
        tokens: &[NewToken],
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Deletes the account's own enrolment: from now on nobody can pay with it, and the parties are told. Again: the
    /// same without effect.
    pub fn delete_enrolment(&self, account: AccountId, id: EnrolmentId, now: Timestamp) -> Result<api::Enrolment, StoreError> {
        todo!()
    }
}
