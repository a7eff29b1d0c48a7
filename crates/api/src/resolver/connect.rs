//! Mutual TLS to one party, with the same pinned certificates as between the parties.

use std::net::SocketAddr;
use std::time::Duration;

use party::tls;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{PartyPeer, TlsIdentity};
use crate::error::Error;

/// A connection that is not made by then is given up: somebody accepts it and says nothing.
const CONNECT_MS: u64 = 5_000;

/// Makes connections to one party.
#[derive(Clone)]
pub struct Connector {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Connector {
    /// A connector that shows `identity` and accepts only `peer`.
    ///
    /// # Errors
    /// [`Error::TlsIdentity`].
    pub fn new(peer: &PartyPeer, identity: &TlsIdentity) -> Result<Self, Error> {
        let tls = tls::connector(identity, peer.certificate_sha256).map_err(|error| Error::TlsIdentity { reason: error.to_string() })?;
        Ok(Self { address: peer.address, tls })
    }

    /// One connection, made within five seconds.
    ///
    /// # Errors
    /// What the socket or TLS says, also when somebody else than the party answers.
    pub async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let made = tokio::time::timeout(Duration::from_millis(CONNECT_MS), self.shake_hands()).await;
        made.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    async fn shake_hands(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.address).await?;
        // A request is one frame; waiting for more would only delay it.
        socket.set_nodelay(true)?;
        self.tls.connect(ServerName::IpAddress(self.address.ip().into()), socket).await
    }
}
