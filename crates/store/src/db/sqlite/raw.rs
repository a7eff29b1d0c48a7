//! What SQLite is asked for: one connection, one statement, its values.

use std::fs::File;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::portions;
use crate::db::encoded::EncodedRow;
use crate::db::{DbError, Role, Row, Value};

/// How long a statement waits for another process that holds the file, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 256;
/// Memory for pages of the file that the writer keeps, in KiB: a batch of payments touches some hundred pages all over it.
const WRITER_CACHE_KIB: u32 = 64 * 1024;
/// Pages in the write-ahead log, 512 MiB, at which SQLite itself writes them into the file, if its keeper has not come to that.
const LOG_PAGES: u32 = 131_072;
/// Bytes on the disk that are enough for all rows that may wait: what a full redo log holds, some 48,000 payments, changes some nine pages
/// for each, nearly all of this.
const ROOM_MIN: u64 = 2 << 30;

pub(super) fn open(path: &Path, role: Role) -> Result<Connection, DbError> {
    portions::register();
    let connection = Connection::open(path)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};"
    ))?;
    // Else SQLite looks at the values when it plans, and then plans anew for every value: as dear as many a statement itself.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if role == Role::Writer {
        connection.execute_batch(&format!("PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA wal_autocheckpoint = {LOG_PAGES}"))?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}

/// Begins a transaction that writes; the file's version, which changes when another connection has written.
pub(super) fn begin_writing(connection: &Connection) -> Result<i64, DbError> {
    run(connection, "BEGIN IMMEDIATE")?;
    let version = connection.prepare_cached("PRAGMA data_version").and_then(|mut version| version.query_row([], |row| row.get(0)));
    version.or_else(|error| {
        run(connection, "ROLLBACK")?;
        Err(error.into())
    })
}

/// Whether the file and its log, in `path`, have room for all that may wait for them.
pub(super) fn has_room(path: &Path, connection: &Connection) -> Result<bool, DbError> {
    let number = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, u64>(0));
    let pages = number("PRAGMA max_page_count")?.saturating_sub(number("PRAGMA page_count")?);
    let disk = rustix::fs::statvfs(path).map_err(|error| DbError::Redo(error.into()))?;
    Ok(pages.saturating_mul(number("PRAGMA page_size")?).min(disk.f_bavail.saturating_mul(disk.f_frsize)) >= ROOM_MIN)
}

pub(super) fn set_position(connection: &Connection, number: u64) -> Result<(), DbError> {
    connection.prepare_cached("UPDATE redo_log SET position = ?1")?.execute([number])?;
    Ok(())
}

pub(super) fn query(
    connection: &Connection,
    sql: &str,
    values: &[Value],
    each: &mut dyn FnMut(&Row) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        each(&Row::Sqlite(row))?;
    }
    Ok(())
}

/// Writes `rows` of the statement `sql`.
pub(super) fn write_rows(connection: &Connection, sql: &str, rows: &[EncodedRow]) -> Result<(), DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    for row in rows {
        statement.execute(rusqlite::params_from_iter(row.values()))?;
    }
    Ok(())
}

pub(super) fn write_log(connection: &Connection) -> Result<(u32, u32), DbError> {
    let pages: (i64, i64) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    // -1 without a log.
    let count = |pages: i64| u32::try_from(pages).unwrap_or(0);
    Ok((count(pages.0), count(pages.1)))
}

/// Makes durable what SQLite has committed to its own log: while there is a redo log it does not do so itself.
pub(crate) fn sync_log(database: &Path) -> Result<(), DbError> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    match File::open(log) {
        Ok(log) => log.sync_data().map_err(DbError::Redo),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DbError::Redo(error)),
    }
}

/// The value of a column.
pub(in crate::db) fn column<'a>(row: &'a rusqlite::Row<'a>, at: usize) -> Result<Value<'a>, DbError> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(|_| DbError::Column(format!("column {at} holds no UTF-8")))?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
        ValueRef::Real(_) => return Err(DbError::Column(format!("column {at} holds a fraction"))),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Integer(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Id(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
