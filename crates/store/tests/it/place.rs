//! Fresh places for stores, on the database that this program tests.

use std::sync::LazyLock;

use store::Location;
use store::throwaway::Throwaway;

use crate::ON;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each of the two programs makes one of them")]
pub enum Database {
    Sqlite,
    Postgres,
}

/// One server for all tests of this program; it ends with it.
static SERVER: LazyLock<Throwaway> = LazyLock::new(|| Throwaway::start(&[("max_connections", "300")]).expect("a server for the tests"));

/// An empty place, and what must live as long as it.
pub fn fresh() -> (Location, Option<tempfile::TempDir>) {
    match ON {
        Database::Sqlite => {
            let directory = tempfile::tempdir().expect("a directory for a test");
            (Location::Sqlite(directory.path().join("platform.db")), Some(directory))
        }
        Database::Postgres => (SERVER.new_database().expect("a database for a test"), None),
    }
}
