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

use crate::identity::{Identity, Pin};

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
    /// How often one terminal may ask.
    pub budget: Budget,
    /// How long a run waits for a peer's message before it gives up.
    pub peer_timeout: Duration,
    /// Called with every decrypted frame received, if set.
    pub received: Option<Tap>,
}

/// Another party, as this one reaches and recognises it.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    /// SHA-256 of its certificate (DER).
    pub certificate_sha256: Pin,
}

/// Identifications that one terminal may ask for. A party keeps this itself, whatever the platform allows.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// In any 60 seconds.
    pub per_minute: u32,
    /// In any 24 hours.
    pub per_day: u32,
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
