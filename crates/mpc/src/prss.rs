//! Pseudo-random secret sharing: randomness that two neighbours agree on without talking.
//!
//! Source: R. Cramer, I. Damgård, Y. Ishai, "Share conversion, pseudorandom secret-sharing and applications to secure
//! computation", TCC 2005; used for shares of zero as in Araki et al., CCS 2016.
//!
//! Each pair of parties has one key per connection. For each lane of a run, the key is expanded by HKDF-SHA256
//! (RFC 5869) with the run's name as salt, the protocol's label and the lane's number as info, into an AES-128 key and a
//! first counter block; the stream is AES-128 in counter mode. Both ends of a pair must draw the same amounts in the same
//! order.
//!
//! The streams are as fresh as the triple (key, run, lane): keys come from both ends' random bytes at every connect, runs'
//! names are used once and a lane is opened once in a run, so a restart cannot repeat a stream.

use aes::cipher::{KeyIvInit, StreamCipher};
use base::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

type Aes128Ctr = ctr::Ctr64LE<aes::Aes128>;

/// Bytes that are generated at once where they are combined with others: small enough to stay in the first cache.
const PIECE: usize = 4096;

/// The keys that a party shares with its two neighbours, and one of its own.
#[derive(Clone, Debug)]
pub struct NeighbourKeys {
    /// With the party after it.
    pub next: Secret<[u8; 32]>,
    /// With the party before it.
    pub previous: Secret<[u8; 32]>,
    /// Known to nobody else: what this party's own choices are made from, such as its part of a coin.
    pub own: Secret<[u8; 32]>,
}

/// One party's streams on one lane of a run.
pub struct Prss {
    next: Stream,
    previous: Stream,
    alone: Stream,
}

/// Pseudo-random bytes from a key.
pub struct Stream(Aes128Ctr);

impl Prss {
    /// The streams of lane `lane` of the protocol `label`, in the run named `salt`.
    pub fn new(keys: &NeighbourKeys, salt: &[u8], label: &str, lane: u32) -> Self {
        let stream = |key: &Secret<[u8; 32]>| Stream::new(key.expose(), salt, &[label.as_bytes(), &lane.to_le_bytes()]);
        Self { next: stream(&keys.next), previous: stream(&keys.previous), alone: stream(&keys.own) }
    }

    /// The stream that the next party has as its [`Prss::with_previous`].
    pub fn with_next(&mut self) -> &mut Stream {
        &mut self.next
    }

    /// The stream that the previous party has as its [`Prss::with_next`].
    pub fn with_previous(&mut self) -> &mut Stream {
        &mut self.previous
    }

    /// The stream that nobody else has.
    pub fn alone(&mut self) -> &mut Stream {
        &mut self.alone
    }

    /// XORs into `bytes` this party's part of bytes that are zero when the three parties' parts are XORed, and random
    /// otherwise.
    pub fn mask_with_zero(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(PIECE) {
            self.next.mask(piece);
            self.previous.mask(piece);
        }
    }

    /// This party's part of `count` words that are zero when the three parties' parts are XORed, and random otherwise.
    pub fn zero_words(&mut self, count: usize) -> Zeroizing<Vec<u64>> {
        let mut bytes = Zeroizing::new(vec![0; 8 * count]);
        self.mask_with_zero(&mut bytes);
        Zeroizing::new(words(&bytes).collect())
    }

    /// Adds to `numbers` this party's part of numbers that are zero modulo 2^16 when the three parties' parts are added.
    pub fn add_zero_u16(&mut self, numbers: &mut [u16]) {
        let mut buffers = [[0; PIECE]; 2];
        for piece in numbers.chunks_mut(PIECE / 2) {
            let [plus, minus] = buffers.each_mut().map(|buffer| &mut buffer[..2 * piece.len()]);
            self.next.fill(plus);
            self.previous.fill(minus);
            for ((number, plus), minus) in piece.iter_mut().zip(plus.as_chunks().0).zip(minus.as_chunks().0) {
                *number = number.wrapping_add(u16::from_le_bytes(*plus)).wrapping_sub(u16::from_le_bytes(*minus));
            }
        }
        buffers.zeroize();
    }

    /// The same as [`Prss::add_zero_u16`] modulo 2^32.
    pub fn add_zero_u32(&mut self, numbers: &mut [u32]) {
        let mut buffers = [[0; PIECE]; 2];
        for piece in numbers.chunks_mut(PIECE / 4) {
            let [plus, minus] = buffers.each_mut().map(|buffer| &mut buffer[..4 * piece.len()]);
            self.next.fill(plus);
            self.previous.fill(minus);
            for ((number, plus), minus) in piece.iter_mut().zip(plus.as_chunks().0).zip(minus.as_chunks().0) {
                *number = number.wrapping_add(u32::from_le_bytes(*plus)).wrapping_sub(u32::from_le_bytes(*minus));
            }
        }
        buffers.zeroize();
    }

    /// This party's part of `count` numbers that are zero modulo 2^16 when the three parties' parts are added.
    pub fn zero_numbers(&mut self, count: usize) -> Zeroizing<Vec<u16>> {
        let mut numbers = Zeroizing::new(vec![0; count]);
        self.add_zero_u16(&mut numbers);
        numbers
    }
}

impl Stream {
    /// The stream of `key` for the purpose that `salt` and the parts of `info`, put together, name.
    pub(crate) fn new(key: &[u8; 32], salt: &[u8], info: &[&[u8]]) -> Self {
        let mut expanded = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), key).expand_multi_info(info, expanded.as_mut_slice()).expect("HKDF-SHA256 gives up to 8160 bytes");
        Self(Aes128Ctr::new_from_slices(&expanded[..16], &expanded[16..]).expect("16 bytes of key and 16 of counter"))
    }

    /// Overwrites `bytes` with the next bytes of the stream.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        self.mask(bytes);
    }

    /// XORs the next bytes of the stream into `bytes`.
    pub fn mask(&mut self, bytes: &mut [u8]) {
        self.0.apply_keystream(bytes);
    }

    /// Overwrites `words` with the next 64-bit words.
    pub fn fill_words(&mut self, words: &mut [u64]) {
        let mut buffer = [0; PIECE];
        let used = (8 * words.len()).min(PIECE);
        for piece in words.chunks_mut(PIECE / 8) {
            let bytes = &mut buffer[..8 * piece.len()];
            self.fill(bytes);
            for (word, bytes) in piece.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        buffer[..used].zeroize();
    }

    /// The next `count` 64-bit words.
    pub fn words(&mut self, count: usize) -> Zeroizing<Vec<u64>> {
        let mut words = Zeroizing::new(vec![0; count]);
        self.fill_words(&mut words);
        words
    }

    /// The next `count` 16-bit numbers.
    pub fn numbers(&mut self, count: usize) -> Zeroizing<Vec<u16>> {
        let bytes = self.bytes(2 * count);
        Zeroizing::new(bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; count]);
        self.mask(&mut bytes);
        bytes
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_parts_of_zero_cancel_and_are_not_zero() {
        const COUNT: usize = 5000;
        let mut parties = testing::neighbour_keys(7).map(|keys| Prss::new(&keys, b"run", "label", 0));
        let words = parties.each_mut().map(|prss| prss.zero_words(COUNT));
        let numbers = parties.each_mut().map(|prss| prss.zero_numbers(COUNT));
        let large = parties.each_mut().map(|prss| {
            let mut numbers = vec![0_u32; COUNT];
            prss.add_zero_u32(&mut numbers);
            numbers
        });
        for at in 0..COUNT {
            assert_eq!(words[0][at] ^ words[1][at] ^ words[2][at], 0);
            assert_eq!(numbers[0][at].wrapping_add(numbers[1][at]).wrapping_add(numbers[2][at]), 0);
            assert_eq!(large[0][at].wrapping_add(large[1][at]).wrapping_add(large[2][at]), 0);
        }
        for party in 0..3 {
            assert!(words[party].iter().filter(|word| **word == 0).count() < 2);
            assert!(numbers[party].iter().filter(|number| **number == 0).count() < 10);
            assert!(large[party].iter().filter(|number| **number == 0).count() < 2);
        }
    }

    #[test]
    fn key_run_label_and_lane_each_change_the_stream() {
        let stream = |seed, salt: &[u8], label, lane| {
            let mut prss = Prss::new(&testing::neighbour_keys(seed)[0], salt, label, lane);
            [prss.with_next().bytes(32).to_vec(), prss.with_previous().bytes(32).to_vec(), prss.alone().bytes(32).to_vec()]
        };
        let first = stream(1, b"a", "x", 0);
        assert_eq!(first, stream(1, b"a", "x", 0));
        assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
        for other in [stream(2, b"a", "x", 0), stream(1, b"b", "x", 0), stream(1, b"a", "y", 0), stream(1, b"a", "x", 1)] {
            for (first, other) in first.iter().zip(&other) {
                assert_ne!(first, other);
            }
        }
    }

    #[test]
    fn a_stream_is_the_same_however_it_is_drawn() {
        let stream = || Stream::new(&[3; 32], b"salt", &[b"info"]);
        let whole = stream().bytes(40_000);
        let mut pieces = stream();
        let mut drawn = vec![];
        for count in [1, 16, 4095, 4096, 4097, 20_000] {
            drawn.extend_from_slice(&pieces.bytes(count));
        }
        assert_eq!(drawn, whole[..drawn.len()]);
        assert!(words(&whole).eq(stream().words(5000).iter().copied()));
        let mut masked = whole.clone();
        stream().mask(&mut masked);
        assert!(masked.iter().all(|byte| *byte == 0));
    }
}
