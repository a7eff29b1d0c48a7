//! The scan: the inner products of many queries with many rows, each row brought from memory once.
//!
//! With one query the scan is as fast as memory; what can be done is to ask for rows before they are needed. With many
//! queries it is as fast as the multipliers: rows are taken in groups that stay in a core's cache while tiles of queries,
//! as many at a time as the registers hold, pass over them, and the next group is brought in meanwhile.
//!
//! No message is sent. The caller splits rows over threads.

use zeroize::Zeroizing;

use crate::kernel::Kernel;
use crate::layout::{RowsView, SLOTS_PER_BLOCK, block_numbers};
use crate::share::PreparedQuery;

/// Bytes of rows that several tiles of queries pass over in turn: two groups fit into a second-level cache.
const GROUP_BYTES: usize = 64 << 10;

/// With fewer queries than this the scan waits for memory, and prefetching only gets into the processor's way.
const PREFETCH_QUERIES: usize = 4;

/// Some queries, pair of features by pair of features, so that one after the other is read in the inner loop.
struct Tile {
    pairs: Zeroizing<Vec<u32>>,
    queries: usize,
}

/// This party's additive share, modulo 2^16, of the score between each of `queries` and each of `rows`, written to the
/// scores of the query at the same place.
///
/// # Panics
/// If there are not as many lists of scores as queries, a list is not of [`RowsView::slots`] numbers, or a query has another
/// number of features than the rows.
pub fn scan(kernel: Kernel, queries: &[&PreparedQuery], rows: RowsView<'_>, scores: &mut [&mut [u16]]) {
    assert_eq!(queries.len(), scores.len(), "one list of scores per query");
    assert!(queries.iter().all(|query| query.dimensions() == rows.dimensions()), "a query has as many features as the rows");
    assert!(scores.iter().all(|scores| scores.len() == rows.slots()), "one score per slot");
    if queries.is_empty() {
        return;
    }
    let tiles = tiles(kernel, queries);
    let block_bytes = 2 * block_numbers(rows.dimensions());
    // A multiple of 8, because a kernel may take that many blocks at a time.
    let group = match queries.len() < PREFETCH_QUERIES {
        true => rows.blocks().max(1),
        false => (GROUP_BYTES / block_bytes).next_multiple_of(4),
    };
    for start in (0..rows.blocks()).step_by(group) {
        let here = start + group.min(rows.blocks() - start);
        let next = here + group.min(rows.blocks() - here);
        let (here, ahead) = (rows.slice(start..here), rows.slice(here..next).numbers());
        let mut scores = &mut scores[..];
        for (at, tile) in tiles.iter().enumerate() {
            let (of_tile, others) = scores.split_at_mut(tile.queries);
            scores = others;
            let ahead = &ahead[at * ahead.len() / tiles.len()..(at + 1) * ahead.len() / tiles.len()];
            kernel.inner_products(&tile.pairs, here, ahead, of_tile, start * SLOTS_PER_BLOCK);
        }
    }
}

/// As few tiles as the kernel needs, and these about equally large.
fn tiles(kernel: Kernel, queries: &[&PreparedQuery]) -> Vec<Tile> {
    let count = queries.len().div_ceil(kernel.tile());
    let part = |at: usize| &queries[at * queries.len() / count..(at + 1) * queries.len() / count];
    (0..count).map(|at| Tile::new(part(at))).collect()
}

impl Tile {
    fn new(queries: &[&PreparedQuery]) -> Self {
        let pairs = queries[0].dimensions() / 2;
        let mut tile = Self { pairs: Zeroizing::new(vec![0; pairs * queries.len()]), queries: queries.len() };
        for (at, query) in queries.iter().enumerate() {
            for (pair, features) in query.as_slice().as_chunks::<2>().0.iter().enumerate() {
                tile.pairs[pair * queries.len() + at] = u32::from(features[0]) | u32::from(features[1]) << 16;
            }
        }
        tile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::write_slot;
    use crate::share::{Row, share_template};
    use crate::testing::{SeededRng, random_template};
    use base::party::PartyId;
    use proptest::prelude::*;
    use rand_core::Rng;

    fn check(dimensions: usize, blocks: usize, queries: usize, seed: u64) {
        let mut rng = SeededRng::new(seed);
        let mut numbers = vec![0; blocks * block_numbers(dimensions)];
        let rows: Vec<Row> = (0..blocks * SLOTS_PER_BLOCK)
            .map(|slot| {
                let row = Row::from_numbers((0..dimensions).map(|_| rng.next_u32() as u16).collect()).expect("valid dimensions");
                write_slot(&mut numbers, slot, &row);
                row
            })
            .collect();
        let queries: Vec<PreparedQuery> = (0..queries)
            .map(|_| {
                let shares = share_template(&random_template(dimensions, &mut rng), &mut rng).expect("a valid template");
                shares[1].prepare_query(PartyId::P2)
            })
            .collect();
        let expected: Vec<Vec<u16>> =
            queries.iter().map(|query| rows.iter().map(|row| query.inner_product(row.as_slice())).collect()).collect();
        for kernel in Kernel::available() {
            let mut scores = vec![vec![1; rows.len()]; queries.len()];
            let mut slices: Vec<&mut [u16]> = scores.iter_mut().map(|scores| &mut scores[..]).collect();
            scan(kernel, &queries.iter().collect::<Vec<_>>(), RowsView::new(&numbers, dimensions), &mut slices);
            assert!(scores == expected, "{}: {dimensions} features, {blocks} blocks, {} queries", kernel.name(), queries.len());
        }
    }

    proptest! {
        #[test]
        fn scores_are_the_inner_products_with_every_row(
            pairs in 1..40_usize, blocks in 0..9_usize, queries in 0..20_usize, seed in any::<u64>(),
        ) {
            check(2 * pairs, blocks, queries, seed);
        }
    }

    #[test]
    fn groups_and_their_rest_are_scanned_once() {
        for (dimensions, blocks) in [(1024, 3), (1024, 9), (512, 17), (512, 16), (512, 8), (128, 65)] {
            for queries in [1, 8, 13] {
                check(dimensions, blocks, queries, 1);
            }
        }
    }
}
