//! Values of parameters and columns, and how the domain's own become them.

use base::time::Timestamp;

/// A value as both databases hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// An identifier: 16 bytes that are made for the statement.
    Id([u8; 16]),
}

impl Value<'_> {
    /// What kind of value it is; never the value, which may be personal.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a text",
            Self::Bytes(_) | Self::Id(_) => "bytes",
        }
    }
}

/// A value that can be a parameter.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value<'_>;
}

/// A value that can be read from a column; `None` if the column holds something else.
pub(crate) trait FromValue: Sized {
    fn from_value(value: Value<'_>) -> Option<Self>;
}

/// An identifier's 128 bits as 16 bytes, big-endian, so that identifiers sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bits(pub(crate) u128);

/// A time as an integer of milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At(pub(crate) Timestamp);

/// A sequence number as an integer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence(pub(crate) u64);

impl ToValue for Bits {
    fn to_value(&self) -> Value<'_> {
        Value::Id(self.0.to_be_bytes())
    }
}

impl FromValue for Bits {
    fn from_value(value: Value<'_>) -> Option<Self> {
        <[u8; 16]>::from_value(value).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

impl ToValue for At {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(self.0.millis()).unwrap_or(i64::MAX))
    }
}

impl FromValue for At {
    fn from_value(value: Value<'_>) -> Option<Self> {
        u64::from_value(value).map(|millis| Self(Timestamp::from_millis(millis)))
    }
}

impl ToValue for Sequence {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl FromValue for Sequence {
    fn from_value(value: Value<'_>) -> Option<Self> {
        u64::from_value(value).map(Self)
    }
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        impl ToValue for $kind {
            fn to_value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
        impl FromValue for $kind {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Integer(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integers!(i64, i32, u32, u16, u8);

impl FromValue for u64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).and_then(|number| Self::try_from(number).ok())
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            Value::Id(bytes) => bytes[..].try_into().ok(),
            _ => None,
        }
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            Value::Id(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}
