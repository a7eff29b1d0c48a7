//! From additive shares to replicated ones: each party has one part of a number and ends with two.
//!
//! Source: Araki et al., CCS 2016, where it is the second half of a multiplication.
//!
//! - In: party i holds `z_i`, and `z_1 + z_2 + z_3 = x` modulo 2^16 or 2^32, for each number of a list.
//! - Algebra: `w_i = z_i + a_i` with `a_1 + a_2 + a_3 = 0` from the pairwise streams. Party i sends `w_i` to the party before
//!   it. It then holds `w_i` (`own`) and `w_{i+1}` (`next`); the three `w` add up to `x`.
//! - Rounds: 1. Bytes: 2 or 4 per number sent per party.
//! - Leaks: nothing. The mask of `w_{i+1}`, which party i sees, has a summand from the stream that parties i+1 and i+2 alone
//!   have. Without it party i would see `z_{i+1}`, an inner product of a query share with a record share of another party:
//!   with its own shares of the same two, a linear equation on them for each run.
//! - Holds against: one party that follows the protocol and is curious. A party may send `w_i` with an error added: all three
//!   then hold replicated shares of `x` plus that error, which is what the check of the inner products is for.

use zeroize::Zeroize;

use super::{Session, bytes_to_numbers, numbers_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;

/// One party's replicated shares of a list of numbers.
#[derive(Clone)]
pub struct Components<T: Zeroize> {
    /// The components with the party's own number.
    pub own: Vec<T>,
    /// The components with the next party's number.
    pub next: Vec<T>,
}

/// Replicated shares modulo 2^16 of the sums of the three parties' `numbers`. One round, 2 bytes per number.
///
/// # Errors
/// Errors of the network.
pub fn reshare_16(session: &mut Session<'_>, mut numbers: Vec<u16>) -> Result<Components<u16>, Error> {
    session.prss.add_zero_u16(&mut numbers);
    session.send(Neighbour::Previous, numbers_to_bytes(&numbers))?;
    let next = bytes_to_numbers(&session.receive(Neighbour::Next, 2 * numbers.len())?);
    Ok(Components { own: numbers, next })
}

/// Replicated shares modulo 2^32 of the sums of the three parties' `numbers`. One round, 4 bytes per number.
///
/// # Errors
/// Errors of the network.
pub fn reshare_32(session: &mut Session<'_>, mut numbers: Vec<u32>) -> Result<Components<u32>, Error> {
    session.prss.add_zero_u32(&mut numbers);
    session.send(Neighbour::Previous, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())?;
    let message = session.receive(Neighbour::Next, 4 * numbers.len())?;
    let next = message.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number)).collect();
    Ok(Components { own: numbers, next })
}

impl<T: Zeroize> Drop for Components<T> {
    fn drop(&mut self) {
        self.own.zeroize();
        self.next.zeroize();
    }
}

impl<T: Zeroize> std::fmt::Debug for Components<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Components[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SeededRng, World, chi_squared_of_bytes, run_three};
    use base::party::PartyId;

    const EXTREMES: [u32; 6] = [0, 1, 0x7fff, 0x8000, 0xffff_8000, u32::MAX];

    #[test]
    fn the_components_add_up_and_neighbours_hold_the_same() {
        let mut rng = SeededRng::new(1);
        let count = 3000;
        let parts = [(); 3]
            .map(|()| (0..count).map(|at| EXTREMES.get(at).copied().unwrap_or_else(|| rng.below(1 << 32) as u32)).collect::<Vec<u32>>());
        let results = run_three(2, |session| {
            let part = &parts[session.party().index()];
            let small = reshare_16(session, part.iter().map(|number| *number as u16).collect()).expect("no network error");
            (small, reshare_32(session, part.clone()).expect("no network error"))
        });
        for at in 0..count {
            let ideal = parts.iter().fold(0_u32, |sum, part| sum.wrapping_add(part[at]));
            assert_eq!(results.iter().fold(0_u16, |sum, ((small, _), _)| sum.wrapping_add(small.own[at])), ideal as u16);
            assert_eq!(results.iter().fold(0_u32, |sum, ((_, large), _)| sum.wrapping_add(large.own[at])), ideal);
        }
        for party in PartyId::ALL {
            let ((small, large), traffic) = &results[party.index()];
            let ((next_small, next_large), _) = &results[party.next().index()];
            assert!(small.next == next_small.own && large.next == next_large.own);
            assert_eq!((traffic.rounds, traffic.bytes()), (2, 6 * count));
        }
    }

    /// The parts are all alike, so a message without its mask would be one number over and over.
    #[test]
    fn every_message_is_uniform_and_the_measure_sees_a_missing_mask() {
        const COUNT: usize = 1 << 15;
        let results = run_three(3, |session| {
            reshare_16(session, vec![7; COUNT]).expect("no network error");
            reshare_32(session, vec![7; COUNT]).expect("no network error");
        });
        for (party, (_, traffic)) in PartyId::ALL.into_iter().zip(&results) {
            assert!(traffic.to_next.is_empty());
            for (message, size) in traffic.to_previous.iter().zip([2, 4]) {
                for at in 0..size {
                    let statistic = chi_squared_of_bytes(message.iter().copied().skip(at).step_by(size));
                    assert!((119.0..=391.0).contains(&statistic), "{party}, byte {at} of {size}: {statistic}");
                }
            }
        }
        let unmasked = numbers_to_bytes(&vec![7; COUNT]);
        assert!(chi_squared_of_bytes(unmasked.into_iter()) > 10_000.0);
    }

    /// With the streams of the receiver alone, the message cannot be brought back to what it hides.
    #[test]
    fn the_mask_is_of_a_stream_that_the_receiver_does_not_have() {
        const COUNT: usize = 1 << 15;
        let receiver = PartyId::P1;
        let results = World::new(4).run(|session| {
            let known = if session.party() == receiver {
                // What party 1 could compute of party 2's mask: its stream in common with party 2.
                let keys = crate::testing::neighbour_keys(4);
                crate::prss::Prss::new(&keys[receiver.index()], &4_u64.to_le_bytes(), "test", 0).with_next().numbers(COUNT).to_vec()
            } else {
                vec![]
            };
            (reshare_16(session, vec![7; COUNT]).expect("no network error"), known)
        });
        let (received, known) = &results[receiver.index()].0;
        for sign in [u16::wrapping_add, u16::wrapping_sub] {
            let stripped = received.next.iter().zip(known).map(|(number, known)| sign(*number, *known) as u8);
            let statistic = chi_squared_of_bytes(stripped);
            assert!((119.0..=391.0).contains(&statistic), "{statistic}");
        }
    }
}
