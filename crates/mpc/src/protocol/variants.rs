//! One match per record where a record has several variants, such as a palm at several shifts: the first that is near stays.
//!
//! The variants of a record have the same token, and two equal tokens would cancel; here at most one match bit per record is
//! left. Which variant is left depends on the truncation's error too, so a run with variants must not tell *near* from
//! *accepted*: both thresholds are the same then ([`crate::error::Error::ThresholdsInvalid`]).
//!
//! Source: the prefix network of J. Sklansky, "Conditional-sum addition logic", IRE Transactions 1960.
//!
//! - In: a match bit for each slot, V runs of as many whole words: variant v of record r is bit r of run v.
//! - Algebra: `p_v = m_0 | ... | m_v` by the prefix network; `first_v = p_v ^ p_{v-1}`, which is 1 for the smallest v with
//!   `m_v = 1` alone.
//! - Rounds: ceil(log2 V). Bytes: [`bytes_sent`]; one bit per OR, and the network has at most V / 2 ORs per round.
//! - Leaks: nothing; every message is that of an AND ([`super::boolean`]).
//! - Holds against: one party that follows the protocol and is curious; a cheating one can flip match bits, as in
//!   [`super::compare`].

use super::Session;
use super::boolean::{Bits, and};
use crate::error::Error;

/// Rounds of [`first_near`].
pub const fn rounds(variants: usize) -> usize {
    variants.next_power_of_two().ilog2() as usize
}

/// Bytes that a party sends in [`first_near`], over runs of `words` words.
pub fn bytes_sent(variants: usize, words: usize) -> usize {
    (0..rounds(variants)).map(|level| 8 * words * steps(level, variants).count()).sum()
}

/// For each slot, whether it is near and no earlier variant of the same record is.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If the words of `near` are not `variants` equal runs.
pub fn first_near(session: &mut Session<'_>, near: Bits, variants: usize) -> Result<Bits, Error> {
    assert!(variants > 0);
    assert!(near.len().is_multiple_of(variants));
    let words = near.len() / variants;
    let run = |at: usize| at * words..(at + 1) * words;
    let mut prefixes = near;
    for level in 0..rounds(variants) {
        let (mut late, mut early) = (Bits::zeros(0), Bits::zeros(0));
        for (target, source) in steps(level, variants) {
            late.push(prefixes.view(run(target)));
            early.push(prefixes.view(run(source)));
        }
        // a | b = a ^ b ^ (a & b)
        let mut change = and(session, &late, &early)?;
        change.xor_in(early.view(0..early.len()));
        for (at, (target, _)) in steps(level, variants).enumerate() {
            prefixes.xor_in_at(target * words, change.view(run(at)));
        }
    }
    let before_last = prefixes.slice(0, (variants - 1) * words);
    prefixes.xor_in_at(words, before_last.view(0..before_last.len()));
    Ok(prefixes)
}

/// In round `level`, which run is OR-ed with which: every place whose bit `level` is set, with the last place of the block of
/// 2^level places before its own.
fn steps(level: usize, variants: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..variants).filter(move |at| at >> level & 1 == 1).map(move |at| (at, (at >> level << level) - 1))
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::{open, share_words};
    use super::*;
    use crate::testing::{SeededRng, run_three};
    use rand_core::Rng;

    fn ideal(near: &[u64], variants: usize) -> Vec<u64> {
        let words = near.len() / variants;
        let mut seen = vec![0; words];
        let mut first = vec![];
        for (at, word) in near.iter().enumerate() {
            first.push(word & !seen[at % words]);
            seen[at % words] |= word;
        }
        first
    }

    #[test]
    fn the_first_near_variant_of_each_record_stays() {
        let mut rng = SeededRng::new(1);
        for variants in [1, 2, 3, 4, 5, 8, 25, 33] {
            for words in [1, 3] {
                let dense: Vec<u64> = (0..variants * words).map(|_| rng.next_u64()).collect();
                let sparse = dense.iter().map(|word| word & rng.next_u64() & rng.next_u64() & rng.next_u64()).collect();
                for near in [vec![0; variants * words], vec![u64::MAX; variants * words], dense, sparse] {
                    let shares = share_words(&near, &mut rng);
                    let results = run_three(2, |session| {
                        first_near(session, shares[session.party().index()].clone(), variants).expect("no network error")
                    });
                    assert_eq!(open(results.each_ref().map(|(bits, _)| bits)), ideal(&near, variants), "{variants} variants");
                    for (_, traffic) in &results {
                        assert_eq!((traffic.rounds, traffic.bytes()), (rounds(variants), bytes_sent(variants, words)));
                    }
                }
            }
        }
    }
}
