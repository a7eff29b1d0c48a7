//! A transaction's rows that wait to be written, and its parts that can be undone alone. As long as nothing of a part has
//! reached the database, forgetting its rows undoes it, and no savepoint is needed.

use super::rows::{Group, Rows};
use super::{DbError, Value};

/// Rows that wait at most, so that their number does not depend on the work.
const ROWS_MAX: usize = 5_000;

/// The database behind it, within one transaction.
pub(super) trait Database {
    /// Runs a statement without parameters and answer.
    fn run(&mut self, sql: &str) -> Result<(), DbError>;

    /// Writes rows of one statement.
    fn write(&mut self, group: &Group) -> Result<(), DbError>;
}

/// What waits.
pub(super) struct Waiting {
    rows: Rows,
    /// How many of them, the first ones, are of earlier batches, and in the redo log.
    recorded: usize,
    /// The parts that are open, the innermost last.
    parts: Vec<Part>,
}

struct Part {
    first_row: usize,
    has_savepoint: bool,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { rows: Rows::new(crate::migrate::tables()), recorded: 0, parts: Vec::new() }
    }

    /// Forgets everything: the transaction begins, or is undone.
    pub(super) fn clear(&mut self) {
        self.rows.truncate(0);
        self.recorded = 0;
        self.parts.clear();
    }

    pub(super) fn begin_part(&mut self) {
        self.parts.push(Part { first_row: self.rows.len(), has_savepoint: false });
    }

    pub(super) fn end_part(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        match self.parts.pop() {
            Some(Part { has_savepoint: true, .. }) => database.run(&format!("RELEASE part{}", self.parts.len())),
            _ => Ok(()),
        }
    }

    /// Forgets the innermost part's rows; the statements that undo what reached the database, if anything did.
    pub(super) fn undo_part(&mut self) -> Option<String> {
        let part = self.parts.pop()?;
        self.rows.truncate(part.first_row);
        let name = format!("part{}", self.parts.len());
        part.has_savepoint.then(|| format!("ROLLBACK TO {name}; RELEASE {name}"))
    }

    /// Keeps a row to be written with others of its statement.
    pub(super) fn put(&mut self, sql: &str, values: &[Value]) {
        self.rows.push(sql, values);
    }

    /// Whether so many rows wait that they are better written.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() - self.recorded >= ROWS_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Shows the rows of the batch that ends to `record`; from then on they are an earlier batch's.
    pub(super) fn each_new(&mut self, record: impl FnMut(&Group)) {
        self.rows.groups(self.recorded..self.rows.len()).iter().for_each(record);
        self.recorded = self.rows.len();
    }

    /// Writes what waits of earlier batches.
    pub(super) fn write_recorded(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        let recorded = std::mem::take(&mut self.recorded);
        self.write_first(recorded, database)?;
        for part in &mut self.parts {
            part.first_row -= recorded;
        }
        Ok(())
    }

    /// Takes what waits, all of it of earlier batches, and goes on with `empty`.
    pub(super) fn exchange(&mut self, empty: Rows) -> Rows {
        self.recorded = 0;
        std::mem::replace(&mut self.rows, empty)
    }

    /// Before a statement that may see what waits.
    pub(super) fn before_read(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        if self.rows.len() == 0 { Ok(()) } else { self.before_write(database) }
    }

    /// Before a statement that writes by itself.
    pub(super) fn before_write(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        self.open_savepoints(database)?;
        self.write_all(database)
    }

    /// Writes all that waits, at the end of the transaction.
    pub(super) fn write_all(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        self.write_first(self.rows.len(), database)?;
        for part in &mut self.parts {
            part.first_row = 0;
        }
        Ok(())
    }

    /// Marks where each open part begins, so that it can be undone once something of it has reached the database.
    fn open_savepoints(&mut self, database: &mut impl Database) -> Result<(), DbError> {
        let mut written = 0;
        for at in 0..self.parts.len() {
            if self.parts[at].has_savepoint {
                continue;
            }
            // Rows from before the part stay when it is undone.
            let before = self.parts[at].first_row - written;
            self.write_first(before, database)?;
            written += before;
            database.run(&format!("SAVEPOINT part{at}"))?;
            self.parts[at].has_savepoint = true;
        }
        for part in &mut self.parts {
            part.first_row = part.first_row.saturating_sub(written);
        }
        Ok(())
    }

    /// Writes the oldest rows, those of one statement together.
    fn write_first(&mut self, count: usize, database: &mut impl Database) -> Result<(), DbError> {
        if count == 0 {
            return Ok(());
        }
        let written = self.rows.groups(0..count).iter().try_for_each(|group| database.write(group));
        self.rows.drop_first(count);
        written
    }
}
