//! From additive shares of scores to two operands in Boolean shares whose sum is the truncated score, less a threshold. For
//! runs without verification: it needs half the bytes of a reshare, but nothing that is checked later can hang on it.
//!
//! Source: the three-to-two conversion and the two-operand adder are those of P. Mohassel, P. Rindal, "ABY3: a mixed
//! protocol framework for machine learning", CCS 2018, section 5.3, with the first operand chosen as randomness that two
//! parties already share, so that sharing it costs nothing; here on planes of bits from the start.
//!
//! - Roles: the parties are first, second and third in the order of the ring; who is first rotates with the chunk's number,
//!   so that all connections carry as much.
//! - In: party i holds `z_i`, and `z_1 + z_2 + z_3 = score` modulo 2^16. Out: x and y of 10 bits in Boolean shares with
//!   `x + y = floor((score - ambiguous + 64) / 64) - e` modulo 2^10, e as in [`super::compare`], where the bound is proved for
//!   any three shares.
//! - Algebra: the first party subtracts `ambiguous - 64` from its share. Each drops 6 bits of its share: `a_i`. The first and
//!   the third draw `r` and `m` of 10 bits from their common stream. The first sends `a_1 - r - m` and the third `a_3 + m` to
//!   the second, which adds `a_2` and holds `y = a_1 + a_2 + a_3 - r`; `x = r` is known to the first and the third. As Boolean
//!   shares: `x_1 = r, x_2 = x_3 = 0` without a message; and `y_3 = k, y_2 = y ^ k, y_1 = 0` with `k` from the common stream of
//!   the second and third, and `y ^ k` sent to the first.
//! - Rounds: 2. Bytes: 10 bits per score sent per party, in whole words of 64.
//! - Leaks: nothing. The second sees `a_1 - r - m` and `a_3 + m`, masked by `r` and `m`, which it does not know; the first sees
//!   `y ^ k`, masked by `k`, which it does not know; the third sees nothing.
//! - Holds against: one party that follows the protocol and is curious.

use zeroize::Zeroize;

use super::boolean::Bits;
use super::compare::{PLANES, less, truncated};
use super::planes::{add_in, subtract_in, words_per_plane};
use super::{Session, bytes_to_words, words_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;
use crate::prss::Stream;

/// Rounds of [`operands`].
pub const ROUNDS: usize = 2;

/// Bytes that a party sends in [`operands`] over `scores` scores.
pub const fn bytes_sent(scores: usize) -> usize {
    8 * PLANES * words_per_plane(scores)
}

/// The two operands of [`super::compare::sum`], of [`PLANES`] planes each; `rotation` is the chunk's number.
///
/// # Errors
/// Errors of the network.
pub fn operands(session: &mut Session<'_>, scores: &[u16], ambiguous: u16, rotation: usize) -> Result<[Bits; 2], Error> {
    let count = PLANES * words_per_plane(scores.len());
    let zeros = || vec![0; count];
    match (session.party.index() + rotation) % 3 {
        0 => {
            let [r, mut m] = [(); 2].map(|()| drawn(session.prss.with_previous(), count));
            let mut masked = truncated(scores, less(ambiguous));
            subtract_in(&mut masked, &r, PLANES);
            subtract_in(&mut masked, &m, PLANES);
            session.send(Neighbour::Next, words_to_bytes(&masked))?;
            masked.zeroize();
            m.zeroize();
            let y_2 = bytes_to_words(&session.receive(Neighbour::Next, 8 * count)?);
            Ok([Bits { own: r, next: zeros() }, Bits { own: zeros(), next: y_2 }])
        }
        1 => {
            let mut y = truncated(scores, 0);
            let from_first = session.receive(Neighbour::Previous, 8 * count)?;
            let from_third = session.receive(Neighbour::Next, 8 * count)?;
            add_in(&mut y, &bytes_to_words(&from_first), PLANES);
            add_in(&mut y, &bytes_to_words(&from_third), PLANES);
            let y_3 = drawn(session.prss.with_next(), count);
            y.iter_mut().zip(&y_3).for_each(|(y, mask)| *y ^= mask);
            session.send(Neighbour::Previous, words_to_bytes(&y))?;
            Ok([Bits::zeros(count), Bits { own: y, next: y_3 }])
        }
        _ => {
            let [r, mut m] = [(); 2].map(|()| drawn(session.prss.with_next(), count));
            let mut masked = truncated(scores, 0);
            add_in(&mut masked, &m, PLANES);
            session.send(Neighbour::Previous, words_to_bytes(&masked))?;
            masked.zeroize();
            m.zeroize();
            let y_3 = drawn(session.prss.with_previous(), count);
            Ok([Bits { own: zeros(), next: r }, Bits { own: y_3, next: zeros() }])
        }
    }
}

fn drawn(stream: &mut Stream, count: usize) -> Vec<u64> {
    let mut words = vec![0; count];
    stream.fill_words(&mut words);
    words
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::open;
    use super::super::planes::tests::numbers;
    use super::*;
    use crate::testing::{SeededRng, run_three};

    /// Ideal: the operands' sum is that of the truncated shares, the first less the threshold.
    fn check(count: usize, ambiguous: u16, rotation: usize) {
        let mut rng = SeededRng::new(11);
        let shares: [Vec<u16>; 3] = [(); 3].map(|()| (0..count).map(|_| rng.below(1 << 16) as u16).collect());
        let results =
            run_three(12, |session| operands(session, &shares[session.party().index()], ambiguous, rotation).expect("no network error"));
        let [x, y] = [0, 1].map(|which| numbers(&open(results.each_ref().map(|(operands, _)| &operands[which])), count));
        let first = (3 - rotation % 3) % 3;
        for at in 0..count {
            let ideal: u32 =
                (0..3).map(|party| u32::from(shares[party][at].wrapping_sub(if party == first { ambiguous - 64 } else { 0 })) / 64).sum();
            assert_eq!((x[at] + y[at]) % 1024, ideal % 1024);
        }
        for (_, traffic) in &results {
            assert_eq!(traffic.bytes(), bytes_sent(count));
        }
        assert_eq!(results.iter().map(|(_, traffic)| traffic.rounds).max(), Some(ROUNDS));
    }

    #[test]
    fn operands_add_up_to_the_truncated_shares_in_every_role() {
        for rotation in 0..4 {
            for (count, ambiguous) in [(1, 129), (64, 7_000), (130, 13_600)] {
                check(count, ambiguous, rotation);
            }
        }
    }

    /// What a party sees is uniform together with what it knows already, not only message by message: the second party's two
    /// messages added up, and the first party's with the `r` that it drew. Only the masks differ from run to run.
    #[test]
    fn messages_say_nothing_together_either() {
        const RUNS: u64 = 600;
        // Six standard deviations of as many tosses.
        let fair = 226..=374;
        let shares = [[1_000_u16, 60_000], [7_000, 5_000], [200, 700]];
        let mut ones = [[0_u32; 64 * PLANES]; 2];
        for seed in 0..RUNS {
            let [first, _, third] =
                run_three(seed, |session| operands(session, &shares[session.party().index()], 7_000, 0).expect("no network error"));
            let [x, y] = &first.0;
            let mut at_first = y.next.clone();
            add_in(&mut at_first, &x.own, PLANES);
            let mut at_second = bytes_to_words(&first.1.to_next[0]);
            add_in(&mut at_second, &bytes_to_words(&third.1.to_previous[0]), PLANES);
            for (ones, words) in ones.iter_mut().zip([at_first, at_second]) {
                ones.iter_mut().enumerate().for_each(|(at, ones)| *ones += (words[at / 64] >> (at % 64) & 1) as u32);
            }
        }
        for (party, ones) in ones.iter().enumerate() {
            for (at, ones) in ones.iter().enumerate() {
                assert!(fair.contains(ones), "role {party}, bit {at}: 1 in {ones} of {RUNS} runs");
            }
        }
    }
}
