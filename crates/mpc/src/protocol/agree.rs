//! Whether all three parties were handed the same input.
//!
//! Each party sends 32-byte digests of the parts of its input to both neighbours and compares.
//!
//! - Rounds: 1. Bytes: 64 sent per party for each digest.
//! - Leaks: the digests, to the other parties; they must be of public values, or of values that all three hold anyway.
//! - Holds against: a platform that hands the parties different probes. Not against a party that lies about its digest.

use super::Session;
use crate::error::Error;
use crate::network::Neighbour;

/// Returns if both neighbours sent the same `digests`.
///
/// # Errors
/// [`Error::InputDiffers`] with the first digest that differs and a neighbour that sent another; errors of the network.
pub fn agree(session: &mut Session<'_>, digests: &[[u8; 32]]) -> Result<(), Error> {
    session.send(Neighbour::Next, digests.concat())?;
    session.send(Neighbour::Previous, digests.concat())?;
    // Both are awaited before either is judged, so that nobody leaves while a neighbour still sends.
    let next = session.receive(Neighbour::Next, 32 * digests.len())?;
    let previous = session.receive(Neighbour::Previous, 32 * digests.len())?;
    for (at, digest) in digests.iter().enumerate() {
        for (neighbour, theirs) in [(Neighbour::Next, &next), (Neighbour::Previous, &previous)] {
            if theirs[32 * at..][..32] != *digest {
                return Err(Error::InputDiffers { peer: neighbour.of(session.party()), digest: at });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run_three;
    use base::party::PartyId;

    #[test]
    fn equal_digests_pass_and_one_that_differs_is_named() {
        for odd_one in [None, Some(PartyId::P1), Some(PartyId::P2), Some(PartyId::P3)] {
            let results = run_three(1, |session| agree(session, &[[7; 32], [u8::from(Some(session.party()) == odd_one); 32]]));
            for (party, (result, traffic)) in PartyId::ALL.into_iter().zip(results) {
                assert_eq!(traffic.bytes(), 128);
                match odd_one {
                    None => assert_eq!(result, Ok(())),
                    Some(odd_one) if odd_one == party => assert!(matches!(result, Err(Error::InputDiffers { digest: 1, .. }))),
                    Some(odd_one) => assert_eq!(result, Err(Error::InputDiffers { peer: odd_one, digest: 1 })),
                }
            }
        }
    }
}
