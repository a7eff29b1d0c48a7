//! The named parts of the gallery: which slots stand in each. A record that stands in several costs four bytes more in each,
//! and its share once.

use std::collections::HashMap;

use wire::bytes::HexArray;
use wire::probe::PartitionLabel;
use wire::upkeep::PartitionCount;

/// Slots by label, in order.
#[derive(Default, PartialEq, Eq)]
pub struct Partitions(HashMap<[u8; 16], Vec<u32>>);

impl Partitions {
    /// The slots in `label`, in order.
    pub fn slots(&self, label: &PartitionLabel) -> &[u32] {
        self.0.get(&label.0).map_or(&[], Vec::as_slice)
    }

    /// How many records stand in each, in order of labels.
    pub fn counts(&self) -> Vec<PartitionCount> {
        let mut counts: Vec<_> =
            self.0.iter().map(|(label, slots)| PartitionCount { label: HexArray(*label), records: slots.len() as u64 }).collect();
        counts.sort_unstable_by_key(|count| count.label.0);
        counts
    }

    /// The same records under other numbers. The order must stay the same.
    pub fn renumbered(&self, number: impl Fn(u32) -> u32) -> Self {
        Self(self.0.iter().map(|(label, slots)| (*label, slots.iter().map(|slot| number(*slot)).collect())).collect())
    }

    /// Puts `slot` into each of `labels`; again: no effect.
    pub fn insert(&mut self, slot: u32, labels: &[PartitionLabel]) {
        for label in labels {
            let slots = self.0.entry(label.0).or_default();
            // New slots come behind all others, so this is a push.
            if let Err(at) = slots.binary_search(&slot) {
                slots.insert(at, slot);
            }
        }
    }

    /// Takes `slot` out of each of `labels`.
    pub fn remove(&mut self, slot: u32, labels: &[PartitionLabel]) {
        for label in labels {
            let Some(slots) = self.0.get_mut(&label.0) else { continue };
            if let Ok(at) = slots.binary_search(&slot) {
                slots.remove(at);
            }
            if slots.is_empty() {
                self.0.remove(&label.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_in_order_and_go_from_where_they_were() {
        let [a, b] = [1, 2].map(|label| HexArray([label; 16]));
        let mut partitions = Partitions::default();
        for (slot, labels) in [(3, &[a, b][..]), (1, &[a]), (7, &[b, b]), (5, &[a])] {
            partitions.insert(slot, labels);
        }
        assert_eq!((partitions.slots(&a), partitions.slots(&b)), (&[1, 3, 5][..], &[3, 7][..]));
        partitions.remove(3, &[a]);
        partitions.remove(9, &[a]);
        assert_eq!((partitions.slots(&a), partitions.slots(&b)), (&[1, 5][..], &[3, 7][..]));
        partitions.remove(3, &[b]);
        partitions.remove(7, &[b]);
        assert_eq!((partitions.slots(&b), partitions.counts()), (&[][..], vec![PartitionCount { label: a, records: 2 }]));
    }
}
