//! What a terminal is told at set-up: one TOML file beside its keys, readable by its own user only.

use std::net::SocketAddr;
use std::path::PathBuf;

use base::id::TerminalId;
use base::secret::Secret;
use serde::{Deserialize, Serialize};
use wire::bytes::{HexArray, HexBytes};

/// A terminal's configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalConfig {
    /// Where the agent listens: a loopback address.
    pub listen: SocketAddr,
    /// This terminal.
    pub terminal: TerminalId,
    /// The bearer token that the platform knows it by, `tk_…`.
    pub token: Secret<String>,
    /// The Ed25519 device key, 32 bytes in hexadecimal.
    pub device_key: Secret<String>,
    /// The platform, such as `http://127.0.0.1:7400`.
    pub platform: String,
    /// The origin of the wallet pages that may ask this agent to capture for an enrolment.
    pub wallet_origin: String,
    /// Folder of the built till page.
    pub web: PathBuf,
    /// Folder of the folded models.
    pub models: PathBuf,
    /// File of the probe counter.
    pub counter: PathBuf,
    /// The three parties' sealing keys.
    pub sealing_keys: [HexBytes; 3],
    /// Least liveness, 0 to 1, that a frame needs at this till; the capture's own default without.
    #[serde(default)]
    pub liveness_min: Option<f32>,
    /// For measuring with archive photographs only: one picture is a burst, and liveness is reported, not enforced.
    #[serde(default)]
    pub archive_photographs: bool,
}

/// The same file as the set-up writes it.
#[derive(Serialize)]
pub struct NewTerminalConfig<'a> {
    /// See [`TerminalConfig::listen`].
    pub listen: SocketAddr,
    /// See [`TerminalConfig::terminal`].
    pub terminal: TerminalId,
    /// See [`TerminalConfig::token`].
    pub token: &'a str,
    /// See [`TerminalConfig::device_key`].
    pub device_key: HexArray<32>,
    /// See [`TerminalConfig::platform`].
    pub platform: String,
    /// See [`TerminalConfig::wallet_origin`].
    pub wallet_origin: String,
    /// See [`TerminalConfig::web`].
    pub web: PathBuf,
    /// See [`TerminalConfig::models`].
    pub models: PathBuf,
    /// See [`TerminalConfig::counter`].
    pub counter: PathBuf,
    /// See [`TerminalConfig::sealing_keys`].
    pub sealing_keys: [HexBytes; 3],
    /// See [`TerminalConfig::archive_photographs`].
    pub archive_photographs: bool,
}
