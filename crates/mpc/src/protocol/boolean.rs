//! Bits in replicated secret shares, 64 to a word, and the gates on them.
//!
//! Source: T. Araki, J. Furukawa, Y. Lindell, A. Nof, K. Ohara, "High-throughput semi-honest secure three-party
//! computation with an honest majority", CCS 2016.
//!
//! - Sharing: `x = x_1 ^ x_2 ^ x_3`; party i holds `x_i` (`own`) and `x_{i+1}` (`next`).
//! - XOR: each party on its own. AND: `z_i = x_i y_i ^ x_i y_{i+1} ^ x_{i+1} y_i ^ a_i` with `a_1 ^ a_2 ^ a_3 = 0` from the
//!   pairwise streams; the nine products `x_i y_j` each occur once among the three parties. Party i sends `z_i` to the
//!   party before it, which holds it as its `next`.
//! - Opening ([`reveal`]): each part is held by two parties, so the party that lacks it gets it from both and compares.
//! - Rounds: 1 per layer of ANDs, 1 to open. Bytes sent per party: 1 bit per AND, 2 per bit opened.
//! - Leaks: nothing to one party. `z_{i+1}` is masked by `a_{i+1}`, which holds a stream that party i does not know.
//!   Without that mask `z_{i+1}` would be a function of the neighbours' shares: [`reshare`] adds it and is the only way
//!   from one party's word to a replicated one.
//! - Holds against: one party that follows the protocol and is curious. A party that adds an error to `z_i` flips the
//!   result unseen, and can do no more than that (D. Genkin, Y. Ishai, M. Prabhakaran, A. Sahai, E. Tromer, "Circuits
//!   resilient to additive attacks", STOC 2014); `docs/protocols/compare.md` says what this gap lets it do. Opening holds
//!   against a party that lies: it cannot change a value, only end the run.

use std::ops::Range;

use base::party::PartyId;
use zeroize::Zeroize;

use super::{Session, bytes_to_words, words_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;

/// One party's share of a list of words, each of 64 secret bits.
#[derive(Clone)]
pub struct Bits {
    /// The parts with the party's own number.
    pub own: Vec<u64>,
    /// The parts with the next party's number.
    pub next: Vec<u64>,
}

/// Some of the words of [`Bits`].
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The parts with the party's own number.
    pub own: &'a [u64],
    /// The parts with the next party's number.
    pub next: &'a [u64],
}

impl Bits {
    /// A share of `count` words of zeros.
    pub fn zeros(count: usize) -> Self {
        Self { own: vec![0; count], next: vec![0; count] }
    }

    /// How many words.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// The words of that range.
    pub fn view(&self, words: Range<usize>) -> View<'_> {
        View { own: &self.own[words.clone()], next: &self.next[words] }
    }

    /// Both parts changed word by word; `change` must be linear over GF(2), or the result is a share of nothing.
    pub fn map(&self, change: impl Fn(u64) -> u64) -> Self {
        Self { own: self.own.iter().map(|word| change(*word)).collect(), next: self.next.iter().map(|word| change(*word)).collect() }
    }

    /// The XOR of two equally long lists.
    pub fn xor(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.xor_in(other.view(0..other.len()));
        sum
    }

    /// XORs an equally long list into this one.
    pub fn xor_in(&mut self, other: View<'_>) {
        assert_eq!(self.len(), other.own.len());
        self.xor_in_at(0, other);
    }

    /// XORs a list into the words from number `first` on.
    pub fn xor_in_at(&mut self, first: usize, other: View<'_>) {
        for (mine, other) in [(&mut self.own, other.own), (&mut self.next, other.next)] {
            mine[first..first + other.len()].iter_mut().zip(other).for_each(|(mine, other)| *mine ^= other);
        }
    }

    /// Overwrites the words from number `first` on.
    pub fn replace(&mut self, first: usize, words: View<'_>) {
        self.own[first..first + words.own.len()].copy_from_slice(words.own);
        self.next[first..first + words.next.len()].copy_from_slice(words.next);
    }

    /// Appends words.
    pub fn push(&mut self, words: View<'_>) {
        self.own.extend_from_slice(words.own);
        self.next.extend_from_slice(words.next);
    }

    /// XORs the same public words into the secret ones: into `x_1`, which parties 1 and 3 hold.
    pub fn xor_public(&mut self, party: PartyId, public: impl Fn(usize) -> u64) {
        let part = match party {
            PartyId::P1 => &mut self.own,
            PartyId::P2 => return,
            PartyId::P3 => &mut self.next,
        };
        part.iter_mut().enumerate().for_each(|(at, word)| *word ^= public(at));
    }

    /// Every bit flipped.
    pub fn not(mut self, party: PartyId) -> Self {
        self.xor_public(party, |_| u64::MAX);
        self
    }

    /// Sets the bits from number `used` on to 0.
    pub fn clear_behind(&mut self, used: usize) {
        for part in [&mut self.own, &mut self.next] {
            part[used.div_ceil(64)..].fill(0);
            if !used.is_multiple_of(64) {
                part[used / 64] &= (1 << (used % 64)) - 1;
            }
        }
    }

    /// The words `from..to`.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        Self { own: self.own[from..to].to_vec(), next: self.next[from..to].to_vec() }
    }

    /// These words and `other`'s behind them.
    pub fn followed_by(&self, other: &Self) -> Self {
        Self { own: [&self.own[..], &other.own].concat(), next: [&self.next[..], &other.next].concat() }
    }
}

impl<'a> View<'a> {
    /// The words of that range of these.
    pub fn part(self, words: Range<usize>) -> Self {
        Self { own: &self.own[words.clone()], next: &self.next[words] }
    }

    /// Each word's two parts.
    pub(super) fn words(self) -> impl Iterator<Item = [u64; 2]> + 'a {
        self.own.iter().zip(self.next).map(|(own, next)| [*own, *next])
    }
}

impl Drop for Bits {
    fn drop(&mut self) {
        self.own.zeroize();
        self.next.zeroize();
    }
}

/// The AND of two equally long lists. One round, 8 bytes per word sent to the previous party.
///
/// # Errors
/// Errors of the network.
pub fn and(session: &mut Session<'_>, x: &Bits, y: &Bits) -> Result<Bits, Error> {
    assert_eq!(x.len(), y.len());
    let (x, y) = (x.view(0..x.len()), y.view(0..y.len()));
    reshare(session, x.words().zip(y.words()).map(|(x, y)| part_of_and(x, y)))
}

/// This party's XOR part of the AND of two words of which it holds two parts each.
pub(super) const fn part_of_and([x_own, x_next]: [u64; 2], [y_own, y_next]: [u64; 2]) -> u64 {
    (x_own & (y_own ^ y_next)) ^ (x_next & y_own)
}

/// The OR of two equally long lists. Costs as much as [`and`].
///
/// # Errors
/// Errors of the network.
pub fn or(session: &mut Session<'_>, x: &Bits, y: &Bits) -> Result<Bits, Error> {
    Ok(and(session, x, y)?.xor(x).xor(y))
}

/// Replicated shares of the XOR of the three parties' `words`, each masked first. One round, 8 bytes per word.
///
/// # Errors
/// Errors of the network.
pub fn reshare(session: &mut Session<'_>, words: impl Iterator<Item = u64>) -> Result<Bits, Error> {
    // Built where it is sent from: the words as bytes.
    let mut message = words.map(u64::to_le_bytes).collect::<Vec<_>>().into_flattened();
    session.prss.mask_with_zero(&mut message);
    let own = bytes_to_words(&message);
    session.send(Neighbour::Previous, message)?;
    let next = bytes_to_words(&session.receive(Neighbour::Next, 8 * own.len())?);
    Ok(Bits { own, next })
}

/// Opens `bits` to all three parties. One round, 16 bytes per word.
///
/// # Errors
/// [`Error::ResultInconsistent`] if the two neighbours send different parts; errors of the network.
pub fn reveal(session: &mut Session<'_>, bits: &Bits) -> Result<Vec<u64>, Error> {
    // The next party lacks this party's own part, the previous party lacks this party's next part.
    session.send(Neighbour::Next, words_to_bytes(&bits.own))?;
    session.send(Neighbour::Previous, words_to_bytes(&bits.next))?;
    let from_previous = session.receive(Neighbour::Previous, 8 * bits.len())?;
    let from_next = session.receive(Neighbour::Next, 8 * bits.len())?;
    if from_previous != from_next {
        return Err(Error::ResultInconsistent);
    }
    Ok(bytes_to_words(&from_next).iter().enumerate().map(|(at, lacking)| bits.own[at] ^ bits.next[at] ^ lacking).collect())
}

base::hidden_debug!(Bits, View<'_>);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{SeededRng, World, run_three};
    use rand_core::Rng;

    /// The three parties' shares of `words`.
    pub(crate) fn share_words(words: &[u64], rng: &mut SeededRng) -> [Bits; 3] {
        let mut parts = [vec![], vec![], vec![]];
        for word in words {
            let (first, second) = (rng.next_u64(), rng.next_u64());
            for (part, value) in parts.iter_mut().zip([first, second, word ^ first ^ second]) {
                part.push(value);
            }
        }
        PartyId::ALL.map(|party| Bits { own: parts[party.index()].clone(), next: parts[party.next().index()].clone() })
    }

    /// The words of three shares, which must fit together.
    pub(crate) fn open(shares: [&Bits; 3]) -> Vec<u64> {
        for party in PartyId::ALL {
            assert_eq!(shares[party.index()].next, shares[party.next().index()].own, "the replicas of {party} differ");
        }
        (0..shares[0].len()).map(|at| shares[0].own[at] ^ shares[1].own[at] ^ shares[2].own[at]).collect()
    }

    fn check(protocol: fn(&mut Session<'_>, &Bits, &Bits) -> Result<Bits, Error>, ideal: fn(u64, u64) -> u64) {
        let mut rng = SeededRng::new(3);
        let mut x: Vec<u64> = vec![0, 0, u64::MAX, u64::MAX];
        let mut y: Vec<u64> = vec![0, u64::MAX, 0, u64::MAX];
        x.extend((0..50).map(|_| rng.next_u64()));
        y.extend((0..50).map(|_| rng.next_u64()));
        let (x_shares, y_shares) = (share_words(&x, &mut rng), share_words(&y, &mut rng));
        let results = run_three(4, |session| {
            let at = session.party().index();
            protocol(session, &x_shares[at], &y_shares[at]).expect("no network error")
        });
        let expected: Vec<u64> = x.iter().zip(&y).map(|(x, y)| ideal(*x, *y)).collect();
        assert_eq!(open(results.each_ref().map(|(bits, _)| bits)), expected);
        for (_, traffic) in results {
            assert_eq!((traffic.bytes(), traffic.rounds), (8 * x.len(), 1));
        }
    }

    #[test]
    fn gates_agree_with_their_ideal() {
        check(and, |x, y| x & y);
        check(or, |x, y| x | y);
    }

    #[test]
    fn xor_and_not_need_no_message() {
        let shares = share_words(&[0, u64::MAX, 5], &mut SeededRng::new(5));
        let flipped = [0, 1, 2].map(|at| shares[at].clone().not(PartyId::ALL[at]));
        assert_eq!(open(flipped.each_ref()), [u64::MAX, 0, !5]);
        let sum = [0, 1, 2].map(|at| shares[at].xor(&flipped[at]));
        assert_eq!(open(sum.each_ref()), [u64::MAX; 3]);
    }

    #[test]
    fn bits_behind_the_used_ones_are_cleared() {
        for used in [0, 1, 63, 64, 65, 127, 128, 192] {
            let shares = share_words(&[u64::MAX; 3], &mut SeededRng::new(7)).map(|mut bits| {
                bits.clear_behind(used);
                bits
            });
            let ones: u32 = open(shares.each_ref()).iter().map(|word| word.count_ones()).sum();
            assert_eq!(ones as usize, used);
        }
    }

    #[test]
    fn opened_bits_are_right_or_the_lie_is_noticed() {
        let words = [1, u64::MAX, 0x1234];
        let shares = share_words(&words, &mut SeededRng::new(8));
        let reveal_in = |world: World| world.run(|session| reveal(session, &shares[session.party().index()]));
        for (opened, traffic) in reveal_in(World::new(8)) {
            assert_eq!((opened, traffic.rounds, traffic.bytes()), (Ok(words.to_vec()), 1, 16 * words.len()));
        }
        for liar in PartyId::ALL {
            for victim in [liar.next(), liar.previous()] {
                let lying = World::new(8).tamper(move |place, messages| {
                    if (place.from, place.to) == (liar, victim) {
                        messages[0][8] ^= 1;
                    }
                });
                for (party, (opened, _)) in PartyId::ALL.into_iter().zip(reveal_in(lying)) {
                    let expected = if party == victim { Err(Error::ResultInconsistent) } else { Ok(words.to_vec()) };
                    assert_eq!(opened, expected);
                }
            }
        }
    }

    /// A reshare whose zero mask is forgotten sends the same message for the same input, whatever the keys.
    #[test]
    fn what_a_party_receives_depends_on_masks_it_does_not_know() {
        let shares = share_words(&[1, 2, 3], &mut SeededRng::new(6));
        let sent = |seed| {
            run_three(seed, |session| and(session, &shares[session.party().index()], &shares[session.party().index()]).map(|_| ()))
                .map(|(_, traffic)| traffic.to_previous)
        };
        let (first, second) = (sent(1), sent(2));
        for party in 0..3 {
            assert_ne!(first[party], second[party]);
        }
    }
}
