//! How this party's SQLite files are opened: WAL with `synchronous = FULL`, so that what was acknowledged survives a loss of
//! power, and `secure_delete`, so that what is deleted is overwritten.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// How long a statement waits for a backup that reads the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file, making it if it is missing.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a file that is there for reading it as it is now, whatever is written to it afterwards.
pub(crate) fn view(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    // A transaction sees the file as it was at its first read.
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    Ok(connection)
}

/// Moves overwritten pages into the file and empties the write-ahead log, which still holds what they held before.
///
/// # Errors
/// What SQLite says, busy included; then it may remain in the log.
pub(crate) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None));
    }
    Ok(())
}
