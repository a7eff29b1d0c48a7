//! What a thread in the background writes into SQLite's files goes on to the disk at once, a little at a time: while a disk takes tens of
//! megabytes, a sync that somebody waits for takes tens of milliseconds.
//!
//! SQLite lets its calls of the system be replaced (<https://www.sqlite.org/c3ref/vfs.html>, `xSetSystemCall`), and the one that writes is,
//! by one that now and then has the file's pages written out (`sync_file_range(2)`). It is done there because one call of SQLite writes a whole
//! log into the file, and because who opened that file beside SQLite and closed it again would end SQLite's locks on it. Nothing is
//! durable by it: for that SQLite syncs as always.
#![expect(unsafe_code, reason = "what SQLite calls is a function of C; this module alone in the crate has any")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::transmute;
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi;

thread_local! {
    /// Bytes of a portion, and bytes that this thread wrote since the last one.
    static PORTION: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// What of a file is not on its way to the disk is sent there, and all that is on its way is waited for.
const WRITE_OUT: u32 = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;

type Write = unsafe extern "C" fn(c_int, *const c_void, usize, libc::off_t) -> isize;

/// From now on, a file is written out whenever the calling thread has written so many bytes. An error of the disk is that of what it wrote.
pub(crate) fn write_in_portions(bytes: usize) {
    PORTION.set(Some((bytes, 0)));
}

/// Whether a portion is complete with `len` bytes more.
fn is_complete_with(len: usize) -> bool {
    let Some((portion, written)) = PORTION.get() else { return false };
    let is_complete = written + len >= portion;
    PORTION.set(Some((portion, if is_complete { 0 } else { written + len })));
    is_complete
}

/// Has SQLite write by [`write`], if it does not.
pub(super) fn register() {
    static IS_DONE: OnceLock<()> = OnceLock::new();
    IS_DONE.get_or_init(|| {
        // SAFETY: SQLite begins first; a null name is the default layer's.
        let layer = unsafe {
            ffi::sqlite3_initialize();
            ffi::sqlite3_vfs_find(ptr::null())
        };
        // SAFETY: a layer's functions, called with that layer, names that end in a zero, and a function of the kind that is replaced.
        let replaced = [c"pwrite", c"pwrite64"].into_iter().filter(|name| unsafe {
            let (known, set) = ((*layer).xGetSystemCall, (*layer).xSetSystemCall);
            let (known, set) = (known.expect("Unix's layer has it"), set.expect("Unix's layer has it"));
            known(layer, name.as_ptr()).is_some()
                && set(layer, name.as_ptr(), Some(transmute::<Write, unsafe extern "C" fn()>(write))) == ffi::SQLITE_OK
        });
        assert_ne!(replaced.count(), 0, "SQLite is built to write at a place");
    });
}

/// In place of `pwrite(2)`, for 64-bit systems that of either name.
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, len: usize, at: libc::off_t) -> isize {
    // SAFETY: SQLite's own arguments.
    let written = unsafe { libc::pwrite(file, bytes, len, at) };
    if is_complete_with(usize::try_from(written).unwrap_or(0)) && !write_out(file) { -1 } else { written }
}

/// Whether the disk took what was written so far; if not, `errno` says why.
fn write_out(file: c_int) -> bool {
    #[cfg(test)]
    if IS_DISK_BROKEN.get() {
        // SAFETY: the calling thread's own.
        unsafe { *libc::__errno_location() = libc::EIO };
        return false;
    }
    // SAFETY: an open file; no length is all of it.
    let is_out = unsafe { libc::sync_file_range(file, 0, 0, WRITE_OUT) } == 0;
    // A file system that cannot do this takes it at SQLite's own sync.
    is_out || !matches!(io::Error::last_os_error().raw_os_error(), Some(libc::EIO | libc::ENOSPC | libc::EDQUOT))
}

#[cfg(test)]
thread_local! {
    static IS_DISK_BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// From now on the disk takes no portion, or takes them again, from this thread.
#[cfg(test)]
pub(crate) fn break_disk(is_broken: bool) {
    IS_DISK_BROKEN.set(is_broken);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Role;
    use crate::db::sqlite::Sqlite;

    #[test]
    fn a_disk_that_takes_a_portion_no_longer_is_heard_of_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("portions.db");
        let sqlite = Sqlite::open(&path, Role::Writer).expect("opens");
        sqlite.batch("CREATE TABLE t (a BLOB)").expect("is made");
        // 1 MB. Without a sync at its end only those of portions are left.
        let add = || sqlite.batch("PRAGMA synchronous = OFF; INSERT INTO t VALUES (randomblob(1000000))");
        let pages = || sqlite.write_log().map(|(_, written)| written);
        break_disk(true);
        add().expect("is not synced");
        write_in_portions(2_000_000);
        add().expect("is less than a portion");
        assert!(add().is_err(), "is more than a portion");
        assert!(pages().is_err(), "so is the log that comes into the file");
        break_disk(false);
        add().expect("is synced");
        assert!(pages().expect("is synced") > 700);
        let count: i64 = sqlite.main().query_row("SELECT count(*) FROM t", (), |row| row.get(0)).expect("reads");
        assert_eq!(count, 3, "what failed is undone");
    }
}
