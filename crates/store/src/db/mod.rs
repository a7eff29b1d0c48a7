//! One SQL dialect over two databases: SQLite in this process, and PostgreSQL behind a socket.
//!
//! The dialect is what both take, with `?1` for a parameter. Columns hold integers of 64 bits, texts and bytes; a truth
//! is 0 or 1. What differs (types of columns, settings, locks, backups) is in the two backends and nowhere else.

pub(crate) mod encoded;
mod error;
mod known;
mod location;
mod params;
mod postgres;
mod rows;
mod sqlite;
mod statement;
mod value;
mod waiting;

use std::sync::Arc;

pub(crate) use self::error::DbError;
pub(crate) use self::known::{Key, Kind, Known};
pub use self::location::Location;
pub(crate) use self::params::Params;
pub use self::postgres::Address;
pub(crate) use self::postgres::{PgRow, Postgres};
#[cfg(test)]
pub(crate) use self::sqlite::break_disk;
pub(crate) use self::sqlite::{Fold, Folded, Sqlite, sync_log, write_in_portions};
pub(crate) use self::value::{At, Bits, FromValue, Sequence, ToValue, Value};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// One of those that read beside it.
    Reader,
}

/// One connection to either database.
pub(crate) enum Connection {
    Sqlite(Box<Sqlite>),
    Postgres(Box<Postgres>),
}

/// One row of an answer; valid while it is read.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a PgRow<'a>),
}

impl Row<'_> {
    /// The value of column `at` as it is.
    pub(crate) fn value(&self, at: usize) -> Result<Value<'_>, DbError> {
        match self {
            Self::Sqlite(row) => sqlite::column(row, at),
            Self::Postgres(row) => row.column(at),
        }
    }

    /// The value of column `at`, counted from 0.
    pub(crate) fn get<T: FromValue>(&self, at: usize) -> Result<T, DbError> {
        let value = self.value(at)?;
        T::from_value(value).ok_or_else(|| DbError::Column(format!("column {at} does not hold what it should: {}", value.kind())))
    }
}

impl Connection {
    /// Opens a connection with the settings that durability needs.
    pub(crate) fn open(location: &Location, role: Role) -> Result<Self, DbError> {
        match location {
            Location::Sqlite(path) => Ok(Self::Sqlite(Box::new(Sqlite::open(path, role)?))),
            Location::Postgres(address) => Ok(Self::Postgres(Box::new(Postgres::open(address, role)?))),
        }
    }

    /// What is known of its rows.
    pub(crate) fn known(&self) -> &Known {
        match self {
            Self::Sqlite(sqlite) => &sqlite.known,
            Self::Postgres(postgres) => &postgres.known,
        }
    }

    /// Begins a transaction: of the writer, for writing; of a reader, one consistent view.
    pub(crate) fn begin(&self, role: Role) -> Result<(), DbError> {
        self.known().begin();
        match self {
            Self::Sqlite(sqlite) => sqlite.begin(role),
            Self::Postgres(postgres) => match role {
                Role::Writer => postgres.begin("BEGIN ISOLATION LEVEL READ COMMITTED"),
                Role::Reader => postgres.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            },
        }
    }

    /// Makes all of the transaction durable.
    pub(crate) fn commit(&self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.commit()?,
            Self::Postgres(postgres) => postgres.commit()?,
        }
        self.known().all_is_written();
        Ok(())
    }

    /// Whether rows that waited when their batch ended may wait still.
    fn is_later(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_later(),
            Self::Postgres(_) => false,
        }
    }

    /// Ends a batch within the open transaction: what it wrote, where that is recorded for a redo log and the transaction goes on. Where
    /// not, nothing is durable before [`Connection::commit`]. With `now` the database has taken what was recorded, and has not refused it.
    pub(crate) fn end_batch(&self, now: bool) -> Result<Option<Vec<u8>>, DbError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.end_batch(now),
            Self::Postgres(_) => Ok(None),
        }
    }

    /// Whether there is room on the disk for all that waits.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.has_room(),
            Self::Postgres(_) => true,
        }
    }

    /// Undoes all of the transaction, if there is one.
    pub(crate) fn rollback(&self) -> Result<(), DbError> {
        self.known().forget_all();
        match self {
            Self::Sqlite(sqlite) => sqlite.rollback(),
            Self::Postgres(postgres) => postgres.rollback(),
        }
    }

    /// Whether a transaction is open. A full disk ends one.
    pub(crate) fn is_in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_in_transaction(),
            Self::Postgres(postgres) => postgres.is_in_transaction(),
        }
    }

    /// Why there is no transaction any more although one was begun.
    pub(crate) fn why_lost(&self) -> DbError {
        match self {
            Self::Sqlite(sqlite) => sqlite.why_lost(),
            Self::Postgres(_) => DbError::Lost,
        }
    }

    /// Runs statements without parameters and answers.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), DbError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.batch(sql),
            Self::Postgres(postgres) => postgres.batch(sql),
        }
    }

    /// Runs statements that make or change tables, in SQLite's words.
    pub(crate) fn define(&self, sql: &str) -> Result<(), DbError> {
        self.known().wrote(None);
        match self {
            Self::Sqlite(sqlite) => sqlite.batch(sql),
            Self::Postgres(postgres) => postgres.define(sql),
        }
    }

    /// Whether the connection is gone, so that another one must be opened.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(postgres) => postgres.is_broken(),
        }
    }
}

/// The transaction that is open on a connection.
pub(crate) struct Tx<'c>(pub(crate) &'c Connection);

impl Tx<'_> {
    /// Runs a statement; the number of rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<u64, DbError> {
        self.0.known().wrote(statement::table(sql));
        params.with(|values| match self.0 {
            Connection::Sqlite(sqlite) => sqlite.execute(sql, values),
            Connection::Postgres(postgres) => postgres.execute(sql, values),
        })
    }

    /// All rows, each read by `read`.
    pub(crate) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands each row to `read`, without keeping any.
    pub(crate) fn each(&self, sql: &str, params: impl Params, mut read: impl FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        params.with(|values| match self.0 {
            Connection::Sqlite(sqlite) => sqlite.query(sql, values, &mut read),
            Connection::Postgres(postgres) => postgres.query(sql, values, &mut read),
        })
    }

    /// The first row, if there is any.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        Ok(self.list(sql, params, read)?.into_iter().next())
    }

    /// The row of a statement that has one always.
    pub(crate) fn one<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row) -> Result<T, DbError>) -> Result<T, DbError> {
        self.find(sql, params, read)?.ok_or_else(|| DbError::Column("a row that must be there is missing".into()))
    }

    /// Runs statements that make or change tables, in SQLite's words.
    pub(crate) fn define(&self, sql: &str) -> Result<(), DbError> {
        self.0.define(sql)
    }

    /// Writes a row, now or with others of its kind before anything that reads: an `INSERT … VALUES` or an `UPDATE … WHERE`
    /// by a key whose parameters come first. No error of it is an expected one.
    pub(crate) fn put(&self, sql: &str, params: impl Params) -> Result<(), DbError> {
        self.0.known().wrote(statement::table(sql));
        self.write(sql, params)
    }

    /// [`Tx::put`] of a row of which `value` is known from now on.
    pub(crate) fn put_known<T: Clone + Send + 'static>(
        &self,
        sql: &str,
        params: impl Params,
        kind: &Kind<T>,
        key: Key,
        value: T,
    ) -> Result<(), DbError> {
        self.write(sql, params)?;
        self.0.known().write(kind, key, value);
        Ok(())
    }

    fn write(&self, sql: &str, params: impl Params) -> Result<(), DbError> {
        params.with(|values| match self.0 {
            Connection::Sqlite(sqlite) => sqlite.put(sql, values),
            Connection::Postgres(postgres) => postgres.put(sql, values),
        })
    }

    /// What is known under `key`, or else what `load` finds, which is known from then on.
    pub(crate) fn recall<T: Clone + Send + 'static, E>(
        &self,
        kind: &Kind<T>,
        key: Key,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(known) = self.0.known().get(kind, key) {
            return Ok(known);
        }
        let found = load()?;
        self.0.known().learn(kind, key, found.clone());
        Ok(found)
    }

    /// [`Tx::recall`] of the first row of a query about `key` alone. Rows that wait stay where they are, unless one of them
    /// may be of this kind and not known.
    pub(crate) fn recall_row<T: Clone + Send + 'static>(
        &self,
        kind: &Kind<Option<T>>,
        key: Key,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        self.recall(kind, key, || Ok(self.list_apart(kind, sql, params, read)?.into_iter().next()))
    }

    /// The same of all rows.
    pub(crate) fn recall_rows<T: Clone + Send + Sync + 'static>(
        &self,
        kind: &Kind<Arc<[T]>>,
        key: Key,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row) -> Result<T, DbError>,
    ) -> Result<Arc<[T]>, DbError> {
        self.recall(kind, key, || self.list_apart(kind, sql, params, read).map(Arc::from))
    }

    /// All rows of a query about rows of this kind, where rows that wait stay where they are.
    pub(crate) fn list_apart<K, T>(
        &self,
        kind: &Kind<K>,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        if !self.knows_what_waits(kind) {
            return self.list(sql, params, read);
        }
        let mut found = Vec::new();
        let mut each = |row: &Row| {
            found.push(read(row)?);
            Ok(())
        };
        params.with(|values| match self.0 {
            Connection::Sqlite(sqlite) => sqlite.query_written(sql, values, &mut each),
            Connection::Postgres(postgres) => postgres.query_written(sql, values, &mut each),
        })?;
        Ok(found)
    }

    /// Whether every row of this kind that waits to be written is known.
    pub(crate) fn knows_what_waits<T>(&self, kind: &Kind<T>) -> bool {
        self.0.known().knows_what_waits(kind, self.0.is_later())
    }

    /// Whether anything is known under `key`.
    pub(crate) fn is_known<T: Clone + 'static>(&self, kind: &Kind<T>, key: Key) -> bool {
        self.0.known().get(kind, key).is_some()
    }

    /// What was known under `key` holds no longer.
    pub(crate) fn forget<T>(&self, kind: &Kind<T>, key: Key) {
        self.0.known().forget(kind, key);
    }

    /// `value` is what is there.
    pub(crate) fn learn<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T) {
        self.0.known().learn(kind, key, value);
    }

    /// Runs a part of the transaction whose error, or panic, undoes that part alone.
    pub(crate) fn undoing_errors<T, E: From<DbError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        match self.0 {
            Connection::Sqlite(sqlite) => sqlite.begin_part(),
            Connection::Postgres(postgres) => postgres.begin_part(),
        }
        let undo = Undo { connection: self.0, changes: self.0.known().changes() };
        let value = work()?;
        std::mem::forget(undo);
        match self.0 {
            Connection::Sqlite(sqlite) => sqlite.end_part()?,
            Connection::Postgres(postgres) => postgres.end_part()?,
        }
        Ok(value)
    }
}

/// Undoes the innermost part when it is dropped.
struct Undo<'c> {
    connection: &'c Connection,
    changes: usize,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.connection.known().undo_to(self.changes);
        let undone = match self.connection {
            Connection::Sqlite(sqlite) => sqlite.undo_part(),
            Connection::Postgres(postgres) => postgres.undo_part(),
        };
        if let Err(error) = undone {
            tracing::error!(%error, "a part of a transaction could not be undone, so all of it is");
            drop(self.connection.rollback());
        }
    }
}
