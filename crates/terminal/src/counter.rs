//! The terminal's probe counter: never the same number twice, through any crash.
//!
//! The file holds the first number that was never handed out. Numbers are taken in blocks, so that most probes need no
//! write; a crash skips the rest of a block, which is harmless because parties ask only that the counter grows. For the
//! same reason a lost file is no loss: the present time in milliseconds is larger than any number that was handed out,
//! since no terminal makes a thousand probes a second.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use base::time::Timestamp;

/// Numbers reserved by one durable write.
const BLOCK: u64 = 1_000;

/// A durable, strictly increasing counter, kept by one process at a time.
#[derive(Debug)]
pub struct Counter {
    path: PathBuf,
    next: u64,
    reserved_until: u64,
}

impl Counter {
    /// Opens the counter in `path`; a missing file starts at `now` in milliseconds.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else than a number.
    pub fn open(path: &Path, now: Timestamp) -> std::io::Result<Self> {
        let next = match fs::read_to_string(path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    format!("{} holds no number; remove it, and the counter goes on from the present time", path.display()),
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => now.millis(),
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), next, reserved_until: next })
    }

    /// The next number.
    pub fn take(&mut self) -> std::io::Result<u64> {
        if self.next == self.reserved_until {
            self.reserve(self.next + BLOCK)?;
        }
        let number = self.next;
        self.next += 1;
        Ok(number)
    }

    fn reserve(&mut self, until: u64) -> std::io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        writeln!(file, "{until}")?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.reserved_until = until;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, now: u64) -> Counter {
        Counter::open(path, Timestamp::from_millis(now)).expect("opens")
    }

    #[test]
    fn grows_through_restarts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("counter");
        let mut last = 0;
        for _ in 0..3 {
            let mut counter = open(&path, 1_000);
            for _ in 0..BLOCK + 2 {
                let number = counter.take().expect("writes");
                assert!(number > last);
                last = number;
            }
        }
        fs::write(&path, "seven").expect("writes");
        let error = Counter::open(&path, Timestamp::from_millis(1)).expect_err("no number");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    }

    #[test]
    fn grows_when_its_file_is_lost() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("counter");
        let installed = 1_700_000_000_000;
        let mut counter = open(&path, installed);
        // Until a day later, one probe a second.
        let last = (0..86_400).map(|_| counter.take().expect("writes")).last().expect("many");
        drop(counter);
        fs::remove_file(&path).expect("lost");
        let first = open(&path, installed + 86_400_000).take().expect("writes");
        assert!(first > last + BLOCK, "{first} after {last}");
        // A file that is there counts, whatever the clock says.
        assert!(open(&path, 5).take().expect("writes") > first);
    }
}
