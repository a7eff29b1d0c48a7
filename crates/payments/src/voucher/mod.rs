//! Offline vouchers: sums that are set aside for one store and signed, so that a till without network can check them.
//!
//! A voucher is 50 bytes and their Ed25519 signature (RFC 8032), written as 228 upper-case hexadecimal digits, which a QR code
//! holds in its alphanumeric mode and a scanner types on any keyboard. All numbers are big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version: 1 |
//! | 4 | the key: the first bytes of the SHA-256 of its 32 public bytes |
//! | 16 | the voucher's identifier |
//! | 16 | the store's identifier |
//! | 4 | the most it is worth, in minor units |
//! | 3 | ISO 4217 code in ASCII |
//! | 6 | milliseconds since 1970 from which on no till takes it |
//! | 64 | signature over `handsel/voucher/v1`, a zero byte and the 50 bytes above |
//!
//! It says nothing about whose it is.

use base::id::{StoreId, VoucherId};
use base::money::{Currency, Money};
use base::secret::Secret;
use base::time::Timestamp;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub mod issue;

/// Length of what is signed, in bytes.
const BODY_LEN: usize = 50;
/// Digits of the text.
pub const TEXT_LEN: usize = 2 * (BODY_LEN + 64);
const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"handsel/voucher/v1\0";

/// What a voucher says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Its identifier: it is good for one payment.
    pub id: VoucherId,
    /// The only store that may take it.
    pub store: StoreId,
    /// The most it is worth: at least 1 minor unit, below 2^32.
    pub most: Money,
    /// From then on no till takes it.
    pub expires_at: Timestamp,
}

/// The platform's key for vouchers.
pub struct VoucherKey(SigningKey);

/// A text that is no voucher of this platform: of another form, or not signed with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is no voucher that this key signed")]
pub struct NotAVoucher;

impl VoucherKey {
    /// The key from the platform's own `master` secret: no database holds it.
    pub fn derive(master: &Secret<[u8; 32]>) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(master.expose()).expect("HMAC takes keys of any length");
        mac.update(b"handsel/voucher/key/v1");
        Self(SigningKey::from_bytes(&mac.finalize().into_bytes().into()))
    }

    /// What tills check with.
    pub fn public(&self) -> VerifyingKey {
        self.0.verifying_key()
    }

    /// The text of a voucher.
    pub fn sign(&self, voucher: &Voucher) -> String {
        let body = body(voucher, &self.public());
        let signature = self.0.sign(&[DOMAIN, &body].concat()).to_bytes();
        base::hash::hex(&[&body[..], &signature].concat()).to_ascii_uppercase()
    }
}

/// Reads a text that somebody handed over; digits may be of either case.
pub fn read(text: &str, key: &VerifyingKey) -> Result<Voucher, NotAVoucher> {
    let bytes = unhex(text).ok_or(NotAVoucher)?;
    let (body, signature) = bytes.split_at_checked(BODY_LEN).ok_or(NotAVoucher)?;
    let signature = Signature::from_slice(signature).map_err(|_| NotAVoucher)?;
    key.verify_strict(&[DOMAIN, body].concat(), &signature).map_err(|_| NotAVoucher)?;
    let voucher = parse(body).ok_or(NotAVoucher)?;
    // Version and key are signed too: only what this key would sign again is its voucher.
    if self::body(&voucher, key)[..] == *body { Ok(voucher) } else { Err(NotAVoucher) }
}

fn body(voucher: &Voucher, key: &VerifyingKey) -> [u8; BODY_LEN] {
    let most = u32::try_from(voucher.most.minor).expect("the rules keep vouchers below 2^32 minor units");
    let mut body = [0; BODY_LEN];
    body[0] = VERSION;
    body[1..5].copy_from_slice(&Sha256::digest(key.as_bytes())[..4]);
    body[5..21].copy_from_slice(&voucher.id.bits().to_be_bytes());
    body[21..37].copy_from_slice(&voucher.store.bits().to_be_bytes());
    body[37..41].copy_from_slice(&most.to_be_bytes());
    body[41..44].copy_from_slice(voucher.most.currency.code().as_bytes());
    body[44..].copy_from_slice(&voucher.expires_at.millis().to_be_bytes()[2..]);
    body
}

fn parse(body: &[u8]) -> Option<Voucher> {
    let number =
        |from: usize, to: usize| body.get(from..to).map(|bytes| bytes.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte)));
    let currency = [Currency::CNY].into_iter().find(|currency| body.get(41..44) == Some(currency.code().as_bytes()))?;
    let minor = i64::try_from(number(37, 41)?).ok().filter(|minor| *minor > 0)?;
    Some(Voucher {
        id: VoucherId::from_bits(number(5, 21)?),
        store: StoreId::from_bits(number(21, 37)?),
        most: Money { minor, currency },
        expires_at: Timestamp::from_millis(u64::try_from(number(44, 50)?).ok()?),
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != TEXT_LEN {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits.chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

#[cfg(test)]
mod tests;
