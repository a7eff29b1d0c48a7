//! What the platform is told at its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base::secret::Secret;
use base::time::{Clock, SystemClock};
use payments::webhook::reach::Reach;
use store::Location;
use wire::bytes::HexArray;

use crate::limits::Rates;

/// Everything that [`crate::server::serve`] needs.
pub struct PlatformConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the store is; made if it is not there.
    pub store: Location,
    /// The same for test mode.
    pub test_store: Location,
    /// Where Prometheus reads the metrics; nobody without. Not for the public: say a loopback or an internal address.
    pub metrics_listen: Option<SocketAddr>,
    /// How much each may ask.
    pub rates: Rates,
    /// What webhooks of test mode may reach; those of live mode reach public addresses only.
    pub test_webhook_reach: Reach,
    /// A PEM file of certificate authorities that webhooks trust besides the machine's own.
    pub webhook_roots: Option<PathBuf>,
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
    /// The institution's code in the clearing system, the first of the five elements that a till is bound to.
    pub acquirer_code: String,
    /// Where the shopper's browser finds the capture agent, such as `http://127.0.0.1:7300`.
    pub capture_agent_url: String,
    /// Where passkeys hold.
    pub passkeys: Passkeys,
    /// Whether the routes for demonstrations exist.
    pub demo: bool,
    /// Whether `POST /v1/bench/payments` exists, which believes whoever says who pays. Only on made-up money.
    pub bench: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// How long to wait for what.
    pub timing: Timing,
}

/// Where passkeys hold: once people have bound devices, another domain makes all of them worthless.
#[derive(Clone, Debug)]
pub struct Passkeys {
    /// The domain (the *RP ID*), such as `pay.example.com`.
    pub domain: String,
    /// Where the pages are, such as `https://pay.example.com`.
    pub origins: Vec<String>,
}

impl Passkeys {
    /// On this machine alone: `localhost` at `port`.
    pub fn on_localhost(port: u16) -> Self {
        Self { domain: "localhost".into(), origins: vec![format!("http://localhost:{port}")] }
    }
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
    /// How often webhooks are looked through for those that are due.
    pub webhook_interval_ms: u64,
    /// How long a receiver may take to answer; the rules advise 15 to 30 seconds.
    pub webhook_timeout_ms: u64,
    /// How often a stream of events says that it is still there.
    pub heartbeat_ms: u64,
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
            webhook_interval_ms: 500,
            webhook_timeout_ms: 20_000,
            heartbeat_ms: 15_000,
            settle_ms: 2_000,
            seal_again_ms: 60_000,
        }
    }
}

/// The machine's clock, for [`PlatformConfig::clock`].
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
