//! What the redo log holds of one batch of requests: the statements that changed rows, with their values, in their order. Done again
//! in that order on the same rows they give the same rows, because time, randomness and identifiers are among the values.
//!
//! A record is a head of 32 bytes and its statements. All numbers are little-endian.
//!
//! | bytes of the head | what |
//! |---|---|
//! | 4 | `HSRL` |
//! | 4 | length of what follows the head |
//! | 8 | number of the batch, 1 for the first of a log |
//! | 16 | the first half of SHA-256 over the log's name, the number, and what follows |
//!
//! A statement is its text, then its rows; each row its values, each of them with its kind before it.

use base::hash::hash_parts;

use crate::db::Value;
use crate::db::encoded::{self, EncodedRow, Pieces};

/// The name of one log: a record of another is none.
pub(crate) type Lineage = [u8; 16];

/// Bytes before a record's statements.
pub(crate) const HEAD_LEN: usize = 32;
const MARK: [u8; 4] = *b"HSRL";

/// What a batch wrote so far.
#[derive(Default)]
pub(crate) struct Recording(Vec<u8>);

impl Recording {
    /// A statement was carried out for each of `rows`.
    pub(crate) fn add<'r>(&mut self, sql: &str, rows: &[EncodedRow<'r>]) {
        encoded::bytes(sql.as_bytes(), &mut self.0);
        encoded::number(rows.len(), &mut self.0);
        rows.iter().for_each(|row| self.0.extend_from_slice(row.0));
    }

    /// A statement was carried out once with `values`.
    pub(crate) fn add_one(&mut self, sql: &str, values: &[Value]) {
        encoded::bytes(sql.as_bytes(), &mut self.0);
        encoded::number(1, &mut self.0);
        encoded::encode(values.iter().copied(), 0, &mut self.0);
    }

    /// What was written, of which nothing is left here.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Where a batch goes.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Of the batch, from 1 on.
    pub(crate) number: u64,
    /// Byte of the file at which its record begins.
    pub(crate) at: u64,
}

/// The head of batch `number`, which wrote `statements`.
pub(crate) fn head(lineage: &Lineage, number: u64, statements: &[u8]) -> [u8; HEAD_LEN] {
    let len = u32::try_from(statements.len()).expect("a batch is far below 4 GiB");
    let mut head = [0; HEAD_LEN];
    head[..4].copy_from_slice(&MARK);
    head[4..8].copy_from_slice(&len.to_le_bytes());
    head[8..16].copy_from_slice(&number.to_le_bytes());
    head[16..].copy_from_slice(&check(lineage, number, statements));
    head
}

fn check(lineage: &Lineage, number: u64, statements: &[u8]) -> [u8; 16] {
    let hash = hash_parts("handsel redo record", &[lineage, &number.to_le_bytes(), statements]);
    hash[..16].try_into().expect("a hash has 32 bytes")
}

/// One whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'b> {
    /// Of the batch.
    pub(crate) number: u64,
    /// See [`statements`].
    pub(crate) statements: &'b [u8],
}

/// The records at the beginning of `bytes`, as long as each is whole and follows the one before.
pub(crate) fn records<'b>(lineage: &Lineage, bytes: &'b [u8]) -> Vec<Record<'b>> {
    let (mut found, mut rest) = (Vec::<Record>::new(), Pieces(bytes));
    while let Some(record) = record(lineage, &mut rest) {
        if found.last().is_some_and(|last| last.number + 1 != record.number) {
            break;
        }
        found.push(record);
    }
    found
}

fn record<'b>(lineage: &Lineage, rest: &mut Pieces<'b>) -> Option<Record<'b>> {
    if rest.take(4)? != MARK {
        return None;
    }
    let len = rest.number()?;
    let number = u64::from_le_bytes(rest.array()?);
    let expected: [u8; 16] = rest.array()?;
    let statements = rest.take(len)?;
    (check(lineage, number, statements) == expected).then_some(Record { number, statements })
}

/// A statement and the rows that it was carried out for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement<'b> {
    pub(crate) sql: &'b str,
    pub(crate) rows: Vec<Vec<Value<'b>>>,
}

/// The statements of a record; `None` if they do not read back.
pub(crate) fn statements(bytes: &[u8]) -> Option<Vec<Statement<'_>>> {
    let (mut found, mut rest) = (Vec::new(), Pieces(bytes));
    while !rest.0.is_empty() {
        let sql = rest.text()?;
        let rows = rest.number()?;
        let rows: Option<Vec<_>> = (0..rows).map(|_| row(&mut rest)).collect();
        found.push(Statement { sql, rows: rows? });
    }
    Some(found)
}

fn row<'b>(rest: &mut Pieces<'b>) -> Option<Vec<Value<'b>>> {
    let len = rest.number()?;
    (0..len).map(|_| rest.value()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINEAGE: Lineage = [7; 16];

    fn log(batches: &[Vec<u8>]) -> Vec<u8> {
        let framed = |(at, batch): (usize, &Vec<u8>)| [&head(&LINEAGE, at as u64 + 5, batch)[..], batch].concat();
        batches.iter().enumerate().flat_map(framed).collect()
    }

    #[test]
    fn statements_read_back_with_their_values() {
        let mut recording = Recording::default();
        let row = [Value::Null, Value::Integer(-3), Value::Text("面"), Value::Bytes(&[1, 2]), Value::Id([9; 16])];
        let mut encoded = Vec::new();
        encoded::encode(row.into_iter(), 0, &mut encoded);
        recording.add("INSERT", &[EncodedRow(&encoded); 2]);
        recording.add_one("DELETE FROM t", &[]);
        let bytes = recording.take();
        assert!(recording.take().is_empty());
        let read = statements(&bytes).expect("reads");
        let back = vec![Value::Null, Value::Integer(-3), Value::Text("面"), Value::Bytes(&[1, 2]), Value::Bytes(&[9; 16])];
        assert_eq!(read[0], Statement { sql: "INSERT", rows: vec![back.clone(), back] });
        assert_eq!(read[1], Statement { sql: "DELETE FROM t", rows: vec![vec![]] });
    }

    #[test]
    fn a_log_ends_before_what_is_torn_stale_or_anothers() {
        let batches = vec![vec![1; 40], vec![2; 50], vec![3; 60]];
        let whole = log(&batches);
        let read = |bytes: &[u8]| records(&LINEAGE, bytes).iter().map(|record| record.number).collect::<Vec<_>>();
        assert_eq!(read(&whole), [5, 6, 7]);
        assert!(records(&[8; 16], &whole).is_empty(), "another log's");
        let first = HEAD_LEN + 40;
        for at in 0..whole.len() {
            let expected = [5, 6, 7].into_iter().filter(|number| at >= [first, first + 82, whole.len()][*number as usize - 5]);
            assert_eq!(read(&whole[..at]), expected.collect::<Vec<_>>(), "cut at {at}");
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(read(&damaged).len() < 3, "one bit at {at}");
        }
        // The log began anew over an older turn of it.
        let mut over = whole.clone();
        over[..first].copy_from_slice(&[&head(&LINEAGE, 8, &[1; 40])[..], &[1; 40]].concat());
        assert_eq!(read(&over), [8]);
    }

    proptest! {
        #[test]
        fn anything_at_all_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = statements(&bytes);
            prop_assert!(records(&LINEAGE, &bytes).is_empty());
        }
    }
}
