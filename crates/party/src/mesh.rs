//! The connections to the other two parties: one per pair, dialled by the lower number, made again whenever it breaks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::hash::hash_parts;
use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wire::party::PartyRefusal;

use crate::config::{PartyConfig, Tap};
use crate::error::{Error, Refusal};
use crate::frame;
use crate::link::{Link, NOT_POISONED};
use crate::run_network::RunNetwork;
use crate::switchboard::CannotBegin;
use crate::tls;

/// Connecting and greeting take no longer than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pauses between tries to connect double from the first to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The version of the frames between parties.
const VERSION: u8 = 2;
/// Length of a greeting: version, number, random bytes.
const GREETING_LEN: usize = 34;

/// This party's links.
pub struct Mesh {
    party: PartyId,
    links: [Mutex<Option<Arc<Link>>>; 3],
    /// What this party's own choices in a run are made from; new at every start.
    own_key: Secret<[u8; 32]>,
    tap: Option<Tap>,
}

impl Mesh {
    /// Without any link yet.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn new(config: &PartyConfig) -> Result<Self, Error> {
        let mut own_key = [0; 32];
        getrandom::fill(&mut own_key).map_err(|_| Error::NoRandomness)?;
        let links = [const { Mutex::new(None) }; 3];
        Ok(Self { party: config.party, links, own_key: Secret::new(own_key), tap: config.received.clone() })
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
        Ok(RunNetwork::new(self.party, begin(self.party.next())?, begin(self.party.previous())?, self.own_key.clone(), timeout))
    }

    /// Tells both neighbours that nothing will come of the run `session` here, so that they do not wait for it. A run of
    /// that name that is under way is left alone: it is another request that was refused.
    pub fn give_up(&self, session: SessionId, reason: PartyRefusal) {
        let links = [self.party.next(), self.party.previous()].map(|peer| self.link(peer));
        if !links.iter().flatten().any(|link| link.is_under_way(session)) {
            links.iter().flatten().for_each(|link| link.refuse(session, reason as u8));
        }
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
        let link = Link::new(peer, key);
        *self.links[peer.index()].lock().expect(NOT_POISONED) = Some(link.clone());
        tracing::info!(party = %self.party, %peer, "connected");
        link.run(stream, self.tap.as_ref()).await;
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

fn unavailable(peer: PartyId) -> Refusal {
    Refusal::new(PartyRefusal::PeerUnavailable, format!("{peer} cannot be reached"))
}

async fn connect(address: std::net::SocketAddr, connector: &TlsConnector) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    // A protocol's message is one frame that the other side waits for.
    socket.set_nodelay(true)?;
    connector.connect(ServerName::IpAddress(address.ip().into()), socket).await
}
