//! Rows that wait to be written, by the statement that writes them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Value, statement};

/// A value that outlives its statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kept {
    Null,
    Integer(i64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Id([u8; 16]),
}

impl Kept {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(*number),
            Value::Text(text) => Self::Text((*text).into()),
            Value::Bytes(bytes) => Self::Bytes((*bytes).into()),
            Value::Id(bytes) => Self::Id(*bytes),
        }
    }

    pub(super) fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Id(bytes) => Value::Id(*bytes),
        }
    }
}

/// One row of one statement.
struct Waiting {
    statement: usize,
    values: Vec<Kept>,
}

/// A statement of which rows wait.
struct Form {
    sql: Arc<str>,
    /// Where it stands among the others: rows that are referred to are written before those that refer.
    rank: (usize, bool),
}

/// Rows in the order in which they came.
#[derive(Default)]
pub(super) struct Rows {
    waiting: Vec<Waiting>,
    forms: Vec<Form>,
    known: HashMap<Arc<str>, usize>,
    /// Tables in the order in which they were made: none refers to a later one.
    tables: Vec<String>,
}

/// All rows of one statement.
pub(super) struct Group<'r> {
    pub(super) sql: Arc<str>,
    pub(super) rows: Vec<&'r [Kept]>,
}

impl Rows {
    pub(super) fn new(tables: Vec<String>) -> Self {
        Self { tables, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.waiting.truncate(len);
    }

    pub(super) fn push(&mut self, sql: &str, values: &[Value]) {
        let statement = match self.known.get(sql) {
            Some(known) => *known,
            None => self.learn(sql),
        };
        self.waiting.push(Waiting { statement, values: values.iter().map(Kept::of).collect() });
    }

    fn learn(&mut self, sql: &str) -> usize {
        let sql: Arc<str> = sql.into();
        let table = statement::table(&sql);
        let place = self.tables.iter().position(|known| Some(known.as_str()) == table).unwrap_or(self.tables.len());
        self.forms.push(Form { sql: sql.clone(), rank: (place, statement::is_update(&sql)) });
        self.known.insert(sql, self.forms.len() - 1);
        self.forms.len() - 1
    }

    /// The first `count` rows by statement, in an order that no reference forbids. Of several updates of one row the last
    /// counts.
    pub(super) fn groups(&self, count: usize) -> Vec<Group<'_>> {
        let mut by_form: HashMap<usize, Vec<&[Kept]>> = HashMap::new();
        for row in &self.waiting[..count] {
            by_form.entry(row.statement).or_default().push(&row.values);
        }
        let mut forms: Vec<usize> = by_form.keys().copied().collect();
        forms.sort_by_key(|form| (self.forms[*form].rank, *form));
        let group = |form: usize| {
            let sql = self.forms[form].sql.clone();
            let mut rows = by_form.remove(&form).unwrap_or_default();
            if self.forms[form].rank.1 {
                rows = last_of_each(rows, statement::keys(&sql));
            }
            Group { sql, rows }
        };
        forms.into_iter().map(group).collect()
    }

    pub(super) fn drop_first(&mut self, count: usize) {
        self.waiting.drain(..count);
    }
}

/// The last row of each key; keys are the first `keys` values.
fn last_of_each(rows: Vec<&[Kept]>, keys: usize) -> Vec<&[Kept]> {
    let mut last = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        last.insert(&row[..keys.min(row.len())], at);
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    kept.into_iter().map(|at| rows[at]).collect()
}
