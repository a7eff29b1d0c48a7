//! What a database can answer instead of rows.

use super::postgres::ServerError;

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite's own word.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's own word.
    #[error(transparent)]
    Postgres(ServerError),
    /// The server is not there, or went away. What was being committed may or may not be: ask again with the same key.
    #[error("the database server cannot be reached: {0}")]
    Connection(#[source] std::io::Error),
    /// The redo log cannot be read or written; its operator must make room or mend the disk.
    #[error("the redo log beside the store: {0}")]
    Redo(#[source] std::io::Error),
    /// The file that says who writes to the store cannot be used; its operator must mend the disk or the rights.
    #[error("the lock beside the store: {0}")]
    Lock(#[source] std::io::Error),
    /// Another program writes to the store and does not give it back; whoever runs that must end it.
    #[error("another program has been writing to the store for seconds")]
    Busy,
    /// The server or database is not one to keep money in; whoever runs it must mend what is said.
    #[error("{0}")]
    Unfit(String),
    /// The database ended the transaction by itself, which it does when its disk is full.
    #[error("the database ended the transaction: its disk is full, or it stopped")]
    Lost,
    /// A column that does not hold what this program put there.
    #[error("{0}")]
    Column(String),
}

impl DbError {
    /// Whether nothing can be written for the moment: its operator must make room, or start the database.
    pub(crate) fn is_no_room(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::ReadOnly
                        | ErrorCode::CannotOpen
                )
            ),
            // Insufficient resources, operator intervention, system error; connection exceptions; read-only.
            Self::Postgres(error) => ["53", "57", "58", "08"].iter().any(|class| error.state.starts_with(class)) || error.state == "25006",
            Self::Connection(_) | Self::Redo(_) | Self::Lock(_) | Self::Busy | Self::Lost => true,
            Self::Unfit(_) | Self::Column(_) => false,
        }
    }

    /// Whether SQLite's disk is full.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }

    /// Whether it is PostgreSQL's error of this SQLSTATE.
    pub(crate) fn is_state(&self, state: &str) -> bool {
        matches!(self, Self::Postgres(error) if error.state == state)
    }
}
