//! What a party is told at start: by its own operator, not by the platform.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::id::TerminalId;
use base::party::PartyId;
use base::secret::Secret;
use ed25519_dalek::{SigningKey, VerifyingKey};
use mpc::protocol::identify::Thresholds;
use mpc::protocol::verified::Verification;

use crate::budget::Budgets;
use crate::identity::{Identity, Pin};
use crate::scan_pool::Policy;

/// Sees every decrypted frame that a party receives; for tests that search what a party learns.
pub type Tap = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A party's whole configuration.
#[derive(Clone)]
pub struct PartyConfig {
    /// Which of the three it is.
    pub party: PartyId,
    /// Where it keeps its store; created if missing, used by nobody else.
    pub directory: PathBuf,
    /// Its certificate and private key for TLS.
    pub identity: Identity,
    /// Its private key for sealed shares (`wire::seal`).
    pub sealing_key: Secret<[u8; 32]>,
    /// The key it signs deletions with.
    pub confirmation_key: SigningKey,
    /// The party after it.
    pub next: Peer,
    /// The party before it.
    pub previous: Peer,
    /// The platform's certificate.
    pub platform_sha256: Pin,
    /// The terminals whose probes it accepts.
    pub terminals: HashMap<TerminalId, VerifyingKey>,
    /// Features of a template: even, at most 1,024.
    pub dimensions: u16,
    /// From which scores on a record is accepted, and near.
    pub thresholds: Thresholds,
    /// Whether cheating is noticed. All three must say the same; off is for measuring.
    pub verification: Verification,
    /// How often may be asked.
    pub budgets: Budgets,
    /// How the gallery is read.
    pub scan: Policy,
    /// Where its workers find it, and which they are; `None` for a party without.
    pub workers: Option<WorkersConfig>,
    /// How long a run waits for a peer's message before it gives up.
    pub peer_timeout: Duration,
    /// Called with every decrypted frame received, if set.
    pub received: Option<Tap>,
}

/// A party's workers.
#[derive(Clone)]
pub struct WorkersConfig {
    /// Where the party listens for them: an address of the organisation's own network.
    pub listen: SocketAddr,
    /// SHA-256 of their certificates (DER), asked for at each of their connections: one more can be admitted while the party runs.
    pub pins: Arc<dyn Fn() -> Vec<Pin> + Send + Sync>,
}

/// Another party, as this one reaches and recognises it.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    /// SHA-256 of its certificate (DER).
    pub certificate_sha256: Pin,
}

impl PartyConfig {
    /// How `other` is reached.
    ///
    /// # Panics
    /// If `other` is this party itself.
    pub fn peer(&self, other: PartyId) -> &Peer {
        assert!(other != self.party, "a party is not its own peer");
        if other == self.party.next() { &self.next } else { &self.previous }
    }
}
