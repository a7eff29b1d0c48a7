//! The connections to the other two parties: one per pair, dialled by the lower number, made again whenever it breaks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::hash::hash_parts;
use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use mpc::network::{Neighbour, Network};
use mpc::prss::NeighbourKeys;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wire::party::PartyRefusal;

use crate::config::{PartyConfig, Tap};
use crate::error::{Error, Refusal};
use crate::frame;
use crate::link::{CannotBegin, Conversation, Link, NOT_POISONED};
use crate::tls;

/// Connecting and greeting take no longer than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pauses between tries to connect double from the first to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The version of the frames between parties.
const VERSION: u8 = 1;
/// Length of a greeting: version, number, random bytes.
const GREETING_LEN: usize = 34;

/// This party's links.
pub struct Mesh {
    party: PartyId,
    links: [Mutex<Option<Arc<Link>>>; 3],
    tap: Option<Tap>,
}

/// One run's connection to both neighbours: what a protocol talks through.
pub struct RunNetwork {
    party: PartyId,
    next: Conversation,
    previous: Conversation,
    timeout: Duration,
}

impl Mesh {
    /// Without any link yet.
    pub fn new(config: &PartyConfig) -> Self {
        Self { party: config.party, links: [const { Mutex::new(None) }; 3], tap: config.received.clone() }
    }

    /// Whether both other parties are connected.
    pub fn is_complete(&self) -> bool {
        self.link(self.party.next()).is_ok() && self.link(self.party.previous()).is_ok()
    }

    /// Begins the run `session` with both neighbours; a message is awaited for at most `timeout`.
    ///
    /// # Errors
    /// [`PartyRefusal::PeerUnavailable`], [`PartyRefusal::SessionReused`].
    pub fn begin(&self, session: SessionId, timeout: Duration) -> Result<RunNetwork, Refusal> {
        let begin = |peer: PartyId| {
            self.link(peer)?.begin(session).map_err(|reason| match reason {
                CannotBegin::Gone => unavailable(peer),
                CannotBegin::NameInUse => Refusal::new(PartyRefusal::SessionReused, format!("{session} is under way")),
            })
        };
        Ok(RunNetwork { party: self.party, next: begin(self.party.next())?, previous: begin(self.party.previous())?, timeout })
    }

    /// The task that keeps the connection to `peer`, which has a higher number, until it is dropped.
    ///
    /// # Errors
    /// [`Error::IdentityUnusable`].
    pub fn dial(self: &Arc<Self>, config: &PartyConfig, peer: PartyId) -> Result<impl Future<Output = ()> + Send + 'static, Error> {
        assert!(self.party < peer, "the lower number dials");
        let (address, connector) = (config.peer(peer).address, tls::connector(&config.identity, config.peer(peer).certificate_sha256)?);
        let mesh = self.clone();
        Ok(async move {
            let mut pause = BACKOFF.0;
            loop {
                match tokio::time::timeout(CONNECT_TIMEOUT, connect(address, &connector)).await {
                    Ok(Ok(stream)) => {
                        pause = BACKOFF.0;
                        mesh.serve(peer, stream).await;
                    }
                    Ok(Err(error)) => tracing::debug!(party = %mesh.party, %peer, %error, "cannot connect; trying again"),
                    Err(_) => tracing::debug!(party = %mesh.party, %peer, "cannot connect in time; trying again"),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
        })
    }

    /// Greets `peer` over `stream`, makes it the link to that peer in place of an earlier one, and serves it until it
    /// breaks.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, peer: PartyId, mut stream: S) {
        let key = match tokio::time::timeout(CONNECT_TIMEOUT, self.greet(peer, &mut stream)).await {
            Ok(Ok(key)) => key,
            _ => {
                tracing::warn!(party = %self.party, %peer, "the connection was given up during the greeting");
                return;
            }
        };
        let (link, queue) = Link::new(peer, key);
        *self.links[peer.index()].lock().expect(NOT_POISONED) = Some(link.clone());
        tracing::info!(party = %self.party, %peer, "connected");
        link.run(stream, queue, self.tap.as_ref()).await;
        tracing::warn!(party = %self.party, %peer, "connection lost");
    }

    /// Both sides send 32 random bytes; the key is a hash of both, so neither side's restart can repeat it.
    async fn greet<S: AsyncRead + AsyncWrite + Unpin>(&self, peer: PartyId, stream: &mut S) -> std::io::Result<Secret<[u8; 32]>> {
        let mut mine = [0; GREETING_LEN];
        getrandom::fill(&mut mine[2..]).map_err(|error| std::io::Error::other(error.to_string()))?;
        (mine[0], mine[1]) = (VERSION, self.party.number());
        frame::write(stream, &[&mine]).await?;
        let theirs = frame::read(stream).await?;
        if let Some(tap) = &self.tap {
            tap(&theirs);
        }
        if theirs.len() != GREETING_LEN || theirs[..2] != [VERSION, peer.number()] {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "another version or another party"));
        }
        let (low, high) = if self.party < peer { (&mine[..], &theirs[..]) } else { (&theirs[..], &mine[..]) };
        Ok(Secret::new(hash_parts("handsel/pairwise-key/v1", &[low, high])))
    }

    fn link(&self, peer: PartyId) -> Result<Arc<Link>, Refusal> {
        let link = self.links[peer.index()].lock().expect(NOT_POISONED).clone();
        link.filter(|link| link.is_alive()).ok_or_else(|| unavailable(peer))
    }
}

impl RunNetwork {
    /// The keys of the connections that this run talks over.
    pub fn keys(&self) -> NeighbourKeys {
        NeighbourKeys { next: self.next.link().key.clone(), previous: self.previous.link().key.clone() }
    }

    fn conversation(&self, neighbour: Neighbour) -> &Conversation {
        match neighbour {
            Neighbour::Next => &self.next,
            Neighbour::Previous => &self.previous,
        }
    }
}

impl Network for RunNetwork {
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), mpc::error::Error> {
        self.conversation(to).send(&message).map_err(|_| mpc::error::Error::PeerUnavailable { peer: to.of(self.party) })
    }

    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, mpc::error::Error> {
        self.conversation(from).receive(self.timeout).map_err(|_| mpc::error::Error::PeerUnavailable { peer: from.of(self.party) })
    }
}

fn unavailable(peer: PartyId) -> Refusal {
    Refusal::new(PartyRefusal::PeerUnavailable, format!("{peer} cannot be reached"))
}

async fn connect(address: std::net::SocketAddr, connector: &TlsConnector) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    // A protocol's message is one frame that the other side waits for.
    socket.set_nodelay(true)?;
    connector.connect(ServerName::IpAddress(address.ip().into()), socket).await
}
