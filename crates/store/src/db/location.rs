//! Where a store is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Address;

/// Where a store is: `sqlite:path/to/file`, or `postgres://user@host/database`.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A server, or the nodes of a cluster.
    Postgres(Address),
}

impl Location {
    /// Begins with the next server of several from now on.
    pub(crate) fn try_next(&self) {
        if let Self::Postgres(address) = self {
            address.begin_with_next();
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        Self::Sqlite(path.clone())
    }
}

impl From<&Location> for Location {
    fn from(location: &Location) -> Self {
        location.clone()
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("sqlite:") {
            Some("") => Err("sqlite: lacks the path of its file".into()),
            Some(path) => Ok(Self::Sqlite(path.into())),
            None if text.starts_with("postgres") => text.parse().map(Self::Postgres),
            None => Err("a store's address begins with sqlite: and a path, or with postgres://".into()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => write!(f, "{address}"),
        }
    }
}
