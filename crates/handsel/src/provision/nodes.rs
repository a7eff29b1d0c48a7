//! The configuration files of the nodes, as types. `prepare` writes them, `node.rs` reads them.

use std::net::SocketAddr;
use std::path::PathBuf;

use base::id::TerminalId;
use base::party::PartyId;
use serde::{Deserialize, Serialize};
use wire::bytes::HexArray;

/// What a party is told of the world.
#[derive(Serialize, Deserialize)]
pub struct PartyNode {
    pub party: PartyId,
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub platform_certificate_sha256: HexArray<32>,
    pub accept_score: i32,
    pub ambiguous_score: i32,
    /// Off only for measuring, and only if all three say so.
    #[serde(default = "yes")]
    pub verification: bool,
    /// Of each terminal.
    pub looks_per_minute_max: u32,
    pub looks_per_day_max: u32,
    /// Of each payee, whatever terminals it uses.
    #[serde(default = "payee_looks_per_minute_max")]
    pub payee_looks_per_minute_max: u32,
    #[serde(default = "payee_looks_per_day_max")]
    pub payee_looks_per_day_max: u32,
    /// Of all together.
    #[serde(default = "all_looks_per_minute_max")]
    pub all_looks_per_minute_max: u32,
    #[serde(default = "all_looks_per_day_max")]
    pub all_looks_per_day_max: u32,
    /// Threads that scan; as many as the machine has cores without.
    #[serde(default)]
    pub scan_threads: Option<usize>,
    /// For a party that has workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkersNode>,
    pub peers: Vec<PeerNode>,
    pub terminals: Vec<TerminalNode>,
}

const fn yes() -> bool {
    true
}

/// A large shop's forty tills, one look a second each in its busiest minute.
pub const fn payee_looks_per_minute_max() -> u32 {
    2_400
}

pub const fn payee_looks_per_day_max() -> u32 {
    400_000
}

/// What a party of one machine can answer at all.
pub const fn all_looks_per_minute_max() -> u32 {
    12_000
}

pub const fn all_looks_per_day_max() -> u32 {
    5_000_000
}

/// A party's workers.
#[derive(Serialize, Deserialize)]
pub struct WorkersNode {
    /// An address of the organisation's own network.
    pub listen: SocketAddr,
    /// Read again whenever a worker connects.
    #[serde(default)]
    pub certificates_sha256: Vec<HexArray<32>>,
}

/// What a worker is told of its party.
#[derive(Serialize, Deserialize)]
pub struct WorkerNode {
    /// Where the party listens for workers.
    pub coordinator: SocketAddr,
    pub coordinator_certificate_sha256: HexArray<32>,
    /// Threads that scan; as many as the machine has cores without.
    #[serde(default)]
    pub scan_threads: Option<usize>,
}

/// Another party.
#[derive(Serialize, Deserialize)]
pub struct PeerNode {
    pub party: PartyId,
    pub address: SocketAddr,
    pub certificate_sha256: HexArray<32>,
}

/// A registered terminal.
#[derive(Serialize, Deserialize)]
pub struct TerminalNode {
    pub terminal: TerminalId,
    pub device_public_key: HexArray<32>,
}

/// What the platform is told of the world.
#[derive(Serialize, Deserialize)]
pub struct PlatformNode {
    pub listen: SocketAddr,
    /// `sqlite:` and a path, or `postgres://`.
    pub store: String,
    /// The same for test mode.
    pub test_store: String,
    /// Where Prometheus reads.
    pub metrics: Option<SocketAddr>,
    /// Whether webhooks of test mode may go to this machine.
    pub test_webhooks_to_loopback: bool,
    pub rules: PathBuf,
    pub web: PathBuf,
    pub capture_agent: String,
    /// The institution's code in the clearing system; zeros until it has one.
    #[serde(default = "no_acquirer_code")]
    pub acquirer_code: String,
    pub demo: bool,
    /// Where passkeys hold; without, on this machine alone.
    #[serde(default)]
    pub passkeys: Option<PasskeysNode>,
    pub parties: Vec<PlatformPeerNode>,
}

/// The code of an institution that the clearing system does not know yet.
pub fn no_acquirer_code() -> String {
    "00000000".into()
}

/// Where passkeys hold.
#[derive(Serialize, Deserialize)]
pub struct PasskeysNode {
    /// The domain, such as `pay.example.com`.
    pub domain: String,
    /// Where the pages are, such as `https://pay.example.com`.
    pub origins: Vec<String>,
}

/// A party as the platform knows it.
#[derive(Serialize, Deserialize)]
pub struct PlatformPeerNode {
    pub party: PartyId,
    pub address: SocketAddr,
    pub certificate_sha256: HexArray<32>,
    pub confirmation_public_key: HexArray<32>,
}
