//! From the chunks' outcomes to what the resolver learns: the accepted record's token, none, or *ambiguous*.
//!
//! - In, per party: a [`ChunkOutcome`] of each chunk. Out, per party: an [`OutputShare`] for the resolver, and nothing else.
//! - Sums: at most one chunk has a near record, so tokens and scores of all chunks just add up. That it is one chunk at most is
//!   shown by the sketch of [`super::fold`] over the chunks' near words.
//! - Score: three numbers of 16 bits (without verification one, and the thresholds' distance), whose sum is the score less the
//!   accept threshold. Each shared bit is an element 0 or 1: majorities turn three operands into two, a prefix tree
//!   (J. Sklansky, "Conditional-sum addition logic", IRE Transactions 1960) gives the carry into the sign bit, and `accepted` is
//!   its complement. The sum is exact: nothing is truncated.
//! - Output: `G`, a random combination of all that must be zero for nobody to be ambiguous; `F = f G` and
//!   `O = accepted T + (g_0 G, g_1 G)` with f, g_0, g_1 that nobody knows. If G is 0, F is 0 and O is the token or 0. If not, F
//!   is a random element other than 0, with probability 1 - 2^-64, and O is random.
//! - All of it is one verified circuit ([`super::verified`]), checked before anything is handed out; then each party hands both
//!   its components of F and O to the resolver, which compares: two parties gave it each component.
//! - Rounds: [`ROUNDS`]. Bytes: [`BYTES`] sent per party, and 48 to the resolver.
//! - Leaks: nothing to the parties; to the resolver the token, none or ambiguous. All three components of F and O are fresh
//!   from a product, so they say no more than their sum.
//! - Whoever calls this has seen [`super::probe`] pass.

use zeroize::{Zeroize, Zeroizing};

use super::chunk::ChunkOutcome;
use super::identify::{Resolution, Thresholds};
use super::verified::{CHECK_BYTES, Circuit, Verification, Wire};
use super::{Session, coin};
use crate::error::Error;
use crate::field::{Gf64, Shared};

/// Bits of a score.
const SCORE_BITS: usize = 16;

/// Elements of an output: two of O and F.
const ELEMENTS: usize = 3;

/// Rounds of [`conclude`] with verification: the coin, the inputs' MACs, majorities, carries, four halvings of their chain,
/// the token, the check.
pub const ROUNDS: usize = 1 + 1 + 1 + 1 + 4 + 1 + 3;

/// Bytes that a party sends in [`conclude`] with verification: 53 inputs, then 17, 17, 26 and 2 products.
pub const BYTES: usize = coin::BYTES + 8 * 53 + 16 * (17 + 17 + 26 + 2) + CHECK_BYTES;

/// What a party hands to the resolver: two of the three components of each element.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct OutputShare([Shared; ELEMENTS]);

/// The positions of a carry chain taken together: whether they make a carry, and whether they pass one on.
#[derive(Clone, Copy)]
struct Carry {
    generate: Wire,
    propagate: Wire,
}

/// Puts the outcomes of all chunks together, in the same order at all three parties.
///
/// # Errors
/// [`Error::CheckFailed`], [`Error::CoinMismatch`], [`Error::ResultInconsistent`] if a party did not follow the protocol;
/// errors of the network.
pub fn conclude(
    session: &mut Session<'_>,
    outcomes: &[ChunkOutcome],
    thresholds: Thresholds,
    verification: Verification,
) -> Result<OutputShare, Error> {
    let party = session.party();
    let mut challenge = coin::toss(session)?;
    let mut random = challenge.words(4 * outcomes.len() + 1).to_vec().into_iter().map(Gf64);
    let mut random = || random.next().expect("as many as are used");
    let sum = |of: &dyn Fn(&ChunkOutcome) -> Shared| outcomes.iter().map(of).sum::<Shared>();
    let token = [0, 1].map(|half| sum(&|outcome| outcome.token[half]));
    let score = sum(&|outcome| outcome.score);
    // The sketch over the chunks: P(1), P(r), P(r'), P(r r').
    let near = sum(&|outcome| outcome.near);
    let [mut first, mut second, mut both, mut excess] = [Shared::ZERO; 4];
    for outcome in outcomes {
        let (r, s) = (random(), random());
        first = first.plus(outcome.near.times(r));
        second = second.plus(outcome.near.times(s));
        both = both.plus(outcome.near.times(r.times(s)));
        excess = excess.plus(outcome.excess[0].times(random())).plus(outcome.excess[1].times(random()));
    }

    let mut circuit = Circuit::new(session, verification);
    let masks = [(); ELEMENTS].map(|()| Shared::random(&mut session.prss));
    let bits: Vec<Shared> = (0..48).map(|at| score.bit(at)).collect();
    let inputs = Zeroizing::new([&masks[..], &[first, near], &bits].concat());
    let inputs = circuit.inputs(session, &inputs)?;
    let (masks, inputs) = inputs.split_at(ELEMENTS);
    let (sketch, bits) = inputs.split_at(2);
    let distance = i32::from(thresholds.accept()) - i32::from(thresholds.ambiguous());
    // Without verification the score is that above the ambiguous threshold.
    let second_operand = |at: usize| match verification {
        Verification::On => bits[SCORE_BITS + at],
        Verification::Off => circuit.public(party, Gf64(u64::from(distance.wrapping_neg() as u16 >> at & 1))),
    };
    let operands: Vec<[Wire; 3]> = (0..SCORE_BITS).map(|at| [bits[at], second_operand(at), bits[2 * SCORE_BITS + at]]).collect();

    // a b + b c + c a = (a + c) (b + c) + c, for all but the highest bit; then the carries stand one place higher.
    let mut pairs: Vec<(Wire, Shared)> = operands[..SCORE_BITS - 1].iter().map(|[a, b, c]| (a.plus(*c), b.plus(*c).value)).collect();
    pairs.extend([(sketch[0], second), (sketch[1], both)]);
    let mut products = circuit.products(session, &pairs)?;
    let several = products.split_off(SCORE_BITS - 1);
    excess = excess.plus(several[0].plus(several[1]).value.times(random()));
    let carries: Vec<Wire> = products.iter().zip(&operands).map(|(product, [_, _, c])| product.plus(*c)).collect();
    let sums: Vec<Wire> = operands.iter().map(|[a, b, c]| a.plus(*b).plus(*c)).collect();

    // Bit 0 has a sum and no carry. Bits 1 to 14 may carry into bit 15.
    let mut pairs: Vec<(Wire, Shared)> = (1..SCORE_BITS - 1).map(|at| (sums[at], carries[at - 1].value)).collect();
    pairs.extend(masks.iter().map(|mask| (*mask, excess)));
    let mut generates = circuit.products(session, &pairs)?;
    let masked = generates.split_off(SCORE_BITS - 2);
    let chain =
        generates.into_iter().zip(1..).map(|(generate, at)| Carry { generate, propagate: sums[at].plus(carries[at - 1]) }).collect();
    let carry = carry_out(session, &mut circuit, chain)?;
    let sign = sums[SCORE_BITS - 1].plus(carries[SCORE_BITS - 2]).plus(carry);
    let accepted = sign.plus(circuit.public(party, Gf64::ONE));

    let selected = circuit.products(session, &[(accepted, token[0]), (accepted, token[1])])?;
    circuit.check(session)?;
    Ok(OutputShare([selected[0].plus(masked[0]).value, selected[1].plus(masked[1]).value, masked[2].value]))
}

/// The carry out of a chain, lowest position first. One round for each halving of its length.
fn carry_out(session: &mut Session<'_>, circuit: &mut Circuit, mut chain: Vec<Carry>) -> Result<Wire, Error> {
    while chain.len() > 1 {
        let mut pairs = vec![];
        for pair in chain.chunks_exact(2) {
            let [low, high] = [pair[0], pair[1]];
            pairs.extend([(high.propagate, low.generate.value), (high.propagate, low.propagate.value)]);
        }
        let products = circuit.products(session, &pairs)?;
        let odd = chain.len() % 2 == 1;
        let last = *chain.last().expect("more than one");
        chain = chain
            .chunks_exact(2)
            .zip(products.chunks_exact(2))
            .map(|(pair, products)| Carry { generate: pair[1].generate.plus(products[0]), propagate: products[1] })
            .collect();
        if odd {
            chain.push(last);
        }
    }
    Ok(chain[0].generate)
}

/// Puts the three parties' output shares together; for the resolver alone.
///
/// # Errors
/// [`Error::ResultInconsistent`] if two parties do not give the same component: one of them did not follow the protocol.
pub fn resolve(shares: &[OutputShare; 3]) -> Result<Resolution, Error> {
    let mut elements = [Gf64::ZERO; ELEMENTS];
    for (at, share) in shares.iter().enumerate() {
        let next = &shares[(at + 1) % 3];
        for ((element, mine), theirs) in elements.iter_mut().zip(share.0).zip(next.0) {
            if mine.next != theirs.own {
                return Err(Error::ResultInconsistent);
            }
            *element = element.plus(mine.own);
        }
    }
    match elements {
        [Gf64::ZERO, Gf64::ZERO, Gf64::ZERO] => Ok(Resolution::None),
        [low, high, Gf64::ZERO] => Ok(Resolution::Token((u128::from(low.0) | u128::from(high.0) << 64).to_le_bytes())),
        _ => Ok(Resolution::Ambiguous),
    }
}

impl OutputShare {
    /// Bytes of an output share.
    pub const BYTES: usize = ELEMENTS * Shared::BYTES;

    /// The share as bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::BYTES]> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        bytes.as_chunks_mut().0.iter_mut().zip(&self.0).for_each(|(bytes, share)| *bytes = share.to_bytes());
        bytes
    }

    /// The share in its bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self([0, 1, 2].map(|at| Shared::from_bytes(&bytes.as_chunks().0[at])))
    }
}

base::hidden_debug!(OutputShare);

#[cfg(test)]
mod tests;
