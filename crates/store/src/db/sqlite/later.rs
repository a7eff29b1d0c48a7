//! Rows that wait for the file over many batches: what a redo log made durable is written by the thread that folds, or at once when a
//! statement has to see it.

use rusqlite::Connection;

use super::folder::{Done, Folder, Work};
use super::raw::{open, run, set_position};
use super::{Sqlite, Unrecorded};
use crate::db::rows::Rows;
use crate::db::{DbError, Role};
use crate::redo::Recording;

/// Rows that a redo log made durable and that wait for the file, those of a second where 25,000 pay; with more of them whoever pays waits.
pub(super) const LATER_MAX: usize = 500_000;

/// What it takes for rows to wait for longer than a batch.
pub(super) struct Recorder {
    /// What the open batch wrote.
    pub(super) recording: Recording,
    /// Reads what the file has, while rows wait for it: one view for each batch.
    pub(super) reads: Connection,
    folder: Folder,
    /// Whether the thread that folds is at work.
    is_folding: bool,
    /// What came of its last work, if the writer has not heard of that.
    unheard: Option<Folded>,
    /// The rows that came back from it, of which there are none left.
    spare: Option<Rows>,
    /// The last batch that the file has.
    position: u64,
}

/// What is to be folded, and what else is done then.
pub(crate) struct Fold {
    /// The last batch of those.
    pub(crate) number: u64,
    /// Somebody waits until readers see it.
    pub(crate) is_awaited: bool,
    /// The write-ahead log is long and nearly all in the file: the rest is written there.
    pub(crate) finish_log: bool,
    /// What was folded becomes durable in the write-ahead log.
    pub(crate) sync_log: bool,
    /// Hears whether it was done.
    pub(crate) tell: Box<dyn FnOnce(bool) + Send>,
}

/// What came of it.
pub(crate) struct Folded {
    pub(crate) number: u64,
    pub(crate) sync_log: bool,
    pub(crate) outcome: Result<(), DbError>,
}

impl Recorder {
    /// What is read from now on is what the file has by then.
    pub(super) fn end_view(&self) -> Result<(), DbError> {
        if self.reads.is_autocommit() { Ok(()) } else { run(&self.reads, "COMMIT") }
    }
}

impl Sqlite {
    /// From now on what is written is recorded for the redo log, and commits leave the disk its time.
    pub(crate) fn record(&self) -> Result<(), DbError> {
        self.main().execute_batch("PRAGMA synchronous = NORMAL")?;
        let reads = open(&self.path, Role::Reader)?;
        let (recording, folder) = (Recording::default(), Folder::start(&self.path));
        *self.redo.borrow_mut() = Some(Recorder { recording, reads, folder, is_folding: false, unheard: None, spare: None, position: 0 });
        Ok(())
    }

    /// Whether rows wait for longer than their batch, so that what the file has is not all that there is.
    pub(in crate::db) fn is_later(&self) -> bool {
        self.is_later.get()
    }

    /// Records the batch's rows, which go on waiting.
    pub(super) fn record_rows(&self) {
        let (mut redo, mut waiting) = (self.redo.borrow_mut(), self.waiting.borrow_mut());
        let Some(redo) = &mut *redo else { return };
        waiting.each_new(|group| redo.recording.add(&group.sql, &group.rows));
    }

    /// Gives all that was recorded to the thread that folds; the transaction goes on. Not done while that is still at work.
    pub(crate) fn hand_over(&self, fold: Fold) -> Result<(), Fold> {
        let mut redo = self.redo.borrow_mut();
        let Some(redo) = redo.as_mut().filter(|redo| !redo.is_folding) else { return Err(fold) };
        let Some(connection) = self.main.borrow_mut().take() else { return Err(fold) };
        let spare = redo.spare.take().unwrap_or_else(|| Rows::new(crate::migrate::tables()));
        let rows = self.waiting.borrow_mut().exchange(spare);
        self.known.hand_over();
        redo.folder.give(Work { connection, rows, fold, version: self.version.get() });
        redo.is_folding = true;
        self.is_later.set(true);
        Ok(())
    }

    /// What came of what was handed over, if that is known by now; or waits for it.
    pub(crate) fn folded(&self, wait: bool) -> Option<Folded> {
        self.take_back(wait);
        self.redo.borrow_mut().as_mut()?.unheard.take()
    }

    /// Takes the connection back from the thread that folds, if that is done by now; or waits for it.
    pub(super) fn take_back(&self, wait: bool) {
        let mut redo = self.redo.borrow_mut();
        let Some(redo) = redo.as_mut().filter(|redo| redo.is_folding) else { return };
        let done = if wait { Some(redo.folder.wait()) } else { redo.folder.done() };
        let Some(Done { connection, rows, folded }) = done else { return };
        *self.main.borrow_mut() = Some(connection);
        redo.is_folding = false;
        redo.spare = Some(rows);
        if folded.outcome.is_ok() {
            redo.position = folded.number;
            self.known.handed_over_is_written();
        }
        redo.unheard = Some(folded);
        self.look_for_room();
    }

    /// Commits what was recorded up to batch `number`, and ends the transaction.
    pub(crate) fn fold(&self, number: u64) -> Result<(), DbError> {
        self.write_now().map_err(|_| self.why_lost())?;
        let mut redo = self.redo.borrow_mut();
        if let Some(redo) = redo.as_mut().filter(|redo| redo.position != number) {
            set_position(&self.main(), number)?;
            redo.position = number;
        }
        drop(redo);
        self.run("COMMIT")?;
        self.ended();
        self.known.all_is_written();
        Ok(())
    }

    /// Rows no longer wait for longer than their batch: those that do are written, and statements see all.
    pub(super) fn write_now(&self) -> Result<(), DbError> {
        if !self.is_later.get() {
            return Ok(());
        }
        self.take_back(true);
        // If it failed there is no transaction; the writer hears why.
        let written = match self.main().is_autocommit() {
            true => Err(DbError::Lost),
            false => self.waiting.borrow_mut().write_recorded(&mut Unrecorded(&self.main())),
        };
        written.or_else(|error| self.give_up(error))?;
        self.is_later.set(false);
        Ok(())
    }
}
