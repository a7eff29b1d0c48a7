//! Which slot a record has. Records keep the number that they were given in the order of enrolments, their ordinal; slots are
//! the same without the gaps that compactions have closed.

/// The gaps that are closed. Without any, a slot is an ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    /// Ordinals without a slot, in order.
    closed: Vec<u32>,
}

impl Numbering {
    /// The numbering without these ordinals, in order.
    pub fn without(closed: Vec<u32>) -> Self {
        assert!(closed.is_sorted_by(|one, next| one < next), "the gaps come in order");
        Self { closed }
    }

    /// The ordinal's slot, if it has one.
    pub fn slot(&self, ordinal: u32) -> Option<u32> {
        self.closed.binary_search(&ordinal).err().map(|before| ordinal - before as u32)
    }

    /// The first slot that belongs to the ordinal or a later one.
    pub fn slot_at_or_after(&self, ordinal: u32) -> u32 {
        ordinal - self.closed.partition_point(|closed| *closed < ordinal) as u32
    }

    /// The slot's ordinal, be it given out or not.
    pub fn ordinal(&self, slot: u32) -> u32 {
        // How many open ordinals lie before the gap number `at`.
        let open_before = |at: usize| self.closed[at] - at as u32;
        let (mut low, mut high) = (0, self.closed.len());
        while low < high {
            let middle = low.midpoint(high);
            if open_before(middle) <= slot { low = middle + 1 } else { high = middle }
        }
        slot + low as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slots_pass_over_closed_gaps() {
        let none = Numbering::default();
        assert_eq!((none.slot(7), none.ordinal(7)), (Some(7), 7));
        let some = Numbering::without(vec![0, 3, 4, 9]);
        let slots: Vec<Option<u32>> = (0..11).map(|ordinal| some.slot(ordinal)).collect();
        assert_eq!(slots, [None, Some(0), Some(1), None, None, Some(2), Some(3), Some(4), Some(5), None, Some(6)]);
        assert_eq!((0..8).map(|slot| some.ordinal(slot)).collect::<Vec<_>>(), [1, 2, 5, 6, 7, 8, 10, 11]);
    }

    proptest! {
        #[test]
        fn slots_and_ordinals_belong_together(closed in proptest::collection::btree_set(0..300_u32, 0..200)) {
            let numbering = Numbering::without(closed.iter().copied().collect());
            let open: Vec<u32> = (0..300).filter(|ordinal| !closed.contains(ordinal)).collect();
            for (slot, ordinal) in (0..).zip(&open) {
                prop_assert_eq!((numbering.slot(*ordinal), numbering.ordinal(slot)), (Some(slot), *ordinal));
            }
            prop_assert!(closed.iter().all(|ordinal| numbering.slot(*ordinal).is_none()));
            for ordinal in 0..310 {
                let before = open.iter().filter(|open| **open < ordinal).count() as u32;
                prop_assert_eq!(numbering.slot_at_or_after(ordinal), before + ordinal.saturating_sub(300));
            }
        }
    }
}
