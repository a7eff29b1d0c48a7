//! Why a party does not start, and why it refuses a request.

use std::path::PathBuf;

use wire::party::PartyRefusal;

/// Why a party cannot start. Its operator can fix each of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate or private key cannot be used.
    #[error("the party's TLS identity cannot be used: {reason}")]
    IdentityUnusable {
        /// What is wrong with it; never the key itself.
        reason: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// The directory cannot be made.
    #[error("the directory {path} cannot be made: {source}")]
    DirectoryUnusable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store cannot be opened or read.
    #[error("the party's store cannot be used (is another process using it?): {0}")]
    StoreUnusable(#[from] rusqlite::Error),
    /// What the store holds does not fit together.
    #[error("the party's store is damaged: {what}")]
    StoreDamaged {
        /// What does not fit.
        what: &'static str,
    },
    /// The store holds templates of another size than the configuration says.
    #[error("the store holds templates of {stored} features, the configuration says {configured}")]
    DimensionsDiffer {
        /// In the store.
        stored: usize,
        /// In the configuration.
        configured: usize,
    },
}

/// Why a request was refused: the code for programs, the detail for people. Holds identifiers at the most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: PartyRefusal,
    /// For people.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its explanation.
    pub fn new(code: PartyRefusal, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        // Statements are constant and values are bound, so the message holds no secret.
        Self::new(PartyRefusal::StorageFailed, error.to_string())
    }
}
