//! Why the platform does not start. Refusals of requests are in [`crate::problem`].

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the platform does not start. Its operator can mend each of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rule pack cannot be read or does not say what it must.
    #[error("the rule pack {path} cannot be used: {reason}")]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be opened.
    #[error("the store {location} cannot be opened: {reason}")]
    Store {
        /// Where it is.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate or key towards the parties is no PEM, or the two do not belong together.
    #[error("the platform's TLS certificate and key cannot be used: {reason}")]
    TlsIdentity {
        /// What is wrong with them.
        reason: String,
    },
    /// A party's confirmation key is no Ed25519 key.
    #[error("the confirmation key of {party} is no Ed25519 public key")]
    ConfirmationKey {
        /// Whose key.
        party: base::party::PartyId,
    },
    /// The capture agent's URL is no origin such as `http://127.0.0.1:7300`.
    #[error("the capture agent's URL must look like http://127.0.0.1:7300, without a path")]
    CaptureAgentUrl,
    /// Passkeys cannot hold where the configuration says.
    #[error(transparent)]
    Passkeys(#[from] crate::passkey::ceremony::RelyingPartyError),
    /// The file of certificate authorities for webhooks cannot be read.
    #[error("the certificate authorities of webhooks cannot be read: {reason}")]
    WebhookRoots {
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing can listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
}
