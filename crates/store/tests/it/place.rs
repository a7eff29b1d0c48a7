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

/// A place whose server nobody else uses.
pub struct Own {
    pub location: Location,
    server: Option<Throwaway>,
    _directory: Option<tempfile::TempDir>,
}

impl Own {
    pub fn new() -> Self {
        let server = (ON == Database::Postgres).then(|| Throwaway::start(&[]).expect("a server for a test"));
        match server.as_ref().map(|server| server.new_database().expect("a database for a test")) {
            Some(location) => Self { location, server, _directory: None },
            None => {
                let (location, directory) = fresh();
                Self { location, server, _directory: directory }
            }
        }
    }

    /// Kills the server as a power cut would end it, except that the machine's cache stays; it starts again by itself.
    pub fn crash_server(&self) {
        self.server.as_ref().expect("only PostgreSQL has a server").crash().expect("the server runs");
    }
}
