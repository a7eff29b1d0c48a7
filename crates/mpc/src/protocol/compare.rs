//! Which scores are near: at least the ambiguous threshold, up to a bounded error of truncation.
//!
//! Source: the comparison by the highest bit of a bit-sliced sum of replicated shares is that of R. Bloemen et al.,
//! "Large-scale MPC: scaling private iris code uniqueness checks to millions of users", 2024 (ePrint 2024/705); the ripple
//! adder with one AND per bit is in J. Boyar, R. Peralta, D. Pochuev, "On the multiplicative complexity of Boolean functions
//! over the basis (and, xor, 1)", TCS 2000. Truncating each share on its own is usual (P. Mohassel, Y. Zhang, "SecureML",
//! S&P 2017); the bound for three shares is proved below.
//!
//! - In: replicated shares modulo 2^16 of scores: party i holds components `z_i` and `z_{i+1}`. Out: one shared bit per score.
//! - Algebra: `v = score - ambiguous + 64`; the holders of component 1 subtract the public `ambiguous - 64` from it. Of each
//!   component only `a_k = floor(z_k / 64)`, 10 bits, goes on. The bits of `a_1, a_2, a_3` are a replicated XOR sharing of
//!   `s = a_1 ^ a_2 ^ a_3` as they stand. The carries of that carry-save step are the majorities
//!   `m = a_1 a_2 ^ a_2 a_3 ^ a_3 a_1`; party i holds both factors of `a_i a_{i+1}`, so one reshare of 9 planes gives `m`.
//!   The ripple sum of `s` and `2 m` has `a_1 + a_2 + a_3` modulo 2^10 with 8 ANDs up to its highest bit; near is that bit's
//!   complement.
//! - **Bound.** Near is 1 if `score >= ambiguous + 64` and 0 if `score < ambiguous - 64`; for a score in between it is
//!   `score >= ambiguous + 64 (e - 1)` with an `e` of 0, 1 or 2 that depends on the components, which are fresh and random.
//!   *Proof.* Write `z_k = 64 a_k + b_k`, `0 <= b_k <= 63`. As integers `z_1 + z_2 + z_3 = v + 2^16 w` for some w. The `b_k`
//!   add up to at least 0 and at most 189 < 192, and with `e = floor((b_1 + b_2 + b_3) / 64)` in {0, 1, 2}, dividing by 64 and
//!   rounding down gives `a_1 + a_2 + a_3 + e = floor(v / 64) + 2^10 w`. So the sum modulo 2^10 is that of `floor(v / 64) - e`,
//!   which lies in [-512, 511] as `v` lies in [-32,640, 32,767] (asserted below): its highest bit as a signed
//!   number is its sign. It is not negative exactly when `floor(v / 64) >= e`, that is `v >= 64 e`, that is
//!   `score >= ambiguous + 64 (e - 1)`. ∎ A slot without a record has score 0 and is not near, as `0 < ambiguous - 64`.
//! - Rounds: 9. Bytes: 17 bits per score sent per party, in whole words of 64.
//! - Leaks: nothing; every message is that of a reshare ([`super::boolean`]).
//! - Holds against: one party that follows the protocol and is curious. A party that cheats can flip chosen bits of the
//!   result, and nothing else: it learns nothing by it here. `docs/protocols/compare.md` says what follows for the whole.

use base::party::PartyId;
use zeroize::Zeroize;

use super::Session;
use super::boolean::{Bits, View, part_of_and, reshare};
use super::identify::THRESHOLD_MAX;
use super::planes::{self, words_per_plane};
use super::reshare::Components;
use crate::error::Error;
use crate::share::NORM_SQUARED_MAX;

/// Bits that are dropped from every share of a score.
pub const DROPPED_BITS: u32 = 6;

/// What a score may be off by in a comparison: 2 to the dropped bits.
pub const MARGIN: u16 = 1 << DROPPED_BITS;

/// Bits of a truncated score.
pub const PLANES: usize = 16 - DROPPED_BITS as usize;

// The values of `v` for which the proof holds: a score lies within NORM_SQUARED_MAX either way.
const _: () = assert!(-NORM_SQUARED_MAX - THRESHOLD_MAX + MARGIN as i32 >= -(512 - 2) * MARGIN as i32);
const _: () = assert!(NORM_SQUARED_MAX + MARGIN as i32 <= i16::MAX as i32);

/// Rounds of [`near`].
pub const ROUNDS: usize = PLANES - 1;

/// Bytes that a party sends in [`near`] over `scores` scores.
pub const fn bytes_sent(scores: usize) -> usize {
    (2 * PLANES - 3) * 8 * words_per_plane(scores)
}

/// For each score, in order and 64 to a word, whether it is near; bits behind the last score are 0.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If `ambiguous` is below [`MARGIN`].
pub fn near(session: &mut Session<'_>, scores: &Components<u16>, ambiguous: u16) -> Result<Bits, Error> {
    let count = scores.own.len();
    let words = words_per_plane(count);
    let [own_less, next_less] = match session.party {
        PartyId::P1 => [less(ambiguous), 0],
        PartyId::P2 => [0, 0],
        PartyId::P3 => [0, less(ambiguous)],
    };
    let sums = Bits { own: truncated(&scores.own, own_less), next: truncated(&scores.next, next_less) };
    // The highest carry would be the sum's bit 10.
    let products = sums.own.iter().zip(&sums.next).take((PLANES - 1) * words).map(|(own, next)| own & next);
    let carries = reshare(session, products)?;
    let mut near = highest_bit(session, sums.view(words..PLANES * words), carries.view(0..carries.len()), PLANES - 1)?;
    near.xor_public(session.party, |_| u64::MAX);
    near.clear_behind(count);
    Ok(near)
}

/// What is subtracted from a score so that its truncated sign says whether it is near.
pub(super) const fn less(ambiguous: u16) -> u16 {
    assert!(ambiguous >= MARGIN, "a threshold is above the margin");
    ambiguous - MARGIN
}

/// The planes of the numbers, less a public number, divided by [`MARGIN`].
pub(super) fn truncated(numbers: &[u16], less: u16) -> Vec<u64> {
    if less == 0 {
        return planes::of_16(numbers, DROPPED_BITS..16);
    }
    let mut reduced: Vec<u16> = numbers.iter().map(|number| number.wrapping_sub(less)).collect();
    let planes = planes::of_16(&reduced, DROPPED_BITS..16);
    reduced.zeroize();
    planes
}

/// All planes of the sum of two operands of `planes` planes each, modulo 2 to their number. `planes - 1` rounds, as many bits
/// per lane.
///
/// # Errors
/// Errors of the network.
pub fn sum(session: &mut Session<'_>, x: &Bits, y: &Bits, planes: usize) -> Result<Bits, Error> {
    let words = x.len() / planes;
    let mut sum = x.xor(y);
    let mut carry = Bits::zeros(words);
    for plane in 0..planes - 1 {
        let range = plane * words..(plane + 1) * words;
        carry = next_carry(session, x.view(range.clone()), y.view(range), &carry)?;
        sum.xor_in_at((plane + 1) * words, carry.view(0..words));
    }
    Ok(sum)
}

/// Near, from all planes of `(score - ambiguous + 64) / 64` for `count` scores.
pub fn near_of_sum(party: PartyId, sum: &Bits, count: usize) -> Bits {
    let words = words_per_plane(count);
    let mut near = sum.slice((PLANES - 1) * words, PLANES * words).not(party);
    near.clear_behind(count);
    near
}

/// The highest plane of the sum of two operands of `planes` planes each.
fn highest_bit(session: &mut Session<'_>, x: View<'_>, y: View<'_>, planes: usize) -> Result<Bits, Error> {
    let words = x.own.len() / planes;
    let words_of = |plane: usize| plane * words..(plane + 1) * words;
    let mut carry = Bits::zeros(words);
    for plane in 0..planes - 1 {
        carry = next_carry(session, x.part(words_of(plane)), y.part(words_of(plane)), &carry)?;
    }
    carry.xor_in(x.part(words_of(planes - 1)));
    carry.xor_in(y.part(words_of(planes - 1)));
    Ok(carry)
}

/// The carry out of one place of an adder: `((x ^ c) & (y ^ c)) ^ c`. One AND.
fn next_carry(session: &mut Session<'_>, x: View<'_>, y: View<'_>, carry: &Bits) -> Result<Bits, Error> {
    let carry_view = carry.view(0..carry.len());
    let places = x.words().zip(y.words()).zip(carry_view.words());
    let products = places.map(|((x, y), c)| part_of_and([x[0] ^ c[0], x[1] ^ c[1]], [y[0] ^ c[0], y[1] ^ c[1]]));
    let mut next = reshare(session, products)?;
    next.xor_in(carry_view);
    Ok(next)
}

/// The plain function that [`near`] must agree with, whatever the components.
pub mod ideal {
    use super::MARGIN;

    /// What is certain about a score: near, not near, or either.
    pub fn near(score: i32, ambiguous: u16) -> Option<bool> {
        let (ambiguous, margin) = (i32::from(ambiguous), i32::from(MARGIN));
        if score >= ambiguous + margin {
            Some(true)
        } else if score < ambiguous - margin {
            Some(false)
        } else {
            None
        }
    }

    /// The decision for these three components of a score.
    pub fn near_of_components(components: [u16; 3], ambiguous: u16) -> bool {
        let [first, second, third] = components.map(i64::from);
        let first = (first - i64::from(ambiguous) + i64::from(MARGIN)).rem_euclid(1 << 16);
        let steps = [first, second, third].iter().map(|component| component / i64::from(MARGIN)).sum::<i64>();
        steps.rem_euclid(1024) < 512
    }
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::open;
    use super::super::convert;
    use super::*;
    use crate::testing::{SeededRng, Traffic, run_three};

    const AMBIGUOUS: [u16; 4] = [129, 7_000, 8_000, 13_600];

    /// Scores at and around every place where the decision changes, and random ones, as random and as extreme components.
    fn cases(ambiguous: u16, rng: &mut SeededRng) -> Vec<(i32, [u16; 3])> {
        let middle = i32::from(ambiguous);
        let mut scores = vec![0, 1, -1, 17_598, -17_598];
        scores.extend((-130..=130).map(|off| middle + off));
        scores.extend((0..200).map(|_| rng.below(35_197) as i32 - 17_598));
        let edges = [0, 1, 63, 64, 0x7fff, 0x8000, 0xffc0, 0xffff];
        let mut cases = vec![];
        for score in scores.into_iter().filter(|score| *score <= 17_598) {
            let mut push = |second: u16, third: u16| {
                cases.push((score, [(score as u16).wrapping_sub(second).wrapping_sub(third), second, third]));
            };
            for second in edges {
                push(second, edges[(second as usize * 7 + score.unsigned_abs() as usize) % edges.len()]);
            }
            push(rng.below(1 << 16) as u16, rng.below(1 << 16) as u16);
        }
        cases
    }

    fn share_of(cases: &[(i32, [u16; 3])], party: PartyId) -> Components<u16> {
        let component = |party: PartyId| cases.iter().map(|(_, components)| components[party.index()]).collect();
        Components { own: component(party), next: component(party.next()) }
    }

    /// Runs `protocol` on each party's side of the cases and gives the opened bits.
    fn run(
        cases: &[(i32, [u16; 3])],
        seed: u64,
        protocol: impl Fn(&mut Session<'_>, &Components<u16>) -> Bits + Sync,
    ) -> (Vec<u64>, [Traffic; 3]) {
        let results = run_three(seed, |session| protocol(session, &share_of(cases, session.party())));
        let words = open(results.each_ref().map(|(bits, _)| bits));
        (words, results.map(|(_, traffic)| traffic))
    }

    fn check(cases: &[(i32, [u16; 3])], words: &[u64], decided: impl Fn(usize) -> bool, ambiguous: u16) {
        assert_eq!(words.len(), cases.len().div_ceil(64));
        for at in 0..64 * words.len() {
            let near = words[at / 64] >> (at % 64) & 1 == 1;
            match cases.get(at) {
                None => assert!(!near, "behind the last score"),
                Some((score, components)) => {
                    assert_eq!(near, decided(at), "score {score} as {components:x?} against {ambiguous}");
                    assert!(ideal::near(*score, ambiguous).is_none_or(|certain| certain == near), "score {score} against {ambiguous}");
                }
            }
        }
    }

    #[test]
    fn three_operands_agree_with_the_ideal_and_keep_the_bound() {
        for (seed, ambiguous) in AMBIGUOUS.into_iter().enumerate() {
            let cases = cases(ambiguous, &mut SeededRng::new(seed as u64));
            for count in [0, 1, 63, 64, 65, cases.len()] {
                let cases = &cases[cases.len() - count..];
                let (words, traffic) =
                    run(cases, seed as u64, |session, scores| near(session, scores, ambiguous).expect("no network error"));
                check(cases, &words, |at| ideal::near_of_components(cases[at].1, ambiguous), ambiguous);
                for traffic in traffic {
                    assert_eq!((traffic.rounds, traffic.bytes()), (ROUNDS, bytes_sent(count)));
                }
            }
        }
    }

    #[test]
    fn every_error_of_truncation_decides_where_the_bound_says() {
        let ambiguous = 7_000;
        let decide = |v: i32, low: [u16; 3]| {
            let (second, third) = (64 * 5 + low[1], 64 * 1000 + low[2]);
            let first = (v as u16).wrapping_sub(second).wrapping_sub(third);
            assert_eq!(first % 64, low[0], "the low bits fit together");
            ideal::near_of_components([first.wrapping_add(less(ambiguous)), second, third], ambiguous)
        };
        // The low bits add up to 64 e and to 64 e + 61; v is the score less the threshold, plus 64.
        for (e, even, odd) in [(0, [0, 0, 0], [61, 0, 0]), (1, [32, 32, 0], [62, 63, 0]), (2, [63, 63, 2], [63, 63, 63])] {
            assert!(decide(64 * e, even), "from the threshold of error {e} on a score is near");
            assert!(!decide(64 * (e - 1) + 61, odd), "below it is not");
        }
    }

    /// Unverified: the same decision from two operands, whatever the roles.
    #[test]
    fn two_operands_keep_the_bound_in_every_role() {
        for rotation in 0..3 {
            for ambiguous in AMBIGUOUS {
                let cases = cases(ambiguous, &mut SeededRng::new(20));
                let (words, traffic) = run(&cases, 21, |session, scores| {
                    let [x, y] = convert::operands(session, &scores.own, ambiguous, rotation).expect("no network error");
                    near_of_sum(session.party(), &sum(session, &x, &y, PLANES).expect("no network error"), cases.len())
                });
                // The threshold is subtracted from the share of the party that is first.
                let decided = |at: usize| {
                    let mut components = cases[at].1;
                    components.rotate_right(rotation);
                    ideal::near_of_components(components, ambiguous)
                };
                check(&cases, &words, decided, ambiguous);
                for traffic in &traffic {
                    assert_eq!(traffic.bytes(), convert::bytes_sent(cases.len()) + 8 * (PLANES - 1) * words.len());
                }
                assert_eq!(traffic.iter().map(|traffic| traffic.rounds).max(), Some(convert::ROUNDS + PLANES - 1));
            }
        }
    }
}
