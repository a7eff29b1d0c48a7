//! Doing a request once: the first answer is stored with the work, in one transaction, and given again for ever.

use base::time::Timestamp;
use rusqlite::Transaction;
use serde::de::DeserializeOwned;

use crate::Store;
use crate::error::StoreError;

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Who asks for what: principal, method and path, such as `ter_… POST /v1/payments`.
    pub scope: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// HMAC-SHA256 of the body's bytes under a key of the platform. Keyed, because a body may hold a passcode, whose
    /// bare hash would be guessed in a second.
    pub request_digest: [u8; 32],
}

/// A remembered answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status: 2xx with the resource, 4xx with a problem document.
    pub status: u16,
    /// JSON: `application/json`, or `application/problem+json` from status 400 on.
    pub body: Vec<u8>,
    /// Whether this is the stored answer of an earlier request: nothing was done now.
    pub replayed: bool,
}

impl Answer {
    /// Whether the work was done now, so that what follows from it must be started.
    pub fn is_first_success(&self) -> bool {
        !self.replayed && self.status < 400
    }

    /// The body as the type it was made from; `None` if it is a refusal.
    pub fn resource<T: DeserializeOwned>(&self) -> Option<T> {
        (self.status < 400).then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }
}

impl Store {
    /// The stored answer of this request, if it came before. Errs with `idempotency_key_reused` if the key came with
    /// another body.
    pub fn replay(&self, idempotency: &Idempotency) -> Result<Option<Answer>, StoreError> {
        todo!("{idempotency:?}")
    }

    /// Does `work` once under `idempotency`, in one write transaction with its answer.
    pub(crate) fn once(
        &self,
        name: &'static str,
        idempotency: &Idempotency,
        now: Timestamp,
        work: impl FnOnce(&Transaction) -> Result<Answer, StoreError>,
    ) -> Result<Answer, StoreError> {
        todo!()
    }
}
