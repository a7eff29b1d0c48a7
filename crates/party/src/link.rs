//! One connection to another party: its key for correlated randomness, and the runs that talk over it.
//!
//! A frame between parties is the run's 16-byte name and the message; an empty frame is a sign of life. When a connection
//! breaks, every run on it ends at once, and the next connection has another key, so no randomness is used twice.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Tap;
use crate::frame;

/// An empty frame is sent when nothing else was for so long.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(1);
/// A peer that is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Runs that a peer may have begun before the platform told us; more are dropped.
const UNCLAIMED_MAX: usize = 256;
/// A run that a peer began and we were never told of is forgotten after so long.
const UNCLAIMED_FOR: Duration = Duration::from_secs(30);
/// Length of a run's name in front of each message.
const SESSION_LEN: usize = 16;

pub(crate) const NOT_POISONED: &str = "nobody panics while holding this lock";

/// A live connection to `peer`.
pub struct Link {
    /// Who is at the other end.
    pub peer: PartyId,
    /// The key that both ends derived when they connected.
    pub key: Secret<[u8; 32]>,
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    /// `None` once the connection is gone.
    inboxes: Mutex<Option<HashMap<SessionId, Inbox>>>,
}

/// Messages of one run that have come in.
struct Inbox {
    sender: Sender<Vec<u8>>,
    /// Taken by the run when it begins here.
    receiver: Option<Receiver<Vec<u8>>>,
    opened: Instant,
}

/// One run's side of a link.
pub struct Conversation {
    link: Arc<Link>,
    session: SessionId,
    inbox: Receiver<Vec<u8>>,
}

/// Why a run cannot begin on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotBegin {
    /// The connection is gone.
    Gone,
    /// A run of that name is under way.
    NameInUse,
}

/// The peer is gone, or its message did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl Link {
    /// A link and the queue of frames that [`Link::run`] sends.
    pub fn new(peer: PartyId, key: Secret<[u8; 32]>) -> (Arc<Self>, mpsc::UnboundedReceiver<Vec<u8>>) {
        let (outgoing, queue) = mpsc::unbounded_channel();
        (Arc::new(Self { peer, key, outgoing, inboxes: Mutex::new(Some(HashMap::new())) }), queue)
    }

    /// Whether the connection still stands.
    pub fn is_alive(&self) -> bool {
        self.inboxes.lock().expect(NOT_POISONED).is_some()
    }

    /// Begins the run `session` on this link.
    ///
    /// # Errors
    /// [`CannotBegin`].
    pub fn begin(self: &Arc<Self>, session: SessionId) -> Result<Conversation, CannotBegin> {
        let mut inboxes = self.inboxes.lock().expect(NOT_POISONED);
        let inboxes = inboxes.as_mut().ok_or(CannotBegin::Gone)?;
        let inbox = inboxes.entry(session).or_insert_with(Inbox::new).receiver.take().ok_or(CannotBegin::NameInUse)?;
        Ok(Conversation { link: self.clone(), session, inbox })
    }

    /// Serves the connection until it breaks; then every run on it is told.
    pub async fn run<S: AsyncRead + AsyncWrite>(&self, stream: S, queue: mpsc::UnboundedReceiver<Vec<u8>>, tap: Option<&Tap>) {
        let (reader, writer) = tokio::io::split(stream);
        tokio::select! {
            () = self.receive(reader, tap) => {}
            () = send(writer, queue) => {}
        }
        // Dropping the senders wakes whoever waits.
        self.inboxes.lock().expect(NOT_POISONED).take();
    }

    async fn receive<S: AsyncRead>(&self, mut reader: ReadHalf<S>, tap: Option<&Tap>) {
        while let Ok(Ok(bytes)) = tokio::time::timeout(SILENCE_MAX, frame::read(&mut reader)).await {
            if let Some(tap) = tap {
                tap(&bytes);
            }
            if bytes.is_empty() {
                continue;
            }
            let Some((session, message)) = bytes.split_first_chunk::<SESSION_LEN>() else {
                tracing::error!(peer = %self.peer, "a frame without a run's name");
                return;
            };
            self.deliver(SessionId::from_bits(u128::from_le_bytes(*session)), message.to_vec());
        }
    }

    fn deliver(&self, session: SessionId, message: Vec<u8>) {
        let mut inboxes = self.inboxes.lock().expect(NOT_POISONED);
        let Some(inboxes) = inboxes.as_mut() else { return };
        if !inboxes.contains_key(&session) {
            inboxes.retain(|_, inbox| inbox.receiver.is_none() || inbox.opened.elapsed() < UNCLAIMED_FOR);
            if inboxes.values().filter(|inbox| inbox.receiver.is_some()).count() >= UNCLAIMED_MAX {
                tracing::warn!(peer = %self.peer, %session, "too many runs that the platform has not asked for; dropped");
                return;
            }
        }
        // A run that has ended in the meantime wants no more messages.
        let _ = inboxes.entry(session).or_insert_with(Inbox::new).sender.send(message);
    }

    fn end(&self, session: SessionId) {
        if let Some(inboxes) = self.inboxes.lock().expect(NOT_POISONED).as_mut() {
            inboxes.remove(&session);
        }
    }
}

impl Inbox {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver: Some(receiver), opened: Instant::now() }
    }
}

impl Conversation {
    /// The link it runs on.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Queues a message of this run.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn send(&self, message: &[u8]) -> Result<(), Lost> {
        let mut bytes = Vec::with_capacity(SESSION_LEN + message.len());
        bytes.extend_from_slice(&self.session.bits().to_le_bytes());
        bytes.extend_from_slice(message);
        self.link.outgoing.send(bytes).map_err(|_| Lost)
    }

    /// Waits for this run's next message.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn receive(&self, timeout: Duration) -> Result<Vec<u8>, Lost> {
        self.inbox.recv_timeout(timeout).map_err(|_| Lost)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.link.end(self.session);
    }
}

async fn send<S: AsyncWrite>(mut writer: WriteHalf<S>, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    loop {
        let bytes = match tokio::time::timeout(SIGN_OF_LIFE_EVERY, queue.recv()).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(_) => Vec::new(),
        };
        if frame::write(&mut writer, &[&bytes]).await.is_err() {
            return;
        }
    }
}
