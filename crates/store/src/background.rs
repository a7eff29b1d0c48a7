//! Work for which nobody who pays waits.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

use crate::db::write_in_portions;

/// Of a processor that one thread wants all of, a thread with this gets about a fifth.
const NICE: i32 = 6;
/// Bytes of a file that the disk is to take at once, which holds up a payment's own sync for a fraction of a millisecond.
const PORTION: usize = 128 << 10;

/// From now on the calling thread leaves the processor first to those that answer somebody, and the disk between two portions. Linux takes
/// a thread where POSIX means its whole process.
pub(crate) fn give_way() {
    if let Err(error) = setpriority_process(Some(gettid()), NICE) {
        tracing::warn!(%error, "a thread in the background takes as much time as those for whom somebody waits");
    }
    write_in_portions(PORTION);
}
