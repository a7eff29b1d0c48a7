//! SQLite's own files, except that what a thread in the background writes reaches the disk in small portions: while a disk takes tens of
//! megabytes at once, a sync that somebody waits for takes tens of milliseconds.
//!
//! This is in SQLite's file layer (<https://www.sqlite.org/vfs.html>) because one call of SQLite writes a whole log into the file, and
//! because who opened that file beside SQLite and closed it again would end SQLite's locks on it. SQLite's default layer is registered a
//! second time, with two functions of our own: the one that opens a file, and the one that writes to it.
#![expect(unsafe_code, reason = "SQLite's file layer is functions of C; this module alone in the crate has any")]

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

/// The layer's name, for those who open a connection.
pub(super) const NAME: &CStr = c"portions";

thread_local! {
    /// Bytes of a portion, and bytes that this thread wrote since the last one.
    static PORTION: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// From now on, a file is synced whenever the calling thread has written so many bytes. An error of the disk is that of what it wrote.
pub(crate) fn write_in_portions(bytes: usize) {
    PORTION.set(Some((bytes, 0)));
}

/// Whether a portion is complete with `len` bytes more.
fn is_complete_with(len: c_int) -> bool {
    let Some((portion, written)) = PORTION.get() else { return false };
    let written = written + usize::try_from(len).unwrap_or(0);
    let is_complete = written >= portion;
    PORTION.set(Some((portion, if is_complete { 0 } else { written })));
    is_complete
}

/// SQLite's default layer.
struct Layer(*mut sqlite3_vfs);

/// The functions of a kind of file.
struct Methods {
    theirs: *const sqlite3_io_methods,
    ours: sqlite3_io_methods,
}

// SAFETY: what it points to is there for ever and is not written to.
unsafe impl Send for Layer {}
// SAFETY: the same.
unsafe impl Sync for Layer {}
// SAFETY: the same.
unsafe impl Send for Methods {}
// SAFETY: the same.
unsafe impl Sync for Methods {}

static LAYER: OnceLock<Layer> = OnceLock::new();
/// Of the database's file, and of its log, which has no locks.
static METHODS: [OnceLock<Methods>; 2] = [const { OnceLock::new() }; 2];

/// Registers the layer, if it is not.
pub(super) fn register() {
    LAYER.get_or_init(|| {
        // SAFETY: SQLite begins first; a null name is the default layer's.
        let theirs = unsafe {
            ffi::sqlite3_initialize();
            ffi::sqlite3_vfs_find(ptr::null())
        };
        assert!(!theirs.is_null(), "SQLite has a file layer");
        // SAFETY: it points to one.
        let ours = sqlite3_vfs { pNext: ptr::null_mut(), zName: NAME.as_ptr(), xOpen: Some(open), ..unsafe { *theirs } };
        // SAFETY: what is registered is never freed.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 0) };
        assert_eq!(registered, ffi::SQLITE_OK, "there is room for a file layer");
        Layer(theirs)
    });
}

unsafe extern "C" fn open(_: *mut sqlite3_vfs, name: sqlite3_filename, file: *mut sqlite3_file, flags: c_int, given: *mut c_int) -> c_int {
    let Layer(layer) = LAYER.get().expect("is registered");
    // SAFETY: SQLite's own arguments, for the layer of which the registered one is a copy.
    let opened = unsafe { (**layer).xOpen.expect("every layer has it")(*layer, name, file, flags, given) };
    let kind = match flags {
        _ if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => &METHODS[0],
        _ if flags & ffi::SQLITE_OPEN_WAL != 0 => &METHODS[1],
        _ => return opened,
    };
    // SAFETY: whoever opens a file says what its functions are, or that there are none.
    let theirs = unsafe { (*file).pMethods };
    if opened == ffi::SQLITE_OK && !theirs.is_null() {
        // SAFETY: it points to them.
        let methods = kind.get_or_init(|| Methods { theirs, ours: sqlite3_io_methods { xWrite: Some(write), ..unsafe { *theirs } } });
        // On a file system with locks of another kind the functions are others, and are left as they are.
        if ptr::eq(theirs, methods.theirs) {
            // SAFETY: the same functions except for one, which are there for ever.
            unsafe { (*file).pMethods = &raw const methods.ours };
        }
    }
    opened
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, len: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: an open file, with functions of ours.
    let ours = unsafe { (*file).pMethods };
    let methods = METHODS.iter().filter_map(OnceLock::get).find(|methods| ptr::eq(&raw const methods.ours, ours)).expect("has them");
    // SAFETY: SQLite's own arguments, for the function in whose place this one is.
    let written = unsafe { (*methods.theirs).xWrite.expect("every file has it")(file, bytes, len, at) };
    if written != ffi::SQLITE_OK || !is_complete_with(len) {
        return written;
    }
    #[cfg(test)]
    if tests::IS_DISK_BROKEN.get() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    // SAFETY: an open file, and how SQLite syncs one whose length is of no concern.
    unsafe { (*methods.theirs).xSync.expect("every file has it")(file, ffi::SQLITE_SYNC_NORMAL | ffi::SQLITE_SYNC_DATAONLY) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Role;
    use crate::db::sqlite::Sqlite;

    thread_local! {
        /// The disk takes nothing more from this thread.
        pub(super) static IS_DISK_BROKEN: Cell<bool> = const { Cell::new(false) };
    }

    #[test]
    fn a_disk_that_takes_a_portion_no_longer_is_heard_of_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("portions.db");
        let sqlite = Sqlite::open(&path, Role::Writer).expect("opens");
        sqlite.batch("CREATE TABLE t (a BLOB)").expect("is made");
        // 1 MB. Without a sync at its end only those of portions are left.
        let add = || sqlite.batch("PRAGMA synchronous = OFF; INSERT INTO t VALUES (randomblob(1000000))");
        let pages = || sqlite.write_log().map(|(_, written)| written);
        IS_DISK_BROKEN.set(true);
        add().expect("is not synced");
        write_in_portions(2_000_000);
        add().expect("is less than a portion");
        assert!(add().is_err(), "is more than a portion");
        assert!(pages().is_err(), "so is the log that comes into the file");
        IS_DISK_BROKEN.set(false);
        add().expect("is synced");
        assert!(pages().expect("is synced") > 700);
        let count: i64 = sqlite.main().query_row("SELECT count(*) FROM t", (), |row| row.get(0)).expect("reads");
        assert_eq!(count, 3, "what failed is undone");
    }
}
