//! Threads for which nobody who pays waits.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// Of a processor that one thread wants all of, a thread with this gets about a fifth.
const NICE: i32 = 6;

/// From now on the calling thread leaves the processor first to those that answer somebody. Linux takes a thread where POSIX means its
/// whole process.
pub(crate) fn give_way() {
    if let Err(error) = setpriority_process(Some(gettid()), NICE) {
        tracing::warn!(%error, "a thread in the background takes as much time as those for whom somebody waits");
    }
}
