//! The worker's process: dials its party again and again, keeps the copies that it is sent, and works on what it is handed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Weak, mpsc as std_mpsc};
use std::time::Duration;

use base::party::PartyId;
use mpc::error::Error as ProtocolError;
use mpc::network::{Neighbour, Network};
use mpc::protocol::Session;
use mpc::protocol::chunk::{self, ChunkInput, ChunkOutcome, Part};
use mpc::protocol::mac::SealedMac;
use mpc::prss::Prss;
use mpc::share::PreparedQuery;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::copies::{CopiedChunk, Copies, Staged};
use super::handed::times;
use super::message::{Bytes, FromWorker, Job, ToWorker, VERSION};
use super::{SILENCE_MAX, write_frames};
use crate::error::Error;
use crate::frame;
use crate::identity::{Identity, Pin};
use crate::scan_pool::{Policy, ScanPool, Scores};
use crate::stages::{ChunkStages, Stopwatch, Took};
use crate::tls;

/// Connecting takes no longer than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pauses between tries to connect double from the first to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A worker's whole configuration.
#[derive(Clone)]
pub struct WorkerConfig {
    /// Where its party listens for workers.
    pub coordinator: SocketAddr,
    /// SHA-256 of the party's certificate (DER).
    pub coordinator_sha256: Pin,
    /// The worker's certificate and private key for TLS.
    pub identity: Identity,
    /// How it reads its copies.
    pub scan: Policy,
}

/// What a connection's worker has and does; all ends with it.
struct Worker {
    copies: Copies,
    pool: ScanPool,
    tasks: BTreeMap<u64, Task>,
    /// The chunks that were scanned last, so that queries of the same one are scanned together.
    chunks: BTreeMap<u32, Weak<CopiedChunk>>,
    answers: mpsc::UnboundedSender<Bytes>,
}

/// A chunk of a run.
struct Task {
    /// Until the work begins.
    waiting: Option<Waiting>,
    mailbox: std_mpsc::Sender<Vec<u8>>,
}

struct Waiting {
    query: PreparedQuery,
    scores: Scores,
    chunk: Arc<CopiedChunk>,
    messages: std_mpsc::Receiver<Vec<u8>>,
}

/// A lane whose messages go through the party.
struct Tunnel {
    party: PartyId,
    task: u64,
    answers: mpsc::UnboundedSender<Bytes>,
    messages: std_mpsc::Receiver<Vec<u8>>,
}

/// Runs a worker until the returned future is dropped.
///
/// # Errors
/// [`Error::IdentityUnusable`].
pub async fn serve(config: WorkerConfig) -> Result<Infallible, Error> {
    let connector = tls::connector(&config.identity, config.coordinator_sha256)?;
    let connect = || async {
        let socket = TcpStream::connect(config.coordinator).await?;
        socket.set_nodelay(true)?;
        connector.connect(ServerName::IpAddress(config.coordinator.ip().into()), socket).await
    };
    let (mut pause, mut said) = (BACKOFF.0, "");
    loop {
        match tokio::time::timeout(CONNECT_TIMEOUT, connect()).await {
            Ok(Ok(stream)) => {
                let was_taken = work(stream, config.scan).await;
                if was_taken {
                    (pause, said) = (BACKOFF.0, "");
                    tracing::warn!(party = %config.coordinator, "connection lost; all copies are dropped");
                } else {
                    say(&mut said, "the party does not take this worker; does its configuration list this worker's certificate?");
                }
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                say(&mut said, "whoever listens there is not the party; are the address and the certificate's SHA-256 right?");
            }
            Ok(Err(_)) | Err(_) => say(&mut said, "the party cannot be reached; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(BACKOFF.1);
    }
}

/// Says why there is no connection, once as long as it is the same.
fn say(said: &mut &'static str, why: &'static str) {
    if *said != why {
        tracing::warn!("{why}");
        *said = why;
    }
}

/// Works for the party at the other end of `stream` until it breaks. Returns whether the party said anything: one that does
/// not know the worker ends the connection without a word.
async fn work<S: AsyncRead + AsyncWrite>(stream: S, scan: Policy) -> bool {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (answers, mut queue) = mpsc::unbounded_channel();
    // Kept, so that the queue does not end.
    let (_others, mut others) = mpsc::channel(1);
    let _ = answers.send(FromWorker::Hello { version: VERSION }.to_bytes());
    let mut was_taken = false;
    let receive = async {
        let pool = ScanPool::new(scan);
        let mut worker = Worker { copies: Copies::default(), pool, tasks: BTreeMap::new(), chunks: BTreeMap::new(), answers };
        while let Ok(Ok(bytes)) = tokio::time::timeout(SILENCE_MAX, frame::read(&mut reader)).await {
            let bytes = Bytes::new(bytes);
            if !std::mem::replace(&mut was_taken, true) {
                tracing::info!("connected to the party");
            }
            if bytes.is_empty() {
                continue;
            }
            let Ok(message) = ToWorker::from_bytes(&bytes) else {
                tracing::error!("the party said something unknown; do party and worker have the same version?");
                return;
            };
            worker.take(message);
        }
    };
    tokio::select! {
        () = receive => {}
        _ = write_frames(&mut writer, &mut queue, &mut others) => {}
    }
    was_taken
}

impl Worker {
    fn take(&mut self, message: ToWorker) {
        match message {
            ToWorker::Begin => self.copies.begin(),
            ToWorker::Group { group, rows, tokens } => self.copies.stage(group, Staged { rows, tokens }),
            ToWorker::Commit { stamp, dimensions, slots, checksums } => {
                let made = self.copies.commit(stamp, usize::from(dimensions), slots as usize, &checksums);
                self.answer(&match made {
                    Ok(()) => FromWorker::Held { stamp },
                    Err(_) => FromWorker::Refused { segment: stamp.segment },
                });
                tracing::debug!(segment = stamp.segment, slots, whole = made.is_ok(), "a copy came");
            }
            ToWorker::Drop { segment } => self.copies.drop_copy(segment),
            ToWorker::Scan { task, query, stamps } => {
                let chunk = self.copies.chunk(&stamps).filter(|chunk| query.len() == 2 * chunk.dimensions());
                match chunk {
                    Some(chunk) => self.scan(task, &query, chunk),
                    None => self.answer(&FromWorker::Failed { task, error: None }),
                }
            }
            ToWorker::Work { task, job } => {
                // A task that is not there has failed already.
                if let Some(waiting) = self.tasks.get_mut(&task).and_then(|task| task.waiting.take()) {
                    let answers = self.answers.clone();
                    tokio::task::spawn_blocking(move || waiting.work(task, *job, answers));
                }
            }
            ToWorker::Message { task, message } => {
                if let Some(task) = self.tasks.get(&task) {
                    let _ = task.mailbox.send(message);
                }
            }
            // Whoever still works on it finds its mailbox closed.
            ToWorker::Cancel { task } => _ = self.tasks.remove(&task),
        }
    }

    fn scan(&mut self, task: u64, query: &[u8], chunk: CopiedChunk) {
        let numbers = query.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
        let query = PreparedQuery::from_numbers(numbers).expect("as many features as a copy's rows");
        let last = self.chunks.entry(chunk.0[0].number()).or_default();
        let chunk = last.upgrade().filter(|last| last.is_same(&chunk)).unwrap_or_else(|| Arc::new(chunk));
        *last = Arc::downgrade(&chunk);
        let scores = self.pool.announce().submit(query.clone(), chunk.clone(), Some(Arc::as_ptr(&chunk).addr()));
        let (mailbox, messages) = std_mpsc::channel();
        self.tasks.insert(task, Task { waiting: Some(Waiting { query, scores, chunk, messages }), mailbox });
    }

    fn answer(&self, message: &FromWorker) {
        let _ = self.answers.send(message.to_bytes());
    }
}

impl Waiting {
    fn work(self, task: u64, job: Job, answers: mpsc::UnboundedSender<Bytes>) {
        let answer = match self.outcome(task, &job, answers.clone()) {
            Ok((outcome, stages)) => FromWorker::Done { task, outcome, times: times(stages) },
            // Losing a neighbour is the party's to name, and nothing else waits for this.
            Err(error) => FromWorker::Failed { task, error },
        };
        let _ = answers.send(answer.to_bytes());
    }

    fn outcome(
        self,
        task: u64,
        job: &Job,
        answers: mpsc::UnboundedSender<Bytes>,
    ) -> Result<(ChunkOutcome, ChunkStages), Option<ProtocolError>> {
        let Self { query, scores, chunk, messages } = self;
        if job.macs.len() != chunk.0.len() {
            return Err(None);
        }
        let mut stopwatch = Stopwatch::start();
        let mut stages = ChunkStages::default();
        let mut found = scores.take(0..chunk.0.len()).map_err(|_| None)?;
        stages.scan = Took { cpu: scores.cpu(), ..stopwatch.lap() };
        let macs = chunk.0.iter().zip(&job.macs).map(|(copy, mac)| mac.as_ref().map(|mac| copy.mac(mac)).transpose());
        let macs: Vec<Option<Arc<SealedMac>>> = macs.collect::<Result<_, _>>().map_err(|_| None)?;
        let parts: Vec<Part<'_>> =
            chunk.0.iter().zip(&macs).map(|(copy, mac)| Part { tokens: copy.tokens(), rows: copy.rows(), mac: mac.as_deref() }).collect();
        let input = ChunkInput {
            number: job.number as usize,
            scores: std::mem::take(&mut *found),
            parts: &parts,
            variants: 1,
            query: &query,
            thresholds: job.thresholds,
            verification: job.verification,
        };
        let mut tunnel = Tunnel { party: job.party, task, answers, messages };
        let prss = Prss::new(&job.keys, &job.salt, &job.label, job.lane);
        let mut session = Session::new(job.party, prss, &mut tunnel);
        let outcome = chunk::run(&mut session, input, &mut |stage| stages.add(stage, stopwatch.lap()))?;
        Ok((outcome, stages))
    }
}

impl Network for Tunnel {
    fn send(&mut self, to: Neighbour, message: Vec<u8>) -> Result<(), ProtocolError> {
        let sent = self.answers.send(FromWorker::Send { task: self.task, to, message }.to_bytes());
        sent.map_err(|_| ProtocolError::PeerUnavailable { peer: to.of(self.party) })
    }

    fn receive(&mut self, from: Neighbour) -> Result<Vec<u8>, ProtocolError> {
        let lost = ProtocolError::PeerUnavailable { peer: from.of(self.party) };
        self.answers.send(FromWorker::Want { task: self.task, from }.to_bytes()).map_err(|_| lost)?;
        // The party cancels the task when nothing will come.
        self.messages.recv().map_err(|_| lost)
    }
}
