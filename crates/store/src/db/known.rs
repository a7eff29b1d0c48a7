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

#[derive(Default)]
struct Inner {
    is_kept: bool,
    /// Writes so far; a part that wrote and is undone forgets everything.
    writes: u64,
    /// There are some dozen.
    kinds: Vec<Kept>,
    /// Tables of which rows may wait in this transaction that nobody knows.
    blind: Vec<String>,
    /// The same of all tables: something was undone.
    all_blind: bool,
}

struct Kept {
    name: &'static str,
    tables: &'static [&'static str],
    /// Keys are identifiers and parts of hashes, which nobody outside chooses whole, and the hasher has a random seed besides.
    rows: HashMap<Key, Box<dyn Any + Send>, RandomState>,
    /// Keys in the order in which they came, also of rows that were forgotten since.
    came: VecDeque<Key>,
}

impl Kept {
    fn put<T: Send + 'static>(&mut self, key: Key, value: T) {
        match self.rows.entry(key) {
            Entry::Occupied(mut there) => *there.get_mut().downcast_mut().expect("rows of a kind have one type") = value,
            Entry::Vacant(place) => {
                place.insert(Box::new(value));
                self.came.push_back(key);
            }
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.came.clear();
    }

    /// Forgets what came first, as far as there is too much.
    fn forget_first(&mut self) {
        while self.rows.len() > KEPT_MAX || self.came.len() > 2 * KEPT_MAX {
            let Some(first) = self.came.pop_front() else { break };
            self.rows.remove(&first);
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
        inner.kind(kind.name)?.rows.get(&key)?.downcast_ref::<T>().cloned()
    }

    pub(crate) fn put<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T) {
        let inner = &mut *self.inner.borrow_mut();
        if !inner.is_kept {
            return;
        }
        match inner.kind_mut(kind.name) {
            Some(kept) => kept.put(key, value),
            None => {
                let Kind { name, tables, .. } = *kind;
                let mut kept = Kept { name, tables, rows: HashMap::default(), came: VecDeque::new() };
                kept.put(key, value);
                inner.kinds.push(kept);
            }
        }
    }

    pub(crate) fn forget<T>(&self, kind: &Kind<T>, key: Key) {
        if let Some(kept) = self.inner.borrow_mut().kind_mut(kind.name) {
            kept.rows.remove(&key);
        }
    }

    /// A transaction begins.
    pub(crate) fn begin(&self) {
        let inner = &mut *self.inner.borrow_mut();
        inner.kinds.iter_mut().for_each(Kept::forget_first);
        inner.blind.clear();
        inner.all_blind = false;
    }

    /// Whether every row of this kind that waits to be written is known.
    pub(crate) fn knows_what_waits<T>(&self, kind: &Kind<T>) -> bool {
        let inner = self.inner.borrow();
        inner.is_kept && !inner.all_blind && !inner.blind.iter().any(|table| kind.tables.contains(&table.as_str()))
    }

    /// A statement wrote `table`; `None`: nobody knows which.
    pub(crate) fn wrote(&self, table: Option<&str>) {
        let inner = &mut *self.inner.borrow_mut();
        inner.writes += 1;
        match table {
            Some(table) => {
                if !inner.blind.iter().any(|blind| blind == table) {
                    inner.blind.push(table.to_owned());
                }
                inner.kinds.iter_mut().filter(|kept| kept.tables.contains(&table)).for_each(Kept::clear);
            }
            None => inner.forget_all(),
        }
    }

    /// A statement wrote a row, and whoever did says what is there now.
    pub(crate) fn wrote_as_known(&self) {
        self.inner.borrow_mut().writes += 1;
    }

    pub(crate) fn writes(&self) -> u64 {
        self.inner.borrow().writes
    }

    /// What was written since then did not happen.
    pub(crate) fn undo_to(&self, writes: u64) {
        let inner = &mut *self.inner.borrow_mut();
        if inner.writes != writes {
            inner.forget_all();
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

impl Inner {
    fn kind(&self, name: &str) -> Option<&Kept> {
        self.kinds.iter().find(|kept| kept.name == name)
    }

    fn kind_mut(&mut self, name: &str) -> Option<&mut Kept> {
        self.kinds.iter_mut().find(|kept| kept.name == name)
    }

    fn forget_all(&mut self) {
        self.kinds.clear();
        self.all_blind = true;
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
        let put = |range: std::ops::Range<u64>| range.for_each(|at| known.put(&NUMBER, (0, at.into()), at));
        let is_known = |at: u64| known.get(&NUMBER, (0, at.into())).is_some();
        let max = KEPT_MAX as u64;
        put(0..max + 10);
        assert!(is_known(0), "a row that waits to be written must be known");
        known.begin();
        assert_eq!([0, 9, 10, max + 9].map(is_known), [false, false, true, true]);
        // What is forgotten one by one leaves nothing behind, however much comes.
        for at in 0..3 * max {
            known.put(&NUMBER, (1, at.into()), at);
            known.forget(&NUMBER, (1, at.into()));
            known.begin();
        }
        assert!(known.inner.borrow().kind("number").expect("is kept").came.len() <= 2 * KEPT_MAX);
        known.wrote(Some("numbers"));
        assert!(!is_known(max + 9));
    }
}
