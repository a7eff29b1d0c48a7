//! A coin: randomness that all three parties see at the same moment and that no party could foresee or choose.
//!
//! Source: pseudo-random secret sharing (Cramer, Damgård, Ishai, TCC 2005; [`crate::prss`]) gives a replicated share of a
//! random value without a message; opening it to everybody is a coin, as in Chida et al., "Fast large-scale honest-majority
//! MPC for malicious adversaries", CRYPTO 2018.
//!
//! - Algebra: `x = x_1 ^ x_2 ^ x_3` of 256 bits, `x_k` from the stream that party k and the party before it have in common.
//!   Party i holds `x_i` and `x_{i+1}`; its two neighbours both hold the third part and both send it. `x` is the key of the
//!   stream that is the coin's value.
//! - Rounds: 1. Bytes: 64 sent per party.
//! - Leaks: nothing; the coin is public.
//! - Holds against: one party that cheats. It never knows the part that the other two have in common before they send it,
//!   so it cannot foresee the coin; the parts are fixed by keys and by what was drawn before, so it cannot choose; of each
//!   part that somebody lacks an honest party sends a copy too, so a lie is noticed and two honest parties never go on with
//!   different coins.
//! - The caller's duty: everything that the coin challenges has been sent and received before it is tossed.

use zeroize::Zeroizing;

use super::Session;
use super::boolean::{Bits, reveal};
use crate::error::Error;
use crate::prss::Stream;

/// Words of a coin.
const WORDS: usize = 4;

/// Bytes that a party sends for a coin.
pub const BYTES: usize = 2 * 8 * WORDS;

/// Tosses a coin; the stream that comes out is the same at all three parties, and public.
///
/// # Errors
/// [`Error::CoinMismatch`] if the neighbours do not send the same part; errors of the network.
pub fn toss(session: &mut Session<'_>) -> Result<Stream, Error> {
    let bits = Bits { own: session.prss.with_previous().words(WORDS).to_vec(), next: session.prss.with_next().words(WORDS).to_vec() };
    let words = reveal(session, &bits).map_err(|error| if error == Error::ResultInconsistent { Error::CoinMismatch } else { error })?;
    let mut key = Zeroizing::new([0; 32]);
    key.as_chunks_mut().0.iter_mut().zip(&words).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
    Ok(Stream::new(&key, b"", &[b"handsel/coin/v1"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use base::party::PartyId;

    /// The first bytes of two coins, tossed one after the other.
    fn two_coins(world: &World) -> [Result<[Vec<u8>; 2], Error>; 3] {
        let toss_twice = |session: &mut Session<'_>| Ok([toss(session)?.bytes(32).to_vec(), toss(session)?.bytes(32).to_vec()]);
        world.run(toss_twice).map(|(coins, traffic)| {
            assert!(coins.is_err() || (traffic.rounds, traffic.bytes()) == (2, 2 * BYTES));
            coins
        })
    }

    #[test]
    fn all_three_see_the_same_coin_and_each_coin_is_another() {
        let mut seen = vec![];
        for seed in 0..20 {
            let [first, second, third] = two_coins(&World::new(seed)).map(|coins| coins.expect("nobody lies"));
            assert!(first == second && second == third);
            seen.extend(first);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 40);
    }

    #[test]
    fn whoever_is_lied_to_stops_and_nobody_sees_another_coin() {
        let honest = two_coins(&World::new(3))[0].clone().expect("nobody lies");
        for liar in PartyId::ALL {
            for victim in [liar.next(), liar.previous()] {
                for coin in 0..2 {
                    let lying = World::new(3).tamper(move |place, messages| {
                        if (place.from, place.to, place.index) == (liar, victim, coin) {
                            messages[0][31] ^= 0x80;
                        }
                    });
                    for (party, coins) in PartyId::ALL.into_iter().zip(two_coins(&lying)) {
                        match coins {
                            Ok(coins) => assert_eq!(coins, honest),
                            Err(error) if party == victim => assert_eq!(error, Error::CoinMismatch),
                            // It waits for the second coin of a party that has stopped.
                            Err(error) => assert_eq!(error, Error::PeerUnavailable { peer: victim }),
                        }
                    }
                }
            }
        }
    }
}
