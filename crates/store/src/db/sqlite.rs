//! SQLite: one file, write-ahead log, every commit on disk before it is answered.

use std::cell::Cell;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::{DbError, Known, Role, Row, Value};

/// How long a statement waits for another process that holds the file, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 256;

/// A connection to the file.
pub(crate) struct Sqlite {
    connection: Connection,
    pub(super) known: Known,
    /// Changes when another connection has written.
    version: Cell<i64>,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, DbError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};"
        ))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self { connection, known: Known::default(), version: Cell::new(0) })
    }

    pub(super) fn begin(&self, role: Role) -> Result<(), DbError> {
        let sql = match role {
            Role::Writer => "BEGIN IMMEDIATE",
            Role::Reader => "BEGIN DEFERRED",
        };
        self.execute(sql, &[])?;
        if role == Role::Writer {
            // Another process may write to the file between two transactions.
            let version = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
            if self.version.replace(version) != version {
                self.known.forget_all();
            }
        }
        Ok(())
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), DbError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbError> {
        Ok(self.connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))? as u64)
    }

    pub(super) fn query(&self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    /// Writes the write-ahead log into the file and empties it, as far as readers allow; the next time does the rest.
    pub(crate) fn empty_log(&self) -> Result<(), DbError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Lets the file grow by at most `pages` pages from now on.
    pub(crate) fn limit_growth(&self, pages: u32) -> Result<(), DbError> {
        let now: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        Ok(self.connection.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))?)
    }
}

/// The value of a column.
pub(super) fn column<'a>(row: &'a rusqlite::Row<'a>, at: usize) -> Result<Value<'a>, DbError> {
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
