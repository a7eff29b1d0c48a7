//! SQLite's write-ahead log is written into the file beside the writer, by a thread with a connection of its own, so that
//! nobody who pays waits for it: a little at a time, because the disk does that and the sync that somebody waits for by turns. It goes on
//! until nothing came in meanwhile: only then SQLite syncs the file. For a long log to begin anew the little that came in since must be
//! added between two transactions, by whoever writes: the thread that folds, for which nobody waits, or the writer where there is none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::background;
use crate::db::{Connection, DbError, Location, Role};

/// Between two looks at what was written: a page that all payments of that time touch is then written once.
const EVERY: Duration = Duration::from_secs(1);
/// Requests that were committed since the last time, for it to be worth while.
const PARTS_MIN: u64 = 256;
/// How often the thread tries to end with nothing left to write.
const TRIES: u32 = 8;
/// Pages in the log, 256 MiB, from which on it is to begin anew, which keeps the thread that folds from its work for a quarter of a second.
const PAGES_MIN: u32 = 65_536;

/// The thread.
pub(crate) struct LogKeeper {
    signs: Arc<Signs>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer and the thread tell each other.
#[derive(Default)]
struct Signs {
    /// Requests that were committed since the log was last written into the file.
    parts: AtomicU64,
    /// Nearly all of a long log is in the file.
    is_nearly_done: AtomicBool,
    /// Why the disk did not take something, of which the system tells nobody else.
    failed: Mutex<Option<DbError>>,
}

impl LogKeeper {
    /// Starts it, for a database that has such a log.
    pub(crate) fn start(location: &Location) -> Option<Self> {
        let Location::Sqlite(_) = location else { return None };
        let (stop, stopped) = channel();
        let signs = Arc::new(Signs::default());
        let (shown, location) = (signs.clone(), location.clone());
        let thread = std::thread::Builder::new().name("store-log".into()).spawn(move || keep(&location, &shown, &stopped));
        Some(Self { signs, stop: Some(stop), thread: Some(thread.expect("the system has room for one thread")) })
    }

    /// So many requests were committed. `true`: it is time that whoever writes calls [`LogKeeper::finish`] between two transactions, or
    /// does as much.
    pub(crate) fn committed(&self, parts: usize) -> bool {
        self.signs.parts.fetch_add(parts as u64, Ordering::Relaxed);
        self.signs.is_nearly_done.swap(false, Ordering::Relaxed)
    }

    /// Writes what is left of the log into the file, so that it begins anew.
    pub(crate) fn finish(&self, connection: &Connection) -> Result<(), DbError> {
        write_log(connection).map(drop)
    }

    /// Why the disk may lack something that was committed, whatever it answers from now on; said once.
    pub(crate) fn failed(&self) -> Option<DbError> {
        self.signs.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
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

fn keep(location: &Location, signs: &Signs, stopped: &Receiver<()>) {
    background::give_way();
    let connection = match Connection::open(location, Role::Reader) {
        Ok(connection) => connection,
        // The writer does it alone then, when the log is long.
        Err(error) => return tracing::warn!(%error, "the write-ahead log is not looked after"),
    };
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        if signs.parts.load(Ordering::Relaxed) >= PARTS_MIN {
            signs.parts.store(0, Ordering::Relaxed);
            tend(&connection, signs);
        }
    }
}

fn tend(connection: &Connection, signs: &Signs) {
    match write_all(connection) {
        Ok(pages) => signs.is_nearly_done.store(pages >= PAGES_MIN, Ordering::Relaxed),
        Err(error) => *signs.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
    }
}

/// Writes the log into the file until all of it is there and synced, or writers are always faster; the pages that it had.
fn write_all(connection: &Connection) -> Result<u32, DbError> {
    let mut pages = 0;
    for _ in 0..TRIES {
        let (of, written) = write_log(connection)?;
        pages = of;
        if written >= of {
            break;
        }
    }
    Ok(pages)
}

/// Writes the log into the file as far as nobody holds it up; the pages that it had, and how many of them are in the file. For want of room
/// it stays as it is.
fn write_log(connection: &Connection) -> Result<(u32, u32), DbError> {
    let Connection::Sqlite(sqlite) = connection else { return Ok((0, 0)) };
    let written = sqlite.write_log();
    if let Err(error) = &written {
        tracing::warn!(%error, "the write-ahead log was not written into the file");
    }
    written.or_else(|error| if error.is_full() { Ok((0, 0)) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background;
    use crate::db::break_disk;

    #[test]
    fn a_disk_that_does_not_take_the_log_is_told_of_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let location = Location::Sqlite(directory.path().join("log.db"));
        let connection = Connection::open(&location, Role::Writer).expect("opens");
        connection.batch("CREATE TABLE t (a BLOB); INSERT INTO t VALUES (randomblob(1000000))").expect("is written");
        let (stop, _stopped) = channel();
        let keeper = LogKeeper { signs: Arc::default(), stop: Some(stop), thread: None };
        background::give_way();
        break_disk(true);
        tend(&connection, &keeper.signs);
        assert!(keeper.finish(&connection).is_err());
        break_disk(false);
        assert!(keeper.failed().is_some() && keeper.failed().is_none());
        tend(&connection, &keeper.signs);
        assert!(keeper.failed().is_none());
    }
}
