//! The same tests as in `main.rs` against a real PostgreSQL server.

/// What the tests of this program run on.
const ON: place::Database = place::Database::Postgres;

include!("modules.rs");
mod failover;
