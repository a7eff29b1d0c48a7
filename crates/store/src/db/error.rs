//! What a database can answer instead of rows.

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite's own word.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
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
                Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen)
            ),
            Self::Column(_) => false,
        }
    }
}
