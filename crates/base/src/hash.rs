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
    let digits = bytes.iter().copied().flat_map(hex_of_byte).collect();
    String::from_utf8(digits).expect("hexadecimal digits are ASCII")
}

/// Hands the lower-case hexadecimal digits of `bytes` to `take`: no memory is asked for.
pub fn with_hex<const N: usize, T>(bytes: &[u8; N], take: impl FnOnce(&str) -> T) -> T {
    let digits = bytes.map(hex_of_byte);
    take(std::str::from_utf8(digits.as_flattened()).expect("hexadecimal digits are ASCII"))
}

fn hex_of_byte(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
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
        assert_eq!(with_hex(&[0, 10, 255], str::to_owned), "000aff");
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(hash_parts("d", &[b"ab", b"c"]), hash_parts("d", &[b"a", b"bc"]));
        assert_ne!(hash_parts("d", &[b"ab"]), hash_parts("d", &[b"ab", b""]));
        assert_ne!(hash_parts("d", &[b"ab"]), hash_parts("e", &[b"ab"]));
    }
}
