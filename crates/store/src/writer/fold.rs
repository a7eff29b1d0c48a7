//! Folding: what the redo log made durable comes into the file, beside the writer where that is possible.

use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::batches::Batches;
use super::lock;
use crate::db::{Connection, DbError, Fold, Folded, Role, Sqlite};
use crate::error::StoreError;
use crate::log_keeper::LogKeeper;
use crate::redo::{self, Redo};

/// At the latest so long after the first batch: pages that change again and again are written once.
const AFTER: Duration = Duration::from_millis(250);

/// Who waits until readers see all that was acknowledged.
pub(super) type Asking = SyncSender<Result<(), StoreError>>;

/// What is in the redo log and not in the file.
#[derive(Default)]
pub(super) struct Unfolded {
    /// Since when, and of how many requests; of what nobody folds yet.
    since: Option<Instant>,
    parts: usize,
    /// Of how many requests somebody does.
    folding: usize,
    /// Wait for what nobody folds yet.
    asking: Vec<Asking>,
}

impl Unfolded {
    /// A batch of so many requests was added.
    #[expect(clippy::disallowed_methods, reason = "how long rows wait for the file is nobody's business but the disk's")]
    pub(super) fn add(&mut self, parts: usize) {
        self.since.get_or_insert_with(Instant::now);
        self.parts += parts;
    }

    fn is_due(&self) -> bool {
        !self.asking.is_empty() || self.since.is_some_and(|since| since.elapsed() >= AFTER)
    }

    fn is_nothing(&self) -> bool {
        self.since.is_none() && self.folding == 0
    }
}

impl Batches {
    /// Somebody is to hear when readers see all that was acknowledged by now.
    pub(super) fn ask(&mut self, asking: Asking) {
        self.unfolded.asking.push(asking);
        let is_ok = self.fold_what_is_due().is_ok();
        if !is_ok || self.unfolded.is_nothing() {
            tell(std::mem::take(&mut self.unfolded.asking), is_ok);
        }
    }

    /// Gives what is due to the thread that folds, unless that is at work still.
    pub(super) fn fold_what_is_due(&mut self) -> Result<(), StoreError> {
        self.mend()?;
        self.collect(false)?;
        let is_due = self.unfolded.is_due() || self.redo.as_ref().is_some_and(Redo::wants_room);
        if self.unfolded.folding == 0 && is_due && !self.unfolded.is_nothing() { self.hand_over() } else { Ok(()) }
    }

    /// Nobody has wanted anything for a moment: what is unfolded is folded, and then the transaction ends.
    pub(super) fn rest(&mut self) -> Result<(), StoreError> {
        self.mend()?;
        self.collect(false)?;
        match &self.unfolded {
            Unfolded { folding: 1.., .. } => Ok(()),
            Unfolded { since: Some(_), .. } => self.hand_over(),
            _ => self.fold(),
        }
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        let connection = lock(&self.turn);
        let (Connection::Sqlite(sqlite), Some(redo)) = (&*connection, &self.redo) else { return Ok(()) };
        if sqlite.is_asked_for() {
            // Another program wants to write, and may when the file has all.
            drop(connection);
            return self.fold();
        }
        let Unfolded { parts, asking, .. } = std::mem::take(&mut self.unfolded);
        let is_awaited = !asking.is_empty();
        let tell = Box::new(move |is_done: bool| tell(asking, is_done));
        let finish_log = self.log.as_ref().is_some_and(|log| log.committed(parts));
        let fold = Fold { number: redo.number(), is_awaited, finish_log, sync_log: redo.wants_room(), tell };
        if sqlite.hand_over(fold).is_err() {
            unreachable!("it was asked whether the thread is at work");
        }
        self.unfolded.folding = parts.max(1);
        Ok(())
    }

    /// Looks whether what was handed over is in the file, or waits until it is.
    fn collect(&mut self, wait: bool) -> Result<(), StoreError> {
        if self.unfolded.folding == 0 {
            return Ok(());
        }
        let folded = match &*lock(&self.turn) {
            Connection::Sqlite(sqlite) => sqlite.folded(wait),
            Connection::Postgres(_) => None,
        };
        let Some(Folded { number, sync_log, outcome }) = folded else { return Ok(()) };
        self.unfolded.folding = 0;
        if let Err(error) = outcome {
            return self.could_not(error.into());
        }
        if let Some(error) = self.log.as_ref().and_then(LogKeeper::failed) {
            return self.could_not(error.into());
        }
        if self.unfolded.since.is_none() {
            self.store.shared.unfolded.store(false, Ordering::SeqCst);
            tell(std::mem::take(&mut self.unfolded.asking), true);
        }
        if sync_log && let Some(redo) = &mut self.redo {
            redo.is_in_file(number);
        }
        Ok(())
    }

    /// What the log holds could not be written into the file: the log is what counts.
    fn could_not(&mut self, error: StoreError) -> Result<(), StoreError> {
        tracing::error!(%error, "what the redo log holds could not be folded into the file");
        self.is_torn = true;
        self.mend()?;
        Err(error)
    }

    /// Commits what is in the redo log, so that readers see it, and ends the transaction.
    pub(super) fn fold(&mut self) -> Result<(), StoreError> {
        self.mend()?;
        self.collect(true)?;
        let Some(number) = self.redo.as_ref().map(Redo::number) else { return Ok(()) };
        if !lock(&self.turn).is_in_transaction() {
            return Ok(());
        }
        // Batches that are not durable yet may be among them: nobody was told of those, and when they are asked for again they are done.
        let folded = self.sqlite(|sqlite| Ok(sqlite.fold(number)?));
        let Unfolded { parts, asking, .. } = std::mem::take(&mut self.unfolded);
        tell(asking, folded.is_ok());
        if let Err(error) = folded {
            return self.could_not(error);
        }
        self.store.shared.unfolded.store(false, Ordering::SeqCst);
        let finished = match &self.log {
            Some(log) if log.committed(parts) => log.finish(&lock(&self.turn)),
            _ => Ok(()),
        };
        finished.or_else(|error| self.could_not(error.into()))
    }

    /// The same, with nothing of it left in any log.
    pub(super) fn fold_and_erase(&mut self) -> Result<(), StoreError> {
        self.fold()?;
        self.sqlite(|sqlite| Ok(sqlite.empty_log()?))?;
        self.begin_anew(true)
    }

    /// A batch for which the redo log has no room, or for which the file may not have any later, is durable by the file alone, and so is all
    /// before it.
    pub(super) fn fold_whole(&mut self) -> Result<(), StoreError> {
        if let Some(redo) = &mut self.redo {
            redo.skip();
        }
        self.fold()?;
        self.begin_anew(false)
    }

    fn begin_anew(&mut self, erase: bool) -> Result<(), StoreError> {
        let begun = self.redo.as_mut().map_or(Ok(()), |redo| redo.begin_anew(erase));
        begun.or_else(|error| self.could_not(error.into()))
    }

    fn sqlite<T: Default>(&self, work: impl FnOnce(&Sqlite) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &*lock(&self.turn) {
            Connection::Sqlite(sqlite) => work(sqlite),
            Connection::Postgres(_) => Ok(T::default()),
        }
    }

    /// Undoes the open transaction. Batches in it that were acknowledged are in the redo log: see [`Batches::mend`].
    pub(super) fn undo_open(&mut self) {
        if let Err(error) = lock(&self.turn).rollback() {
            tracing::warn!(%error, "a transaction was not undone in order");
        }
        self.is_torn |= !self.unfolded.is_nothing();
    }

    /// Opens the database anew if it is gone, or if what was acknowledged was undone with what was not: it is done again from the redo log.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        let is_broken = self.is_torn || lock(&self.turn).is_broken() || self.redo.as_ref().is_some_and(Redo::is_broken);
        if !is_broken {
            return Ok(());
        }
        let opened = self.open_anew();
        // Whoever asked reads all now, or hears that nobody can.
        tell(std::mem::take(&mut self.unfolded).asking, opened.is_ok());
        opened
    }

    fn open_anew(&mut self) -> Result<(), StoreError> {
        // SQLite may have ended the transaction itself; what is held for it is given back.
        if matches!(&*lock(&self.turn), Connection::Sqlite(_)) || lock(&self.turn).is_in_transaction() {
            self.undo_open();
        }
        self.is_torn = true;
        // Its thread answers whoever still waits, and gives the file up.
        self.redo = None;
        // Perhaps another server leads now; what was read from the one before is not read on.
        self.location.try_next();
        let mut turn = lock(&self.turn);
        let connection = Connection::open(&self.location, Role::Writer)?;
        let recovered = redo::recover(&self.location, &connection)?;
        self.redo = recovered.map_or(Ok(None), |recovered| recovered.start(&connection))?;
        *turn = connection;
        turn.known().keep();
        self.store.shared.readers.renew();
        self.store.shared.unfolded.store(false, Ordering::SeqCst);
        self.is_torn = false;
        Ok(())
    }
}

fn tell(asking: Vec<Asking>, is_done: bool) {
    for asking in asking {
        // Who gave up waiting needs no answer. If it was not done, there is no room.
        drop(asking.send(if is_done { Ok(()) } else { Err(DbError::Lost.into()) }));
    }
}
