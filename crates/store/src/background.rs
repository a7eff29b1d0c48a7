//! Work for which nobody who pays waits.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// Of a processor that one thread wants all of, a thread with this gets about a fifth.
const NICE: i32 = 6;
/// How often a file is synced that is being written.
const SYNC_EVERY: Duration = Duration::from_millis(2);

/// From now on the calling thread leaves the processor first to those that answer somebody. Linux takes a thread where POSIX means its
/// whole process.
pub(crate) fn give_way() {
    if let Err(error) = setpriority_process(Some(gettid()), NICE) {
        tracing::warn!(%error, "a thread in the background takes as much time as those for whom somebody waits");
    }
}

/// Does `work`, which writes much to the file at `path`, and has the disk take it little by little: while it takes tens of megabytes at once,
/// a sync that somebody waits for takes tens of milliseconds. The last of it is left to whoever has to be sure of it.
///
/// Never for the database's own file: closing it would end the locks that SQLite has on it in this process.
///
/// # Errors
/// The disk did not take something. The system says so once: a file that is opened after that hears nothing of it.
pub(crate) fn sync_meanwhile<T>(path: &Path, work: impl FnOnce() -> T) -> io::Result<T> {
    let (working, done) = channel::<()>();
    std::thread::scope(|scope| {
        let syncing = scope.spawn(move || {
            give_way();
            let file = File::open(path)?;
            while done.recv_timeout(SYNC_EVERY) == Err(RecvTimeoutError::Timeout) {
                file.sync_data()?;
            }
            Ok(())
        });
        let outcome = work();
        drop(working);
        syncing.join().expect("syncing does not panic").map(|()| outcome)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_does_not_take_is_said() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(sync_meanwhile(file.path(), || 1).expect("syncs"), 1);
        // A device that cannot be synced.
        let slow = || std::thread::sleep(100 * SYNC_EVERY);
        assert!(sync_meanwhile(Path::new("/dev/null"), slow).is_err());
        assert!(sync_meanwhile(Path::new("/nowhere"), slow).is_err());
    }
}
