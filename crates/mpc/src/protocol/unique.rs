//! Whether at least two of many secret bits are 1.
//!
//! The bits are the leaves of a binary tree. The parity of every subtree is a XOR and costs nothing; `p`, the AND of the
//! parities of a node's two children, is computed for all nodes in one round. If at least two leaves are 1, take a node
//! with at least two below it and none such below that: each child has exactly one, both parities are 1, so `p = 1`.
//! If at most one leaf is 1, no node has two children of odd parity. So the answer is the OR of all `p`.
//! (This way of counting to two is Handsel's own; the argument above is its proof.)
//!
//! - Rounds: 1 for the products and `log2` of their number for the OR: for n words, `1 + ceil(log2 n) + 6`.
//! - Bytes: n words for the products, n - 1 for the OR across words and 6 within the last: `8 (2 n + 5)` sent per party.
//! - Leaks: nothing; every message is that of an AND ([`super::boolean`]).

use super::Session;
use super::boolean::{Bits, and, or};
use crate::error::Error;

/// A share of one word whose lowest bit is 1 exactly when at least two bits of `bits` are; its other bits are 0.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If there is no word.
pub fn at_least_two(session: &mut Session<'_>, bits: &Bits) -> Result<Bits, Error> {
    assert!(!bits.is_empty());
    let (left, right) = children_parities(bits);
    let both_odd = and(session, &left, &right)?;
    any(session, both_odd)
}

/// The parities of the left and the right child of every node of the tree, in `bits.len()` words each.
fn children_parities(bits: &Bits) -> (Bits, Bits) {
    let (mut left, mut right) = (Bits::zeros(0), Bits::zeros(0));
    // Across words: 64 trees side by side, one in each bit position.
    let mut parities = bits.clone();
    while parities.len() > 1 {
        let half = parities.len().div_ceil(2);
        let upper = parities.slice(half, parities.len());
        let lower = parities.slice(0, upper.len());
        let middle = parities.slice(upper.len(), half);
        parities = lower.xor(&upper).followed_by(&middle);
        left = left.followed_by(&lower);
        right = right.followed_by(&upper);
    }
    // Within the last word: its 63 nodes have room in one word, the s nodes over halves of s bits at positions s..2s.
    let (mut left_last, mut right_last) = (Bits::zeros(1), Bits::zeros(1));
    for size in [32, 16, 8, 4, 2, 1] {
        let low = (1_u64 << size) - 1;
        left_last = left_last.xor(&parities.map(|word| (word & low) << size));
        right_last = right_last.xor(&parities.map(|word| (word >> size & low) << size));
        parities = parities.map(|word| (word ^ word >> size) & low);
    }
    (left.followed_by(&left_last), right.followed_by(&right_last))
}

/// A share of one word whose lowest bit is the OR of all bits; its other bits are 0.
fn any(session: &mut Session<'_>, mut bits: Bits) -> Result<Bits, Error> {
    while bits.len() > 1 {
        let half = bits.len().div_ceil(2);
        let upper = bits.slice(half, bits.len());
        let middle = bits.slice(upper.len(), half);
        bits = or(session, &bits.slice(0, upper.len()), &upper)?.followed_by(&middle);
    }
    for size in [32, 16, 8, 4, 2, 1] {
        let low = (1_u64 << size) - 1;
        bits = or(session, &bits.map(|word| word & low), &bits.map(|word| word >> size & low))?;
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::{open, share_words};
    use super::*;
    use crate::testing::{SeededRng, run_three};

    fn ideal(words: &[u64]) -> u64 {
        u64::from(words.iter().map(|word| word.count_ones()).sum::<u32>() >= 2)
    }

    fn check(words: &[u64]) {
        let shares = share_words(words, &mut SeededRng::new(31));
        let results = run_three(32, |session| at_least_two(session, &shares[session.party().index()]).expect("no network error"));
        assert_eq!(open(results.each_ref().map(|(bits, _)| bits)), [ideal(words)], "{words:x?}");
        let rounds = 1 + words.len().next_power_of_two().ilog2() as usize + 6;
        for (_, traffic) in &results {
            assert_eq!((traffic.rounds, traffic.bytes()), (rounds, 8 * (2 * words.len() + 5)));
        }
    }

    #[test]
    fn no_bit_every_single_bit_and_every_pair_within_a_word() {
        check(&[0]);
        for first in 0..64 {
            for second in 0..=first {
                check(&[1 << first | 1 << second]);
            }
        }
    }

    #[test]
    fn pairs_across_words_and_crowds_of_either_parity() {
        for count in [2, 3, 5, 16, 17] {
            for (first, second) in [(0, 1), (0, count - 1), (count / 2, count - 1)] {
                for (first_bit, second_bit) in [(0, 0), (0, 63), (31, 32), (63, 63)] {
                    let mut words = vec![0; count];
                    words[first] |= 1 << first_bit;
                    check(&words);
                    words[second] |= 1 << second_bit;
                    check(&words);
                }
            }
            check(&vec![u64::MAX; count]);
            check(&vec![1; count]);
        }
    }
}
