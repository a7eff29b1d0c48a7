//! Bringing a database file's schema up to date.
use rusqlite::Connection;
use crate::error::StoreError;
pub(crate) fn migrate(_connection: &mut Connection) -> Result<(), StoreError> {
    todo!()
}
