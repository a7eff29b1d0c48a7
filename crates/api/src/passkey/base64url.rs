//! Byte strings as Web Authentication's JSON writes them.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Longest text that is read, in bytes: room for the largest public key.
const LEN_MAX: usize = 8 * 1024;

pub(super) fn write(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    if text.len() > LEN_MAX { None } else { Base64UrlUnpadded::decode_vec(text).ok() }
}
