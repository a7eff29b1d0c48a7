//! Frames on their way to one peer: a queue of bounded size between the threads of the runs and the socket's task.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::link::{HEADER_LEN, NOT_POISONED};
use crate::switchboard::Lost;

/// Bytes that wait for the socket at most; who sends more waits.
const BYTES_MAX: usize = 32 << 20;
/// Frames up to this length are put together before they go to the socket; longer ones are not copied.
const TOGETHER_MAX: usize = 16 << 10;
/// Bytes of a frame's length.
const LEN_LEN: usize = 4;

/// The queue of one link.
#[derive(Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    has_room: Condvar,
    has_frames: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    is_closed: bool,
}

/// A message and what stands in front of it.
pub struct Frame {
    /// The run's name and the lane.
    pub header: [u8; HEADER_LEN],
    /// What the protocol sends.
    pub message: Vec<u8>,
}

impl Outbox {
    /// Queues `frame`; waits for room for at most `timeout`.
    ///
    /// # Errors
    /// [`Lost::Gone`], [`Lost::TimedOut`].
    pub fn push(&self, frame: Frame, timeout: Duration) -> Result<(), Lost> {
        let mut queue = self.queue.lock().expect(NOT_POISONED);
        let until = Instant::now() + timeout;
        while queue.bytes > BYTES_MAX && !queue.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lost::TimedOut);
            }
            queue = self.has_room.wait_timeout(queue, left).expect(NOT_POISONED).0;
        }
        if queue.is_closed {
            return Err(Lost::Gone);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.has_frames.notify_one();
        Ok(())
    }

    /// Whoever waits for room is told that the connection is gone.
    pub fn close(&self) {
        let mut queue = self.queue.lock().expect(NOT_POISONED);
        queue.is_closed = true;
        queue.frames.clear();
        self.has_room.notify_all();
    }

    /// Writes what is queued until the connection breaks; an empty frame when nothing was queued for `quiet`.
    pub async fn drain<W: AsyncWrite + Unpin>(&self, writer: &mut W, quiet: Duration) -> io::Result<()> {
        let mut together = Vec::with_capacity(2 * TOGETHER_MAX);
        loop {
            let frames = self.take_all();
            if frames.is_empty() && tokio::time::timeout(quiet, self.has_frames.notified()).await.is_ok() {
                continue;
            }
            if frames.is_empty() {
                writer.write_all(&[0; LEN_LEN]).await?;
            }
            for frame in frames {
                together.extend_from_slice(&((HEADER_LEN + frame.message.len()) as u32).to_le_bytes());
                together.extend_from_slice(&frame.header);
                if frame.message.len() <= TOGETHER_MAX {
                    together.extend_from_slice(&frame.message);
                    if together.len() < TOGETHER_MAX {
                        continue;
                    }
                    writer.write_all(&together).await?;
                } else {
                    // The head fills up the record that the front of the message goes into.
                    let (front, rest) = frame.message.split_at(TOGETHER_MAX.saturating_sub(together.len()));
                    together.extend_from_slice(front);
                    writer.write_all(&together).await?;
                    writer.write_all(rest).await?;
                }
                together.clear();
            }
            writer.write_all(&together).await?;
            together.clear();
            writer.flush().await?;
        }
    }

    fn take_all(&self) -> VecDeque<Frame> {
        let mut queue = self.queue.lock().expect(NOT_POISONED);
        queue.bytes = 0;
        self.has_room.notify_all();
        std::mem::take(&mut queue.frames)
    }
}

impl Frame {
    fn len(&self) -> usize {
        LEN_LEN + HEADER_LEN + self.message.len()
    }
}
