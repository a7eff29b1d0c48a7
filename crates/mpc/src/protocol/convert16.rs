//! From additive shares of scores modulo 2^16 to two operands in Boolean shares whose sum, less a threshold, has the
//! comparison as its highest bit.
//!
//! Source: the three-to-two conversion and the two-operand adder are those of P. Mohassel, P. Rindal, "ABY3: a mixed
//! protocol framework for machine learning", CCS 2018, section 5.3, with the first operand chosen as randomness that two
//! parties already share, so that sharing it costs nothing.
//!
//! - In: party i holds `z_i`, and `z_1 + z_2 + z_3 = score` modulo 2^16, for each record.
//! - Algebra: parties 1 and 3 draw `r` and `m` from their common stream. Party 1 sends `z_1 - r - m` and party 3 sends
//!   `z_3 + m` to party 2, which adds `z_2` and holds `y = score - r`. For a threshold t, parties 1 and 3 both hold
//!   `x = r - t`, so `x + y = score - t`. As Boolean shares: `x_1 = x, x_2 = x_3 = 0`, without a message; and
//!   `y_3 = k, y_2 = y ^ k, y_1 = 0` with `k` from the common stream of parties 2 and 3, and `y ^ k` sent to party 1.
//! - Sign: the score is a signed 16-bit number, and so is `score - t` ([`crate::protocol::identify::Thresholds`] says why
//!   it does not wrap); its highest bit is 1 exactly when `score < t`.
//! - Rounds: 2. Bytes: 2 per record from party 1 to 2, from 3 to 2 and from 2 to 1 (the last rounded up to 64 records).
//! - Leaks: nothing. Party 2 sees `z_1 - r - m` and `z_3 + m`, two numbers masked by `r` and `m`, which it does not know;
//!   party 1 sees `y ^ k`, masked by `k`, which it does not know; party 3 sees nothing.

use base::party::PartyId;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::boolean::Bits;
use super::{Session, bytes_to_numbers, bytes_to_words, numbers_to_bytes, words_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;

/// Bits of a score.
pub const SCORE_BITS: usize = 16;

/// 16-bit numbers, 64 to a lane: word `bit * lanes + lane` holds that bit of the numbers `64 * lane` and following.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Planes(Vec<u64>);

/// The operands of both comparisons: plane `bit` of each, lowest bit first.
pub struct Operands {
    /// `r - t` for the first threshold's lanes, then for the second's.
    pub x: Vec<Bits>,
    /// `score - r`, once.
    pub y: Vec<Bits>,
}

/// Converts this party's additive shares `scores` for comparison with both `thresholds`.
///
/// # Errors
/// Errors of the network.
pub fn convert(session: &mut Session<'_>, scores: &[u16], thresholds: [u16; 2]) -> Result<Operands, Error> {
    let lanes = scores.len().div_ceil(64);
    let zeros = || vec![0; lanes * SCORE_BITS];
    match session.party {
        PartyId::P1 => {
            let (r, m) = masks_of_parties_1_and_3(session.prss.with_previous(), scores.len());
            let masked = (0..scores.len()).map(|at| scores[at].wrapping_sub(r[at]).wrapping_sub(m[at]));
            let message = masked.collect::<Vec<u16>>();
            session.send(Neighbour::Next, numbers_to_bytes(&message))?;
            let y_2 = bytes_to_words(&session.receive(Neighbour::Next, 8 * lanes * SCORE_BITS)?);
            Ok(Operands { x: operand_x(&r, thresholds, |planes, zeros| Bits { own: planes, next: zeros }), y: split(zeros(), y_2) })
        }
        PartyId::P2 => {
            let from_1 = Zeroizing::new(bytes_to_numbers(&session.receive(Neighbour::Previous, 2 * scores.len())?));
            let from_3 = Zeroizing::new(bytes_to_numbers(&session.receive(Neighbour::Next, 2 * scores.len())?));
            let y: Zeroizing<Vec<u16>> =
                Zeroizing::new((0..scores.len()).map(|at| scores[at].wrapping_add(from_1[at]).wrapping_add(from_3[at])).collect());
            let y_3 = session.prss.with_next().words(lanes * SCORE_BITS).to_vec();
            let y_2: Vec<u64> = planes(&y).0.iter().zip(&y_3).map(|(y, mask)| y ^ mask).collect();
            session.send(Neighbour::Previous, words_to_bytes(&y_2))?;
            Ok(Operands { x: vec![Bits::zeros(2 * lanes); SCORE_BITS], y: split(y_2, y_3) })
        }
        PartyId::P3 => {
            let (r, m) = masks_of_parties_1_and_3(session.prss.with_next(), scores.len());
            let message: Vec<u16> = scores.iter().zip(m.iter()).map(|(score, m)| score.wrapping_add(*m)).collect();
            session.send(Neighbour::Previous, numbers_to_bytes(&message))?;
            let y_3 = session.prss.with_previous().words(lanes * SCORE_BITS).to_vec();
            Ok(Operands { x: operand_x(&r, thresholds, |planes, zeros| Bits { own: zeros, next: planes }), y: split(y_3, zeros()) })
        }
    }
}

fn masks_of_parties_1_and_3(stream: &mut crate::prss::Stream, count: usize) -> (Zeroizing<Vec<u16>>, Zeroizing<Vec<u16>>) {
    (stream.numbers(count), stream.numbers(count))
}

/// Planes of `r - t` for both thresholds, each plane handed to `share` with as many zeros.
fn operand_x(r: &[u16], thresholds: [u16; 2], share: fn(Vec<u64>, Vec<u64>) -> Bits) -> Vec<Bits> {
    let [first, second] = thresholds.map(|threshold| {
        let numbers: Zeroizing<Vec<u16>> = Zeroizing::new(r.iter().map(|r| r.wrapping_sub(threshold)).collect());
        planes(&numbers)
    });
    let lanes = r.len().div_ceil(64);
    (0..SCORE_BITS)
        .map(|bit| {
            let range = bit * lanes..(bit + 1) * lanes;
            share([&first.0[range.clone()], &second.0[range]].concat(), vec![0; 2 * lanes])
        })
        .collect()
}

/// One [`Bits`] per plane.
fn split(own: Vec<u64>, next: Vec<u64>) -> Vec<Bits> {
    let whole = Bits { own, next };
    let lanes = whole.len() / SCORE_BITS;
    (0..SCORE_BITS).map(|bit| whole.slice(bit * lanes, (bit + 1) * lanes)).collect()
}

fn planes(numbers: &[u16]) -> Planes {
    let lanes = numbers.len().div_ceil(64);
    let mut words = vec![0_u64; lanes * SCORE_BITS];
    for (lane, chunk) in numbers.chunks(64).enumerate() {
        let mut columns = [0_u64; SCORE_BITS];
        for (at, number) in chunk.iter().enumerate() {
            for (bit, column) in columns.iter_mut().enumerate() {
                *column |= (u64::from(*number) >> bit & 1) << at;
            }
        }
        for (bit, column) in columns.into_iter().enumerate() {
            words[bit * lanes + lane] = column;
        }
    }
    Planes(words)
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::open;
    use super::*;
    use crate::testing::{SeededRng, run_three};

    /// Ideal: the operands' sum is the score less the threshold.
    fn check(scores: &[i16], thresholds: [u16; 2]) {
        let mut rng = SeededRng::new(11);
        let mut shares = [vec![], vec![], vec![]];
        for score in scores {
            let (first, second) = (rng.below(1 << 16) as u16, rng.below(1 << 16) as u16);
            for (share, value) in shares.iter_mut().zip([first, second, (*score as u16).wrapping_sub(first).wrapping_sub(second)]) {
                share.push(value);
            }
        }
        let results = run_three(12, |session| {
            let party = session.party();
            convert(session, &shares[party.index()], thresholds).expect("no network error")
        });
        let lanes = scores.len().div_ceil(64);
        let number = |operand: fn(&Operands) -> &Vec<Bits>, lane: usize, at: usize| {
            (0..SCORE_BITS).fold(0_u16, |number, bit| {
                let words = open(results.each_ref().map(|(operands, _)| &operand(operands)[bit]));
                number | ((words[lane] >> at & 1) as u16) << bit
            })
        };
        for (index, score) in scores.iter().enumerate() {
            let y = number(|operands| &operands.y, index / 64, index % 64);
            for (which, threshold) in thresholds.into_iter().enumerate() {
                let x = number(|operands| &operands.x, which * lanes + index / 64, index % 64);
                assert_eq!(x.wrapping_add(y), (*score as u16).wrapping_sub(threshold));
            }
        }
        assert_eq!(results.each_ref().map(|(_, traffic)| traffic.bytes()), [2 * scores.len(), 128 * lanes, 2 * scores.len()]);
        assert_eq!(results.iter().map(|(_, traffic)| traffic.rounds).max(), Some(2));
    }

    #[test]
    fn operands_add_up_to_the_score_less_the_threshold() {
        check(&[0], [1, 1]);
        check(&[i16::MIN, i16::MAX, -1, 0, 1, 17_598, -17_598], [13_600, 1]);
        check(&(0..130).map(|at| at * 97).collect::<Vec<i16>>(), [8_000, 7_000]);
    }
}
