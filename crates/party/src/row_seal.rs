//! Sealing one record's row for the journal under a key of its own, so that destroying 32 bytes destroys every copy of the
//! row, whatever backup it is in.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random key that seals one thing only; therefore the nonce may be, and is, zero. The
//! party, the record and the epoch are authenticated with it: a sealed row cannot be put in another's place.

use base::id::RecordId;
use base::party::PartyId;
use base::secret::Secret;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use mpc::share::Row;
use zeroize::Zeroizing;

/// Bytes that sealing adds to a row.
pub const SEAL_LEN: usize = 16;

/// The key of one record's row in one epoch.
pub type RowKey = Secret<[u8; 32]>;

/// What a sealed row belongs to.
#[derive(Clone, Copy)]
pub struct Place {
    /// Whose share it is.
    pub party: PartyId,
    /// Of which record.
    pub record: RecordId,
    /// As of which refresh of the shares.
    pub epoch: u32,
}

/// The sealed row does not open: another key, another place, or altered bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotOpen;

/// A fresh key. Use it for one row.
///
/// # Errors
/// What the operating system says when it has no randomness.
pub fn fresh_key() -> Result<RowKey, getrandom::Error> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut())?;
    Ok(Secret::new(*key))
}

/// The row under `key`: two bytes per feature and 16 of authentication.
pub fn seal(key: &RowKey, place: Place, row: &Row) -> Vec<u8> {
    let payload = Payload { msg: &row.to_bytes(), aad: &associated_data(place) };
    cipher(key).encrypt(&Nonce::default(), payload).expect("a row is far shorter than the cipher's limit")
}

/// The row of `dimensions` features in `sealed`.
///
/// # Errors
/// [`DoesNotOpen`], also for another number of features.
pub fn open(key: &RowKey, place: Place, sealed: &[u8], dimensions: usize) -> Result<Row, DoesNotOpen> {
    let payload = Payload { msg: sealed, aad: &associated_data(place) };
    let bytes = Zeroizing::new(cipher(key).decrypt(&Nonce::default(), payload).map_err(|_| DoesNotOpen)?);
    Row::from_bytes(&bytes, dimensions).map_err(|_| DoesNotOpen)
}

fn cipher(key: &RowKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key.expose()))
}

fn associated_data(place: Place) -> Vec<u8> {
    let mut bytes = b"handsel/row/v1".to_vec();
    bytes.push(place.party.number());
    bytes.extend_from_slice(&place.record.bits().to_le_bytes());
    bytes.extend_from_slice(&place.epoch.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { party: PartyId::P2, record: RecordId::from_bits(7), epoch: 3 };

    #[test]
    fn a_row_opens_with_its_key_in_its_place_only() {
        let (key, other) = (fresh_key().expect("randomness"), fresh_key().expect("randomness"));
        let row = Row::from_numbers(vec![1, 2, 0xfffe, 40_000]).expect("four features");
        let sealed = seal(&key, PLACE, &row);
        assert_eq!(sealed.len(), 8 + SEAL_LEN);
        assert_eq!(open(&key, PLACE, &sealed, 4).expect("opens").as_slice(), row.as_slice());
        let mut altered = sealed.clone();
        altered[3] ^= 1;
        for (what, key, place, sealed, dimensions) in [
            ("another key", &other, PLACE, &sealed, 4),
            ("another party", &key, Place { party: PartyId::P1, ..PLACE }, &sealed, 4),
            ("another record", &key, Place { record: RecordId::from_bits(8), ..PLACE }, &sealed, 4),
            ("another epoch", &key, Place { epoch: 4, ..PLACE }, &sealed, 4),
            ("altered", &key, PLACE, &altered, 4),
            ("another size", &key, PLACE, &sealed, 6),
        ] {
            assert!(open(key, place, sealed, dimensions) == Err(DoesNotOpen), "{what}");
        }
        assert!(open(&key, PLACE, &[], 4) == Err(DoesNotOpen));
    }
}
