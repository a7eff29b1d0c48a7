//! SHA-256 over length-prefixed parts, so that no two different lists of parts hash alike.

use sha2::{Digest, Sha256};

/// SHA-256 of `domain` and each of `parts`, every one behind its length as 8 little-endian bytes.
pub fn hash_parts(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Bytes from hexadecimal; `None` if `text` is not an even number of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_strictly() {
        for (text, bytes) in [("", Some(vec![])), ("00ff", Some(vec![0, 255])), ("0aF9", Some(vec![10, 249]))] {
            assert_eq!(unhex(text), bytes);
        }
        for text in ["0", "+f", "0x", "é0", " 0", "zz"] {
            assert_eq!(unhex(text), None, "{text}");
        }
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(hash_parts("d", &[b"ab", b"c"]), hash_parts("d", &[b"a", b"bc"]));
        assert_ne!(hash_parts("d", &[b"ab"]), hash_parts("d", &[b"ab", b""]));
        assert_ne!(hash_parts("d", &[b"ab"]), hash_parts("e", &[b"ab"]));
    }
}
