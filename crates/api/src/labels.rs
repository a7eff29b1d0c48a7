//! Opaque names of parts of the gallery, and fingerprints of requests. Both are HMACs, because what goes in is short
//! enough to be guessed from a plain hash.

use base::id::StoreId;
use base::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wire::bytes::HexArray;
use wire::probe::PartitionLabel;

/// The part of the gallery of those whose phone number ends in `digits`: the first 16 bytes of
/// HMAC-SHA256(`secret`, "phone-suffix" || digits).
pub fn phone_suffix(secret: &Secret<[u8; 32]>, digits: &str) -> PartitionLabel {
    label(secret, &[b"phone-suffix", digits.as_bytes()])
}

/// The part of those who named this city, and of the regulars of its stores.
pub fn city(secret: &Secret<[u8; 32]>, name: &str) -> PartitionLabel {
    label(secret, &[b"city\0", name.as_bytes()])
}

/// The part of the store's regulars.
pub fn regulars(secret: &Secret<[u8; 32]>, store: StoreId) -> PartitionLabel {
    label(secret, &[b"regulars\0", &store.bits().to_be_bytes()])
}

fn label(secret: &Secret<[u8; 32]>, parts: &[&[u8]]) -> PartitionLabel {
    let tag = keyed(secret, parts);
    HexArray(*tag.first_chunk().expect("a tag has 32 bytes"))
}

/// What the store remembers of a request, to see whether another one under the same key is the same.
pub fn request_fingerprint(secret: &Secret<[u8; 32]>, method: &str, path: &str, body: &[u8]) -> [u8; 32] {
    keyed(secret, &[b"request\0", method.as_bytes(), b"\0", path.as_bytes(), b"\0", body])
}

/// A secret of its own for one purpose.
pub fn derived(secret: &Secret<[u8; 32]>, purpose: &[u8]) -> [u8; 32] {
    keyed(secret, &[b"derived\0", purpose])
}

fn keyed(secret: &Secret<[u8; 32]>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_differ_by_what_they_name_and_by_key() {
        let (one, two) = (Secret::new([1; 32]), Secret::new([2; 32]));
        assert_eq!(phone_suffix(&one, "1234"), phone_suffix(&one, "1234"));
        assert_ne!(phone_suffix(&one, "1234"), phone_suffix(&one, "1235"));
        assert_ne!(phone_suffix(&one, "1234"), phone_suffix(&two, "1234"));
        assert_ne!(city(&one, "1234"), phone_suffix(&one, "1234"));
        assert_ne!(city(&one, "杭州"), city(&two, "杭州"));
        let [noodles, tea] = [1, 2].map(StoreId::from_bits);
        assert_eq!(regulars(&one, noodles), regulars(&one, noodles));
        assert_ne!(regulars(&one, noodles), regulars(&one, tea));
        assert_ne!(regulars(&one, noodles), regulars(&two, noodles));
    }
}
