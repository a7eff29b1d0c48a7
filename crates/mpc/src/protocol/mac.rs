//! A check of all inner products at once: whoever alters a score does not know what it would have to alter with it.
//!
//! Source: R. Freivalds, "Fast probabilistic algorithms", MFCS 1979: since every score has the same query, a random
//! combination of N scores is one inner product with the same combination of N rows. Here the combination is secret, as the
//! key of a MAC is: with a public one, a party that added an error to its part of a score would know the combined error, and
//! take it out of its part of the inner product.
//!
//! - Coefficients: for each of [`REPETITIONS`] repetitions r and each slot j, `c_{r,j} = c_1 + c_2 + c_3` over the integers,
//!   each component a random bit that the two parties holding that component expand from a common seed.
//! - [`seal`]: shares of `Y_r = sum_j c_{r,j} t_j`, on lines like those of rows. Component k of the coefficients times the
//!   rows is a secret on a line of which its two holders have a point each; with the Lagrange coefficients of two points, each
//!   party adds up its parts of all three components, and [`super::reshare`] masks and replicates them. Component k then
//!   stands for the line through it at 0 and through 0 at the point of the party that lacks it, so each party has its point
//!   of Y by itself. The points of the unmasked sums are never handed out: they are linear equations on the coefficients.
//! - Check: `v_r = sum_j c_{r,j} z_j - <q, Y_r>` is 0 modulo 2^16 for all r; each party has an additive part of it. An error
//!   `d_j` in a score leaves `sum_j c_{r,j} d_j` and what the party adds itself. One component of each coefficient is a bit
//!   that it does not know, so that it hits 0 with probability 1/2 at most in each repetition: 2^-40.
//! - [`Test`]: v is never opened, not even if it is not 0: a party that cheated in [`seal`] would read linear functions of the
//!   probe from it. Its parts are masked and passed on so that party 1 knows `v_1 + v_2` and parties 2 and 3 know `-v_3`; both
//!   are read as elements of GF(2^64), and the verified circuit is told that their difference is zero.
//! - Rounds: 1 for [`seal`]; 2 for the check, with others' messages, and the circuit's. Bytes: 2 per repetition and feature
//!   for [`seal`]; 80 for the check.
//! - Leaks: nothing to one party; on a cheat, that it was noticed.
//! - The same MAC serves any number of runs over the same rows: a failed check says no more than that one guess among 2^40 was
//!   wrong.

use base::party::PartyId;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Session;
use super::reshare::reshare_16;
use super::verified::{Circuit, Words};
use crate::error::Error;
use crate::field::{Gf64, Shared};
use crate::kernel::Kernel;
use crate::layout::{RowsView, SLOTS_PER_BLOCK};
use crate::prss::Stream;
use crate::ring::{Element, lagrange_at_zero, point};
use crate::share::{DIMENSIONS_MAX, PreparedQuery};

/// How often the check is repeated with other coefficients. A cheat gets through with probability 2^-40.
pub const REPETITIONS: usize = 40;

/// Field elements that hold the repetitions' values, four to an element.
const PACKED: usize = REPETITIONS.div_ceil(4);

/// One party's share of the MAC of some rows. The coefficients are expanded again at each use: that takes about a
/// millisecond for a million slots, and keeping them would take 10 bytes a slot.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealedMac {
    slots: usize,
    /// What the party's own component of the coefficients, and the next party's, are expanded from.
    seeds: [[u8; 32]; 2],
    /// The point of Y, repetition by repetition.
    sums: Vec<u16>,
}

/// A bit for each slot of each repetition, in whole words per repetition.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Masks(Vec<u64>);

/// Builds the MAC of `slots` rows, on a lane of its own of a run made for it. One round.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If the view has not as many blocks as the slots fill.
pub fn seal(session: &mut Session<'_>, rows: RowsView<'_>, slots: usize) -> Result<SealedMac, Error> {
    assert_eq!(rows.blocks(), slots.div_ceil(SLOTS_PER_BLOCK), "the rows are those of the slots");
    let party = session.party;
    let seed = |stream: &mut Stream| {
        let mut seed = [0; 32];
        stream.fill(&mut seed);
        seed
    };
    let seeds = [seed(session.prss.with_previous()), seed(session.prss.with_next())];
    // Component i is held by party i and the one before it.
    let pairs = [[party, party.previous()], [party.next(), party]];
    let mut part = Zeroizing::new(vec![0; REPETITIONS * rows.dimensions()]);
    for (seed, pair) in seeds.iter().zip(&pairs) {
        let mut sums = Zeroizing::new(vec![0; part.len()]);
        Kernel::best().masked_row_sums(&Masks::expand(seed, slots).repetitions(), rows, &mut sums);
        add_multiple(&mut part, lagrange_at_zero(party, pair), &sums);
    }
    let components = reshare_16(session, std::mem::take(&mut *part))?;
    let mut sums = vec![0; components.own.len()];
    add_multiple(&mut sums, line_through_zero_at(party.next(), party), &components.own);
    add_multiple(&mut sums, line_through_zero_at(party.previous(), party), &components.next);
    Ok(SealedMac { slots, seeds, sums })
}

impl SealedMac {
    /// How many slots the rows have.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// How many features.
    pub fn dimensions(&self) -> usize {
        self.sums.len() / REPETITIONS
    }

    /// The share as bytes: both seeds, then Y as little-endian numbers.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; 64 + 2 * self.sums.len()]);
        bytes[..32].copy_from_slice(&self.seeds[0]);
        bytes[32..64].copy_from_slice(&self.seeds[1]);
        bytes[64..].as_chunks_mut().0.iter_mut().zip(&self.sums).for_each(|(bytes, number)| *bytes = number.to_le_bytes());
        bytes
    }

    /// The share of the MAC of `slots` rows of `dimensions` features from its bytes.
    ///
    /// # Errors
    /// [`Error::ShareLength`], [`Error::DimensionsInvalid`].
    pub fn from_bytes(bytes: &[u8], slots: usize, dimensions: usize) -> Result<Self, Error> {
        if dimensions == 0 || !dimensions.is_multiple_of(2) || dimensions > DIMENSIONS_MAX {
            return Err(Error::DimensionsInvalid { features: dimensions });
        }
        let expected = 64 + 2 * REPETITIONS * dimensions;
        if bytes.len() != expected {
            return Err(Error::ShareLength { expected, found: bytes.len() });
        }
        let seeds = [0, 32].map(|at| bytes[at..at + 32].try_into().expect("32 bytes"));
        let sums = bytes[64..].as_chunks().0.iter().map(|number| u16::from_le_bytes(*number)).collect();
        Ok(Self { slots, seeds, sums })
    }

    /// Adds to `values` this party's parts of v for the scores of these rows.
    ///
    /// # Panics
    /// If there are not as many scores as slots, or the query has other dimensions.
    pub fn add_values(&self, values: &mut [u16; REPETITIONS], own: &[u16], next: &[u16], query: &PreparedQuery) {
        assert_eq!((own.len(), next.len()), (self.slots, self.slots), "one score for each slot");
        assert_eq!(query.dimensions(), self.dimensions(), "the query has as many features as the rows");
        let kernel = Kernel::best();
        // c z = sum over the parties of c_i (z_i + z_{i+1}) + c_{i+1} z_i.
        let both: Zeroizing<Vec<u16>> = Zeroizing::new(own.iter().zip(next).map(|(own, next)| own.wrapping_add(*next)).collect());
        kernel.masked_sums(&self.coefficients(0).repetitions(), &both, values);
        kernel.masked_sums(&self.coefficients(1).repetitions(), own, values);
        for (value, sum) in values.iter_mut().zip(self.sums.chunks_exact(self.dimensions())) {
            *value = value.wrapping_sub(query.inner_product(sum));
        }
    }
}

impl SealedMac {
    fn coefficients(&self, component: usize) -> Masks {
        Masks::expand(&self.seeds[component], self.slots)
    }
}

impl Masks {
    fn expand(seed: &[u8; 32], slots: usize) -> Self {
        let mut bits = vec![0; REPETITIONS * slots.div_ceil(64)];
        Stream::new(seed, b"", &[b"handsel/mac/v1"]).fill_words(&mut bits);
        Self(bits)
    }

    fn repetitions(&self) -> Vec<&[u64]> {
        let words = self.0.len() / REPETITIONS;
        (0..REPETITIONS).map(|at| &self.0[at * words..][..words]).collect()
    }
}

/// The private test that v is zero: [`Test::begin`] goes along in one message, [`Test::answer`] in the next.
pub struct Test {
    /// This party's part of v, masked: component i of a replicated share.
    own: Zeroizing<Vec<u16>>,
    /// Words for the previous party.
    pub along: Words,
    /// Words that the next party sends.
    pub expected: usize,
}

impl Test {
    /// Masks this party's parts of v. Party 2 learns component 3, and party 1 learns component 2; nobody else needs one.
    pub fn begin(session: &mut Session<'_>, values: &[u16; REPETITIONS]) -> Self {
        let mut own = Zeroizing::new(values.to_vec());
        session.prss.add_zero_u16(&mut own);
        let sent = packed(own.iter().copied());
        match session.party {
            PartyId::P1 => Self { own, along: Words::default(), expected: PACKED },
            PartyId::P2 => Self { own, along: sent, expected: PACKED },
            PartyId::P3 => Self { own, along: sent, expected: 0 },
        }
    }

    /// Takes what came along with the first message. What to send along with the second, and how many words to expect.
    pub fn answer(self, session: &mut Session<'_>, came: &[u64]) -> Answer {
        let next = came.iter().flat_map(|word| [0, 16, 32, 48].map(|shift| (word >> shift) as u16));
        match session.party {
            // Component 1 hides v_1 + v_2 under component 2, which is random.
            PartyId::P1 => {
                let mask = session.prss.with_next().words(PACKED);
                let mut own = packed(self.own.iter().zip(next).map(|(own, next)| own.wrapping_add(next)));
                own.iter_mut().zip(mask.iter()).for_each(|(own, mask)| *own ^= mask);
                Answer { along: own.clone(), expected: 0, own: Some(own), next: Some(mask) }
            }
            PartyId::P2 => {
                let mask = session.prss.with_previous().words(PACKED);
                Answer { along: Words::default(), expected: 0, own: Some(mask), next: Some(packed(next.map(u16::wrapping_neg))) }
            }
            PartyId::P3 => {
                let own = packed(self.own.iter().map(|number| number.wrapping_neg()));
                Answer { along: Words::default(), expected: PACKED, own: Some(own), next: None }
            }
        }
    }
}

/// Replicated shares of the difference of what party 1 and what the others know; party 3 lacks one component yet.
pub struct Answer {
    /// Words for the previous party.
    pub along: Words,
    /// Words that the next party sends.
    pub expected: usize,
    own: Option<Words>,
    next: Option<Words>,
}

impl Answer {
    /// Tells `circuit` that the difference is zero.
    pub fn finish(self, circuit: &mut Circuit, came: Words) {
        let (own, next) = (self.own.unwrap_or_default(), self.next.unwrap_or(came));
        for (own, next) in own.iter().zip(next.iter()) {
            circuit.assert_scores_zero(Shared { own: Gf64(*own), next: Gf64(*next) });
        }
    }
}

/// Four numbers to a word, the first lowest.
fn packed(numbers: impl Iterator<Item = u16>) -> Words {
    let mut words = Zeroizing::new(vec![0; PACKED]);
    numbers.enumerate().for_each(|(at, number)| words[at / 4] |= u64::from(number) << (16 * (at % 4)));
    words
}

/// The value at `at`'s point of the line that is 1 at 0 and 0 at `zero`'s point.
fn line_through_zero_at(zero: PartyId, at: PartyId) -> Element {
    point(zero).minus(point(at)).times(point(zero).inverse())
}

/// Adds `factor` times `elements` to `sums`, two numbers to an element, in GR(2^16, 2).
fn add_multiple(sums: &mut [u16], factor: Element, elements: &[u16]) {
    for (sum, element) in sums.as_chunks_mut::<2>().0.iter_mut().zip(elements.as_chunks::<2>().0) {
        let product = factor.times(Element::new(element[0].into(), element[1].into()));
        *sum = [sum[0].wrapping_add(product.c0 as u16), sum[1].wrapping_add(product.c1 as u16)];
    }
}

base::hidden_debug!(SealedMac);

#[cfg(test)]
mod tests;
