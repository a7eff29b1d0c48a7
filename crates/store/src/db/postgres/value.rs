//! Values in the binary format of PostgreSQL's types (documentation, chapter "Data Types").

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use postgres_protocol::types::{ArrayDimension, array_to_sql};
use postgres_protocol::{IsNull, Oid};

use crate::db::{DbError, Value};

const BOOL: Oid = 16;
const BYTEA: Oid = 17;
const NAME: Oid = 19;
const INT8: Oid = 20;
const INT2: Oid = 21;
const INT4: Oid = 23;
const TEXT: Oid = 25;
const VARCHAR: Oid = 1043;

type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// Appends `value` as the server's type `kind`.
pub(super) fn encode(value: &Value, kind: Oid, out: &mut BytesMut) -> Result<IsNull, Refusal> {
    match (value, kind) {
        (Value::Null, _) => return Ok(IsNull::Yes),
        (Value::Integer(number), INT8) => out.put_i64(*number),
        (Value::Integer(number), INT4) => out.put_i32(i32::try_from(*number)?),
        (Value::Integer(number), INT2) => out.put_i16(i16::try_from(*number)?),
        (Value::Integer(number), BOOL) => out.put_u8(u8::from(*number != 0)),
        (Value::Text(text), TEXT | VARCHAR | NAME) => out.put_slice(text.as_bytes()),
        (Value::Bytes(bytes), BYTEA) => out.put_slice(bytes),
        (Value::Id(bytes), BYTEA) => out.put_slice(bytes),
        (value, kind) => return Err(format!("{} is no parameter of type {kind}", value.kind()).into()),
    }
    Ok(IsNull::No)
}

/// The name of the type of a parameter; `None` if the store has no such values.
pub(super) fn type_name(kind: Oid) -> Option<&'static str> {
    Some(match kind {
        BOOL => "bool",
        BYTEA => "bytea",
        INT8 => "int8",
        INT4 => "int4",
        INT2 => "int2",
        TEXT | VARCHAR => "text",
        _ => return None,
    })
}

/// Appends one column of many rows as an array of the type `kind`.
pub(super) fn encode_array<'v>(column: impl ExactSizeIterator<Item = Value<'v>>, kind: Oid, out: &mut BytesMut) -> Result<IsNull, Refusal> {
    let len = i32::try_from(column.len())?;
    let dimension = ArrayDimension { len, lower_bound: 1 };
    array_to_sql(Some(dimension), kind, column, |value, out| encode(&value, kind, out), out)?;
    Ok(IsNull::No)
}

/// One row as it came.
pub(crate) struct PgRow<'a> {
    pub(super) columns: &'a [Oid],
    pub(super) ranges: &'a [Option<Range<usize>>],
    pub(super) buffer: &'a [u8],
}

impl<'a> PgRow<'a> {
    /// The value of a column.
    pub(crate) fn column(&self, at: usize) -> Result<Value<'a>, DbError> {
        let broken = || DbError::Column(format!("column {at} is not of a type that the store uses"));
        let (kind, range) = self.columns.get(at).zip(self.ranges.get(at)).ok_or_else(broken)?;
        let Some(range) = range else { return Ok(Value::Null) };
        let bytes = self.buffer.get(range.clone()).ok_or_else(broken)?;
        let value = match *kind {
            INT8 => bytes.try_into().ok().map(|bytes| Value::Integer(i64::from_be_bytes(bytes))),
            INT4 => bytes.try_into().ok().map(|bytes| Value::Integer(i32::from_be_bytes(bytes).into())),
            INT2 => bytes.try_into().ok().map(|bytes| Value::Integer(i16::from_be_bytes(bytes).into())),
            BOOL => bytes.first().map(|byte| Value::Integer((*byte).into())),
            BYTEA => Some(Value::Bytes(bytes)),
            TEXT | VARCHAR | NAME => std::str::from_utf8(bytes).ok().map(Value::Text),
            _ => None,
        };
        value.ok_or_else(broken)
    }
}
