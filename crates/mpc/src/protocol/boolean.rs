//! Bits in replicated secret shares, 64 to a word, and the gates on them.
//!
//! Source: T. Araki, J. Furukawa, Y. Lindell, A. Nof, K. Ohara, "High-throughput semi-honest secure three-party
//! computation with an honest majority", CCS 2016.
//!
//! - Sharing: `x = x_1 ^ x_2 ^ x_3`; party i holds `x_i` (`own`) and `x_{i+1}` (`next`).
//! - XOR: each party on its own. AND: `z_i = x_i y_i ^ x_i y_{i+1} ^ x_{i+1} y_i ^ a_i` with `a_1 ^ a_2 ^ a_3 = 0` from the
//!   pairwise streams; the nine products `x_i y_j` each occur once among the three parties. Party i sends `z_i` to the
//!   party before it, which holds it as its `next`.
//! - Rounds: 1 per layer of ANDs. Bytes: 1 bit per AND sent per party.
//! - Leaks: nothing to one party. `z_{i+1}` is masked by `a_{i+1}`, which holds a stream that party i does not know.
//!   Without that mask `z_{i+1}` would be a function of the neighbours' shares: [`reshare`] adds it and is the only way
//!   from one party's word to a replicated one.
//! - Holds against: one party that follows the protocol and is curious. A party that adds an error to `z_i` flips the
//!   result unseen; `docs/protocols/identify.md` names this gap.

use base::party::PartyId;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Session, bytes_to_words, words_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;

/// One party's share of a list of words, each of 64 secret bits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Bits {
    /// The parts with the party's own number.
    pub own: Vec<u64>,
    /// The parts with the next party's number.
    pub next: Vec<u64>,
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

    /// Both parts changed word by word; `change` must be linear over GF(2), or the result is a share of nothing.
    pub fn map(&self, change: impl Fn(u64) -> u64) -> Self {
        Self { own: self.own.iter().map(|word| change(*word)).collect(), next: self.next.iter().map(|word| change(*word)).collect() }
    }

    /// The XOR of two equally long lists.
    pub fn xor(&self, other: &Self) -> Self {
        let xor = |a: &[u64], b: &[u64]| a.iter().zip(b).map(|(a, b)| a ^ b).collect();
        assert_eq!(self.len(), other.len());
        Self { own: xor(&self.own, &other.own), next: xor(&self.next, &other.next) }
    }

    /// Every bit flipped: `public` ones are XORed into `x_1`, which parties 1 and 3 hold.
    pub fn not(mut self, party: PartyId) -> Self {
        let part = match party {
            PartyId::P1 => &mut self.own,
            PartyId::P2 => return self,
            PartyId::P3 => &mut self.next,
        };
        part.iter_mut().for_each(|word| *word = !*word);
        self
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

/// The AND of two equally long lists. One round, 8 bytes per word sent to the previous party.
///
/// # Errors
/// Errors of the network.
pub fn and(session: &mut Session<'_>, x: &Bits, y: &Bits) -> Result<Bits, Error> {
    assert_eq!(x.len(), y.len());
    let products = (0..x.len()).map(|at| (x.own[at] & (y.own[at] ^ y.next[at])) ^ (x.next[at] & y.own[at])).collect();
    reshare(session, products)
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
pub fn reshare(session: &mut Session<'_>, mut words: Vec<u64>) -> Result<Bits, Error> {
    let zeros = session.prss.zero_words(words.len());
    for (word, mask) in words.iter_mut().zip(zeros.iter()) {
        *word ^= mask;
    }
    session.send(Neighbour::Previous, words_to_bytes(&words))?;
    let next = bytes_to_words(&session.receive(Neighbour::Next, 8 * words.len())?);
    Ok(Bits { own: words, next })
}

impl std::fmt::Debug for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bits[hidden]")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{SeededRng, run_three};
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
