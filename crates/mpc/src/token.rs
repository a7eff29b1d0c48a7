//! Splitting a record's 128-bit payment token by replicated secret sharing over GF(2).
//!
//! The token is `x_1 ^ x_2 ^ x_3`, two of them random; party i holds `x_i` and `x_{i+1}`. One party's pair is uniformly
//! random; any two parties hold all three.
//!
//! Source: T. Araki, J. Furukawa, Y. Lindell, A. Nof, K. Ohara, "High-throughput semi-honest secure three-party
//! computation with an honest majority", CCS 2016 (in the form with `x_i, x_{i+1}`).

use base::party::PartyId;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A record's payment token; never zero, because zero means that nobody was found.
pub type Token = [u8; 16];

/// One party's two thirds of a token.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TokenShare {
    /// The part with the party's own number.
    pub own: u128,
    /// The part with the next party's number.
    pub next: u128,
}

/// Splits `token` into the shares of parties 1, 2 and 3.
pub fn share_token(token: &Token, rng: &mut dyn CryptoRng) -> [TokenShare; 3] {
    let mut random = || {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        u128::from_le_bytes(bytes)
    };
    let (first, second) = (random(), random());
    let parts = [first, second, u128::from_le_bytes(*token) ^ first ^ second];
    PartyId::ALL.map(|party| TokenShare { own: parts[party.index()], next: parts[party.next().index()] })
}

impl TokenShare {
    /// From the two parts as bytes: the party's own, then the next party's.
    pub fn from_parts(parts: [[u8; 16]; 2]) -> Self {
        Self { own: u128::from_le_bytes(parts[0]), next: u128::from_le_bytes(parts[1]) }
    }

    /// The two parts as bytes: the party's own, then the next party's.
    pub fn to_parts(&self) -> [[u8; 16]; 2] {
        [self.own.to_le_bytes(), self.next.to_le_bytes()]
    }
}

impl std::fmt::Debug for TokenShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenShare[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRng;

    #[test]
    fn the_three_parts_give_the_token_and_neighbours_agree() {
        let mut rng = SeededRng::new(1);
        for token in [[0; 16], [0xff; 16], *b"sixteen bytes ok"] {
            let shares = share_token(&token, &mut rng);
            assert_eq!((shares[0].own ^ shares[1].own ^ shares[2].own).to_le_bytes(), token);
            for party in PartyId::ALL {
                assert_eq!(shares[party.index()].next, shares[party.next().index()].own);
                let share = &shares[party.index()];
                assert_eq!(&TokenShare::from_parts(share.to_parts()), share);
            }
        }
    }
}
