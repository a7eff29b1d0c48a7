//! `handsel admin backup|restore|move`: the platform's store to a file, back, and from one database to the other.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;
use store::copy::{self, Copied};
use store::error::StoreError;

use crate::args::{BackupOptions, MoveOptions, RestoreOptions};
use crate::run::{Failure, failed};

/// Writes a backup of a store, which may be in use.
pub fn backup(options: &BackupOptions) -> Result<ExitCode, Failure> {
    done(options.json, "backed up", || copy::backup(&options.store, &options.out).map_err(failed("no backup was made")))
}

/// Brings a backup back into an empty place.
pub fn restore(options: &RestoreOptions) -> Result<ExitCode, Failure> {
    done(options.json, "brought back", || copy::restore(&options.from, &options.store).map_err(failed("the backup was not brought back")))
}

/// Moves a store into an empty place; the old one takes no writes afterwards.
pub fn move_store(options: &MoveOptions) -> Result<ExitCode, Failure> {
    done(options.json, "moved", || {
        copy::move_store(&options.from, &options.to)
            .map_err(|error: StoreError| Failure(format!("the store was not moved, and is as it was: {error}")))
    })
}

#[expect(clippy::disallowed_methods, reason = "measures")]
fn done(as_json: bool, what: &str, work: impl FnOnce() -> Result<Copied, Failure>) -> Result<ExitCode, Failure> {
    let begin = Instant::now();
    let copied = work()?;
    let (rows, seconds) = (copied.rows.values().sum::<u64>(), begin.elapsed().as_secs_f64());
    let books = copied.books;
    if as_json {
        let report = json!({
            "tables": copied.rows, "rows": rows, "sha256": copied.sha256, "seconds": seconds, "balanced": books.balanced(),
            "debits_minor": books.debits_minor, "credits_minor": books.credits_minor,
        });
        println!("{report}");
    } else {
        println!("{what}: {rows} rows in {} tables, compared at both ends; SHA-256 {}", copied.rows.len(), copied.sha256);
    }
    // Contents are as they were; whether those were sound is another matter, and the operator's first.
    Ok(if books.balanced() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
