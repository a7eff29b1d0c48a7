//! What can go wrong in the store.

use payments::refusal::Refusal;
use payments::rules::RulesError;
use wire::problem::{Code, Problem};

use crate::db::DbError;

/// Why a method has no answer. Nothing was changed, and nothing is remembered under the idempotency key.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An expected outcome that is not success; the caller can act on the code.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The disk or the database is full, or cannot be written; its operator must make room.
    #[error("the database cannot be written: {0}")]
    StorageFull(#[source] DbError),
    /// No rule pack holds; whoever runs the machine must set its clock or the rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The file's schema is not one that this program made; whoever runs it must use the right file or program.
    #[error("the database's schema does not fit: {0}")]
    Schema(String),
    /// The database failed in a way that is nobody's input; a bug or a broken disk.
    #[error("the database failed: {0}")]
    Database(#[source] DbError),
    /// More requests wait than can be done soon; ask again in a moment.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// What several requests share failed: the transaction, or the way to the database.
    #[error("{0}")]
    Shared(std::sync::Arc<StoreError>),
    /// The books would contradict themselves. The transaction is undone, and nothing is written any more until the operator
    /// has looked.
    #[error("the books would contradict themselves: {0}")]
    Breach(#[from] ledger::breach::Breach),
    /// Writing has stopped because of an earlier breach; the log says which.
    #[error("nothing is written since the books contradicted themselves")]
    Halted,
    /// A stored value does not read back; a bug or a broken disk.
    #[error("a stored value does not read back: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// The stable code for the outside.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::StorageFull(_) | Self::Overloaded => Code::StorageFull,
            Self::Shared(error) => error.code(),
            Self::Breach(_) | Self::Halted => Code::LedgerHalted,
            Self::Rules(_) | Self::Schema(_) | Self::Database(_) | Self::Corrupt(_) => Code::Internal,
        }
    }

    /// The problem document for the outside; says nothing of the inside.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(refusal) => refusal.problem(),
            other => Problem::of(other.code()),
        }
    }
}

impl From<Code> for StoreError {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        if error.is_no_room() { Self::StorageFull(error) } else { Self::Database(error) }
    }
}
