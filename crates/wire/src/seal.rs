//! Sealing a share to one party and opening it: HPKE (RFC 9180), base mode, with the hybrid X-Wing KEM (X25519 and
//! ML-KEM-768, draft-connolly-cfrg-xwing-kem), HKDF-SHA256 and ChaCha20-Poly1305. Whoever records two parties' sealed
//! shares today and breaks X25519 tomorrow still learns nothing.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bytes::HexBytes;
use crate::probe::SealedShare;

type SealKem = XWing;

/// Domain separation of every sealed share.
const INFO: &[u8] = b"handsel/sealed-share/v1";

/// Why a sealed share could not be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is no key of this scheme; whoever configured it can fix it.
    #[error("the key is not an X-Wing key")]
    KeyMalformed,
    /// The share was altered, sealed to another party or bound to another context.
    #[error("the sealed share does not open with this key and this context")]
    DoesNotOpen,
}

/// A party's sealing key pair: private (32 bytes), public (1,216 bytes).
pub fn generate_key_pair(rng: &mut impl CryptoRng) -> (Zeroizing<[u8; 32]>, HexBytes) {
    let (private, public) = SealKem::gen_keypair_with_rng(rng);
    let mut private_bytes = Zeroizing::new([0_u8; 32]);
    private_bytes.copy_from_slice(&private.to_bytes());
    (private_bytes, HexBytes(public.to_bytes().to_vec()))
}

/// Seals `plaintext` to `public_key`, bound to `associated_data`.
pub fn seal(public_key: &HexBytes, associated_data: &[u8], plaintext: &[u8], rng: &mut impl CryptoRng) -> Result<SealedShare, SealError> {
    let public_key = <SealKem as Kem>::PublicKey::from_bytes(&public_key.0).map_err(|_| SealError::KeyMalformed)?;
    let (encapsulated_key, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, SealKem>(
        &OpModeS::Base,
        &public_key,
        INFO,
        plaintext,
        associated_data,
        rng,
    )
    .map_err(|_| SealError::KeyMalformed)?;
    Ok(SealedShare { encapsulated_key: HexBytes(encapsulated_key.to_bytes().to_vec()), ciphertext: HexBytes(ciphertext) })
}

/// Opens a share sealed to `private_key`, if it was bound to `associated_data`.
pub fn open(private_key: &[u8; 32], associated_data: &[u8], sealed: &SealedShare) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let private_key = <SealKem as Kem>::PrivateKey::from_bytes(private_key).map_err(|_| SealError::KeyMalformed)?;
    let encapsulated_key = <SealKem as Kem>::EncappedKey::from_bytes(&sealed.encapsulated_key.0).map_err(|_| SealError::DoesNotOpen)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, SealKem>(
        &OpModeR::Base,
        &private_key,
        &encapsulated_key,
        INFO,
        &sealed.ciphertext.0,
        associated_data,
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::DoesNotOpen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::UnwrapErr;

    #[test]
    fn opens_only_with_its_key_and_its_context() {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let (private, public) = generate_key_pair(&mut rng);
        let (other, _) = generate_key_pair(&mut rng);
        let sealed = seal(&public, b"context", b"share", &mut rng).expect("the key is good");
        let mut altered = sealed.clone();
        altered.ciphertext.0[0] ^= 1;
        let mut cut = sealed.clone();
        cut.encapsulated_key.0.pop();

        assert_eq!(open(&private, b"context", &sealed).expect("opens").as_slice(), b"share");
        for (key, context, sealed) in
            [(&other, b"context", &sealed), (&private, b"Context", &sealed), (&private, b"context", &altered), (&private, b"context", &cut)]
        {
            assert_eq!(open(key, context, sealed), Err(SealError::DoesNotOpen));
        }
        assert_eq!(seal(&HexBytes(vec![0; 7]), b"", b"", &mut rng), Err(SealError::KeyMalformed));
    }
}
