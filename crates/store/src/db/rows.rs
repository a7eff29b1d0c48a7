//! Rows that wait to be written, by the statement that writes them.

use std::ops::Range;
use std::sync::Arc;

use foldhash::HashMap;

use super::encoded::{self, EncodedRow};
use super::{Value, statement};

/// Bytes after which the values of the next row are kept in another piece of memory: one that grew would be copied as a whole now and then,
/// for tens of milliseconds once many rows wait.
const PIECE: usize = 1 << 20;
/// Of a row that is begun in a piece so many find room there without a copy.
const ROW: usize = 1 << 14;

/// One row of one statement; of an update its first values, up to `keys`, say which.
struct Waiting {
    statement: usize,
    piece: usize,
    at: Range<usize>,
    keys: usize,
}

/// A statement of which rows wait.
struct Form {
    sql: Arc<str>,
    /// Where it stands among the others: rows that are referred to are written before those that refer.
    rank: (usize, bool),
    /// How many of its values say which row, if it is an update.
    keys: usize,
}

/// Rows in the order in which they came.
#[derive(Default)]
pub(super) struct Rows {
    waiting: Vec<Waiting>,
    /// Their values, piece by piece.
    pieces: Vec<Vec<u8>>,
    forms: Vec<Form>,
    known: HashMap<Arc<str>, usize>,
    /// Tables in the order in which they were made: none refers to a later one.
    tables: Vec<String>,
}

/// All rows of one statement.
pub(super) struct Group<'r> {
    pub(super) sql: Arc<str>,
    pub(super) rows: Vec<EncodedRow<'r>>,
}

impl Rows {
    pub(super) fn new(tables: Vec<String>) -> Self {
        Self { tables, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(first) = self.waiting.get(len) {
            self.pieces.truncate(first.piece + 1);
            self.pieces[first.piece].truncate(first.at.start);
            self.waiting.truncate(len);
        }
    }

    pub(super) fn push(&mut self, sql: &str, values: &[Value]) {
        let statement = match self.known.get(sql) {
            Some(known) => *known,
            None => self.learn(sql),
        };
        if self.pieces.last().is_none_or(|last| last.len() >= PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE + ROW));
        }
        let piece = self.pieces.len() - 1;
        let bytes = &mut self.pieces[piece];
        let begin = bytes.len();
        let keys = encoded::encode(values.iter().copied(), self.forms[statement].keys, bytes);
        self.waiting.push(Waiting { statement, piece, at: begin..bytes.len(), keys });
    }

    fn bytes(&self, row: &Waiting, to: usize) -> &[u8] {
        &self.pieces[row.piece][row.at.start..to]
    }

    fn learn(&mut self, sql: &str) -> usize {
        let sql: Arc<str> = sql.into();
        let table = statement::table(&sql);
        let place = self.tables.iter().position(|known| Some(known.as_str()) == table).unwrap_or(self.tables.len());
        let is_update = statement::is_update(&sql);
        let keys = if is_update { statement::keys(&sql) } else { 0 };
        self.forms.push(Form { sql: sql.clone(), rank: (place, is_update), keys });
        self.known.insert(sql, self.forms.len() - 1);
        self.forms.len() - 1
    }

    /// Some of the rows by statement, in an order that no reference forbids. Of several updates of one row the last counts.
    pub(super) fn groups(&self, which: Range<usize>) -> Vec<Group<'_>> {
        let mut by_form: Vec<Vec<&Waiting>> = self.forms.iter().map(|_| Vec::new()).collect();
        self.waiting[which].iter().for_each(|row| by_form[row.statement].push(row));
        let mut forms: Vec<usize> = (0..self.forms.len()).filter(|form| !by_form[*form].is_empty()).collect();
        forms.sort_by_key(|form| (self.forms[*form].rank, *form));
        let group = |form: usize| {
            let Form { sql, rank: (_, is_update), .. } = &self.forms[form];
            let mut rows = std::mem::take(&mut by_form[form]);
            if *is_update {
                rows = self.last_of_each(rows);
            }
            Group { sql: sql.clone(), rows: rows.into_iter().map(|row| EncodedRow(self.bytes(row, row.at.end))).collect() }
        };
        forms.into_iter().map(group).collect()
    }

    /// The last row of each key, in the order of the keys' bytes, so that neighbours are written one after the other.
    fn last_of_each<'r>(&self, mut rows: Vec<&'r Waiting>) -> Vec<&'r Waiting> {
        let key = |row: &Waiting| self.bytes(row, row.keys);
        // Stable: rows of one key stay in their order.
        rows.sort_by(|one, other| key(one).cmp(key(other)));
        let is_last = |(at, row): &(usize, &&Waiting)| rows.get(at + 1).is_none_or(|next| key(next) != key(row));
        rows.iter().enumerate().filter(is_last).map(|(_, row)| *row).collect()
    }

    pub(super) fn drop_first(&mut self, count: usize) {
        self.waiting.drain(..count);
        if self.waiting.is_empty() {
            self.pieces.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as whoever writes them sees them: the first byte of each and how many there are.
    fn seen(rows: &Rows) -> Vec<(u8, usize)> {
        let groups = rows.groups(0..rows.len());
        let first_and_len = |row: &EncodedRow| match row.values().next() {
            Some(Value::Bytes(bytes)) => (bytes[0], bytes.len()),
            _ => panic!("bytes were put in"),
        };
        groups.iter().flat_map(|group| group.rows.iter().map(first_and_len)).collect()
    }

    #[test]
    fn rows_are_whole_wherever_their_bytes_lie_also_after_the_last_are_forgotten() {
        let mut rows = Rows::new(vec!["t".into()]);
        let lens = [400_000, 700_000, 5, PIECE + 2 * ROW, 6, 700_000, 7];
        let expected: Vec<_> = (0..).zip(lens).collect();
        let put = |rows: &mut Rows, (first, len): (u8, usize)| rows.push("INSERT INTO t VALUES (?1)", &[Value::Bytes(&vec![first; len])]);
        expected.iter().for_each(|row| put(&mut rows, *row));
        assert_eq!(seen(&rows), expected);
        for kept in (0..lens.len()).rev() {
            rows.truncate(kept);
            assert_eq!(seen(&rows), expected[..kept]);
            expected[kept..].iter().for_each(|row| put(&mut rows, *row));
            assert_eq!(seen(&rows), expected);
        }
        rows.drop_first(lens.len());
        put(&mut rows, (9, 1));
        assert_eq!(seen(&rows), [(9, 1)]);
    }
}
