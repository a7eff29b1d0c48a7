//! Rows as bytes: how many values, then each of them with its kind before it. All numbers are little-endian. So they lie in memory while
//! they wait, and in the redo log.

use super::Value;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EncodedRow<'b>(pub(crate) &'b [u8]);

impl<'b> EncodedRow<'b> {
    /// Its values, of a row that was encoded in this program.
    pub(crate) fn values(self) -> impl ExactSizeIterator<Item = Value<'b>> {
        let mut rest = Pieces(self.0);
        let count = rest.number().expect("a row begins with the number of its values");
        (0..count).map(move |_| rest.value().expect("a row has so many values"))
    }
}

/// Adds a row to `out`; where its first `keys` values end there.
pub(crate) fn encode<'v>(values: impl ExactSizeIterator<Item = Value<'v>>, keys: usize, out: &mut Vec<u8>) -> usize {
    number(values.len(), out);
    let mut end_of_keys = out.len();
    for (at, value) in values.enumerate() {
        match value {
            Value::Null => out.push(0),
            Value::Integer(number) => {
                out.push(1);
                out.extend(number.to_le_bytes());
            }
            Value::Text(text) => {
                out.push(2);
                bytes(text.as_bytes(), out);
            }
            Value::Bytes(content) => {
                out.push(3);
                bytes(content, out);
            }
            Value::Id(content) => {
                out.push(3);
                bytes(&content, out);
            }
        }
        if at < keys {
            end_of_keys = out.len();
        }
    }
    end_of_keys
}

/// Adds bytes with their length before them.
pub(crate) fn bytes(content: &[u8], out: &mut Vec<u8>) {
    number(content.len(), out);
    out.extend_from_slice(content);
}

/// Adds a number of four bytes.
pub(crate) fn number(number: usize, out: &mut Vec<u8>) {
    let number = u32::try_from(number).expect("a request's rows are far below 4 GiB");
    out.extend(number.to_le_bytes());
}

/// Bytes that are read from their beginning; `None` where they do not hold what is asked for.
pub(crate) struct Pieces<'b>(pub(crate) &'b [u8]);

impl<'b> Pieces<'b> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn number(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.array()?) as usize)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = self.number()?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn value(&mut self) -> Option<Value<'b>> {
        Some(match self.take(1)? {
            [0] => Value::Null,
            [1] => Value::Integer(i64::from_le_bytes(self.array()?)),
            [2] => Value::Text(self.text()?),
            [3] => Value::Bytes(self.bytes()?),
            _ => return None,
        })
    }
}
