//! From one bit and one score per slot to a handful of elements: everything here is linear, so each party does it by itself
//! and none can alter it.
//!
//! - *Near words*: 64 slots' bits are an element of GF(2^64), `w_g`. *Score words*: the components of four slots' scores, less
//!   the accept threshold, are one element for each component, with only that component: whoever holds component k of a score
//!   holds its word.
//! - *Rows*: [`ROW_SLOTS`] slots, 16 near words, 256 score words. With the parity `b_k` of row k, the parity `c_i` of the bits
//!   above score word i of all rows, and the parity `d_t` of all bits at place t of four, a single near slot is where
//!   `b_k = c_i = d_t = 1`.
//! - *Token*: the XOR of the near slots' tokens, which are public.
//! - *Sketch* (E. Boyle, N. Gilboa, Y. Ishai, "Function secret sharing: improvements and extensions", CCS 2016, section 4, in
//!   the form with payloads): for public random r, r', `P(f) = sum_g f_g w_g`; `P(r) P(r') = P(1) P(r r')` shows that at most
//!   one near word is not zero. *Proof.* The difference is `sum_{g,h} w_g w_h (r_g r'_h + r_h r'_h)`, in which `r_g r'_h` with
//!   g and h different has the coefficient `w_g w_h`. If two words are not zero, it is a polynomial of degree 2 that is not
//!   zero, and vanishes at a random place with probability 2^-63 at most. ∎ For the bits `a_t` of that one word and random y,
//!   `(sum a_t y_t)^3 = sum a_t y_t^3` shows in the same way (degree 3) that at most one of them is 1.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Session;
use super::boolean::Bits;
use super::reshare::Components;
use crate::field::{Gf64, Shared};
use crate::kernel::Kernel;
use crate::prss::Stream;
use crate::token::Token;

/// Slots of a row.
pub const ROW_SLOTS: usize = 64 * ROW_NEAR_WORDS;

/// Near words of a row.
const ROW_NEAR_WORDS: usize = 16;

/// Score words of a row, of four slots each.
pub const ROW_SCORE_WORDS: usize = ROW_SLOTS / PLACES;

/// Slots of a score word.
pub const PLACES: usize = 4;

/// The parities of the near bits: shared bits, each an element 0 or 1.
pub struct Parities {
    /// `b_k`, for each row.
    pub rows: Zeroizing<Vec<Shared>>,
    /// `c_i`, for each score word of a row.
    pub columns: Zeroizing<Vec<Shared>>,
    /// `d_t`, for each slot of a score word.
    pub places: Zeroizing<Vec<Shared>>,
}

/// One party's components of the score words, row by row; 0 behind the last slot.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ScoreWords {
    own: Vec<u64>,
    next: Vec<u64>,
}

/// What shows that at most one slot is near, if it is so.
pub struct Sketch {
    /// `P(1)`: the near word.
    pub near: Shared,
    /// `P(r)`.
    pub first: Shared,
    /// `P(r')`.
    pub second: Shared,
    /// `P(r r')`.
    pub both: Shared,
    /// `sum a_t y_t` over the bits of the near word.
    pub bits: Shared,
    /// `sum a_t y_t^3`.
    pub cubes: Shared,
}

/// How many rows `slots` slots fill.
pub const fn rows_of(slots: usize) -> usize {
    slots.div_ceil(ROW_SLOTS)
}

/// The XOR of the tokens of the near slots from `from` on, in two elements.
///
/// # Panics
/// If `from` is no multiple of 64.
pub fn token(near: &Bits, from: usize, tokens: &[Token]) -> [Shared; 2] {
    assert!(from.is_multiple_of(64), "tokens begin with a near word");
    let words = tokens.len().div_ceil(64);
    let masks = [&near.own, &near.next].map(|part| &part[from / 64..][..words]);
    let [own, next] = Kernel::best().masked_xor_128(masks, tokens);
    [0, 64].map(|shift| Shared { own: Gf64((own >> shift) as u64), next: Gf64((next >> shift) as u64) })
}

/// The parities of the near bits.
pub fn parities(near: &Bits) -> Parities {
    let [own, next] = [&near.own, &near.next].map(|part| parities_of(part));
    let shared = |own: &[u64], next: &[u64]| {
        Zeroizing::new(own.iter().zip(next).map(|(own, next)| Shared { own: Gf64(*own), next: Gf64(*next) }).collect::<Vec<_>>())
    };
    Parities {
        rows: shared(&own.rows, &next.rows),
        columns: shared(&own.columns, &next.columns),
        places: shared(&own.places, &next.places),
    }
}

/// The parities of one component, each 0 or 1.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Parts {
    rows: Vec<u64>,
    columns: Vec<u64>,
    places: Vec<u64>,
}

fn parities_of(near: &[u64]) -> Parts {
    const PLACE: u64 = 0x1111_1111_1111_1111;
    let parity = |word: u64| u64::from(word.count_ones() & 1);
    let mut sum = Zeroizing::new([0; ROW_NEAR_WORDS]);
    let mut rows = vec![];
    for row in near.chunks(ROW_NEAR_WORDS) {
        rows.push(parity(row.iter().fold(0, |all, word| all ^ word)));
        sum.iter_mut().zip(row).for_each(|(sum, word)| *sum ^= word);
    }
    // The four bits above a score word, folded into the lowest of them.
    let columns = sum.iter().flat_map(|word| {
        let halves = word ^ word >> 1;
        let quarters = (halves ^ halves >> 2) & PLACE;
        (0..16).map(move |at| quarters >> (4 * at) & 1)
    });
    let all = sum.iter().fold(0, |all, word| all ^ word);
    let places = (0..PLACES).map(|place| parity(all & PLACE << place)).collect();
    Parts { rows, columns: columns.collect(), places }
}

impl ScoreWords {
    /// The words of `scores`, with `less` subtracted from component 1 of each.
    pub fn new(session: &Session<'_>, scores: &Components<u16>, less: u16) -> Self {
        // Component 1 is the first party's own and the third party's next.
        let less_of = |component: usize| if component == 0 { less } else { 0 };
        let [own, next] = [session.party(), session.party().next()].map(|party| less_of(party.index()));
        Self { own: score_words(&scores.own, own), next: score_words(&scores.next, next) }
    }

    /// This party's additive parts, row by row and component by component, of the score words of each row's column for which
    /// `columns` is 1.
    pub fn selected(&self, session: &Session<'_>, columns: &[Shared]) -> Vec<Gf64> {
        // c s = c_i s_i + c_{i+1} s_i for component i, and c_i s_{i+1} for component i+1.
        let own_masks = Zeroizing::new(columns.iter().map(|c| (c.own.0 ^ c.next.0).wrapping_neg()).collect::<Vec<u64>>());
        let next_masks = Zeroizing::new(columns.iter().map(|c| c.own.0.wrapping_neg()).collect::<Vec<u64>>());
        let select = |row: &[u64], masks: &[u64]| row.iter().zip(masks).fold(0, |sum, (word, mask)| sum ^ word & mask);
        let mut parts = vec![Gf64::ZERO; 3 * self.own.len() / ROW_SCORE_WORDS];
        let [own_place, next_place] = [session.party(), session.party().next()].map(|party| party.index());
        let rows = self.own.chunks_exact(ROW_SCORE_WORDS).zip(self.next.chunks_exact(ROW_SCORE_WORDS));
        for (parts, (own, next)) in parts.chunks_exact_mut(3).zip(rows) {
            parts[own_place] = Gf64(select(own, &own_masks));
            parts[next_place] = Gf64(select(next, &next_masks));
        }
        parts
    }

    /// For each column the sum of its score words, each times the coefficient of its row and component.
    pub fn weighted(&self, session: &Session<'_>, coefficients: &[[u64; 3]]) -> Zeroizing<Vec<Shared>> {
        let kernel = Kernel::best();
        let weighted = |words: &[u64], component: usize| {
            let mut sums = Zeroizing::new(vec![0; ROW_SCORE_WORDS]);
            for (row, coefficients) in words.chunks_exact(ROW_SCORE_WORDS).zip(coefficients) {
                kernel.scale(coefficients[component], row, &mut sums);
            }
            sums
        };
        let own = weighted(&self.own, session.party().index());
        let next = weighted(&self.next, session.party().next().index());
        let shared = |(own, next): (&u128, &u128)| Shared { own: Gf64::reduce(*own), next: Gf64::reduce(*next) };
        Zeroizing::new(own.iter().zip(next.iter()).map(shared).collect())
    }
}

fn score_words(numbers: &[u16], less: u16) -> Vec<u64> {
    let word = |four: &[u16; PLACES]| {
        let [a, b, c, d] = four.map(|number| u64::from(number.wrapping_sub(less)));
        a | b << 16 | c << 32 | d << 48
    };
    let (whole, rest) = numbers.as_chunks();
    let mut words = vec![0; rows_of(numbers.len()) * ROW_SCORE_WORDS];
    words.iter_mut().zip(whole).for_each(|(to, four)| *to = word(four));
    if !rest.is_empty() {
        let mut last = [less; PLACES];
        last[..rest.len()].copy_from_slice(rest);
        words[whole.len()] = word(&last);
    }
    words
}

/// The sketch of the near words for the public random elements of `challenge`.
pub fn sketch(near: &Bits, challenge: &mut Stream) -> Sketch {
    let kernel = Kernel::best();
    let words = near.own.len();
    let [first, second] = [(); 2].map(|()| challenge.words(words));
    let both: Vec<u64> = first.iter().zip(second.iter()).map(|(r, s)| Gf64::reduce(kernel.multiply(*r, *s)).0).collect();
    let sum = |factors: &[u64]| {
        let [own, next] = [&near.own, &near.next].map(|part| Gf64::reduce(kernel.dot(part, factors)));
        Shared { own, next }
    };
    let [own, next] = [&near.own, &near.next].map(|part| Gf64(part.iter().fold(0, |all, word| all ^ word)));
    let near = Shared { own, next };
    let (mut bits, mut cubes) = (Shared::ZERO, Shared::ZERO);
    for (at, y) in challenge.words(64).iter().enumerate() {
        let (bit, y) = (near.bit(at as u32), Gf64(*y));
        bits = bits.plus(bit.times(y));
        cubes = cubes.plus(bit.times(y.square().times(y)));
    }
    Sketch { near, first: sum(&first), second: sum(&second), both: sum(&both), bits, cubes }
}

#[cfg(test)]
mod tests;
