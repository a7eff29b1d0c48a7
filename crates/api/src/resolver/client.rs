//! The platform's lasting connection to one party: made again whenever it breaks, many requests under way at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::party::PartyId;
use party::frame;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use wire::party::{PartyAnswer, PartyCommand, PartyRequest, PartyResponse};

use super::connect::Connector;

/// Between two tries to connect.
const RECONNECT_MS: u64 = 200;
/// Frames that wait for the socket; a sender beyond waits itself.
const OUTGOING_MAX: usize = 64;

/// Why a party did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// There is no connection: the party saw nothing of the request.
    #[error("not connected")]
    NotConnected,
    /// The connection broke: the party may have seen the request.
    #[error("the connection broke")]
    Interrupted,
    /// The party took too long: it may still be at it.
    #[error("no answer in time")]
    TimedOut,
}

/// A party, as the platform reaches it. Copies share the connection.
#[derive(Clone)]
pub struct PartyClient {
    party: PartyId,
    link: watch::Receiver<Option<Link>>,
    next_id: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Link {
    outgoing: mpsc::Sender<Vec<u8>>,
    pending: Pending,
    /// Ends the connection.
    hang_up: Arc<Notify>,
}

type Pending = Arc<Mutex<HashMap<u64, Waiting>>>;

/// Whoever waits for an answer.
struct Waiting {
    answer_to: oneshot::Sender<PartyAnswer>,
    /// More than a question for the party's status, which is answered at once.
    is_work: bool,
}

/// Takes a request out of those that wait, also when whoever asked gives up early.
struct Entry<'a> {
    pending: &'a Pending,
    id: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.pending.lock().expect(NO_PANIC).remove(&self.id);
    }
}

impl PartyClient {
    /// The client, and the task that keeps it connected until it is dropped.
    pub fn new(party: PartyId, connector: Connector) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, link) = watch::channel(None);
        (Self { party, link, next_id: Arc::new(AtomicU64::new(1)) }, keep_connected(party, connector, sender))
    }

    /// Whose client it is.
    pub fn party(&self) -> PartyId {
        self.party
    }

    /// Asks and waits at most `timeout_ms`. A party that is silent for so long may be at the end of a connection that is
    /// dead without anybody having said so; the connection is given up, and a new one is made.
    ///
    /// # Errors
    /// [`Unanswered`]; a party that refuses has answered.
    pub async fn ask(&self, command: PartyCommand, timeout_ms: u64) -> Result<PartyAnswer, Unanswered> {
        let link = self.link.borrow().clone().ok_or(Unanswered::NotConnected)?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let is_work = !matches!(command, PartyCommand::Status);
        let bytes = serde_json::to_vec(&PartyRequest { id, command }).expect("a request is plain data");
        let (answer_to, answer) = oneshot::channel();
        link.pending.lock().expect(NO_PANIC).insert(id, Waiting { answer_to, is_work });
        let entry = Entry { pending: &link.pending, id };
        let exchange = async {
            link.outgoing.send(bytes).await.map_err(|_| Unanswered::Interrupted)?;
            answer.await.map_err(|_| Unanswered::Interrupted)
        };
        let result = tokio::time::timeout(Duration::from_millis(timeout_ms), exchange).await.unwrap_or(Err(Unanswered::TimedOut));
        drop(entry);
        // A question that was not answered breaks no work off: that has a limit of its own.
        if matches!(result, Err(Unanswered::TimedOut)) && (is_work || !link.is_at_work()) {
            link.hang_up.notify_one();
        }
        result
    }
}

impl Link {
    fn is_at_work(&self) -> bool {
        self.pending.lock().expect(NO_PANIC).values().any(|waiting| waiting.is_work)
    }
}

const NO_PANIC: &str = "nobody panics while holding this lock";

async fn keep_connected(party: PartyId, connector: Connector, link: watch::Sender<Option<Link>>) {
    let mut told = false;
    loop {
        match connector.connect().await {
            Ok(stream) => {
                tracing::info!(%party, "connected");
                told = false;
                run(stream, &link).await;
                link.send_replace(None);
                tracing::warn!(%party, "connection lost");
            }
            Err(error) if !told => {
                tracing::warn!(%party, %error, "cannot connect; trying again");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(RECONNECT_MS)).await;
    }
}

/// Serves one connection until it breaks.
async fn run<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, link: &watch::Sender<Option<Link>>) {
    let (reader, writer) = tokio::io::split(stream);
    let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
    let (pending, hang_up) = (Pending::default(), Arc::new(Notify::new()));
    link.send_replace(Some(Link { outgoing, pending: pending.clone(), hang_up: hang_up.clone() }));
    tokio::select! {
        () = read(reader, &pending) => {}
        () = write(writer, queue) => {}
        () = hang_up.notified() => {}
    }
    // Whoever still waits is told that the connection broke: dropping the sender does it.
    pending.lock().expect(NO_PANIC).clear();
}

async fn read<S: AsyncRead>(mut reader: ReadHalf<S>, pending: &Pending) {
    while let Ok(bytes) = frame::read(&mut reader).await {
        let Ok(response) = serde_json::from_slice::<PartyResponse>(&bytes) else {
            tracing::error!("a party's answer cannot be read");
            return;
        };
        if let Some(waiting) = pending.lock().expect(NO_PANIC).remove(&response.id) {
            // Whoever asked may have given up in the meantime.
            let _ = waiting.answer_to.send(response.answer);
        }
    }
}

async fn write<S: AsyncWrite>(mut writer: WriteHalf<S>, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if frame::write(&mut writer, &[&bytes]).await.is_err() {
            return;
        }
    }
}
