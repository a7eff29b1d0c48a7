//! Rows that the writer has read or written, so that it need not read them again: it is the only one that writes. Whoever
//! writes a table forgets all that was read from it, unless it says what is there now.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;

use foldhash::quality::RandomState;

/// Rows of one kind that are kept from one transaction to the next; of more, those that came first are forgotten between the two: as many
/// as came, since forgetting all at once took a tenth of a second.
const KEPT_MAX: usize = 50_000;

/// One kind of thing that is kept.
pub(crate) struct Kind<T> {
    name: &'static str,
    /// What it is read from.
    tables: &'static [&'static str],
    of: PhantomData<T>,
}

impl<T> Kind<T> {
    pub(crate) const fn new(name: &'static str, tables: &'static [&'static str]) -> Self {
        Self { name, tables, of: PhantomData }
    }
}

/// Which one of its kind: a small number and an identifier.
pub(crate) type Key = (u64, u128);

/// What is known. Only a writer's connection keeps anything.
#[derive(Default)]
pub(crate) struct Known {
    inner: RefCell<Inner>,
    /// Deliveries of webhooks that were queued here so far, also by parts that were undone.
    queued: Cell<u64>,
}

struct Inner {
    is_kept: bool,
    /// What this batch put in place of what, for parts of it that are undone.
    changes: Vec<Change>,
    /// There are some dozen.
    kinds: Vec<Kept>,
    /// What is written now, and up to where the file has it.
    now: Time,
    written: u64,
    /// Tables of which rows may wait that nobody knows, and since when.
    blind: Vec<(String, Time)>,
    /// The same of all tables: something was undone.
    all_blind: Option<Time>,
}

/// When something was written: what is handed over together for the file has one number, and each batch in it has one.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Time {
    fold: u64,
    batch: u64,
}

/// A row, and with what it was handed over for the file that changed it last.
struct Row {
    fold: u64,
    value: Box<dyn Any + Send>,
}

/// What was known before under a key.
struct Change {
    kind: &'static str,
    key: Key,
    before: Option<Row>,
}

struct Kept {
    name: &'static str,
    tables: &'static [&'static str],
    /// Keys are identifiers and parts of hashes, which nobody outside chooses whole, and the hasher has a random seed besides.
    rows: HashMap<Key, Row, RandomState>,
    /// Keys in the order in which they came, also of rows that were forgotten since.
    came: VecDeque<Key>,
}

impl Kept {
    /// What was known before. `fold`: of a row that is written now; 0 of one that was read.
    fn put<T: Send + 'static>(&mut self, key: Key, value: T, fold: u64) -> Option<Row> {
        match self.rows.entry(key) {
            Entry::Occupied(mut there) => {
                let fold = fold.max(there.get().fold);
                Some(there.insert(Row { fold, value: Box::new(value) }))
            }
            Entry::Vacant(place) => {
                place.insert(Row { fold, value: Box::new(value) });
                self.came.push_back(key);
                None
            }
        }
    }

    /// Under this key is known again what was known before.
    fn restore(&mut self, key: Key, before: Option<Row>) {
        match before {
            Some(row) => {
                if self.rows.insert(key, row).is_none() {
                    self.came.push_back(key);
                }
            }
            None => drop(self.rows.remove(&key)),
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.came.clear();
    }

    /// Forgets what came first, as far as there is too much and the file has it.
    fn forget_first(&mut self, written: u64) {
        let mut looks = self.came.len();
        while looks > 0 && (self.rows.len() > KEPT_MAX || self.came.len() > 2 * KEPT_MAX) {
            looks -= 1;
            let Some(first) = self.came.pop_front() else { break };
            match self.rows.get(&first) {
                Some(row) if row.fold > written => self.came.push_back(first),
                _ => drop(self.rows.remove(&first)),
            }
        }
    }
}

impl Known {
    /// From now on rows are kept.
    pub(crate) fn keep(&self) {
        self.inner.borrow_mut().is_kept = true;
    }

    pub(crate) fn get<T: Clone + 'static>(&self, kind: &Kind<T>, key: Key) -> Option<T> {
        let inner = self.inner.borrow();
        inner.kind(kind.name)?.rows.get(&key)?.value.downcast_ref::<T>().cloned()
    }

    /// `value` was read.
    pub(crate) fn learn<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T) {
        self.put(kind, key, value, false);
    }

    /// `value` is what is there when what waits is written.
    pub(crate) fn write<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T) {
        self.put(kind, key, value, true);
    }

    fn put<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T, is_written: bool) {
        let inner = &mut *self.inner.borrow_mut();
        if !inner.is_kept {
            return;
        }
        let fold = if is_written { inner.now.fold } else { 0 };
        let before = match inner.kind_mut(kind.name) {
            Some(kept) => kept.put(key, value, fold),
            None => {
                let Kind { name, tables, .. } = *kind;
                let mut kept = Kept { name, tables, rows: HashMap::default(), came: VecDeque::new() };
                kept.put(key, value, fold);
                inner.kinds.push(kept);
                None
            }
        };
        inner.changes.push(Change { kind: kind.name, key, before });
    }

    pub(crate) fn forget<T>(&self, kind: &Kind<T>, key: Key) {
        let inner = &mut *self.inner.borrow_mut();
        let before = inner.kind_mut(kind.name).and_then(|kept| kept.rows.remove(&key));
        if before.is_some() {
            inner.changes.push(Change { kind: kind.name, key, before });
        }
    }

    /// A batch begins.
    pub(crate) fn begin(&self) {
        let inner = &mut *self.inner.borrow_mut();
        let written = inner.written;
        inner.now.batch += 1;
        inner.changes.clear();
        inner.kinds.iter_mut().for_each(|kept| kept.forget_first(written));
        inner.blind.retain(|(_, time)| time.fold > written);
        inner.all_blind = inner.all_blind.filter(|time| time.fold > written);
    }

    /// All that was written so far is handed over together for the file.
    pub(crate) fn hand_over(&self) {
        self.inner.borrow_mut().now.fold += 1;
    }

    /// The file has what was handed over.
    pub(crate) fn handed_over_is_written(&self) {
        let inner = &mut *self.inner.borrow_mut();
        inner.written = inner.now.fold - 1;
    }

    /// The file has all.
    pub(crate) fn all_is_written(&self) {
        let inner = &mut *self.inner.borrow_mut();
        inner.written = inner.now.fold;
        inner.now.fold += 1;
    }

    /// Whether every row of this kind that waits to be written is known; `is_later`: also of those that wait since an earlier batch.
    pub(crate) fn knows_what_waits<T>(&self, kind: &Kind<T>, is_later: bool) -> bool {
        let inner = self.inner.borrow();
        let matters = |time: &Time| is_later || time.batch == inner.now.batch;
        let is_blind = |(table, time): &(String, Time)| matters(time) && kind.tables.contains(&table.as_str());
        inner.is_kept && !inner.all_blind.is_some_and(|time| matters(&time)) && !inner.blind.iter().any(is_blind)
    }

    /// A statement wrote `table`; `None`: nobody knows which.
    pub(crate) fn wrote(&self, table: Option<&str>) {
        let inner = &mut *self.inner.borrow_mut();
        match table {
            Some(table) => {
                match inner.blind.iter_mut().find(|(blind, _)| blind == table) {
                    Some((_, time)) => *time = inner.now,
                    None => inner.blind.push((table.to_owned(), inner.now)),
                }
                inner.kinds.iter_mut().filter(|kept| kept.tables.contains(&table)).for_each(Kept::clear);
            }
            None => inner.forget_all(),
        }
    }

    /// How much changed in this batch so far.
    pub(crate) fn changes(&self) -> usize {
        self.inner.borrow().changes.len()
    }

    /// What changed since then did not happen.
    pub(crate) fn undo_to(&self, changes: usize) {
        let inner = &mut *self.inner.borrow_mut();
        while inner.changes.len() > changes {
            let Some(Change { kind, key, before }) = inner.changes.pop() else { break };
            if let Some(kept) = inner.kind_mut(kind) {
                kept.restore(key, before);
            }
        }
    }

    /// A delivery of a webhook is queued.
    pub(crate) fn note_queued(&self) {
        self.queued.set(self.queued.get() + 1);
    }

    /// How many were: who sees the number grow knows that the sender must be told.
    pub(crate) fn queued(&self) -> u64 {
        self.queued.get()
    }

    pub(crate) fn forget_all(&self) {
        self.inner.borrow_mut().forget_all();
    }
}

impl Default for Inner {
    fn default() -> Self {
        let now = Time { fold: 1, batch: 0 };
        Self { is_kept: false, changes: Vec::new(), kinds: Vec::new(), now, written: 0, blind: Vec::new(), all_blind: None }
    }
}

impl Inner {
    fn kind(&self, name: &str) -> Option<&Kept> {
        self.kinds.iter().find(|kept| kept.name == name)
    }

    fn kind_mut(&mut self, name: &str) -> Option<&mut Kept> {
        self.kinds.iter_mut().find(|kept| kept.name == name)
    }

    fn forget_all(&mut self) {
        self.kinds.clear();
        self.changes.clear();
        self.all_blind = Some(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Kind<u64> = Kind::new("number", &["numbers"]);

    #[test]
    fn of_too_many_rows_the_first_are_forgotten_and_only_between_transactions() {
        let known = Known::default();
        known.keep();
        let put = |range: std::ops::Range<u64>| range.for_each(|at| known.learn(&NUMBER, (0, at.into()), at));
        let is_known = |at: u64| known.get(&NUMBER, (0, at.into())).is_some();
        let max = KEPT_MAX as u64;
        put(0..max + 10);
        assert!(is_known(0), "a row that waits to be written must be known");
        known.begin();
        assert_eq!([0, 9, 10, max + 9].map(is_known), [false, false, true, true]);
        // What is forgotten one by one leaves nothing behind, however much comes.
        for at in 0..3 * max {
            known.learn(&NUMBER, (1, at.into()), at);
            known.forget(&NUMBER, (1, at.into()));
            known.begin();
        }
        assert!(known.inner.borrow().kind("number").expect("is kept").came.len() <= 2 * KEPT_MAX);
        known.wrote(Some("numbers"));
        assert!(!is_known(max + 9));
    }

    #[test]
    fn what_waits_for_the_file_is_not_forgotten_before_the_file_has_it() {
        let known = Known::default();
        known.keep();
        let max = KEPT_MAX as u64;
        let is_known = |at: u64| known.get(&NUMBER, (0, at.into())).is_some();
        known.begin();
        (0..3).for_each(|at| known.write(&NUMBER, (0, at.into()), at));
        (3..max + 3).for_each(|at| known.learn(&NUMBER, (0, at.into()), at));
        known.hand_over();
        known.write(&NUMBER, (0, 1), 10);
        known.begin();
        assert_eq!([0, 1, 2, 3, 5, 6].map(is_known), [true, true, true, false, false, true]);
        known.handed_over_is_written();
        (max + 3..max + 6).for_each(|at| known.learn(&NUMBER, (0, at.into()), at));
        known.begin();
        assert!(is_known(1), "was changed after that");
        // A table that somebody wrote without saying what is there.
        assert!(known.knows_what_waits(&NUMBER, true));
        known.wrote(Some("numbers"));
        known.begin();
        assert!(known.knows_what_waits(&NUMBER, false) && !known.knows_what_waits(&NUMBER, true));
        known.all_is_written();
        known.begin();
        assert!(known.knows_what_waits(&NUMBER, true));
    }

    #[test]
    fn a_part_that_is_undone_leaves_what_was_known_before_it() {
        let known = Known::default();
        known.keep();
        known.begin();
        known.write(&NUMBER, (0, 1), 1);
        let before = known.changes();
        known.write(&NUMBER, (0, 1), 2);
        known.learn(&NUMBER, (0, 2), 2);
        known.write(&NUMBER, (0, 1), 3);
        known.forget(&NUMBER, (0, 1));
        known.undo_to(before);
        assert_eq!([1, 2].map(|key| known.get(&NUMBER, (0, key))), [Some(1), None]);
    }
}
