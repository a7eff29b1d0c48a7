//! Domain values as columns.

use base::time::Timestamp;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// An identifier's 128 bits as 16 bytes, big-endian, so that identifiers sort by time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits(pub(crate) u128);

impl ToSql for Bits {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_be_bytes().to_vec()))
    }
}

impl FromSql for Bits {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

/// A time as an integer of milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0.millis()).unwrap_or(i64::MAX)))
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        u64::try_from(millis).map(|millis| Self(Timestamp::from_millis(millis))).map_err(|_| FromSqlError::OutOfRange(millis))
    }
}

/// A sequence number as an integer.
#[derive(Clone, Copy)]
pub(crate) struct Sequence(pub(crate) u64);

impl ToSql for Sequence {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Sequence {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// A stable name that stands for a value of the domain, such as a status.
pub(crate) struct Name(pub(crate) String);

impl Name {
    /// The value of this name by `find`; a name that none has is a broken row.
    pub(crate) fn read<T>(&self, find: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
        find(&self.0).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, format!("unknown name {}", self.0).into())
        })
    }
}

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.to_owned()))
    }
}
