//! One connection to another party: its key for correlated randomness, and the runs that talk over it.
//!
//! A frame between parties is the run's 16-byte name, the lane (4 bytes, little-endian) and the message; an empty frame is
//! a sign of life. A run has many lanes, each with messages in order: one for every piece of work that goes on side by
//! side. The last lane number is no lane: on it a party says that it gives the run up, so that nobody waits for it.
//! When a connection breaks, every run on it ends at once, and the next connection has another key, so no randomness is
//! used twice.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, BufReader};
use wire::party::FRAME_LEN_MAX;

use crate::config::Tap;
use crate::outbox::{Frame, Outbox};
use crate::switchboard::{CannotBegin, LIMITS, Limits, Lost, Switchboard};

/// An empty frame is sent when nothing else was for so long.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(1);
/// A peer that is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Length of a run's name in front of each message.
const SESSION_LEN: usize = 16;
/// Length of a run's name and a lane.
pub(crate) const HEADER_LEN: usize = SESSION_LEN + 4;
/// On it a party gives a run up; the message is one byte, its reason.
const GIVE_UP_LANE: u32 = u32::MAX;
/// A frame's bytes are read from the connection in pieces of this size.
const READ_AT_ONCE: usize = 64 << 10;
/// Room that is made for a message before its bytes have come.
const RESERVED_MAX: usize = 1 << 20;

pub(crate) const NOT_POISONED: &str = "nobody panics while holding this lock";

/// A live connection to `peer`.
pub struct Link {
    /// Who is at the other end.
    pub peer: PartyId,
    /// The key that both ends derived when they connected.
    pub key: Secret<[u8; 32]>,
    outbox: Outbox,
    switchboard: Switchboard,
}

/// One run's side of a link. Dropping it ends the run on this link.
pub struct Conversation {
    link: Arc<Link>,
    session: SessionId,
}

impl Link {
    /// A link whose connection [`Link::run`] serves.
    pub fn new(peer: PartyId, key: Secret<[u8; 32]>) -> Arc<Self> {
        Self::with_limits(peer, key, LIMITS)
    }

    /// The same with other limits.
    pub(crate) fn with_limits(peer: PartyId, key: Secret<[u8; 32]>, limits: Limits) -> Arc<Self> {
        Arc::new(Self { peer, key, outbox: Outbox::default(), switchboard: Switchboard::new(limits) })
    }

    /// Whether the connection still stands.
    pub fn is_alive(&self) -> bool {
        self.switchboard.is_alive()
    }

    /// Begins the run `session` on this link.
    ///
    /// # Errors
    /// [`CannotBegin`].
    pub fn begin(self: &Arc<Self>, session: SessionId) -> Result<Conversation, CannotBegin> {
        self.switchboard.begin(session)?;
        Ok(Conversation { link: self.clone(), session })
    }

    /// Whether the run `session` has begun here and not ended.
    pub fn is_under_way(&self, session: SessionId) -> bool {
        self.switchboard.is_under_way(session)
    }

    fn give_up(&self, session: SessionId, reason: u8) {
        // A connection that is gone says it too.
        let _ = self.outbox.push(frame(session, GIVE_UP_LANE, vec![reason]), Duration::ZERO);
    }

    /// Tells the peer that nothing will come of the run `session`, which never begins here.
    pub fn refuse(&self, session: SessionId, reason: u8) {
        self.switchboard.end(session);
        self.give_up(session, reason);
    }

    /// Serves the connection until it breaks; then every run on it is told.
    pub async fn run<S: AsyncRead + AsyncWrite>(&self, stream: S, tap: Option<&Tap>) {
        let (reader, mut writer) = tokio::io::split(stream);
        tokio::select! {
            _ = self.receive(reader, tap) => {}
            _ = self.outbox.drain(&mut writer, SIGN_OF_LIFE_EVERY) => {}
        }
        self.close();
    }

    /// Wakes whoever waits for a message or for room.
    pub(crate) fn close(&self) {
        self.switchboard.close();
        self.outbox.close();
    }

    /// Takes in frames until the connection breaks or says something that is no frame.
    pub(crate) async fn receive(&self, reader: impl AsyncRead + Unpin, tap: Option<&Tap>) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(READ_AT_ONCE, reader);
        loop {
            let received = tokio::time::timeout(SILENCE_MAX, read_frame(&mut reader, tap)).await??;
            match received {
                Some((session, GIVE_UP_LANE, reason)) => self.switchboard.given_up(session, reason.first().copied().unwrap_or(0)),
                Some((session, lane, message)) => self.switchboard.deliver(session, lane, message),
                None => {}
            }
        }
    }
}

impl Conversation {
    /// The link it runs on.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Queues a message of this run; waits for room for at most `timeout`.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn send(&self, lane: u32, message: Vec<u8>, timeout: Duration) -> Result<(), Lost> {
        assert!(lane != GIVE_UP_LANE, "the last number is no lane");
        self.link.outbox.push(frame(self.session, lane, message), timeout)
    }

    /// Waits for the next message on `lane`, until nothing has come for the run for `silence`.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn receive(&self, lane: u32, silence: Duration) -> Result<Vec<u8>, Lost> {
        self.link.switchboard.receive(self.session, lane, silence)
    }

    /// Nobody here waits for this run any more.
    pub fn abandon(&self) {
        self.link.switchboard.abandon(self.session);
    }

    /// Tells the peer that nothing will come of this run here.
    pub fn give_up(&self, reason: u8) {
        self.link.give_up(self.session, reason);
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.link.switchboard.end(self.session);
    }
}

fn frame(session: SessionId, lane: u32, message: Vec<u8>) -> Frame {
    let mut header = [0; HEADER_LEN];
    header[..SESSION_LEN].copy_from_slice(&session.bits().to_le_bytes());
    header[SESSION_LEN..].copy_from_slice(&lane.to_le_bytes());
    Frame { header, message }
}

/// The next frame's run, lane and message; `None` for a sign of life.
///
/// # Errors
/// What the connection says; `InvalidData` for a frame of a length that none has.
pub async fn read_frame(reader: &mut (impl AsyncRead + Unpin), tap: Option<&Tap>) -> io::Result<Option<(SessionId, u32, Vec<u8>)>> {
    let len = reader.read_u32_le().await? as usize;
    if len == 0 {
        return Ok(None);
    }
    if !(HEADER_LEN..=FRAME_LEN_MAX).contains(&len) {
        tracing::error!("a frame of a length that no frame between parties has; do the parties have the same version?");
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut header = [0; HEADER_LEN];
    reader.read_exact(&mut header).await?;
    let len = len - HEADER_LEN;
    // Grown as bytes come in, so that a length alone takes no memory.
    let mut message = Vec::with_capacity(len.min(RESERVED_MAX));
    reader.take(len as u64).read_to_end(&mut message).await?;
    if message.len() < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if let Some(tap) = tap {
        tap(&header);
        tap(&message);
    }
    let (session, lane) = header.split_first_chunk::<SESSION_LEN>().expect("a header is longer than a name");
    let lane = u32::from_le_bytes(lane.try_into().expect("the rest of a header is a lane"));
    Ok(Some((SessionId::from_bits(u128::from_le_bytes(*session)), lane, message)))
}
