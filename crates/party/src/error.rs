//! Why a party does not start, and why it refuses a request.

use std::path::PathBuf;

use base::id::SessionId;
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
    /// The store was made by another version.
    #[error(
        "the party's store has schema {found}, this program knows {known}; move the party's data away and rebuild it from the other two"
    )]
    StoreVersion {
        /// In the file.
        found: u32,
        /// Of this program.
        known: u32,
    },
    /// The segments cannot be written or mapped.
    #[error("the gallery's segments cannot be used (is the disk full?): {0}")]
    SegmentsUnusable(#[from] std::io::Error),
    /// A copy of a journal cannot be made, or put back.
    #[error("the copy {path} cannot be used: {reason}")]
    BackupUnusable {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A deletion that was decided before the last end cannot be carried out.
    #[error("a deletion that was under way cannot be finished: {detail}")]
    DeletionUnfinished {
        /// What the system says.
        detail: String,
    },
    /// Another process has the party's directory.
    #[error("another process uses the directory {path}; stop it first")]
    DirectoryInUse {
        /// Which.
        path: PathBuf,
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

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::new(PartyRefusal::StorageFailed, error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(PartyRefusal::StorageFailed, error.to_string())
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        // Statements are constant and values are bound, so the message holds no secret.
        Self::new(PartyRefusal::StorageFailed, error.to_string())
    }
}

/// Why a run with the other parties ends early.
#[derive(Debug)]
pub enum Stopped {
    /// This party cannot or will not go on.
    Here(Refusal),
    /// Another one does not.
    There(mpc::error::Error),
}

impl Stopped {
    /// What the platform is told.
    pub fn refusal(self, session: SessionId) -> Refusal {
        match self {
            Self::Here(refusal) => refusal,
            Self::There(error) => crate::identify::refusal(session, error),
        }
    }
}

impl From<mpc::error::Error> for Stopped {
    fn from(error: mpc::error::Error) -> Self {
        Self::There(error)
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Here(error.into())
    }
}

impl From<crate::takeover::Malformed> for Stopped {
    fn from(_: crate::takeover::Malformed) -> Self {
        Self::Here(Refusal::new(PartyRefusal::RequestMalformed, "another party's account of its gallery cannot be read"))
    }
}
