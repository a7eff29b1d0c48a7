//! The token of the record whose match bit is 1, chosen without anybody learning which; nothing if `closed` is 1.
//!
//! - Algebra: `token = XOR_j a_j T_j` over GF(2)^128 is an inner product of replicated shares: party i computes
//!   `XOR_j a_{j,i} T_{j,i} ^ a_{j,i} T_{j,i+1} ^ a_{j,i+1} T_{j,i}` on its own, whatever the number of records. The three
//!   parts are reshared (one round), then multiplied with the complement of `closed`; that product is not reshared but
//!   masked and handed out, one part to the resolver from each party.
//! - With one match the sum is its token, with none it is 0. With several it would be a meaningless XOR, so `closed` must
//!   be 1 then; [`super::identify`] sees to it.
//! - Rounds: 1. Bytes: 16 sent per party, and 16 to the resolver.
//! - Leaks: nothing to the parties; to the resolver the chosen token or 0, since the three parts are otherwise random.

use zeroize::Zeroizing;

use super::Session;
use super::boolean::{Bits, reshare};
use crate::error::Error;
use crate::token::TokenShare;

/// This party's XOR part of the token, or of 0 if the lowest bit of `closed` is 1.
///
/// `matches` has one bit per token, 64 to a word; `tokens` are the records' in the same order.
///
/// # Errors
/// Errors of the network.
pub fn select<'t>(
    session: &mut Session<'_>,
    matches: &Bits,
    tokens: impl Iterator<Item = &'t TokenShare>,
    closed: &Bits,
) -> Result<Zeroizing<u128>, Error> {
    let sum = Zeroizing::new(inner_product(matches, tokens));
    let shared = reshare(session, [*sum as u64, (*sum >> 64) as u64].into_iter())?;
    let open = closed.clone().not(session.party());
    let (open_own, open_next) = (repeat(open.own[0]), repeat(open.next[0]));
    let mask = session.prss.zero_words(2);
    let word = |at: usize| (shared.own[at] & (open_own ^ open_next)) ^ (shared.next[at] & open_own) ^ mask[at];
    Ok(Zeroizing::new(u128::from(word(0)) | u128::from(word(1)) << 64))
}

/// The lowest bit in all places, without a branch on it.
const fn repeat(word: u64) -> u64 {
    (word & 1).wrapping_neg()
}

fn inner_product<'t>(matches: &Bits, tokens: impl Iterator<Item = &'t TokenShare>) -> u128 {
    tokens.enumerate().fold(0, |sum, (at, token)| {
        let choose = |words: &[u64]| u128::from(words[at / 64] >> (at % 64) & 1).wrapping_neg();
        sum ^ (choose(&matches.own) & (token.own ^ token.next)) ^ (choose(&matches.next) & token.own)
    })
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::share_words;
    use super::*;
    use crate::testing::{SeededRng, run_three};
    use crate::token::share_token;
    use rand_core::Rng;

    fn ideal(matches: &[bool], tokens: &[[u8; 16]], closed: bool) -> u128 {
        let chosen = matches.iter().zip(tokens).filter(|(chosen, _)| **chosen && !closed);
        chosen.fold(0, |sum, (_, token)| sum ^ u128::from_le_bytes(*token))
    }

    fn check(matches: &[bool], closed: bool) {
        let mut rng = SeededRng::new(41);
        let mut words = vec![0_u64; matches.len().div_ceil(64)];
        for (at, chosen) in matches.iter().enumerate() {
            words[at / 64] |= u64::from(*chosen) << (at % 64);
        }
        let tokens: Vec<[u8; 16]> =
            matches.iter().map(|_| (u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).to_le_bytes()).collect();
        let token_shares: Vec<_> = tokens.iter().map(|token| share_token(token, &mut rng)).collect();
        let match_shares = share_words(&words, &mut rng);
        let closed_shares = share_words(&[u64::from(closed)], &mut rng);
        let results = run_three(42, |session| {
            let at = session.party().index();
            *select(session, &match_shares[at], token_shares.iter().map(|shares| &shares[at]), &closed_shares[at])
                .expect("no network error")
        });
        assert_eq!(results[0].0 ^ results[1].0 ^ results[2].0, ideal(matches, &tokens, closed));
        for (_, traffic) in &results {
            assert_eq!((traffic.rounds, traffic.bytes()), (1, 16));
        }
    }

    #[test]
    fn the_chosen_token_comes_out_and_nothing_when_closed() {
        for count in [1, 64, 65, 200] {
            for closed in [false, true] {
                check(&vec![false; count], closed);
                check(&vec![true; count], closed);
                for chosen in [0, count / 2, count - 1] {
                    check(&(0..count).map(|at| at == chosen).collect::<Vec<_>>(), closed);
                }
            }
        }
    }
}
