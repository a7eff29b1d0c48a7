//! The thread that folds: what the redo log made durable is written into the file here, while the writer works on what comes next. It
//! has the connection that writes meanwhile.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::later::{Fold, Folded};
use super::raw::{begin_writing, run, set_position, sync_log, write_group, write_log};
use crate::background;
use crate::db::DbError;
use crate::db::rows::Rows;

const WITHOUT_LOCK: &str = "another program wrote to the store without waiting for its turn: close it, and use `handsel admin`";

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
    rows.groups(0..rows.len()).iter().try_for_each(|group| write_group(connection, group))?;
    set_position(connection, fold.number)?;
    run(connection, "COMMIT")
}
