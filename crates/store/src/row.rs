//! Domain values as columns.

use crate::db::{DbError, FromValue, Value};

pub(crate) use crate::db::{At, Bits, Sequence};

/// A stable name that stands for a value of the domain, such as a status.
pub(crate) struct Name(pub(crate) String);

impl Name {
    /// The value of this name by `find`; a name that none has is a broken row.
    pub(crate) fn read<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
        find(&self.0).ok_or_else(|| DbError::Column(format!("unknown name {}", self.0)))
    }
}

impl FromValue for Name {
    fn from_value(value: Value<'_>) -> Option<Self> {
        String::from_value(value).map(Self)
    }
}
