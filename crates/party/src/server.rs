//! A party's sockets: one address, on which the platform and the other parties are told apart by their certificates.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use base::party::PartyId;
use base::time::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wire::party::{PartyAnswer, PartyRefusal, PartyRequest, PartyResponse};

use crate::config::{PartyConfig, Tap, WorkersConfig};
use crate::error::Error;
use crate::frame;
use crate::identity::pin_of;
use crate::service::Service;
use crate::{tls, workers};

/// A TLS handshake takes no longer than this.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests of one connection that are under way at once; the next waits.
const REQUESTS_MAX: usize = 64;
/// After a failure to accept (too many open files), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// After a failure to erase what a refresh left behind.
const ERASE_AGAIN: Duration = Duration::from_secs(1);

/// Who is at the other end of an accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Platform,
    Party(PartyId),
}

/// Runs a party on `listener` until the returned future is dropped, which ends all its tasks.
///
/// # Errors
/// [`Error`], before it serves anything.
pub async fn serve(config: PartyConfig, listener: TcpListener, clock: Arc<dyn Clock>) -> Result<Infallible, Error> {
    let service =
        Arc::new(tokio::task::spawn_blocking(move || Service::new(config, clock)).await.expect("opening the store does not panic")?);
    run(service, listener).await
}

/// The same with a service that is open already.
///
/// # Errors
/// [`Error::IdentityUnusable`], before it serves anything.
pub async fn run(service: Arc<Service>, listener: TcpListener) -> Result<Infallible, Error> {
    let config = &service.config;
    let party = config.party;
    // Lower numbers dial us, we dial higher ones.
    let (dialled, expected): (Vec<PartyId>, Vec<PartyId>) = [party.next(), party.previous()].into_iter().partition(|peer| party < *peer);
    let mut roles = vec![(config.platform_sha256, Role::Platform)];
    roles.extend(expected.into_iter().map(|peer| (config.peer(peer).certificate_sha256, Role::Party(peer))));
    let acceptor = tls::acceptor(&config.identity, roles.iter().map(|(pin, _)| *pin).collect())?;

    let mut tasks = JoinSet::new();
    for peer in dialled {
        tasks.spawn(service.mesh.dial(&service.config, peer)?);
    }
    if let Some(workers) = &config.workers {
        let listener = TcpListener::bind(workers.listen).await?;
        let acceptor = tls::acceptor(&config.identity, (workers.pins)())?;
        tasks.spawn(serve_workers(service.clone(), workers.clone(), listener, acceptor));
    }
    tasks.spawn(erase_old(service.clone()));
    tracing::info!(%party, address = ?listener.local_addr().ok(), "listening");
    let roles: Arc<[_]> = roles.into();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let (service, acceptor, roles) = (service.clone(), acceptor.clone(), roles.clone());
                    tasks.spawn(async move {
                        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, accept(socket, &acceptor)).await;
                        let Ok(Ok(stream)) = handshake else {
                            tracing::warn!(%party, "a connection was refused: no certificate that is known here");
                            return;
                        };
                        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(pin_of);
                        match roles.iter().find(|(pin, _)| Some(*pin) == shown) {
                            Some((_, Role::Platform)) => serve_platform(service, stream).await,
                            Some((_, Role::Party(peer))) => service.mesh.serve(*peer, stream).await,
                            None => unreachable!("the handshake accepts known certificates only"),
                        }
                    });
                }
                Err(error) => {
                    tracing::error!(%party, %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Tasks that have ended are taken out of the set.
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
}

/// Erases what refreshes and compactions leave behind, beside whatever else goes on.
async fn erase_old(service: Arc<Service>) {
    loop {
        service.has_old.notified().await;
        let erase = || {
            let service = service.clone();
            tokio::task::spawn_blocking(move || service.erase_old())
        };
        while !erase().await.expect("erasing does not panic") {
            tokio::time::sleep(ERASE_AGAIN).await;
        }
    }
}

/// Serves every worker that dials, on an address of their own.
async fn serve_workers(service: Arc<Service>, config: WorkersConfig, listener: TcpListener, mut acceptor: TlsAcceptor) {
    let party = service.config.party;
    let mut pins = (config.pins)();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let pins_now = (config.pins)();
                    if pins_now != pins {
                        pins = pins_now;
                        acceptor = tls::acceptor(&service.config.identity, pins.clone()).expect("the same identity was usable before");
                    }
                    let (service, acceptor) = (service.clone(), acceptor.clone());
                    connections.spawn(async move {
                        match tokio::time::timeout(HANDSHAKE_TIMEOUT, accept(socket, &acceptor)).await {
                            Ok(Ok(stream)) => workers::connection::serve(service, stream).await,
                            _ => tracing::warn!(%party, "a connection was refused: no certificate of a worker"),
                        }
                    });
                }
                Err(error) => {
                    tracing::error!(%party, %error, "cannot accept a worker's connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Tasks that have ended are taken out of the set.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn accept(socket: TcpStream, acceptor: &TlsAcceptor) -> std::io::Result<TlsStream<TcpStream>> {
    socket.set_nodelay(true)?;
    acceptor.accept(socket).await
}

/// Reads requests and answers each as soon as it is done.
async fn serve_platform(service: Arc<Service>, stream: TlsStream<TcpStream>) {
    let party = service.config.party;
    tracing::info!(%party, "the platform connected");
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (answers, mut queue) = mpsc::channel::<PartyResponse>(REQUESTS_MAX);
    let tap = service.config.received.clone();
    let read = async {
        let mut requests = JoinSet::new();
        while let Ok(bytes) = frame::read(&mut reader).await {
            while requests.len() >= REQUESTS_MAX {
                requests.join_next().await;
            }
            let (service, answers) = (service.clone(), answers.clone());
            let request = read_request(&bytes, tap.as_ref());
            requests.spawn(async move {
                let response = match request {
                    Ok(request) => tokio::task::spawn_blocking(move || service.handle(request)).await.expect("a request does not panic"),
                    Err(response) => response,
                };
                // The connection may be gone; then the platform asks again.
                let _ = answers.send(response).await;
            });
            while requests.try_join_next().is_some() {}
        }
    };
    let write = async {
        while let Some(response) = queue.recv().await {
            let bytes = serde_json::to_vec(&response).expect("a response is plain data");
            if frame::write(&mut writer, &[&bytes]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
    tracing::info!(%party, "the platform's connection ended");
}

/// The request in a frame, or the answer to one that cannot be read.
fn read_request(bytes: &[u8], tap: Option<&Tap>) -> Result<PartyRequest, PartyResponse> {
    if let Some(tap) = tap {
        tap(bytes);
    }
    serde_json::from_slice(bytes).map_err(|_| {
        let id = serde_json::from_slice::<serde_json::Value>(bytes).ok().and_then(|value| value.get("id")?.as_u64()).unwrap_or(0);
        let detail = "the request cannot be read; do platform and party have the same version?".into();
        PartyResponse { id, answer: PartyAnswer::Refused { code: PartyRefusal::RequestMalformed, detail } }
    })
}
