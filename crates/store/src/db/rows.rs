//! Rows that wait to be written, by the statement that writes them.

use std::ops::Range;
use std::sync::Arc;

use foldhash::HashMap;

use super::encoded::{self, EncodedRow};
use super::{Value, statement};

/// One row of one statement; of an update its first values, up to `keys`, say which.
struct Waiting {
    statement: usize,
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
    /// Their values.
    bytes: Vec<u8>,
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
            self.bytes.truncate(first.at.start);
            self.waiting.truncate(len);
        }
    }

    pub(super) fn push(&mut self, sql: &str, values: &[Value]) {
        let statement = match self.known.get(sql) {
            Some(known) => *known,
            None => self.learn(sql),
        };
        let begin = self.bytes.len();
        let keys = encoded::encode(values.iter().copied(), self.forms[statement].keys, &mut self.bytes);
        self.waiting.push(Waiting { statement, at: begin..self.bytes.len(), keys });
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
            Group { sql: sql.clone(), rows: rows.into_iter().map(|row| EncodedRow(&self.bytes[row.at.clone()])).collect() }
        };
        forms.into_iter().map(group).collect()
    }

    /// The last row of each key, in the order of the keys' bytes, so that neighbours are written one after the other.
    fn last_of_each<'r>(&self, mut rows: Vec<&'r Waiting>) -> Vec<&'r Waiting> {
        let key = |row: &Waiting| &self.bytes[row.at.start..row.keys];
        // Stable: rows of one key stay in their order.
        rows.sort_by(|one, other| key(one).cmp(key(other)));
        let is_last = |(at, row): &(usize, &&Waiting)| rows.get(at + 1).is_none_or(|next| key(next) != key(row));
        rows.iter().enumerate().filter(is_last).map(|(_, row)| *row).collect()
    }

    pub(super) fn drop_first(&mut self, count: usize) {
        self.waiting.drain(..count);
        if self.waiting.is_empty() {
            self.bytes.clear();
        }
    }
}
