//! The thread that makes records durable, those of all batches that came meanwhile by one write and one sync, and then gives their
//! answers, while the writer works on the next batch.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::record::{self, Lineage};
use crate::db::DbError;
use crate::error::StoreError;

/// Batches that may wait to become durable; with more the writer waits.
const BATCHES_MAX: usize = 64;

/// Gives the answers of a batch, when it is durable or with why it is not.
pub(crate) type Answers = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Message {
    Batch { number: u64, statements: Vec<u8>, answers: Answers },
    BeginAnew { erase: bool, done: SyncSender<io::Result<()>> },
}

/// The way to the thread.
pub(super) struct Syncer {
    messages: Option<SyncSender<Message>>,
    is_broken: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts it; the first record goes to byte `begin` of `file`.
    pub(super) fn start(file: File, lineage: Lineage, begin: u64) -> Self {
        let (messages, waiting) = sync_channel(BATCHES_MAX);
        let is_broken = Arc::new(AtomicBool::new(false));
        let work = Thread { file, lineage, begin, at: begin, bytes: Vec::new(), durable: Vec::new(), is_broken: is_broken.clone() };
        let thread = std::thread::Builder::new().name("store-redo".into()).spawn(move || work.run(&waiting));
        Self { messages: Some(messages), is_broken, thread: Some(thread.expect("the system has room for one thread")) }
    }

    pub(super) fn append(&self, number: u64, statements: Vec<u8>, answers: Answers) {
        self.send(Message::Batch { number, statements, answers });
    }

    /// Begins the log anew when all that was appended is durable and answered: over what is there, or in an empty file.
    pub(super) fn begin_anew(&self, erase: bool) -> Result<(), DbError> {
        let (done, is_done) = sync_channel(1);
        self.send(Message::BeginAnew { erase, done });
        is_done.recv().expect("the thread ends last").map_err(DbError::Redo)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    fn send(&self, message: Message) {
        let sent = self.messages.as_ref().expect("is there until it is dropped").send(message);
        assert!(sent.is_ok(), "the thread ends last");
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.messages.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the redo log ended in disorder");
        }
    }
}

struct Thread {
    file: File,
    lineage: Lineage,
    /// Where the first record goes, and where the next one does.
    begin: u64,
    at: u64,
    /// Records that wait to be written, and whose they are.
    bytes: Vec<u8>,
    durable: Vec<Answers>,
    is_broken: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, waiting: &Receiver<Message>) {
        while let Ok(first) = waiting.recv() {
            for message in std::iter::once(first).chain(waiting.try_iter()) {
                match message {
                    Message::Batch { number, statements, answers } => {
                        if !statements.is_empty() {
                            self.bytes.extend(record::head(&self.lineage, number, &statements));
                            self.bytes.extend(statements);
                        }
                        self.durable.push(answers);
                    }
                    Message::BeginAnew { erase, done } => {
                        self.write();
                        // The writer waits for it.
                        drop(done.send(self.begin_anew(erase)));
                    }
                }
            }
            self.write();
        }
    }

    /// Makes what waits durable, and answers. What could not be written may be there in part, so that nothing can follow it.
    fn write(&mut self) {
        let mut written = self.not_broken();
        if written.is_ok() && !self.bytes.is_empty() {
            written = self.file.write_all_at(&self.bytes, self.at).and_then(|()| self.file.sync_data());
            self.at += self.bytes.len() as u64;
        }
        self.bytes.clear();
        if let Err(error) = &written
            && !self.is_broken.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%error, "the redo log cannot be written");
        }
        let failed = written.err().map(|error| Arc::new(StoreError::from(DbError::Redo(error))));
        for answer in self.durable.drain(..) {
            answer(failed.as_ref().map_or(Ok(()), |error| Err(StoreError::Shared(error.clone()))));
        }
    }

    fn begin_anew(&mut self, erase: bool) -> io::Result<()> {
        self.not_broken()?;
        self.at = self.begin;
        if erase {
            self.file.set_len(self.begin)?;
            self.file.sync_all()?;
        }
        Ok(())
    }

    fn not_broken(&self) -> io::Result<()> {
        match self.is_broken.load(Ordering::Relaxed) {
            true => Err(io::Error::other("an earlier record could not be written")),
            false => Ok(()),
        }
    }
}
