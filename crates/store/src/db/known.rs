//! Rows that the writer has read or written, so that it need not read them again: it is the only one that writes. Whoever
//! writes a table forgets all that was read from it, unless it says what is there now.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;

/// Rows of one kind that are kept from one transaction to the next; with more, all of the kind are forgotten between the two.
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
}

#[derive(Default)]
struct Inner {
    is_kept: bool,
    /// Writes so far; a part that wrote and is undone forgets everything.
    writes: u64,
    kinds: HashMap<&'static str, Kept>,
    /// Tables of which rows may wait in this transaction that nobody knows.
    blind: Vec<String>,
    /// The same of all tables: something was undone.
    all_blind: bool,
}

struct Kept {
    tables: &'static [&'static str],
    rows: HashMap<Key, Box<dyn Any + Send>>,
}

impl Known {
    /// From now on rows are kept.
    pub(crate) fn keep(&self) {
        self.inner.borrow_mut().is_kept = true;
    }

    pub(crate) fn get<T: Clone + 'static>(&self, kind: &Kind<T>, key: Key) -> Option<T> {
        let inner = self.inner.borrow();
        inner.kinds.get(kind.name)?.rows.get(&key)?.downcast_ref::<T>().cloned()
    }

    pub(crate) fn put<T: Clone + Send + 'static>(&self, kind: &Kind<T>, key: Key, value: T) {
        let inner = &mut *self.inner.borrow_mut();
        if !inner.is_kept {
            return;
        }
        let kept = inner.kinds.entry(kind.name).or_insert_with(|| Kept { tables: kind.tables, rows: HashMap::new() });
        kept.rows.insert(key, Box::new(value));
    }

    pub(crate) fn forget<T>(&self, kind: &Kind<T>, key: Key) {
        if let Some(kept) = self.inner.borrow_mut().kinds.get_mut(kind.name) {
            kept.rows.remove(&key);
        }
    }

    /// A transaction begins.
    pub(crate) fn begin(&self) {
        let inner = &mut *self.inner.borrow_mut();
        inner.kinds.values_mut().filter(|kept| kept.rows.len() >= KEPT_MAX).for_each(|kept| kept.rows.clear());
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
                inner.kinds.values_mut().filter(|kept| kept.tables.contains(&table)).for_each(|kept| kept.rows.clear());
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

    pub(crate) fn forget_all(&self) {
        self.inner.borrow_mut().forget_all();
    }
}

impl Inner {
    fn forget_all(&mut self) {
        self.kinds.clear();
        self.all_blind = true;
    }
}
