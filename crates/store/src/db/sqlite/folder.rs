//! The thread that folds: what the redo log made durable is written into the file here, while the writer works on what comes next. It
//! has the connection that writes meanwhile.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::later::{Fold, Folded};
use super::raw::{begin_writing, run, set_position, sync_log, write_log, write_rows};
use crate::background;
use crate::db::DbError;
use crate::db::rows::Rows;

const WITHOUT_LOCK: &str = "another program wrote to the store without waiting for its turn: close it, and use `handsel admin`";

/// Rows that are written without a rest, within some tenths of a millisecond. Who is woken meanwhile to answer somebody gets the processor at
/// the rest; the system alone would take it from this thread when its clock next ticks, up to 4 ms later, whatever priority it has.
const ROWS: usize = 128;
/// With more rows, those of some 5,000 payments, there is no time to rest; nor where somebody waits for them.
const ROWS_MAX: usize = 60_000;
/// Nor after so long.
const LEISURE: Duration = Duration::from_millis(150);

/// What it is given.
pub(super) struct Work {
    pub(super) connection: Connection,
    pub(super) rows: Rows,
    pub(super) fold: Fold,
    /// Of the file, as the connection saw it last.
    pub(super) version: i64,
}

/// What comes back, in a transaction that has begun.
pub(super) struct Done {
    pub(super) connection: Connection,
    pub(super) rows: Rows,
    pub(super) folded: Folded,
}

/// The way to the thread.
pub(super) struct Folder {
    work: Option<Sender<Work>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Folder {
    pub(super) fn start(path: &Path) -> Self {
        let (work, waiting) = channel::<Work>();
        let (give_back, done) = channel();
        let path = path.to_owned();
        let run = move || {
            background::give_way();
            while let Ok(Work { connection, mut rows, fold, version }) = waiting.recv() {
                let outcome = write(&path, &connection, &rows, &fold, version);
                rows.truncate(0);
                let (Fold { number, sync_log, tell, .. }, is_done) = (fold, outcome.is_ok());
                // The writer ends after this thread's last work.
                drop(give_back.send(Done { connection, rows, folded: Folded { number, sync_log, outcome } }));
                tell(is_done);
            }
        };
        let thread = std::thread::Builder::new().name("store-fold".into()).spawn(run);
        Self { work: Some(work), done, thread: Some(thread.expect("the system has room for one thread")) }
    }

    pub(super) fn give(&self, work: Work) {
        let sent = self.work.as_ref().expect("is there until it is dropped").send(work);
        assert!(sent.is_ok(), "the thread ends last");
    }

    /// What came back by now.
    pub(super) fn done(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }

    pub(super) fn wait(&self) -> Done {
        self.done.recv().expect("the thread ends last")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the redo log's rows into the file ended in disorder");
        }
    }
}

/// How the thread goes about the rows of one fold.
struct Pace {
    rests_until: Option<Instant>,
}

impl Pace {
    #[expect(clippy::disallowed_methods, reason = "how long rows take is nobody's business but the processor's")]
    fn of(rows: usize, is_awaited: bool) -> Self {
        let has_time = rows <= ROWS_MAX && !is_awaited;
        Self { rests_until: has_time.then(|| Instant::now() + LEISURE) }
    }

    #[expect(clippy::disallowed_methods, reason = "how long rows take is nobody's business but the processor's")]
    fn rest(&self) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            // As little as the system knows, some 0.06 ms.
            std::thread::sleep(Duration::from_nanos(1));
        }
    }
}

/// Writes what was recorded and commits it. Then the next transaction begins: in between the program has its lock, so that no other wrote.
/// If anything fails there is none.
fn write(path: &Path, connection: &Connection, rows: &Rows, fold: &Fold, version: i64) -> Result<(), DbError> {
    let written = commit(connection, rows, fold).and_then(|()| {
        if fold.finish_log {
            write_log(connection)?;
        }
        if fold.sync_log {
            sync_log(path)?;
        }
        if begin_writing(connection)? == version { Ok(()) } else { Err(DbError::Unfit(WITHOUT_LOCK.into())) }
    });
    if written.is_err() && !connection.is_autocommit() {
        run(connection, "ROLLBACK")?;
    }
    written
}

fn commit(connection: &Connection, rows: &Rows, fold: &Fold) -> Result<(), DbError> {
    let pace = Pace::of(rows.len(), fold.is_awaited);
    for group in rows.groups(0..rows.len()) {
        for some in group.rows.chunks(ROWS) {
            write_rows(connection, &group.sql, some)?;
            pace.rest();
        }
    }
    set_position(connection, fold.number)?;
    run(connection, "COMMIT")
}
