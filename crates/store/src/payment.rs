//! A payment from the amount to the receipt, and its refunds.

use base::id::{PaymentId, TerminalId};
use base::secret::Secret;
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::api::{self, List};
use wire::probe::{PartitionLabel, SealedProbe};
use wire::problem::Code;

use crate::Store;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency};

/// What the resolver learned from the parties.
#[derive(Clone, PartialEq, Eq)]
pub enum Identification {
    /// One record is near: its payment token.
    Token([u8; 16]),
    /// No record is near.
    None,
    /// More than one record is near.
    Ambiguous,
    /// The parties did not finish, with the code for the till: `parties_unavailable`, `budget_exhausted`, ….
    Failed(Code),
}

impl std::fmt::Debug for Identification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token([hidden])"),
            Self::None => f.write_str("None"),
            Self::Ambiguous => f.write_str("Ambiguous"),
            Self::Failed(code) => write!(f, "Failed({})", code.name()),
        }
    }
}

impl Store {
    /// Begins a payment: 201 with [`api::Payment`], or `invalid_request`.
    pub fn create_payment(&self, idempotency: &Idempotency, terminal: TerminalId, new: &api::NewPayment, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Issues a challenge: 200 with [`api::Payment`], or `phone_suffix_required`, `state_conflict`, `payment_expired`,
    /// …. `part` is the label of the phone digits that the shopper gave; the search runs there only.
    pub fn start_challenge(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        payment: PaymentId,
        part: Option<PartitionLabel>,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Takes a look: 202 with [`api::Payment`] in `being_checked`, durable before any party is asked; or
    /// `probe_invalid`, `probe_replayed`, `state_conflict`, `probe_mismatch`, `challenge_expired`, `payment_expired`.
    /// If [`Answer::is_first_success`], ask the parties and report to [`Store::identified`].
    pub fn receive_probe(&self, idempotency: &Idempotency, terminal: TerminalId, payment: PaymentId, probe: &SealedProbe, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Judges what the parties found, by the rules at this moment, and posts the payment if nothing more is needed:
    /// answers with the payment in `paid`, `awaiting_passcode`, `refused` or `expired`. Errs with `state_conflict` if the
    /// payment is no longer being checked; nothing is charged then.
    pub fn identified(&self, payment: PaymentId, found: &Identification, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<api::Payment, StoreError> {
        todo!()
    }

    /// Takes the passcode: 200 with [`api::Payment`] in `paid` or `refused`; or `passcode_wrong` with the tries that are
    /// left, `passcode_locked`, `state_conflict`, `payment_expired`. Takes some 20 ms for the passcode's hash.
    pub fn enter_passcode(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        payment: PaymentId,
        passcode: &Secret<String>,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Gives a payment up: 200 with [`api::Payment`], or `state_conflict` once its outcome is not known or is final.
    pub fn cancel_payment(&self, idempotency: &Idempotency, terminal: TerminalId, payment: PaymentId, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// Pays back, in whole or in part: 201 with [`api::Payment`], or `invalid_request`, `state_conflict`,
    /// `refund_exceeds_payment`, `refund_window_over`. Any terminal of the payee may.
    pub fn refund(&self, idempotency: &Idempotency, terminal: TerminalId, payment: PaymentId, new: &api::NewRefund, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Answer, StoreError> {
        todo!()
    }

    /// A payment of the terminal's payee, or `not_found`.
    pub fn payment(&self, terminal: TerminalId, payment: PaymentId, now: Timestamp) -> Result<api::Payment, StoreError> {
        todo!()
    }

    /// The payee's payments, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn payments(&self, terminal: TerminalId, starting_after: Option<PaymentId>, limit: u32, now: Timestamp) -> Result<List<api::Payment>, StoreError> {
        todo!()
    }

    /// Gives up what was not completed in time, and says which. Run it every few seconds.
    pub fn expire_payments(&self, now: Timestamp) -> Result<Vec<PaymentId>, StoreError> {
        todo!()
    }

    /// After a start: payments whose look was with the parties when the process ended are refused with
    /// `identification_interrupted`; nothing was charged for them. Says which.
    pub fn recover(&self, now: Timestamp) -> Result<Vec<PaymentId>, StoreError> {
        todo!()
    }
}
