//! Workers: processes of a party's own organisation, maybe on other machines, that work on chunks of its gallery for it.
//!
//! A worker dials its party, each knowing the other's certificate, and is sent copies of whole segments, which it keeps in
//! memory only. For a run, the chunks that it has are handed to it: it scans them and runs `mpc::protocol::chunk` with its
//! messages tunnelled through the party, so that the other two parties notice nothing. The party keeps its whole gallery:
//! a worker that is lost takes nothing with it. `docs/operations.md` says what it costs.
//!
//! Read in this order: [`assignment`] (who works on what), [`message`] (what the two say), [`registry`] and [`handed`] (the
//! party's side of a run), [`connection`] (of a connection), [`copies`] and [`process`] (the worker).
//!
//! Invariant: a chunk is handed out only to a worker that has confirmed all its segments as of the run's own stamps.

pub mod assignment;
pub mod connection;
pub mod copies;
pub mod handed;
pub mod message;
pub mod process;
pub mod registry;

use std::io;
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::sync::mpsc;

use self::message::Bytes;
use crate::frame;

/// An empty frame is sent when nothing else was for so long.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(1);
/// Who is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Writes frames until a queue ends or the connection breaks; what is urgent goes before what is not.
async fn write_frames(
    writer: &mut (impl AsyncWrite + Unpin),
    urgent: &mut mpsc::UnboundedReceiver<Bytes>,
    others: &mut mpsc::Receiver<Bytes>,
) -> io::Result<()> {
    loop {
        let bytes = tokio::select! {
            biased;
            bytes = urgent.recv() => bytes,
            bytes = others.recv() => bytes,
            () = tokio::time::sleep(SIGN_OF_LIFE_EVERY) => Some(Bytes::default()),
        };
        let Some(bytes) = bytes else { return Ok(()) };
        frame::write(writer, &[&bytes]).await?;
    }
}
