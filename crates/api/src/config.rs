//! What the platform is told at its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base::secret::Secret;
use base::time::{Clock, SystemClock};
use wire::bytes::HexArray;

/// Everything that [`crate::server::serve`] needs.
pub struct PlatformConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The SQLite file; made if it is not there.
    pub store_path: PathBuf,
    /// The rule pack, a TOML file.
    pub rules_path: PathBuf,
    /// The built pages: `<web_dir>/wallet` is served at `/wallet/`. Without, no pages are served.
    pub web_dir: Option<PathBuf>,
    /// The three parties in order.
    pub parties: [PartyPeer; 3],
    /// Who the platform is towards the parties.
    pub tls: TlsIdentity,
    /// Key of the opaque partition labels and of the fingerprints of requests; whoever has it can guess phone suffixes.
    pub label_secret: Secret<[u8; 32]>,
    /// Goes into every passcode's hash: a copy of the store alone gives no passcode away.
    pub passcode_pepper: Secret<[u8; 32]>,
    /// Where the shopper's browser finds the capture agent, such as `http://127.0.0.1:7300`.
    pub capture_agent_url: String,
    /// Whether the routes for demonstrations exist.
    pub demo: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// How long to wait for what.
    pub timing: Timing,
}

/// One share party, as its operator announced it.
#[derive(Clone, Copy, Debug)]
pub struct PartyPeer {
    /// Where it listens for the platform.
    pub address: SocketAddr,
    /// SHA-256 of its TLS certificate (DER).
    pub certificate_sha256: HexArray<32>,
    /// Ed25519 public key of its deletion confirmations.
    pub confirmation_key: HexArray<32>,
}

/// The platform's certificate and private key; made by [`party::identity::generate`].
pub use party::identity::Identity as TlsIdentity;

/// How long to wait for what, in milliseconds of real time.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// A probe's answer says `being_checked` when the outcome is not known by then.
    pub answer_after_ms: u64,
    /// Parties that are down before a probe was handed to them are waited for this long.
    pub reach_parties_ms: u64,
    /// An identification that takes longer is given up.
    pub identify_ms: u64,
    /// A change of the gallery that takes longer is sent again.
    pub apply_ms: u64,
    /// How often payments are looked through for those whose time is over.
    pub expiry_interval_ms: u64,
    /// How often galleries are compared when nothing changes.
    pub gallery_interval_ms: u64,
    /// Galleries that have not changed for so long get their segments' MACs.
    pub settle_ms: u64,
    /// How often the parties are asked again whether all segments have one.
    pub seal_again_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer_after_ms: 2_000,
            reach_parties_ms: 8_000,
            identify_ms: 10_000,
            apply_ms: 60_000,
            expiry_interval_ms: 1_000,
            gallery_interval_ms: 1_000,
            settle_ms: 2_000,
            seal_again_ms: 60_000,
        }
    }
}

/// The machine's clock, for [`PlatformConfig::clock`].
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
