//! SQLite: one file with its write-ahead log. Every commit is on disk when it returns, unless a redo log makes batches durable first.

mod folder;
mod later;
mod lock;
mod portions;
mod raw;

use std::cell::{Cell, Ref, RefCell};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(crate) use self::later::{Fold, Folded};
use self::later::{LATER_MAX, Recorder};
use self::lock::WriteLock;
#[cfg(test)]
pub(crate) use self::portions::break_disk;
pub(crate) use self::portions::write_in_portions;
pub(super) use self::raw::column;
pub(crate) use self::raw::sync_log;
use self::raw::{begin_writing, has_room, open, query, run, write_log, write_rows};
use super::rows::Group;
use super::waiting::{Database, Waiting};
use super::{DbError, Known, Role, Row, Value};

/// A connection to the file.
pub(crate) struct Sqlite {
    path: PathBuf,
    /// `None` while the thread that folds has it.
    main: RefCell<Option<Connection>>,
    pub(super) known: Known,
    /// Changes when another connection has written.
    version: Cell<i64>,
    waiting: RefCell<Waiting>,
    /// Why the transaction was given up: rows that waited could not be written.
    given_up: RefCell<Option<DbError>>,
    /// Held while this connection has something that is to be written.
    lock: RefCell<WriteLock>,
    /// With a redo log.
    redo: RefCell<Option<Recorder>>,
    /// The transaction's rows wait for the file, batch after batch; else each batch's are written when it ends.
    is_later: Cell<bool>,
    /// The disk has room for all that may wait.
    has_room: Cell<bool>,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path, role: Role) -> Result<Self, DbError> {
        Ok(Self {
            path: path.to_owned(),
            main: RefCell::new(Some(open(path, role)?)),
            known: Known::default(),
            version: Cell::new(0),
            waiting: RefCell::new(Waiting::new()),
            given_up: RefCell::default(),
            lock: RefCell::new(WriteLock::of(path)),
            redo: RefCell::default(),
            is_later: Cell::new(false),
            has_room: Cell::new(true),
        })
    }

    /// The connection that writes. The thread that folds must have given it back: see [`Sqlite::write_now`].
    fn main(&self) -> Ref<'_, Connection> {
        Ref::map(self.main.borrow(), |main| main.as_ref().expect("is waited for before it is used"))
    }

    fn run(&self, sql: &str) -> Result<(), DbError> {
        run(&self.main(), sql)
    }

    /// Waits until no other program writes to the file, and keeps it so until what this connection writes is committed.
    pub(crate) fn take_lock(&self) -> Result<(), DbError> {
        self.lock.borrow_mut().take()
    }

    /// Whether another program waits to write.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.lock.borrow().is_asked_for()
    }

    pub(crate) fn release_lock(&self) {
        self.lock.borrow_mut().release();
    }

    pub(super) fn begin(&self, role: Role) -> Result<(), DbError> {
        self.waiting.borrow_mut().clear();
        self.given_up.take();
        if role == Role::Reader {
            return self.run("BEGIN DEFERRED");
        }
        self.take_lock()?;
        let begun = begin_writing(&self.main());
        let version = begun.inspect_err(|_| self.release_lock())?;
        // Another process may write to the file between two transactions.
        if self.version.replace(version) != version {
            self.known.forget_all();
        }
        self.is_later.set(self.redo.borrow().is_some());
        self.look_for_room();
        Ok(())
    }

    /// Whether what a redo log holds is sure to find room in the file later. If not, the file has to have it before anybody is answered.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room.get()
    }

    /// Nobody knows what room a disk has that does not say so.
    pub(super) fn look_for_room(&self) {
        self.has_room.set(has_room(&self.path, &self.main()).unwrap_or(false));
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        self.is_later.get() || !self.main().is_autocommit()
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.write_all(database))?;
        self.main().execute_batch(sql)?;
        self.add_to_record(sql, &[]);
        Ok(())
    }

    /// Ends a batch: what it wrote, if that is recorded. With `now` its rows are written into the open transaction; else that may be
    /// left for later.
    pub(super) fn end_batch(&self, now: bool) -> Result<Option<Vec<u8>>, DbError> {
        let waits = self.is_later.get() && !now && self.has_room.get() && self.waiting.borrow().len() < LATER_MAX;
        match waits {
            true => self.record_rows(),
            false => self.settle(|waiting, database| waiting.write_all(database)).map_err(|_| self.why_lost())?,
        }
        let mut redo = self.redo.borrow_mut();
        let Some(redo) = &mut *redo else { return Ok(None) };
        redo.end_view()?;
        Ok(Some(redo.recording.take()))
    }

    /// The transaction is over, and all of it is in the file.
    fn ended(&self) {
        self.is_later.set(false);
        self.release_lock();
    }

    pub(super) fn commit(&self) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.write_all(database)).map_err(|_| self.why_lost())?;
        self.run("COMMIT")?;
        self.ended();
        Ok(())
    }

    /// Why there is no transaction any more although one was begun.
    pub(super) fn why_lost(&self) -> DbError {
        self.given_up.take().unwrap_or(DbError::Lost)
    }

    pub(super) fn rollback(&self) -> Result<(), DbError> {
        // What came of that does not matter: what was recorded is done again.
        self.take_back(true);
        self.waiting.borrow_mut().clear();
        if let Some(redo) = &mut *self.redo.borrow_mut() {
            redo.recording.take();
            redo.end_view()?;
        }
        self.is_later.set(false);
        let undone = if self.is_in_transaction() { self.run("ROLLBACK") } else { Ok(()) };
        self.release_lock();
        undone
    }

    pub(super) fn begin_part(&self) {
        self.waiting.borrow_mut().begin_part();
    }

    pub(super) fn end_part(&self) -> Result<(), DbError> {
        self.waiting.borrow_mut().end_part(&mut Recorded(self))
    }

    pub(super) fn undo_part(&self) -> Result<(), DbError> {
        let undo = self.waiting.borrow_mut().undo_part();
        match undo {
            // A database that failed has undone all of the transaction: then there is no part left to undo.
            Some(sql) if self.is_in_transaction() => {
                self.main().execute_batch(&sql)?;
                self.add_to_record(&sql, &[]);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keeps a row to be written with others of its kind.
    pub(super) fn put(&self, sql: &str, values: &[Value]) -> Result<(), DbError> {
        self.waiting.borrow_mut().put(sql, values);
        let is_full = self.waiting.borrow().is_full();
        if is_full { self.settle(|waiting, database| waiting.before_write(database)) } else { Ok(()) }
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbError> {
        self.settle(|waiting, database| waiting.before_write(database))?;
        let changed = self.main().prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))? as u64;
        self.add_to_record(sql, values);
        Ok(changed)
    }

    pub(super) fn query(&self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        self.settle(|waiting, database| waiting.before_read(database))?;
        query(&self.main(), sql, values, each)
    }

    /// A query that need not see what waits.
    pub(super) fn query_written(
        &self,
        sql: &str,
        values: &[Value],
        each: &mut dyn FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        match &*self.redo.borrow() {
            Some(redo) if self.is_later.get() => {
                if redo.reads.is_autocommit() {
                    run(&redo.reads, "BEGIN DEFERRED")?;
                }
                query(&redo.reads, sql, values, each)
            }
            _ => query(&self.main(), sql, values, each),
        }
    }

    /// Lets what waits be written, or some of it. If that fails, nobody knows whose rows are missing: all of the transaction is given up.
    fn settle(&self, write: impl FnOnce(&mut Waiting, &mut Recorded) -> Result<(), DbError>) -> Result<(), DbError> {
        self.write_now()?;
        let written = write(&mut self.waiting.borrow_mut(), &mut Recorded(self));
        written.or_else(|error| self.give_up(error))
    }

    fn give_up(&self, error: DbError) -> Result<(), DbError> {
        self.rollback()?;
        *self.given_up.borrow_mut() = Some(error);
        Err(DbError::Lost)
    }

    fn add_to_record(&self, sql: &str, values: &[Value]) {
        if let Some(redo) = &mut *self.redo.borrow_mut() {
            redo.recording.add_one(sql, values);
        }
    }

    /// Writes the write-ahead log into the file beside whoever reads and writes; the pages that it had, and how many of them are in
    /// the file now. SQLite syncs the file only if these are all.
    pub(crate) fn write_log(&self) -> Result<(u32, u32), DbError> {
        write_log(&self.main())
    }

    /// Makes all that is committed durable in the file itself, unless somebody goes on reading what was there before: `false` then.
    pub(crate) fn write_whole_log(&self) -> Result<bool, DbError> {
        Ok(self.main().query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, i64>(0))? == 0)
    }

    /// Writes the write-ahead log into the file and empties it, as far as readers allow; the next time does the rest.
    pub(crate) fn empty_log(&self) -> Result<(), DbError> {
        Ok(self.main().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Lets the file grow by at most `pages` pages from now on.
    pub(crate) fn limit_growth(&self, pages: u32) -> Result<(), DbError> {
        let now: u32 = self.main().query_row("PRAGMA page_count", [], |row| row.get(0))?;
        Ok(self.main().pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))?)
    }
}

/// The connection with what it writes recorded.
struct Recorded<'s>(&'s Sqlite);

impl Database for Recorded<'_> {
    fn run(&mut self, sql: &str) -> Result<(), DbError> {
        self.0.run(sql)?;
        self.0.add_to_record(sql, &[]);
        Ok(())
    }

    fn write(&mut self, group: &Group) -> Result<(), DbError> {
        write_rows(&self.0.main(), &group.sql, &group.rows)?;
        if let Some(redo) = &mut *self.0.redo.borrow_mut() {
            redo.recording.add(&group.sql, &group.rows);
        }
        Ok(())
    }
}

/// The connection with what was recorded before.
struct Unrecorded<'c>(&'c Connection);

impl Database for Unrecorded<'_> {
    fn run(&mut self, sql: &str) -> Result<(), DbError> {
        run(self.0, sql)
    }

    fn write(&mut self, group: &Group) -> Result<(), DbError> {
        write_rows(self.0, &group.sql, &group.rows)
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
            let main = sqlite.main();
            let mut statement = main.prepare_cached(sql).expect("is sound");
            for value in [0, 1, 7] {
                assert!(statement.query((value, value)).expect("runs").next().expect("reads").is_none());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}
