//! Whether `x + y`, a signed 16-bit number in two Boolean-shared operands, is not negative.
//!
//! Source: the ripple-carry adder, one AND per bit (J. Boyar, R. Peralta, D. Pochuev, "On the multiplicative complexity of
//! Boolean functions over the basis (and, xor, 1)", TCS 2000), bit-sliced so that one word instruction serves 64 records.
//!
//! - Algebra: `c_0 = 0`, `c_{k+1} = ((x_k ^ c_k) & (y_k ^ c_k)) ^ c_k`; the sum's highest bit is `x_15 ^ y_15 ^ c_15`; the
//!   answer is its complement.
//! - Rounds: 15. Bytes: 15 bits per comparison sent per party, in whole words of 64.
//! - Leaks: nothing; every message is that of an AND ([`super::boolean`]).

use super::Session;
use super::boolean::{Bits, and};
use super::convert16::SCORE_BITS;
use crate::error::Error;

/// For each lane of the operands' planes (lowest bit first), 1 where the sum is at least 0.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If there are not 16 planes of equal lengths in both.
pub fn not_negative(session: &mut Session<'_>, x: &[Bits], y: &[Bits]) -> Result<Bits, Error> {
    assert_eq!(x.len(), SCORE_BITS);
    assert_eq!(y.len(), SCORE_BITS);
    let mut carry = and(session, &x[0], &y[0])?;
    for bit in 1..SCORE_BITS - 1 {
        carry = and(session, &x[bit].xor(&carry), &y[bit].xor(&carry))?.xor(&carry);
    }
    Ok(x[SCORE_BITS - 1].xor(&y[SCORE_BITS - 1]).xor(&carry).not(session.party()))
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::{open, share_words};
    use super::*;
    use crate::testing::{SeededRng, run_three};

    fn ideal(x: u16, y: u16) -> bool {
        x.wrapping_add(y) as i16 >= 0
    }

    #[test]
    fn sums_of_random_and_extreme_operands_agree_with_the_ideal() {
        let extremes = [0, 1, 2, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
        let mut rng = SeededRng::new(21);
        let mut pairs: Vec<(u16, u16)> = extremes.iter().flat_map(|x| extremes.map(|y| (*x, y))).collect();
        pairs.extend((0..500).map(|_| (rng.below(1 << 16) as u16, rng.below(1 << 16) as u16)));
        let lanes = pairs.len().div_ceil(64);
        let mut shares = |operand: fn(&(u16, u16)) -> u16| -> Vec<[Bits; 3]> {
            (0..SCORE_BITS)
                .map(|bit| {
                    let mut words = vec![0_u64; lanes];
                    for (at, pair) in pairs.iter().enumerate() {
                        words[at / 64] |= u64::from(operand(pair) >> bit & 1) << (at % 64);
                    }
                    share_words(&words, &mut rng)
                })
                .collect()
        };
        let (x, y) = (shares(|pair| pair.0), shares(|pair| pair.1));
        let results = run_three(22, |session| {
            let mine = |planes: &[[Bits; 3]]| planes.iter().map(|plane| plane[session.party().index()].clone()).collect::<Vec<_>>();
            let (x, y) = (mine(&x), mine(&y));
            not_negative(session, &x, &y).expect("no network error")
        });
        let words = open(results.each_ref().map(|(bits, _)| bits));
        for (at, (x, y)) in pairs.into_iter().enumerate() {
            assert_eq!(words[at / 64] >> (at % 64) & 1 == 1, ideal(x, y), "{x:#x} + {y:#x}");
        }
        for (_, traffic) in &results {
            assert_eq!((traffic.rounds, traffic.bytes()), (15, 15 * 8 * lanes));
        }
    }
}
