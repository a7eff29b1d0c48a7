//! The thread that makes records durable, those of all batches that came meanwhile by one write and one sync, and then gives their
//! answers, while the writer works on the next batch.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::record::{self, Lineage, Place};
use crate::db::DbError;
use crate::error::StoreError;

/// Batches that may wait to become durable; with more the writer waits.
const BATCHES_MAX: usize = 64;

/// A log that comes to this length gets all of its room on the disk at once: writing over what is there is durable in half the time of
/// making a file longer, and does not wait for what else the file system has to say.
const LONG: u64 = 1 << 20;

/// Gives the answers of a batch, when it is durable or with why it is not.
pub(crate) type Answers = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Message {
    Batch {
        place: Place,
        statements: Vec<u8>,
        answers: Answers,
    },
    /// Leaves only the first bytes.
    Erase {
        from: u64,
        done: SyncSender<io::Result<()>>,
    },
}

/// The way to the thread.
pub(super) struct Syncer {
    messages: Option<SyncSender<Message>>,
    is_broken: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts it, for a file that will have `room` bytes if it has to.
    pub(super) fn start(file: File, lineage: Lineage, room: u64) -> Self {
        let (messages, waiting) = sync_channel(BATCHES_MAX);
        let is_broken = Arc::new(AtomicBool::new(false));
        let work =
            Thread { file, lineage, room, has_room: false, at: 0, bytes: Vec::new(), durable: Vec::new(), is_broken: is_broken.clone() };
        let thread = std::thread::Builder::new().name("store-redo".into()).spawn(move || work.run(&waiting));
        Self { messages: Some(messages), is_broken, thread: Some(thread.expect("the system has room for one thread")) }
    }

    pub(super) fn append(&self, place: Place, statements: Vec<u8>, answers: Answers) {
        self.send(Message::Batch { place, statements, answers });
    }

    /// Leaves nothing behind the first `from` bytes, when all that was appended is durable and answered.
    pub(super) fn erase(&self, from: u64) -> Result<(), DbError> {
        let (done, is_done) = sync_channel(1);
        self.send(Message::Erase { from, done });
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
    room: u64,
    /// The file is as long.
    has_room: bool,
    /// Records that wait to be written, where, and whose they are.
    at: u64,
    bytes: Vec<u8>,
    durable: Vec<Answers>,
    is_broken: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, waiting: &Receiver<Message>) {
        while let Ok(first) = waiting.recv() {
            for message in std::iter::once(first).chain(waiting.try_iter()) {
                match message {
                    Message::Batch { place: Place { number, at }, statements, answers } => {
                        if !statements.is_empty() {
                            if at != self.at + self.bytes.len() as u64 {
                                self.write();
                                self.at = at;
                            }
                            self.bytes.extend(record::head(&self.lineage, number, &statements));
                            self.bytes.extend(statements);
                        }
                        self.durable.push(answers);
                    }
                    Message::Erase { from, done } => {
                        self.write();
                        // The writer waits for it.
                        drop(done.send(self.erase(from)));
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
            written = self.file.write_all_at(&self.bytes, self.at);
            self.at += self.bytes.len() as u64;
            if self.at > LONG && !self.has_room {
                written = written.and_then(|()| self.take_room());
            }
            written = written.and_then(|()| self.file.sync_data());
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

    /// Makes the file as long as it will ever be.
    fn take_room(&mut self) -> io::Result<()> {
        let zeros = vec![0; LONG as usize];
        let mut at = self.at;
        while at < self.room {
            let len = (self.room - at).min(LONG);
            self.file.write_all_at(&zeros[..len as usize], at)?;
            at += len;
        }
        self.has_room = true;
        Ok(())
    }

    fn erase(&mut self, from: u64) -> io::Result<()> {
        self.not_broken()?;
        self.has_room = false;
        self.file.set_len(from)?;
        self.file.sync_all()
    }

    fn not_broken(&self) -> io::Result<()> {
        match self.is_broken.load(Ordering::Relaxed) {
            true => Err(io::Error::other("an earlier record could not be written")),
            false => Ok(()),
        }
    }
}
