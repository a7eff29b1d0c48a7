//! The redo log beside SQLite's file: what a batch of requests wrote is durable here, and answered, before the file has it. The file
//! is written later, for many batches at once (`adr/014-redo-log.md`). Between the two their rows wait in memory; after a crash the batches
//! are done again from the log.
//!
//! The file ends in `-redo`: a head of 64 bytes that names the log, then two halves of records (see [`record`]) that are written in turns:
//! one is written over when the store's file durably has all of it. Whoever writes to it holds a lock on it; another program that opens the
//! same store meanwhile does without.

mod record;
mod syncer;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::record::Recording;
use self::record::{Lineage, Record};
pub(crate) use self::syncer::Answers;
use self::syncer::Syncer;
use crate::catalogue;
use crate::db::{Connection, DbError, Location, Role, Sequence, Sqlite, Tx, sync_log};
use crate::error::StoreError;
use crate::migrate;

/// Bytes before the first record: the mark, the log's name, the length of a half as 8 little-endian bytes, zeros.
const HEAD_LEN: u64 = 64;
const MARK: &[u8; 16] = b"handsel redo 1\r\n";
/// Most bytes of each half.
const HALF_LEN: u64 = 64 << 20;
/// The same of a log whose head does not say it: the first ones.
const FIRST_HALF_LEN: u64 = 16 << 20;

/// How often another program is looked at that is about to write the log into the file, and what is waited in between.
const FOLD_TRIES: u32 = 2_000;
const FOLD_WAIT: Duration = Duration::from_millis(5);

/// The log's file, locked, of which nothing is owed to the store's file any more.
pub(crate) struct Recovered {
    database: PathBuf,
    file: File,
}

/// The log that is being written.
pub(crate) struct Redo {
    database: PathBuf,
    /// Batches so far.
    number: u64,
    halves: [Half; 2],
    /// Which of them is written.
    half: usize,
    syncer: Syncer,
}

/// Half of the log.
#[derive(Clone, Copy, Default)]
struct Half {
    /// Bytes of its records, and the number of the last.
    len: u64,
    last: u64,
}

/// Does again what the log at `location` holds and the file lacks. `None` on PostgreSQL, or where another program writes to the log:
/// then it is that program's to do.
///
/// # Errors
/// The log is of another store or of a newer program, or cannot be read or done again; nothing is lost then.
pub(crate) fn recover(location: &Location, connection: &Connection) -> Result<Option<Recovered>, StoreError> {
    let (Location::Sqlite(database), Connection::Sqlite(sqlite)) = (location, connection) else { return Ok(None) };
    // A newer program may write its log in another way.
    migrate::check_not_newer(&Tx(connection))?;
    // Who asks meanwhile whether the log was left behind finds either that it is, or all of it in the file.
    sqlite.take_lock()?;
    let recovered = recover_alone(database, connection, sqlite);
    sqlite.release_lock();
    recovered
}

fn recover_alone(database: &Path, connection: &Connection, sqlite: &Sqlite) -> Result<Option<Recovered>, StoreError> {
    let path = beside(database, "-redo");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(DbError::Redo)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(DbError::Redo(error).into()),
    }
    let permissions = std::fs::metadata(database).and_then(|metadata| file.set_permissions(metadata.permissions()));
    permissions.map_err(DbError::Redo)?;
    let bytes = std::fs::read(&path).map_err(DbError::Redo)?;
    if let Some((lineage, records)) = read(&bytes) {
        do_again(connection, &path, &lineage, &records)?;
    }
    // All of it is committed now. What the disk did not take of SQLite's log when it was synced before looks as if it were durable, since
    // the system tells of that once: so it is written again, into the file.
    match sqlite.write_whole_log() {
        Ok(true) => {}
        Ok(false) => sync_log(database)?,
        Err(error) if error.is_full() => sync_log(database)?,
        Err(error) => return Err(error.into()),
    }
    file.set_len(0).and_then(|()| file.sync_all()).map_err(DbError::Redo)?;
    Ok(Some(Recovered { database: database.to_owned(), file }))
}

/// Whether there is a log at `location` that nobody writes to. Asked by who has the lock to write: a program that is alive and has such a
/// log has all of it in the file then.
pub(crate) fn is_left_behind(location: &Location) -> Result<bool, StoreError> {
    let Location::Sqlite(database) = location else { return Ok(false) };
    match File::open(beside(database, "-redo")) {
        Ok(file) => Ok(file.try_lock().is_ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DbError::Redo(error).into()),
    }
}

/// Waits until whoever reads the file at `location` reads all that was acknowledged by now: another program that writes to the log is
/// waited for, and in place of one that was not closed in order it is done here.
pub(crate) fn wait_for_all(location: &Location) -> Result<(), StoreError> {
    let Location::Sqlite(database) = location else { return Ok(()) };
    let path = beside(database, "-redo");
    if !path.exists() {
        return Ok(());
    }
    let connection = Connection::open(location, Role::Writer)?;
    if is_left_behind(location)? && recover(location, &connection)?.is_some() {
        return Ok(());
    }
    let bytes = std::fs::read(path).map_err(DbError::Redo)?;
    let Some((lineage, records)) = read(&bytes) else { return Ok(()) };
    let Some(last) = records.last() else { return Ok(()) };
    for _ in 0..FOLD_TRIES {
        if place(&connection)?.is_none_or(|(known, position)| known != lineage || position >= last.number) {
            return Ok(());
        }
        std::thread::sleep(FOLD_WAIT);
    }
    Err(StoreError::Overloaded)
}

/// The name of a log and its records in their order; `None` if there is no whole head.
fn read(bytes: &[u8]) -> Option<(Lineage, Vec<Record<'_>>)> {
    let (head, rest) = bytes.split_at_checked(HEAD_LEN as usize)?;
    let (lineage, head) = head.strip_prefix(MARK)?.split_first_chunk::<16>().expect("64 bytes");
    let half_len = match u64::from_le_bytes(*head.first_chunk().expect("32 bytes")) {
        0 => FIRST_HALF_LEN,
        len => len,
    };
    let (first, second) = rest.split_at_checked(half_len as usize).unwrap_or((rest, &[]));
    let mut halves = [first, second].map(|half| record::records(lineage, half));
    halves.sort_by_key(|records| records.first().map(|record| record.number));
    Some((*lineage, halves.concat()))
}

fn do_again(connection: &Connection, path: &Path, lineage: &Lineage, records: &[Record]) -> Result<(), StoreError> {
    let Some(first) = records.first() else { return Ok(()) };
    let (known, position) = place(connection)?.unwrap_or_default();
    if known != *lineage {
        let said = format!("{} is the redo log of another store: put it back beside its own, or move it away", path.display());
        return Err(StoreError::Schema(said));
    }
    let missing: Vec<&Record> = records.iter().filter(|record| record.number > position).collect();
    let first_missing = missing.first().map_or(position + 1, |missing| missing.number);
    if first.number > position + 1 || first_missing > position + 1 {
        let said = format!("{} begins after what the store has: an older copy of the store lies beside it", path.display());
        return Err(StoreError::Schema(said));
    }
    if let Some(gap) = missing.windows(2).find(|two| two[1].number != two[0].number + 1) {
        let said = format!("{} is damaged behind batch {}: what follows cannot be done without it", path.display(), gap[0].number);
        return Err(StoreError::Corrupt(said));
    }
    let Some(last) = missing.last() else { return Ok(()) };
    connection.begin(Role::Writer)?;
    let done = missing.iter().try_for_each(|record| apply(connection, record)).and_then(|()| {
        Tx(connection).execute("UPDATE redo_log SET position = ?1", [Sequence(last.number)])?;
        Ok(connection.commit()?)
    });
    match done {
        Ok(()) => tracing::warn!(batches = missing.len(), "did again what the redo log held: the store was not closed in order"),
        Err(_) => drop(connection.rollback()),
    }
    done
}

fn apply(connection: &Connection, record: &Record) -> Result<(), StoreError> {
    let corrupt = || StoreError::Corrupt(format!("record {} of the redo log does not read back", record.number));
    for statement in record::statements(record.statements).ok_or_else(corrupt)? {
        for row in &statement.rows {
            match &row[..] {
                [] => connection.batch(statement.sql)?,
                values => drop(Tx(connection).execute(statement.sql, values)?),
            }
        }
    }
    Ok(())
}

/// The log that the store's file knows of, and the last batch of it that the file has.
fn place(connection: &Connection) -> Result<Option<(Lineage, u64)>, StoreError> {
    if !catalogue::has_table(&Tx(connection), "redo_log")? {
        return Ok(None);
    }
    let read = "SELECT lineage, position FROM redo_log";
    Ok(Tx(connection).find(read, (), |row| Ok((row.get(0)?, row.get::<Sequence>(1)?.0)))?)
}

impl Recovered {
    /// Begins a new log, to which what `connection` writes is recorded from now on.
    pub(crate) fn start(self, connection: &Connection) -> Result<Option<Redo>, StoreError> {
        let Connection::Sqlite(sqlite) = connection else { return Ok(None) };
        connection.begin(Role::Writer)?;
        let tx = Tx(connection);
        tx.execute("DELETE FROM redo_log", ())?;
        tx.execute("INSERT INTO redo_log (id, lineage, position) VALUES (1, randomblob(16), 0)", ())?;
        connection.commit()?;
        let (lineage, _) = place(connection)?.ok_or_else(|| StoreError::Corrupt("the redo log's row is missing".into()))?;
        let mut head = [0; HEAD_LEN as usize];
        head[..MARK.len()].copy_from_slice(MARK);
        head[MARK.len()..][..16].copy_from_slice(&lineage);
        head[MARK.len() + 16..][..8].copy_from_slice(&HALF_LEN.to_le_bytes());
        self.file.write_all_at(&head, 0).and_then(|()| self.file.sync_all()).map_err(DbError::Redo)?;
        sqlite.record()?;
        let syncer = Syncer::start(self.file, lineage, HEAD_LEN + 2 * HALF_LEN);
        Ok(Some(Redo { database: self.database, number: 0, halves: Default::default(), half: 0, syncer }))
    }
}

impl Redo {
    /// Whether there is room for a record of so many bytes; if not, the file must have all of it first: see [`Redo::begin_anew`].
    pub(crate) fn has_room(&self, len: u64) -> bool {
        self.halves[self.half].len + len <= HALF_LEN || (self.halves[1 - self.half].len == 0 && len <= HALF_LEN)
    }

    /// Adds what a batch wrote, for which there is room; `answers` are given when that is durable. Waits while too many batches do.
    pub(crate) fn append(&mut self, statements: Vec<u8>, answers: Answers) {
        let len = if statements.is_empty() { 0 } else { record_len(&statements) };
        if self.halves[self.half].len + len > HALF_LEN {
            self.half = 1 - self.half;
        }
        let half = &mut self.halves[self.half];
        let at = HEAD_LEN + self.half as u64 * HALF_LEN + half.len;
        if len > 0 {
            self.number += 1;
            half.len += len;
            half.last = self.number;
        }
        self.syncer.append(record::Place { number: self.number, at }, statements, answers);
    }

    /// Batches so far.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// A batch goes into the file alone.
    pub(crate) fn skip(&mut self) {
        self.number += 1;
    }

    /// Whether something could not be written, and nothing more will be.
    pub(crate) fn is_broken(&self) -> bool {
        self.syncer.is_broken()
    }

    /// Whether half of the log waits to be written over, which it is when the file durably has what is in it. There is as much time as it
    /// takes to write the other half, some 1.3 s where 20,000 pay in a second; then everybody waits.
    pub(crate) fn wants_room(&self) -> bool {
        self.halves[1 - self.half].len > 0
    }

    /// The file durably has all batches up to `number`.
    pub(crate) fn is_in_file(&mut self, number: u64) {
        let other = &mut self.halves[1 - self.half];
        if other.last <= number {
            *other = Half::default();
        }
    }

    /// Begins anew, after all of it was folded: the file has it durably then. With `erase` nothing of what was in it is left.
    pub(crate) fn begin_anew(&mut self, erase: bool) -> Result<(), DbError> {
        sync_log(&self.database)?;
        if erase {
            self.syncer.erase(HEAD_LEN)?;
        }
        (self.halves, self.half) = (Default::default(), 0);
        Ok(())
    }
}

/// Bytes of the record of what a batch wrote.
pub(crate) fn record_len(statements: &[u8]) -> u64 {
    (record::HEAD_LEN + statements.len()) as u64
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
