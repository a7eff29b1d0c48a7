//! How a run begins: the parties make its salt together and find out which MACs all three have.
//!
//! Each party sends 32 random bytes and the names of its MACs, zero where it has none, to both neighbours. The salt is a hash
//! of the run's name and all three random strings, so whoever replays a run's name repeats no randomness. A party that sends
//! its neighbours different things makes them disagree, and the run ends; [`mpc::protocol::agree`] compares what came out.

use base::hash::hash_parts;
use base::id::SessionId;
use base::party::PartyId;
use mpc::error::Error;
use mpc::network::{Lanes, Neighbour};

/// Names a MAC: the same at all three parties for the same MAC; all zero for none.
pub type MacName = [u8; 16];

/// On it the parties begin a run, before any lane of a protocol.
pub const OPENING_LANE: u32 = 1 << 31;
/// Random bytes of each party.
const RANDOM_LEN: usize = 32;

/// What the three parties have in common after the opening.
#[derive(Debug)]
pub struct Opening {
    /// What the run's randomness is derived with; used once.
    pub salt: [u8; 32],
    /// For each place, the MAC that all three have, or all zero.
    pub macs: Vec<MacName>,
}

/// The name under which the run `session` of the protocol `label` is opened.
pub fn name(session: SessionId, label: &str) -> Vec<u8> {
    [&session.bits().to_le_bytes()[..], label.as_bytes()].concat()
}

/// Opens the run `name` with this party's `random` bytes and its MACs.
///
/// # Errors
/// [`Error::MessageLength`] if a neighbour has another number of places; errors of the network.
pub fn open(party: PartyId, lanes: &dyn Lanes, name: &[u8], random: [u8; RANDOM_LEN], macs: &[MacName]) -> Result<Opening, Error> {
    let mut network = lanes.open(OPENING_LANE)?;
    let mine = [&random, macs.as_flattened()].concat();
    network.send(Neighbour::Next, mine.clone())?;
    network.send(Neighbour::Previous, mine.clone())?;
    let mut receive = |from: Neighbour| {
        let message = network.receive(from)?;
        let (expected, found) = (mine.len(), message.len());
        if found == expected { Ok(message) } else { Err(Error::MessageLength { peer: from.of(party), expected, found }) }
    };
    let (next, previous) = (receive(Neighbour::Next)?, receive(Neighbour::Previous)?);
    let of = |wanted: PartyId| match wanted {
        _ if wanted == party => &mine,
        _ if wanted == party.next() => &next,
        _ => &previous,
    };
    let [first, second, third] = PartyId::ALL.map(|wanted| &of(wanted)[..RANDOM_LEN]);
    let salt = hash_parts("handsel/run/v2", &[name, first, second, third]);
    let places = |message: &[u8]| message[RANDOM_LEN..].as_chunks::<16>().0.to_vec();
    let others = places(&next).into_iter().zip(places(&previous));
    let macs = macs.iter().zip(others).map(|(own, (next, previous))| if *own == next && *own == previous { *own } else { [0; 16] });
    Ok(Opening { salt, macs: macs.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::testing::World;

    #[test]
    fn the_salt_is_common_and_a_mac_counts_if_all_three_have_it() {
        let play = |seed, name: &'static [u8], randoms: [u8; 3], macs: [Vec<MacName>; 3]| {
            World::new(seed).run_lanes(|run| {
                let at = run.party.index();
                open(run.party, run.lanes, name, [randoms[at]; 32], &macs[at])
            })
        };
        let (a, b, none) = ([1; 16], [2; 16], [0; 16]);
        let outcomes = play(1, b"run", [7, 8, 9], [vec![a, b, a, none], vec![a, a, a, none], vec![a, b, none, none]]);
        let openings = outcomes.map(|(outcome, _)| outcome.expect("they open"));
        for opening in &openings {
            assert_eq!(opening.macs, [a, none, none, none]);
            assert_eq!(opening.salt, openings[0].salt);
        }
        // Anybody's random bytes, and the name, change the salt.
        for (name, randoms) in [(&b"run"[..], [6, 8, 9]), (b"run", [7, 7, 9]), (b"run", [7, 8, 8]), (b"ruin", [7, 8, 9])] {
            let [(other, _), ..] = play(1, name, randoms, [(); 3].map(|()| vec![]));
            assert_ne!(other.expect("they open").salt, openings[0].salt);
        }
        let [(first, _), ..] = play(1, b"run", [7, 8, 9], [vec![a], vec![], vec![a]]);
        assert!(matches!(first, Err(Error::MessageLength { peer: PartyId::P2, .. })));
    }
}
