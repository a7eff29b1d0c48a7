//! Whether all three parties were handed the same input.
//!
//! Each party sends a 32-byte digest of its input to both neighbours and compares.
//!
//! - Rounds: 1. Bytes: 64 sent per party.
//! - Leaks: the digest, to the other parties; it must be one of public values, or of values that all three hold anyway.
//! - Holds against: a platform that hands the parties different probes. Not against a party that lies about its digest.

use super::Session;
use crate::error::Error;
use crate::network::Neighbour;

/// Returns if both neighbours sent the same `digest`.
///
/// # Errors
/// [`Error::InputDiffers`] with the first neighbour that sent another; errors of the network.
pub fn agree(session: &mut Session<'_>, digest: &[u8; 32]) -> Result<(), Error> {
    session.send(Neighbour::Next, digest.to_vec())?;
    session.send(Neighbour::Previous, digest.to_vec())?;
    // Both are awaited before either is judged, so that nobody leaves while a neighbour still sends.
    let next = session.receive(Neighbour::Next, digest.len())?;
    let previous = session.receive(Neighbour::Previous, digest.len())?;
    for (neighbour, theirs) in [(Neighbour::Next, next), (Neighbour::Previous, previous)] {
        if theirs != digest {
            return Err(Error::InputDiffers { peer: neighbour.of(session.party()) });
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
            let results = run_three(1, |session| agree(session, &[u8::from(Some(session.party()) == odd_one); 32]));
            for (party, (result, traffic)) in PartyId::ALL.into_iter().zip(results) {
                assert_eq!(traffic.bytes(), 64);
                match odd_one {
                    None => assert_eq!(result, Ok(())),
                    Some(odd_one) if odd_one == party => assert!(matches!(result, Err(Error::InputDiffers { .. }))),
                    Some(odd_one) => assert_eq!(result, Err(Error::InputDiffers { peer: odd_one })),
                }
            }
        }
    }
}
