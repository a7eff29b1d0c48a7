//! One chunk of the gallery, on a lane of its own: whether one of its records is near, and that one's token and score, all of
//! it in shares.
//!
//! - In, per party: its additive parts of the chunk's scores, the tokens, the thresholds; with verification also the query's
//!   share, and the rows or their MAC. Out: a [`ChunkOutcome`], which [`super::conclude`] puts together with the other chunks'.
//!   A chunk needs nothing of other chunks, so it may be worked on in another process.
//! - Steps, with verification: [`super::reshare`] the scores; [`super::compare`] for the near bits; the parts of the MAC
//!   ([`super::mac`]); the linear [`super::fold`]s; a verified circuit ([`super::verified`]) for what is not linear: whether
//!   two records are near, and the near one's score. The circuit is checked before the outcome is given out.
//! - The score: `s_k = sum_i c_i S_{k,i}` for each row k and component, not verified; then, for random f, the verified
//!   `sum_i c_i (sum_k f_k S_{k,i})` must equal `sum_k f_k s_k`. So only as many products are verified as a row is wide. Then
//!   `sum_k b_k s_k`, and of its four places the one whose `d_t` is 1.
//! - Order: bits, scores and all `s_k` are fixed before the coin that the sketch and f come from.
//! - Without verification: the truncated score itself, out of [`super::convert`] and [`super::compare`], is selected.
//! - Rounds: [`rounds`], 18. Bytes: [`bytes_sent`], about 4.2 per slot.
//! - Leaks: nothing; on a cheat, that it was noticed, and what `docs/protocols/identify.md` names.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::boolean::Bits;
use super::compare::{self, PLANES};
use super::fold::{self, PLACES, Parities, ROW_SCORE_WORDS, ScoreWords, Sketch};
use super::identify::Thresholds;
use super::mac::{self, REPETITIONS, SealedMac};
use super::planes::words_per_plane;
use super::reshare::{Components, reshare_16};
use super::verified::{CHECK_BYTES, Circuit, Verification, Wire, reshare, reshare_along};
use super::{Session, Stage, coin, convert, variants};
use crate::error::Error;
use crate::field::{Gf64, Shared};
use crate::layout::RowsView;
use crate::share::PreparedQuery;
use crate::token::Token;

/// Some of a chunk's slots, such as a segment of the gallery.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The slots' tokens, one for each slot; all zero for a slot without a record.
    pub tokens: &'a [Token],
    /// The slots' rows.
    pub rows: RowsView<'a>,
    /// Their MAC, if there is one: all three parties have one or none has. Without it, one is made for this run alone.
    pub mac: Option<&'a SealedMac>,
}

/// What a party works on. All but the scores, the query and the MACs is the same at all three.
pub struct ChunkInput<'a> {
    /// The chunk's number in the run.
    pub number: usize,
    /// This party's additive parts of the slots' scores.
    pub scores: Vec<u16>,
    /// The slots, in order; all parts but the last have a multiple of 64.
    pub parts: &'a [Part<'a>],
    /// How many variants each record has: slot `v * records + r` is variant v of record r. 1, unless said otherwise.
    pub variants: usize,
    /// This party's share of the query.
    pub query: &'a PreparedQuery,
    /// When a record is near and when it is accepted.
    pub thresholds: Thresholds,
    /// Whether cheating is noticed.
    pub verification: Verification,
}

/// One party's shares of what a chunk comes to.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ChunkOutcome {
    /// Not zero if exactly one slot is near; zero if none is.
    pub(super) near: Shared,
    /// Both zero if at most one slot is near.
    pub(super) excess: [Shared; 2],
    /// The near slot's token.
    pub(super) token: [Shared; 2],
    /// Three 16-bit numbers, lowest first, whose sum modulo 2^16 is the near slot's score less the accept threshold; zero if
    /// no slot is near.
    pub(super) score: Shared,
}

/// Rounds of a chunk without variants; one more for each part whose MAC is made in the run.
pub const fn rounds(verification: Verification) -> usize {
    match verification {
        // Scores, comparison; s_k, the coin, the sketch's MACs, the inner products, the place; the check.
        Verification::On => 1 + compare::ROUNDS + 5 + 3,
        // Operands, their sum; the score, the coin, the sketch's products.
        Verification::Off => convert::ROUNDS + PLANES - 1 + 3,
    }
}

/// Bytes that each party sends for a chunk without variants; for each part whose MAC is made in the run, two more per
/// repetition and feature.
pub const fn bytes_sent(slots: usize, verification: Verification) -> usize {
    let rows = fold::rows_of(slots);
    match verification {
        Verification::On => {
            let elements = 3 * rows + (rows + ROW_SCORE_WORDS + PLACES) + 3 + 2 * (3 + 1 + 3) + 2 * 3;
            2 * slots + compare::bytes_sent(slots) + coin::BYTES + 8 * elements + 2 * REPETITIONS + CHECK_BYTES
        }
        Verification::Off => convert::bytes_sent(slots) + 8 * (PLANES - 1) * words_per_plane(slots) + coin::BYTES + 8 * (1 + 3),
    }
}

/// Works on one chunk; `observe` is called as each piece of work ends.
///
/// # Errors
/// [`Error::MacMismatch`], [`Error::CheckFailed`], [`Error::CoinMismatch`], [`Error::ResultInconsistent`] if a party did not
/// follow the protocol; [`Error::ThresholdsInvalid`] if there are variants and two thresholds; errors of the network.
///
/// # Panics
/// If the numbers of scores, tokens, rows or MACs differ.
pub fn run(session: &mut Session<'_>, input: ChunkInput<'_>, observe: &mut dyn FnMut(Stage)) -> Result<ChunkOutcome, Error> {
    if input.variants > 1 && input.thresholds.accept() != input.thresholds.ambiguous() {
        return Err(Error::ThresholdsInvalid);
    }
    assert_eq!(input.parts.iter().map(|part| part.tokens.len()).sum::<usize>(), input.scores.len(), "one token for each score");
    match input.verification {
        Verification::On => verified(session, input, observe),
        Verification::Off => semi_honest(session, input, observe),
    }
}

fn verified(session: &mut Session<'_>, mut input: ChunkInput<'_>, observe: &mut dyn FnMut(Stage)) -> Result<ChunkOutcome, Error> {
    let scores = reshare_16(session, std::mem::take(&mut input.scores))?;
    let near = compare::near(session, &scores, input.thresholds.ambiguous())?;
    let near = first_near(session, near, input.variants)?;
    observe(Stage::Compare);
    let values = mac_values(session, &input, &scores)?;
    observe(Stage::Verify);
    selected(session, &input, scores, &near, &values, observe)
}

/// This party's parts of what the MACs of all parts say is zero.
fn mac_values(session: &mut Session<'_>, input: &ChunkInput<'_>, scores: &Components<u16>) -> Result<Zeroizing<[u16; REPETITIONS]>, Error> {
    let mut values = Zeroizing::new([0; REPETITIONS]);
    let mut from = 0;
    for part in input.parts {
        let slots = from..from + part.tokens.len();
        let made_now = if part.mac.is_none() { Some(mac::seal(session, part.rows, slots.len())?) } else { None };
        let mac = part.mac.or(made_now.as_ref()).expect("there is one or the other");
        mac.add_values(&mut values, &scores.own[slots.clone()], &scores.next[slots.clone()], input.query);
        from = slots.end;
    }
    Ok(values)
}

/// The near slot's token and score, in a circuit that is checked before they are given out.
fn selected(
    session: &mut Session<'_>,
    input: &ChunkInput<'_>,
    scores: Components<u16>,
    near: &Bits,
    values: &[u16; REPETITIONS],
    observe: &mut dyn FnMut(Stage),
) -> Result<ChunkOutcome, Error> {
    let token = token(near, input.parts);
    let Parities { rows, columns, places } = fold::parities(near);
    let words = ScoreWords::new(session, &scores, input.thresholds.accept());
    drop(scores);
    let mut parts = words.selected(session, &columns);
    observe(Stage::Select);

    // One message: s_k, the MACs of the parities, and the test that the inner products are right.
    let mut circuit = Circuit::new(session, Verification::On);
    let bits = Zeroizing::new([&columns[..], &rows, &places].concat());
    let selected = parts.len();
    parts.extend(circuit.mac_parts(&bits));
    let test = mac::Test::begin(session, values);
    let (shares, came) = reshare_along(session, parts, &test.along, test.expected)?;
    let (selected, macs) = shares.split_at(selected);
    let bits = circuit.authenticated(&bits, macs);
    let (columns, bits) = bits.split_at(ROW_SCORE_WORDS);
    let (row_bits, place_bits) = bits.split_at(rows.len());
    let answer = test.answer(session, &came);

    // All that is challenged has been sent and received.
    let mut challenge = coin::toss(session)?;
    let sketch = fold::sketch(near, &mut challenge);
    let coefficients: Vec<[u64; 3]> = challenge.words(selected.len()).as_chunks().0.to_vec();
    let weighted = words.weighted(session, &coefficients);
    drop(words);
    let claimed = selected.iter().zip(coefficients.as_flattened()).map(|(word, factor)| word.times(Gf64(*factor))).sum::<Shared>();
    let inputs = sketch.inputs();
    let macs = circuit.mac_parts(&inputs).collect();
    let (macs, came) = reshare_along(session, macs, &answer.along, answer.expected)?;
    let inputs = circuit.authenticated(&inputs, &macs);
    answer.finish(&mut circuit, came);

    let of_component = |at: usize| Zeroizing::new(selected.iter().skip(at).step_by(3).copied().collect::<Vec<Shared>>());
    let selected = [0, 1, 2].map(of_component);
    let pairs = sketch.pairs(&inputs);
    let mut terms: Vec<(&[Wire], &[Shared])> = pairs.iter().map(|(x, y)| (std::slice::from_ref(x), std::slice::from_ref(y))).collect();
    terms.push((columns, &weighted));
    terms.extend(selected.iter().map(|words| (row_bits, &words[..])));
    let results = circuit.dots(session, &terms)?;
    let (products, results) = results.split_at(pairs.len());
    circuit.assert_zero(claimed.plus(results[0].value));
    let score = number_at(session, &mut circuit, &results[1..], place_bits)?;
    let outcome = ChunkOutcome { near: sketch.near, excess: sketch.excess(products), token, score };
    circuit.check(session)?;
    observe(Stage::Verify);
    Ok(outcome)
}

/// Of each component's word the number at the place whose bit is 1; the three of them in one element.
fn number_at(session: &mut Session<'_>, circuit: &mut Circuit, words: &[Wire], place_bits: &[Wire]) -> Result<Shared, Error> {
    let numbers_of = |word: &Wire| [0, 16, 32, 48].map(|shift| word.value.map(|word| word >> shift & 0xffff));
    let numbers: Vec<[Shared; PLACES]> = words.iter().map(numbers_of).collect();
    let terms: Vec<(&[Wire], &[Shared])> = numbers.iter().map(|numbers| (place_bits, &numbers[..])).collect();
    let chosen = circuit.dots(session, &terms)?;
    Ok(chosen.iter().zip([0, 16, 32]).map(|(number, shift)| number.value.times(Gf64(1 << shift))).sum())
}

fn semi_honest(session: &mut Session<'_>, input: ChunkInput<'_>, observe: &mut dyn FnMut(Stage)) -> Result<ChunkOutcome, Error> {
    let count = input.scores.len();
    let scores = Zeroizing::new(input.scores);
    let [x, y] = convert::operands(session, &scores, input.thresholds.ambiguous(), input.number)?;
    let sums = compare::sum(session, &x, &y, PLANES)?;
    let near = compare::near_of_sum(session.party(), &sums, count);
    let near = first_near(session, near, input.variants)?;
    observe(Stage::Compare);
    let token = token(&near, input.parts);
    let score = reshare(session, vec![truncated_score(&near, &sums)])?[0];
    let sketch = fold::sketch(&near, &mut coin::toss(session)?);
    let mut circuit = Circuit::new(session, Verification::Off);
    let inputs = circuit.inputs(session, &sketch.inputs())?;
    let products = circuit.products(session, &sketch.pairs(&inputs))?;
    observe(Stage::Select);
    Ok(ChunkOutcome { near: sketch.near, excess: sketch.excess(&products), token, score })
}

fn first_near(session: &mut Session<'_>, near: Bits, variants: usize) -> Result<Bits, Error> {
    if variants == 1 { Ok(near) } else { variants::first_near(session, near, variants) }
}

fn token(near: &Bits, parts: &[Part<'_>]) -> [Shared; 2] {
    let mut from = 0;
    let mut sum = [Shared::ZERO; 2];
    for part in parts {
        let token = fold::token(near, from, part.tokens);
        sum = [sum[0].plus(token[0]), sum[1].plus(token[1])];
        from += part.tokens.len();
    }
    sum
}

/// This party's additive part of the near slot's truncated score, which stands in the number's high bits.
fn truncated_score(near: &Bits, sums: &Bits) -> Gf64 {
    let words = near.len();
    let planes = sums.own.chunks_exact(words.max(1)).zip(sums.next.chunks_exact(words.max(1)));
    let bit = |(own, next): (&[u64], &[u64])| {
        let chosen = (0..words).fold(0, |sum, at| sum ^ near.own[at] & (own[at] ^ next[at]) ^ near.next[at] & own[at]);
        u64::from(chosen.count_ones() & 1)
    };
    Gf64(planes.enumerate().fold(0, |number, (plane, parts)| number | bit(parts) << (compare::DROPPED_BITS as usize + plane)))
}

impl Sketch {
    /// What is authenticated for the products.
    fn inputs(&self) -> [Shared; 3] {
        [self.first, self.near, self.bits]
    }

    /// What is multiplied.
    fn pairs(&self, inputs: &[Wire]) -> [(Wire, Shared); 3] {
        [(inputs[0], self.second), (inputs[1], self.both), (inputs[2], self.bits.square())]
    }

    /// Zero if at most one slot is near.
    fn excess(&self, products: &[Wire]) -> [Shared; 2] {
        [products[0].value.plus(products[1].value), products[2].value.plus(self.cubes)]
    }
}

impl ChunkOutcome {
    /// Bytes of an outcome.
    pub const BYTES: usize = 6 * Shared::BYTES;

    /// The shares as bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::BYTES]> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        let shares = [self.near, self.excess[0], self.excess[1], self.token[0], self.token[1], self.score];
        bytes.as_chunks_mut().0.iter_mut().zip(&shares).for_each(|(bytes, share)| *bytes = share.to_bytes());
        bytes
    }

    /// The shares in their bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let share = |at: usize| Shared::from_bytes(&bytes.as_chunks().0[at]);
        Self { near: share(0), excess: [share(1), share(2)], token: [share(3), share(4)], score: share(5) }
    }
}

base::hidden_debug!(ChunkOutcome);

#[cfg(test)]
mod tests;
