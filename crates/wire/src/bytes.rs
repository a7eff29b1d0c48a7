//! Byte strings as hexadecimal text in JSON.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that read and write as lower-case hexadecimal. `Debug` shows only the length.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HexBytes(pub Vec<u8>);

impl std::fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base::hash::hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        base::hash::unhex(&text).map(Self).ok_or_else(|| serde::de::Error::custom("expected an even number of hexadecimal digits"))
    }
}

/// `N` bytes that read and write as `2 N` hexadecimal digits. `Debug` shows only the length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexArray<const N: usize>(pub [u8; N]);

impl<const N: usize> std::fmt::Debug for HexArray<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{N} bytes]")
    }
}

impl<const N: usize> Serialize for HexArray<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base::hash::with_hex(&self.0, |text| serializer.serialize_str(text))
    }
}

/// A text that is not the hexadecimal digits of this many bytes. Whoever sent it can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits")]
pub struct HexError {
    digits: usize,
}

impl<const N: usize> std::str::FromStr for HexArray<N> {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        base::hash::unhex(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(HexError { digits: 2 * N })
    }
}

impl<'de, const N: usize> Deserialize<'de> for HexArray<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
