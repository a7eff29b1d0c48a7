//! How a gallery's rows lie in memory: in blocks of 16 slots, so that one instruction works on the same two features of
//! many records.
//!
//! A *slot* is the place of one row; 16 slots make a *block*. Within a block, pair of features follows pair of features;
//! for each pair there are 16 times two numbers, slot by slot:
//!
//! ```text
//! pair 0: slot 0 f0 f1 | slot 1 f0 f1 | … | slot 15 f0 f1     64 bytes, a cache line
//! pair 1: slot 0 f2 f3 | slot 1 f2 f3 | … | slot 15 f2 f3
//! ```
//!
//! A slot without a record is all zero; its score with any query is a share of 0.

use std::ops::Range;

use zeroize::Zeroizing;

pub use crate::kernel::{bytes_of_numbers, numbers_of_bytes, numbers_of_bytes_mut};
use crate::share::{DIMENSIONS_MAX, Row};

/// Rows in a block.
pub const SLOTS_PER_BLOCK: usize = 16;

/// Numbers in one pair of features of one block.
const PAIR_NUMBERS: usize = 2 * SLOTS_PER_BLOCK;

/// Numbers in a block of rows of `dimensions` features.
pub const fn block_numbers(dimensions: usize) -> usize {
    SLOTS_PER_BLOCK * dimensions
}

/// Some whole blocks of rows.
#[derive(Clone, Copy)]
pub struct RowsView<'a> {
    numbers: &'a [u16],
    dimensions: usize,
}

impl<'a> RowsView<'a> {
    /// The rows of `dimensions` features in `numbers`.
    ///
    /// # Panics
    /// If the dimensions are none that a template may have, or `numbers` are not whole blocks.
    pub fn new(numbers: &'a [u16], dimensions: usize) -> Self {
        check_blocks(numbers.len(), dimensions);
        Self { numbers, dimensions }
    }

    /// The rows in `bytes`, such as a file mapped into memory; `None` if the bytes do not begin at an even address, are no
    /// whole blocks, or the machine is not little-endian.
    pub fn from_bytes(bytes: &'a [u8], dimensions: usize) -> Option<Self> {
        let numbers = numbers_of_bytes(bytes)?;
        numbers.len().is_multiple_of(block_numbers(dimensions)).then(|| Self::new(numbers, dimensions))
    }

    /// Features of a row.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many blocks.
    pub fn blocks(&self) -> usize {
        self.numbers.len() / block_numbers(self.dimensions)
    }

    /// How many slots.
    pub fn slots(&self) -> usize {
        self.numbers.len() / self.dimensions
    }

    /// All numbers, block by block.
    pub fn numbers(&self) -> &'a [u16] {
        self.numbers
    }

    /// The numbers of one block.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn block(&self, at: usize) -> &'a [u16] {
        let len = block_numbers(self.dimensions);
        &self.numbers[at * len..][..len]
    }

    /// Only these blocks.
    ///
    /// # Panics
    /// If there are no such blocks.
    pub fn slice(&self, blocks: Range<usize>) -> Self {
        let len = block_numbers(self.dimensions);
        Self { numbers: &self.numbers[blocks.start * len..blocks.end * len], dimensions: self.dimensions }
    }

    /// The row in `slot`.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn read(&self, slot: usize) -> Row {
        let block = self.block(slot / SLOTS_PER_BLOCK);
        // Filled at its full length, so that no copy is left behind by growing.
        let mut numbers = Zeroizing::new(vec![0; self.dimensions]);
        for (to, from) in numbers.chunks_exact_mut(2).zip(block.chunks_exact(PAIR_NUMBERS)) {
            to.copy_from_slice(&from[place(slot)]);
        }
        Row::from_numbers(std::mem::take(&mut *numbers)).expect("a view has valid dimensions")
    }
}

/// Writes `row` into `slot` of the whole blocks in `numbers`.
///
/// # Panics
/// If `numbers` are not whole blocks of such rows, or there is no such slot.
pub fn write_slot(numbers: &mut [u16], slot: usize, row: &Row) {
    for (to, from) in pairs_of_slot(numbers, row.dimensions(), slot).zip(row.as_slice().chunks_exact(2)) {
        to.copy_from_slice(from);
    }
}

/// Writes zeros into `slot` of the whole blocks of rows of `dimensions` features in `numbers`.
///
/// # Panics
/// If `numbers` are not whole blocks of such rows, or there is no such slot.
pub fn zero_slot(numbers: &mut [u16], dimensions: usize, slot: usize) {
    for to in pairs_of_slot(numbers, dimensions, slot) {
        zeroize::Zeroize::zeroize(to);
    }
}

fn pairs_of_slot(numbers: &mut [u16], dimensions: usize, slot: usize) -> impl Iterator<Item = &mut [u16]> {
    check_blocks(numbers.len(), dimensions);
    let len = block_numbers(dimensions);
    let block = &mut numbers[slot / SLOTS_PER_BLOCK * len..][..len];
    block.chunks_exact_mut(PAIR_NUMBERS).map(move |pair| &mut pair[place(slot)])
}

/// Where `slot`'s two numbers are within each pair of its block.
fn place(slot: usize) -> Range<usize> {
    let at = 2 * (slot % SLOTS_PER_BLOCK);
    at..at + 2
}

fn check_blocks(numbers: usize, dimensions: usize) {
    let valid = dimensions > 0 && dimensions.is_multiple_of(2) && dimensions <= DIMENSIONS_MAX;
    assert!(valid, "rows have an even number of features, from 2 to {DIMENSIONS_MAX}, not {dimensions}");
    assert!(numbers.is_multiple_of(block_numbers(dimensions)), "{numbers} numbers are no whole blocks");
}

base::hidden_debug!(RowsView<'_>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRng;
    use proptest::prelude::*;
    use rand_core::Rng;

    fn row(dimensions: usize, rng: &mut SeededRng) -> Row {
        Row::from_numbers((0..dimensions).map(|_| rng.next_u32() as u16).collect()).expect("valid dimensions")
    }

    proptest! {
        #[test]
        fn slots_are_written_read_and_zeroed_as_in_a_row_major_matrix(
            seed in any::<u64>(), pairs in 1..40_usize, blocks in 1..5_usize, steps in 1..60_usize,
        ) {
            let (dimensions, slots) = (2 * pairs, SLOTS_PER_BLOCK * blocks);
            let mut rng = SeededRng::new(seed);
            let mut numbers = vec![0; blocks * block_numbers(dimensions)];
            let mut matrix = vec![vec![0; dimensions]; slots];
            for _ in 0..steps {
                let slot = rng.below(slots as u64) as usize;
                if rng.below(4) == 0 {
                    zero_slot(&mut numbers, dimensions, slot);
                    matrix[slot] = vec![0; dimensions];
                } else {
                    let row = row(dimensions, &mut rng);
                    write_slot(&mut numbers, slot, &row);
                    matrix[slot] = row.as_slice().to_vec();
                }
            }
            let view = RowsView::new(&numbers, dimensions);
            prop_assert_eq!((view.slots(), view.blocks(), view.dimensions()), (slots, blocks, dimensions));
            for (slot, expected) in matrix.iter().enumerate() {
                prop_assert!(view.read(slot).as_slice() == &expected[..]);
                // The definition: where feature f of the slot stands.
                for (f, number) in expected.iter().enumerate() {
                    prop_assert_eq!(numbers[slot / 16 * 16 * dimensions + f / 2 * 32 + slot % 16 * 2 + f % 2], *number);
                }
            }
            let from = rng.below(blocks as u64) as usize;
            let part = view.slice(from..blocks);
            prop_assert!(part.read(0).as_slice() == &matrix[SLOTS_PER_BLOCK * from][..]);
            prop_assert_eq!(part.block(0), view.block(from));
        }

        #[test]
        fn bytes_are_rows_only_as_whole_blocks_at_an_even_address(len in 0..400_usize, pairs in 1..4_usize, odd in any::<bool>()) {
            let numbers = [0x0102_u16; 256];
            let bytes = &bytes_of_numbers(&numbers)[usize::from(odd)..][..len];
            let view = RowsView::from_bytes(bytes, 2 * pairs);
            prop_assert_eq!(view.is_some(), !(odd && len > 0) && len % (64 * pairs) == 0);
            if let Some(view) = view {
                prop_assert_eq!(view.numbers(), &numbers[..len / 2]);
            }
        }
    }

    #[test]
    fn numbers_and_their_little_endian_bytes_are_the_same_memory() {
        let mut numbers = [0x0102_u16, 0x0304];
        assert_eq!(bytes_of_numbers(&numbers), [2, 1, 4, 3]);
        let mut bytes = [numbers; 2].map(|two| bytes_of_numbers(&two).to_vec()).concat();
        if let Some(same) = numbers_of_bytes_mut(&mut bytes[..4]) {
            same[0] = 7;
            assert_eq!(bytes[..4], [7, 0, 4, 3]);
        }
        numbers[1] = 9;
        assert_eq!(bytes_of_numbers(&numbers)[2..], [9, 0]);
    }

    #[test]
    #[should_panic(expected = "no whole blocks")]
    fn part_of_a_block_is_no_view() {
        RowsView::new(&[0; 33], 2);
    }

    #[test]
    #[should_panic(expected = "even number of features")]
    fn odd_dimensions_are_no_view() {
        RowsView::new(&[0; 48], 3);
    }
}
