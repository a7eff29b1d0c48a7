//! Copies of the journal, and putting one back. A copy holds the log and sealed rows, never a key: without the keys beside
//! the running party it opens nothing, and what was deleted since it was made stays deleted.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::directory::Directory;
use crate::error::Error;
use crate::gallery::snapshot::LogState;
use crate::sqlite;
use crate::store::{FILE_NAME, Store};

/// Copies the journal of the party in `directory` to the new file `to`, while the party may be running; says how far the
/// copy's log is.
///
/// # Errors
/// [`Error::StoreUnusable`], [`Error::BackupUnusable`].
pub fn backup(directory: &Path, to: &Path) -> Result<LogState, Error> {
    let unusable = |source| Error::BackupUnusable { path: to.to_owned(), reason: source };
    if !directory.join(FILE_NAME).is_file() {
        return Err(unusable(format!("{} holds no party's journal", directory.display())));
    }
    // For the party's own user alone, and never over another copy.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|error| unusable(error.to_string()))?;
    let from = sqlite::open(&directory.join(FILE_NAME))?;
    let mut copy = Connection::open(to)?;
    // In one go: between two the party may write, and the copy would begin anew.
    if Backup::new(&from, &mut copy)?.step(-1)? != StepResult::Done {
        return Err(unusable("the journal is in use; try again".into()));
    }
    // One file, without a log beside it.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    copy.close().map_err(|(_, error)| error)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| unusable(error.to_string()))?;
    check(to)
}

/// Puts the copy `from` in place of the journal in `directory`, whose party must not run. Keys and segments stay: the next
/// start brings them to the journal's state, and what the log has gone on with since comes from the other two parties.
///
/// # Errors
/// [`Error::DirectoryInUse`], [`Error::StoreUnusable`], [`Error::BackupUnusable`]; then nothing has changed.
pub fn restore(directory: &Path, from: &Path) -> Result<LogState, Error> {
    let unusable = |error: std::io::Error| Error::BackupUnusable { path: from.to_owned(), reason: error.to_string() };
    let log = check(from)?;
    let lock = Directory::lock(directory)?;
    let (journal, incoming) = (lock.path().join(FILE_NAME), lock.path().join("incoming.sqlite"));
    fs::copy(from, &incoming).and_then(|_| File::open(&incoming)?.sync_all()).map_err(unusable)?;
    // What the journal's own log still holds goes into the journal first, unless it is past that.
    if let Ok(Err(error)) = sqlite::open(&journal).map(|connection| sqlite::empty_log(&connection)) {
        tracing::warn!(%error, "the journal that is replaced was not whole");
    }
    for beside in ["-wal", "-shm"] {
        match fs::remove_file(lock.path().join(format!("{FILE_NAME}{beside}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
    }
    fs::rename(&incoming, &journal).and_then(|()| File::open(lock.path())?.sync_all()).map_err(unusable)?;
    Ok(log)
}

/// Whether the file is a party's whole journal of this version; how far its log is.
fn check(path: &Path) -> Result<LogState, Error> {
    let unusable = |reason: String| Error::BackupUnusable { path: path.to_owned(), reason };
    if !path.is_file() {
        return Err(unusable("there is no such file".into()));
    }
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| unusable(format!("it is no database: {error}")))?;
    if found != "ok" {
        return Err(unusable(format!("it is damaged: {found}")));
    }
    Store::of(connection)?.log().map_err(|_| unusable("it is no party's journal".into()))
}
