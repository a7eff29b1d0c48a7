//! SQLite: one file with its write-ahead log. Every commit is on disk when it returns, unless a redo log makes batches durable first.

use std::cell::{Cell, RefCell};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::rows::{Group, Kept};
use super::waiting::{Database, Waiting};
use super::{DbError, Known, Role, Row, Value};
use crate::redo::Recording;

/// How long a statement waits for another process that holds the file, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 256;
/// Memory for pages of the file that the writer keeps, in KiB: a batch of payments touches some hundred pages all over it.
const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// Pages in the write-ahead log, 512 MiB, at which SQLite itself writes them into the file, if its keeper has not come to that.
const LOG_PAGES: u32 = 131_072;

/// A connection to the file.
pub(crate) struct Sqlite {
    connection: Connection,
    pub(super) known: Known,
    /// Changes when another connection has written.
    version: Cell<i64>,
    waiting: RefCell<Waiting>,
    /// Why the transaction was given up: rows that waited could not be written.
    given_up: RefCell<Option<DbError>>,
    /// What the open batch wrote, for the redo log.
    recording: RefCell<Option<Recording>>,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path, role: Role) -> Result<Self, DbError> {
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
        Ok(Self {
            connection,
            known: Known::default(),
            version: Cell::new(0),
            waiting: RefCell::new(Waiting::new()),
            given_up: RefCell::default(),
            recording: RefCell::default(),
        })
    }

    /// From now on what is written is recorded for the redo log, and commits leave the disk its time.
    pub(crate) fn record(&self) -> Result<(), DbError> {
        self.connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        *self.recording.borrow_mut() = Some(Recording::default());
        Ok(())
    }

    /// Lets all that waits be written into the open transaction; what the batch wrote, if that is recorded.
    pub(super) fn end_batch(&self) -> Result<Option<Vec<u8>>, DbError> {
        self.settle(|waiting, database| waiting.write_all(database)).map_err(|_| self.why_lost())?;
        Ok(self.recording.borrow_mut().as_mut().map(Recording::take))
    }

    /// Commits what was recorded up to batch `number`.
    pub(crate) fn fold(&self, number: u64) -> Result<(), DbError> {
        self.connection.prepare_cached("UPDATE redo_log SET position = ?1")?.execute([number])?;
        self.run("COMMIT")
    }

    fn run(&self, sql: &str) -> Result<(), DbError> {
        self.connection.prepare_cached(sql)?.execute(())?;
        Ok(())
    }

    fn recorded(&self) -> Recorded<'_> {
        Recorded { connection: &self.connection, recording: &self.recording }
    }

    pub(super) fn begin(&self, role: Role) -> Result<(), DbError> {
        self.waiting.borrow_mut().clear();
        self.given_up.take();
        let sql = match role {
            Role::Writer => "BEGIN IMMEDIATE",
            Role::Reader => "BEGIN DEFERRED",
        };
        self.run(sql)?;
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
        self.settle(|waiting, database| waiting.write_all(database))?;
        self.connection.execute_batch(sql)?;
        self.recorded().add(sql, &[&[]]);
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.write_all(database)).map_err(|_| self.why_lost())?;
        self.run("COMMIT")
    }

    /// Why there is no transaction any more although one was begun.
    pub(super) fn why_lost(&self) -> DbError {
        self.given_up.take().unwrap_or(DbError::Lost)
    }

    pub(super) fn rollback(&self) -> Result<(), DbError> {
        self.waiting.borrow_mut().clear();
        if let Some(recording) = &mut *self.recording.borrow_mut() {
            recording.take();
        }
        if self.is_in_transaction() { self.run("ROLLBACK") } else { Ok(()) }
    }

    pub(super) fn begin_part(&self) {
        self.waiting.borrow_mut().begin_part();
    }

    pub(super) fn end_part(&self) -> Result<(), DbError> {
        self.waiting.borrow_mut().end_part(&mut self.recorded())
    }

    pub(super) fn undo_part(&self) -> Result<(), DbError> {
        match self.waiting.borrow_mut().undo_part() {
            // A database that failed has undone all of the transaction: then there is no part left to undo.
            Some(sql) if self.is_in_transaction() => {
                self.connection.execute_batch(&sql)?;
                self.recorded().add(&sql, &[&[]]);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keeps a row to be written with others of its kind.
    pub(super) fn put(&self, sql: &str, values: &[Value]) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.put(sql, values, database))
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbError> {
        self.settle(|waiting, database| waiting.before_write(database))?;
        let changed = self.connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))? as u64;
        self.recorded().add(sql, &[values]);
        Ok(changed)
    }

    pub(super) fn query(&self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.before_read(database))?;
        self.query_written(sql, values, each)
    }

    /// A query that need not see what waits.
    pub(super) fn query_written(
        &self,
        sql: &str,
        values: &[Value],
        each: &mut dyn FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    /// Lets some of what waits be written. If that fails, nobody knows whose rows are missing: all of the transaction is given up.
    fn settle(&self, write: impl FnOnce(&mut Waiting, &mut Recorded) -> Result<(), DbError>) -> Result<(), DbError> {
        let written = write(&mut self.waiting.borrow_mut(), &mut self.recorded());
        written.or_else(|error| {
            self.rollback()?;
            *self.given_up.borrow_mut() = Some(error);
            Err(DbError::Lost)
        })
    }

    /// Writes the write-ahead log into the file beside whoever reads and writes; the pages that it had, and how many of them are in
    /// the file now. SQLite syncs the file only if these are all.
    pub(crate) fn write_log(&self) -> Result<(u32, u32), DbError> {
        let pages: (i64, i64) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
        // -1 without a log.
        let count = |pages: i64| u32::try_from(pages).unwrap_or(0);
        Ok((count(pages.0), count(pages.1)))
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

/// The connection with what it writes recorded.
struct Recorded<'s> {
    connection: &'s Connection,
    recording: &'s RefCell<Option<Recording>>,
}

impl Recorded<'_> {
    fn add(&self, sql: &str, rows: &[&[Value]]) {
        if let Some(recording) = &mut *self.recording.borrow_mut() {
            recording.add(sql, rows.iter().map(|row| row.iter().copied()));
        }
    }
}

impl Database for Recorded<'_> {
    fn run(&mut self, sql: &str) -> Result<(), DbError> {
        self.connection.prepare_cached(sql)?.execute(())?;
        self.add(sql, &[&[]]);
        Ok(())
    }

    fn write(&mut self, group: &Group) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(&group.sql)?;
        for row in &group.rows {
            statement.execute(rusqlite::params_from_iter(row.iter().map(Kept::as_value)))?;
        }
        if let Some(recording) = &mut *self.recording.borrow_mut() {
            recording.add(&group.sql, group.rows.iter().map(|row| row.iter().map(Kept::as_value)));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_its_values() {
        let directory = tempfile::tempdir().expect("a directory");
        let sqlite = Sqlite::open(&directory.path().join("planned.db"), Role::Reader).expect("opens");
        sqlite.batch("CREATE TABLE t (a BLOB, b TEXT, c INTEGER); CREATE INDEX t_a ON t (a) WHERE b <> 'gone'").expect("is made");
        for sql in ["SELECT c FROM t WHERE a = ?1 ORDER BY c LIMIT ?2", "SELECT c FROM t WHERE b = ?1 AND b <> 'gone' LIMIT ?2"] {
            let mut statement = sqlite.connection.prepare_cached(sql).expect("is sound");
            for value in [0, 1, 7] {
                assert!(statement.query((value, value)).expect("runs").next().expect("reads").is_none());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}
