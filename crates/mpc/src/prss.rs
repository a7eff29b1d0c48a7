//! Pseudo-random secret sharing: randomness that two neighbours agree on without talking.
//!
//! Source: R. Cramer, I. Damgård, Y. Ishai, "Share conversion, pseudorandom secret-sharing and applications to secure
//! computation", TCC 2005; used for shares of zero as in Araki et al., CCS 2016.
//!
//! Each pair of parties has one key per connection. For a run, the key is expanded by HKDF-SHA256 (RFC 5869) with the
//! session's name as salt and the protocol's label as info into an AES-128 key and a first counter block; the stream is
//! AES-128 in counter mode. Both ends of a pair must draw the same amounts in the same order.
//!
//! The streams are as fresh as the pair (key, session name): keys come from both ends' random bytes at every connect and
//! session names are used once, so a restart cannot repeat a stream.

use aes::cipher::{KeyIvInit, StreamCipher};
use base::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr64LE<aes::Aes128>;

/// The keys that a party shares with its two neighbours.
#[derive(Clone, Debug)]
pub struct NeighbourKeys {
    /// With the party after it.
    pub next: Secret<[u8; 32]>,
    /// With the party before it.
    pub previous: Secret<[u8; 32]>,
}

/// One party's two streams in one run.
pub struct Prss {
    next: Stream,
    previous: Stream,
}

/// A stream that one neighbour can compute too.
pub struct Stream(Aes128Ctr);

impl Prss {
    /// The streams of the run named `session` of the protocol `label`.
    pub fn new(keys: &NeighbourKeys, session: &[u8], label: &str) -> Self {
        Self { next: Stream::new(keys.next.expose(), session, label), previous: Stream::new(keys.previous.expose(), session, label) }
    }

    /// The stream that the next party has as its [`Prss::with_previous`].
    pub fn with_next(&mut self) -> &mut Stream {
        &mut self.next
    }

    /// The stream that the previous party has as its [`Prss::with_next`].
    pub fn with_previous(&mut self) -> &mut Stream {
        &mut self.previous
    }

    /// This party's part of `count` words that are zero when the three parties' parts are XORed, and random otherwise.
    pub fn zero_words(&mut self, count: usize) -> Zeroizing<Vec<u64>> {
        let mut words = self.next.words(count);
        for (word, other) in words.iter_mut().zip(self.previous.words(count).iter()) {
            *word ^= other;
        }
        words
    }

    /// This party's part of `count` numbers that are zero modulo 2^16 when the three parties' parts are added.
    pub fn zero_numbers(&mut self, count: usize) -> Zeroizing<Vec<u16>> {
        let mut numbers = self.next.numbers(count);
        for (number, other) in numbers.iter_mut().zip(self.previous.numbers(count).iter()) {
            *number = number.wrapping_sub(*other);
        }
        numbers
    }
}

impl Stream {
    fn new(key: &[u8; 32], session: &[u8], label: &str) -> Self {
        let mut expanded = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(session), key)
            .expand(label.as_bytes(), expanded.as_mut_slice())
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        Self(Aes128Ctr::new_from_slices(&expanded[..16], &expanded[16..]).expect("16 bytes of key and 16 of counter"))
    }

    /// The next `count` 64-bit words.
    pub fn words(&mut self, count: usize) -> Zeroizing<Vec<u64>> {
        let bytes = self.bytes(8 * count);
        Zeroizing::new(bytes.chunks_exact(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("chunks of 8"))).collect())
    }

    /// The next `count` 16-bit numbers.
    pub fn numbers(&mut self, count: usize) -> Zeroizing<Vec<u16>> {
        let bytes = self.bytes(2 * count);
        Zeroizing::new(bytes.chunks_exact(2).map(|chunk| u16::from_le_bytes([chunk[0], chunk[1]])).collect())
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; count]);
        self.0.apply_keystream(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_parts_of_zero_cancel_and_are_not_zero() {
        let mut parties = testing::neighbour_keys(7).map(|keys| Prss::new(&keys, b"session", "label"));
        let words = parties.each_mut().map(|prss| prss.zero_words(100));
        let numbers = parties.each_mut().map(|prss| prss.zero_numbers(100));
        for at in 0..100 {
            assert_eq!(words[0][at] ^ words[1][at] ^ words[2][at], 0);
            assert_eq!(numbers[0][at].wrapping_add(numbers[1][at]).wrapping_add(numbers[2][at]), 0);
        }
        for part in &words {
            assert!(part.iter().filter(|word| **word == 0).count() < 2);
        }
    }

    #[test]
    fn key_session_and_label_each_change_the_stream() {
        let stream =
            |seed, session: &[u8], label| Prss::new(&testing::neighbour_keys(seed)[0], session, label).with_next().bytes(32).to_vec();
        let first = stream(1, b"a", "x");
        assert_eq!(first, stream(1, b"a", "x"));
        for other in [stream(2, b"a", "x"), stream(1, b"b", "x"), stream(1, b"a", "y")] {
            assert_ne!(first, other);
        }
    }
}
