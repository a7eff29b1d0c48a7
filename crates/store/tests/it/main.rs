//! The store's tests against real files: each use case, each refusal, concurrency, and a process that is killed.

/// What the tests of this program run on.
const ON: place::Database = place::Database::Sqlite;

include!("modules.rs");
mod torn;
