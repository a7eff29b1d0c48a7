//! A shopper's account: opening it, signing in, pausing, consents and top-ups.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::api;
use wire::probe::PartitionLabel;

use crate::Store;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency};

impl Store {
    /// Opens an account: 201 with [`api::Me`], or `invalid_request`, `passcode_weak`, `phone_taken`. `phone_part` names
    /// the part of the gallery of everybody whose phone ends like this one. Takes some 20 ms for the passcode's hash.
    /// Signs nobody in: see [`Store::open_session`].
    pub fn create_account(
        &self,
        idempotency: &Idempotency,
        new: &api::NewAccount,
        phone_part: PartitionLabel,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Opens a session for an account that has just proved itself.
    pub fn open_session(&self, account: AccountId, token_sha256: &[u8; 32], expires_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Checks phone and passcode and opens a session. Every failure, also of a locked passcode, is `sign_in_failed`, so
    /// that nobody learns who has an account; wrong tries count on the same ladder as at the till.
    pub fn sign_in(&self, new: &api::NewSession, token_sha256: &[u8; 32], expires_at: Timestamp, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<AccountId, StoreError> {
        todo!()
    }

    /// Whose session this is, if it has not ended.
    pub fn session_account(&self, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<AccountId>, StoreError> {
        todo!()
    }

    /// Ends a session. One that is not there counts as ended.
    pub fn end_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        todo!()
    }

    /// Pauses or resumes paying by biometrics: 200 with [`api::Me`].
    pub fn set_paused(&self, idempotency: &Idempotency, account: AccountId, paused: bool, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Records a consent given or withdrawn: 201 with [`api::Consent`], or `consent_outdated` if the text is not the
    /// current one. Withdrawing the consent to payment deletes the enrolment.
    pub fn record_consent(&self, idempotency: &Idempotency, account: AccountId, new: &api::NewConsent, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Moves money from the demo bank into the wallet: 201 with [`api::TopUp`], or `invalid_request`.
    pub fn top_up(&self, idempotency: &Idempotency, account: AccountId, new: &api::NewTopUp, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }
}
