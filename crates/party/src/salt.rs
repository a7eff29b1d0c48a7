//! The name that a run's randomness is drawn under. The platform names runs; if it gave two the same name on one connection,
//! their masks would be the same, and two masked messages would give their difference away. So each party adds 32 random
//! bytes of its own.

use base::hash::hash_parts;
use base::id::SessionId;
use base::party::PartyId;
use mpc::network::{Neighbour, Network};

use crate::apply::no_randomness;
use crate::error::Refusal;

/// Exchanges random bytes with both neighbours; gives a salt that no earlier run had, whatever `session` is. If somebody
/// tells its neighbours different bytes, their streams differ and the run fails.
///
/// # Errors
/// Errors of the network and of the operating system's randomness.
pub fn fresh<E: From<mpc::error::Error> + From<Refusal>>(
    lane: &mut dyn Network,
    party: PartyId,
    session: SessionId,
) -> Result<[u8; 32], E> {
    let mut mine = [0; 32];
    getrandom::fill(&mut mine).map_err(no_randomness)?;
    let mut parts = [const { Vec::new() }; 3];
    parts[party.index()] = mine.to_vec();
    for neighbour in [Neighbour::Next, Neighbour::Previous] {
        lane.send(neighbour, mine.to_vec())?;
    }
    for neighbour in [Neighbour::Next, Neighbour::Previous] {
        parts[neighbour.of(party).index()] = lane.receive(neighbour)?;
    }
    let [first, second, third] = &parts;
    Ok(hash_parts("handsel/run-salt/v1", &[&session.bits().to_le_bytes(), first, second, third]))
}
