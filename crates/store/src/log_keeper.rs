//! SQLite's write-ahead log is written into the file beside the writer, by a thread with a connection of its own, so that
//! nobody who pays waits for it: a little at a time, because the disk does that and the sync that somebody waits for by turns. It goes on
//! until nothing came in meanwhile: only then SQLite syncs the file. The writer does the little that is left when the log is long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::db::{Connection, Location, Role};

/// Between two looks at what was written.
const EVERY: Duration = Duration::from_millis(250);
/// Requests that were committed since the last time, for it to be worth while.
const PARTS_MIN: u64 = 256;
/// How often the thread tries to end with nothing left to write.
const TRIES: u32 = 8;

/// The thread.
pub(crate) struct LogKeeper {
    /// Requests that were committed since the log was last written into the file.
    parts: Arc<AtomicU64>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LogKeeper {
    /// Starts it, for a database that has such a log.
    pub(crate) fn start(location: &Location) -> Option<Self> {
        let Location::Sqlite(_) = location else { return None };
        let (stop, stopped) = channel();
        let parts = Arc::new(AtomicU64::new(0));
        let (counted, location) = (parts.clone(), location.clone());
        let thread = std::thread::Builder::new().name("store-log".into()).spawn(move || keep(&location, &counted, &stopped));
        Some(Self { parts, stop: Some(stop), thread: Some(thread.expect("the system has room for one thread")) })
    }

    /// The writer has committed so many requests.
    pub(crate) fn committed(&self, parts: usize) {
        self.parts.fetch_add(parts as u64, Ordering::Relaxed);
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of the write-ahead log ended in disorder");
        }
    }
}

fn keep(location: &Location, parts: &AtomicU64, stopped: &Receiver<()>) {
    let connection = match Connection::open(location, Role::Reader) {
        Ok(connection) => connection,
        // The writer does it alone then, when the log is long.
        Err(error) => return tracing::warn!(%error, "the write-ahead log is not looked after"),
    };
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        if parts.load(Ordering::Relaxed) >= PARTS_MIN {
            parts.store(0, Ordering::Relaxed);
            write_all(&connection);
        }
    }
}

/// Writes the log into the file until all of it is there and synced, or writers are always faster.
fn write_all(connection: &Connection) {
    let Connection::Sqlite(sqlite) = connection else { return };
    for _ in 0..TRIES {
        match sqlite.write_log() {
            Ok((pages, written)) if written < pages => {}
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log was not written into the file");
                break;
            }
        }
    }
}
