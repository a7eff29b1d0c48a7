//! Codes that people carry from one screen to another, once: invitations of staff and activations of tills.

use crate::app::random;
use crate::token_sha256;

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 80 random bits, in groups of four for the eye.
const LEN: usize = 16;
const GROUP: usize = 4;

/// A fresh code, such as `7Q4M-0XKD-R2TN-9WVA`, and its hash for the store.
pub fn fresh() -> (String, [u8; 32]) {
    let letters: Vec<u8> = random::<LEN>().iter().map(|byte| ALPHABET[usize::from(byte & 31)]).collect();
    let groups: Vec<&str> = letters.chunks(GROUP).map(|group| std::str::from_utf8(group).expect("ASCII")).collect();
    let code = groups.join("-");
    let sha256 = sha256(&code);
    (code, sha256)
}

/// The hash of a code as somebody typed it: in any case, with or without hyphens and blanks, with O for 0 and I or L for 1.
pub fn sha256(typed: &str) -> [u8; 32] {
    let letters =
        typed.chars().filter(|letter| *letter != '-' && !letter.is_whitespace()).map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        });
    token_sha256(&letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(sha256("7Q4M-0XKD-R1TN-9WVA"), sha256(" 7q4m oxkd rltn9wva"));
        assert_ne!(sha256("7Q4M-0XKD-R1TN-9WVA"), sha256("7Q4M-0XKD-R1TN-9WVB"));
        let (code, hash) = fresh();
        assert_eq!((code.len(), sha256(&code.to_lowercase())), (19, hash));
        assert_ne!(fresh().0, code);
    }
}
