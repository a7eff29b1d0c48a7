//! One party lies, in every message: nobody gets a token that the plain decision would not have given, and nobody honest is
//! blamed.

use std::collections::BTreeMap;
use std::time::Duration;

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::conclude::{OutputShare, resolve};
use mpc::protocol::identify::{Resolution, ideal};
use mpc::testing::{Place, SeededRng, Traffic, World};
use rand_core::Rng;

use super::{Gallery, QUERY, Search};

const SEED: u64 = 1_000;

/// Messages to the previous party on a chunk's lane: scores, then the ANDs of the comparison.
const SCORES: usize = 0;
const ANDS: std::ops::RangeInclusive<usize> = 1..=9;

/// Messages of the conclusion, the last ones on lane 0, to the previous and the next party.
const CONCLUSION: [usize; 2] = [12, 3];

type Output = (Result<OutputShare, Error>, BTreeMap<u32, Traffic>);

#[derive(Clone, Copy, Debug)]
enum Lie {
    FlipABit,
    RandomBytes,
    Drop,
    ReplayAnEarlierOne,
    SwapWithTheNext,
    Truncate,
}

const LIES: [Lie; 6] = [Lie::FlipABit, Lie::RandomBytes, Lie::Drop, Lie::ReplayAnEarlierOne, Lie::SwapWithTheNext, Lie::Truncate];

/// Scores of 70 slots, in a chunk of 64 and one of 6.
fn scores(interesting: &[(usize, i16)]) -> Vec<i16> {
    let mut scores: Vec<i16> = (0..70).map(|at| at * 90 - 3_000).collect();
    interesting.iter().for_each(|(at, score)| scores[*at] = *score);
    scores
}

/// Every place of a message of `liar`, with all that it sends there in an honest run.
fn places(honest: &[Output; 3], liar: PartyId) -> Vec<(Place, Vec<Vec<u8>>)> {
    let mut places = vec![];
    for (lane, traffic) in &honest[liar.index()].1 {
        for (to, messages) in [(liar.next(), &traffic.to_next), (liar.previous(), &traffic.to_previous)] {
            places.extend((0..messages.len()).map(|index| (Place { from: liar, to, lane: *lane, index }, messages.clone())));
        }
    }
    places
}

impl Lie {
    /// A world in which this lie is told at `place`.
    fn world(self, place: Place, messages: Vec<Vec<u8>>, rng: &mut SeededRng) -> World {
        let random = rng.next_u64();
        let world = World::new(SEED).patience(Duration::from_millis(if matches!(self, Self::Drop) { 30 } else { 500 }));
        world.tamper(move |at, delivered| {
            let next = Place { index: place.index + 1, ..place };
            match self {
                Self::SwapWithTheNext if at == next => delivered[0].clone_from(&messages[place.index]),
                _ if at != place => {}
                Self::FlipABit => {
                    let bit = random as usize % (8 * delivered[0].len().max(1));
                    delivered[0].iter_mut().skip(bit / 8).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
                }
                Self::RandomBytes => SeededRng::new(random).fill_bytes(&mut delivered[0]),
                Self::Drop => delivered.clear(),
                Self::ReplayAnEarlierOne => delivered[0].clone_from(&messages[place.index.saturating_sub(1)]),
                Self::SwapWithTheNext => delivered[0].clone_from(&messages[(place.index + 1).min(messages.len() - 1)]),
                Self::Truncate => {
                    delivered[0].pop();
                }
            }
        })
    }
}

/// Whom an error accuses.
fn accused(error: &Error) -> Option<PartyId> {
    match error {
        Error::MessageLength { peer, .. } | Error::InputDiffers { peer, .. } => Some(*peer),
        // Whoever is away may have left because of somebody else's lie.
        _ => None,
    }
}

/// All lies of one party, in the search of a gallery.
fn check_all_lies(search: &Search<'_>, liar: PartyId) {
    let allowed = ideal::decisions(&search.gallery.scores(&QUERY), search.thresholds, search.verification);
    let honest = search.run(&World::new(SEED));
    let mut rng = SeededRng::new(liar.number().into());
    for (place, messages) in places(&honest, liar) {
        let of_lane = &honest[liar.index()].1[&0];
        let last =
            if place.to == liar.previous() { of_lane.to_previous.len() - CONCLUSION[0] } else { of_lane.to_next.len() - CONCLUSION[1] };
        // Bits of a comparison may be flipped, the probe's bits too: what follows from it is checked below all the same.
        let may_pass = match place.lane {
            0 => place.index < last,
            _ => place.to == liar.previous() && ANDS.contains(&place.index),
        };
        for lie in LIES {
            let world = lie.world(place, messages.clone(), &mut rng);
            let results = search.run(&world);
            let changed = matches!(lie, Lie::FlipABit | Lie::Drop | Lie::Truncate) && !messages[place.index].is_empty();
            let honest_errors: Vec<Error> =
                [liar.next(), liar.previous()].iter().filter_map(|party| results[party.index()].0.err()).collect();
            for error in &honest_errors {
                assert!(accused(error).is_none_or(|accused| accused == liar), "{lie:?} at {place:?}: {error:?}");
            }
            let noticed = honest_errors.iter().any(|error| !matches!(error, Error::PeerUnavailable { .. }));
            assert!(!changed || may_pass || noticed || matches!(lie, Lie::Drop), "{lie:?} at {place:?}: nobody noticed");
            let Ok(outputs) = <[OutputShare; 3]>::try_from(results.iter().filter_map(|(output, _)| output.ok()).collect::<Vec<_>>()) else {
                assert!(!honest_errors.is_empty() || results[liar.index()].0.is_err());
                continue;
            };
            match resolve(&outputs) {
                Ok(Resolution::Token(token)) => assert!(allowed.contains(&Resolution::Token(token)), "{lie:?} at {place:?}: a token"),
                Ok(Resolution::None | Resolution::Ambiguous) => {}
                Err(error) => assert_eq!(error, Error::ResultInconsistent),
            }
        }
    }
}

/// Somebody is enrolled; the MACs were made before.
fn lies_about_somebody(liar: PartyId) {
    let gallery = Gallery::scoring(&scores(&[(40, 9_000)]), 64, 1);
    check_all_lies(&gallery.search(&QUERY).sealed(|_| true, 2), liar);
}

/// Nobody is, but one is near; the MACs are made in the run.
fn lies_about_a_stranger(liar: PartyId) {
    let gallery = Gallery::scoring(&scores(&[(67, 7_500)]), 64, 3);
    check_all_lies(&gallery.search(&QUERY), liar);
}

#[test]
fn no_lie_of_party_1_gets_a_token_or_blames_another() {
    lies_about_somebody(PartyId::P1);
    lies_about_a_stranger(PartyId::P1);
}

#[test]
fn no_lie_of_party_2_gets_a_token_or_blames_another() {
    lies_about_somebody(PartyId::P2);
    lies_about_a_stranger(PartyId::P2);
}

#[test]
fn no_lie_of_party_3_gets_a_token_or_blames_another() {
    lies_about_somebody(PartyId::P3);
    lies_about_a_stranger(PartyId::P3);
}

/// Runs a search in which `liar` XORs `error` into byte `byte` of its message `index` to the previous party on the lane.
fn add_error(search: &Search<'_>, liar: PartyId, lane: u32, index: usize, byte: usize, error: u8) -> [Result<OutputShare, Error>; 3] {
    let place = Place { from: liar, to: liar.previous(), lane, index };
    let world = World::new(SEED).tamper(move |at, messages| {
        if at == place {
            messages[0][byte] ^= error;
        }
    });
    search.run(&world).map(|(output, _)| output)
}

#[test]
fn an_error_added_to_one_inner_product_ends_in_a_mac_mismatch() {
    let gallery = Gallery::scoring(&scores(&[(40, 7_500)]), 64, 5);
    for sealed in [true, false] {
        let search = gallery.search(&QUERY).sealed(|_| sealed, 6);
        for liar in PartyId::ALL {
            // 512 more for the near one would be accepted; the others are near nothing.
            for (slot, byte, error) in [(40, 1, 2), (0, 0, 1), (63, 1, 0x80)] {
                for output in add_error(&search, liar, 1, SCORES, 2 * slot + byte, error) {
                    assert!(output == Err(Error::MacMismatch), "{liar}: {:?}", output.err());
                }
            }
        }
    }
}

/// The score words that are selected without verification, first in the message behind the comparison's.
#[test]
fn an_error_added_to_a_selected_score_fails_the_check() {
    let gallery = Gallery::scoring(&scores(&[(40, 7_500)]), 64, 12);
    let search = gallery.search(&QUERY).sealed(|_| true, 13);
    for liar in PartyId::ALL {
        for byte in 0..3 * 8 {
            for output in add_error(&search, liar, 1, ANDS.end() + 1, byte, 4) {
                assert!(output == Err(Error::CheckFailed), "{liar}, byte {byte}: {:?}", output.err());
            }
        }
    }
}

#[test]
fn an_output_that_a_party_alters_is_not_believed() {
    let gallery = Gallery::scoring(&scores(&[(40, 9_000)]), 64, 11);
    let outputs = gallery.search(&QUERY).run(&World::new(SEED)).map(|(output, _)| output.expect("an honest run"));
    assert!(resolve(&outputs) == Ok(Resolution::Token(gallery.tokens[40])));
    for liar in 0..3 {
        for byte in 0..OutputShare::BYTES {
            let mut bytes = *outputs[liar].to_bytes();
            bytes[byte] ^= 1;
            let mut altered = outputs;
            altered[liar] = OutputShare::from_bytes(&bytes);
            assert!(resolve(&altered) == Err(Error::ResultInconsistent));
        }
    }
}
