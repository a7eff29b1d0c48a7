//! The agent as a running server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base::hash::unhex;
use base::id::TerminalId;
use base::time::{Clock, SystemClock};
use ed25519_dalek::SigningKey;
use tokio::net::TcpListener;
use wire::bytes::HexBytes;
use zeroize::Zeroizing;

use crate::config::TerminalConfig;
use crate::counter::Counter;
use crate::look::Eye;
use crate::platform::Platform;

/// Why the agent does not start. Each sentence says who can mend it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not loopback: frames must not cross a network.
    #[error("the till's agent must listen on a loopback address, not on {0}; mend `listen` in its configuration")]
    NotLoopback(SocketAddr),
    /// The device key is no key.
    #[error("`device_key` in the terminal's configuration is not 32 bytes in hexadecimal; register the terminal anew")]
    DeviceKeyMalformed,
    /// A model is missing or does not load.
    #[error("the face models cannot be used: {0}; run `make models`")]
    Models(String),
    /// The counter's file cannot be used.
    #[error("the probe counter cannot be used: {0}")]
    Counter(std::io::Error),
    /// The HTTP client does not start.
    #[error("the HTTP client does not start: {0}")]
    Client(reqwest::Error),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}; another Handsel may be running")]
    Listen(SocketAddr, std::io::Error),
}

/// What every request of the agent works with.
pub(crate) struct Agent {
    pub(crate) terminal: TerminalId,
    pub(crate) device_key: SigningKey,
    pub(crate) sealing_keys: [HexBytes; 3],
    pub(crate) counter: Mutex<Counter>,
    pub(crate) eye: Eye,
    pub(crate) platform: Platform,
    pub(crate) own_port: u16,
    pub(crate) wallet_origin: String,
    pub(crate) web: std::path::PathBuf,
}

/// Starts the agent; the returned future runs until the process ends.
pub async fn start(config: TerminalConfig) -> Result<(SocketAddr, impl Future<Output = std::io::Result<()>>), StartError> {
    if !config.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(config.listen));
    }
    let device_key = unhex(config.device_key.expose()).map(Zeroizing::new);
    let device_key: &[u8; 32] =
        device_key.as_ref().and_then(|bytes| bytes.as_slice().try_into().ok()).ok_or(StartError::DeviceKeyMalformed)?;
    let eye = Eye::open(&config).map_err(StartError::Models)?;
    let counter = Counter::open(&config.counter, SystemClock.now()).map_err(StartError::Counter)?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
    let agent = Arc::new(Agent {
        terminal: config.terminal,
        device_key: SigningKey::from_bytes(device_key),
        sealing_keys: config.sealing_keys,
        counter: Mutex::new(counter),
        eye,
        platform: Platform::new(&config.platform, config.token).map_err(StartError::Client)?,
        own_port: address.port(),
        wallet_origin: config.wallet_origin,
        web: config.web,
    });
    let server = axum::serve(listener, crate::routes::router(agent));
    Ok((address, async move { server.await }))
}
