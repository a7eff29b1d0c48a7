//! The outcome of a look, in place of the answer that said it is being checked.

use crate::Store;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency};

impl Store {
    /// From now on the request is answered with `status` and `body`. For whoever first answers a request only now that
    /// its outcome is known: what was stored with the work was no answer yet, only a safeguard against a crash.
    pub fn settle_answer(&self, idempotency: &Idempotency, status: u16, body: Vec<u8>) -> Result<Answer, StoreError> {
        self.run_tx("settle_answer", |tx| {
            let changed = tx.execute(
                "UPDATE stored_answers SET status = ?3, body = ?4 WHERE place = ?1 AND request_digest = ?2",
                (idempotency.place(), idempotency.request_digest, status, &body),
            )?;
            assert_eq!(changed, 1, "the request was answered before in the same process");
            Ok(())
        })?;
        Ok(Answer { status, body, replayed: false, payment: None, queued: false })
    }
}
