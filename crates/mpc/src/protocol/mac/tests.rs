use super::super::verified::{Verification, reshare_along};
use super::*;
use crate::layout::{block_numbers, write_slot};
use crate::ring;
use crate::scan::scan;
use crate::share::{TemplateShare, share_template};
use crate::testing::{Place, SeededRng, Traffic, World, random_template};

/// Rows of random templates, and a query.
struct Example {
    slots: usize,
    dimensions: usize,
    blocks: [Vec<u16>; 3],
    query: [TemplateShare; 3],
}

impl Example {
    fn new(slots: usize, dimensions: usize, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let mut blocks = [(); 3].map(|()| vec![0; slots.div_ceil(SLOTS_PER_BLOCK) * block_numbers(dimensions)]);
        for slot in 0..slots {
            let shares = share_template(&random_template(dimensions, &mut rng), &mut rng).expect("a valid template");
            blocks.iter_mut().zip(&shares).for_each(|(blocks, share)| write_slot(blocks, slot, &share.to_row()));
        }
        let query = share_template(&random_template(dimensions, &mut rng), &mut rng).expect("a valid template");
        Self { slots, dimensions, blocks, query }
    }

    fn rows(&self, party: PartyId) -> RowsView<'_> {
        RowsView::new(&self.blocks[party.index()], self.dimensions)
    }

    fn seal(&self, world: &World) -> [(SealedMac, Traffic); 3] {
        world.run(|session| seal(session, self.rows(session.party()), self.slots).expect("an honest run"))
    }

    /// Reshares the scores and checks them; `change` may alter a party's parts of the scores, and then of v.
    fn check(&self, world: &World, macs: &[SealedMac; 3], change: impl Fn(PartyId, Change<'_>) + Sync) -> [Result<(), Error>; 3] {
        let results = world.run(|session| {
            let party = session.party();
            let query = self.query[party.index()].prepare_query(party);
            let mut scores = vec![0; self.rows(party).slots()];
            scan(Kernel::best(), &[&query], self.rows(party), &mut [&mut scores]);
            scores.truncate(self.slots);
            change(party, Change::Scores(&mut scores));
            let scores = reshare_16(session, scores)?;
            let mut circuit = Circuit::new(session, Verification::On);
            let mut values = [0; REPETITIONS];
            macs[party.index()].add_values(&mut values, &scores.own, &scores.next, &query);
            change(party, Change::Values(&mut values));
            let test = Test::begin(session, &values);
            let (_, came) = reshare_along(session, vec![], &test.along, test.expected)?;
            let answer = test.answer(session, &came);
            let (_, came) = reshare_along(session, vec![], &answer.along, answer.expected)?;
            answer.finish(&mut circuit, came);
            circuit.check(session)
        });
        results.map(|(result, _)| result)
    }
}

enum Change<'a> {
    Scores(&'a mut [u16]),
    Values(&'a mut [u16]),
}

fn unchanged(_: PartyId, _: Change<'_>) {}

#[test]
fn honest_scores_pass_the_check_also_with_a_mac_from_its_bytes() {
    for (slots, dimensions, seed) in [(1, 2, 1), (16, 128, 2), (17, 8, 3), (65, 16, 4), (200, 128, 5)] {
        let example = Example::new(slots, dimensions, seed);
        let sealed = example.seal(&World::new(seed));
        for (_, traffic) in &sealed {
            assert_eq!((traffic.bytes(), traffic.rounds), (2 * REPETITIONS * dimensions, 1));
        }
        let macs = sealed.map(|(mac, _)| mac);
        let again = macs.each_ref().map(|mac| SealedMac::from_bytes(&mac.to_bytes(), slots, dimensions).expect("its bytes"));
        for (macs, seed) in [(&macs, 10), (&again, 11), (&macs, 12)] {
            assert_eq!(example.check(&World::new(seed), macs, unchanged), [Ok(()); 3]);
        }
        assert_eq!((macs[0].slots(), macs[0].dimensions()), (slots, dimensions));
    }
}

/// Y, from each two of the three points, is the sum of the rows that the three components of the coefficients say.
#[test]
fn the_sealed_sums_lie_on_lines_through_the_combined_rows() {
    let example = Example::new(40, 6, 20);
    let macs = example.seal(&World::new(20)).map(|(mac, _)| mac);
    for party in PartyId::ALL {
        assert_eq!(macs[party.index()].seeds[1], macs[party.next().index()].seeds[0]);
    }
    let at_zero = |numbers: &dyn Fn(PartyId) -> Vec<u16>, pair: [PartyId; 2]| {
        let mut sum = vec![0; numbers(pair[0]).len()];
        pair.into_iter().for_each(|party| add_multiple(&mut sum, ring::lagrange_at_zero(party, &pair), &numbers(party)));
        sum
    };
    let pairs = [[PartyId::P1, PartyId::P2], [PartyId::P2, PartyId::P3], [PartyId::P1, PartyId::P3]];
    let rows: Vec<Vec<u16>> = (0..40).map(|slot| at_zero(&|party| example.rows(party).read(slot).as_slice().to_vec(), pairs[0])).collect();
    let mut expected = vec![0_u16; REPETITIONS * 6];
    for mac in &macs {
        for (repetition, mask) in mac.coefficients(0).repetitions().into_iter().enumerate() {
            for (_, row) in rows.iter().enumerate().filter(|(slot, _)| mask[slot / 64] >> (slot % 64) & 1 == 1) {
                expected[6 * repetition..][..6].iter_mut().zip(row).for_each(|(sum, feature)| *sum = sum.wrapping_add(*feature));
            }
        }
    }
    for pair in pairs {
        assert_eq!(at_zero(&|party| macs[party.index()].sums.clone(), pair), expected);
    }
}

#[test]
fn one_altered_score_is_a_mac_mismatch_whoever_alters_it_and_however_little() {
    let example = Example::new(100, 16, 30);
    let macs = example.seal(&World::new(30)).map(|(mac, _)| mac);
    for liar in PartyId::ALL {
        for (slot, error) in [(0, 1_u16), (99, 0x8000), (50, 0xffff), (7, 2_000)] {
            let results = example.check(&World::new(31), &macs, |party, change| {
                if let (true, Change::Scores(scores)) = (party == liar, change) {
                    scores[slot] = scores[slot].wrapping_add(error);
                }
            });
            assert_eq!(results, [Err(Error::MacMismatch); 3]);
        }
    }
}

/// Errors that add up to nothing, so that a check with equal coefficients would not see them.
#[test]
fn errors_that_cancel_are_a_mac_mismatch() {
    let example = Example::new(100, 16, 32);
    let macs = example.seal(&World::new(32)).map(|(mac, _)| mac);
    for seed in 0..20 {
        let results = example.check(&World::new(seed), &macs, |party, change| {
            if let (PartyId::P2, Change::Scores(scores)) = (party, change) {
                scores[3] = scores[3].wrapping_add(500);
                scores[90] = scores[90].wrapping_sub(500);
            }
        });
        assert_eq!(results, [Err(Error::MacMismatch); 3]);
    }
}

/// Party 1 alters a score on its way to party 3 and takes `guess` times the error out of its part of v: what is left is the
/// error times component 3 of the coefficients, which parties 2 and 3 alone hold.
fn take_error_back(guess: impl Fn(usize, &SealedMac) -> u16 + Sync) -> [Result<(), Error>; 3] {
    const ERROR: u16 = 1_000;
    let example = Example::new(64, 8, 33);
    let macs = example.seal(&World::new(33)).map(|(mac, _)| mac);
    let world = World::new(34).tamper(|place: Place, messages| {
        if (place.from, place.to, place.index) == (PartyId::P1, PartyId::P3, 0) {
            let number = u16::from_le_bytes([messages[0][0], messages[0][1]]).wrapping_add(ERROR);
            messages[0][..2].copy_from_slice(&number.to_le_bytes());
        }
    });
    example.check(&world, &macs, |party, change| {
        if let (PartyId::P1, Change::Values(values)) = (party, change) {
            for (repetition, value) in values.iter_mut().enumerate() {
                *value = value.wrapping_sub(ERROR.wrapping_mul(guess(repetition, &macs[2])));
            }
        }
    })
}

/// With public coefficients the check would be worth nothing: whoever knows them passes.
#[test]
fn an_error_can_be_taken_back_only_by_whoever_knows_the_third_component() {
    let known = |repetition: usize, of_party_3: &SealedMac| (of_party_3.coefficients(0).repetitions()[repetition][0] & 1) as u16;
    let [_, second, third] = take_error_back(known);
    assert_eq!((second, third), (Ok(()), Ok(())), "this test's cheat must work against the defect");
    for guess in [0, 1] {
        let [_, second, third] = take_error_back(|_, _| guess);
        assert_eq!((second, third), (Err(Error::MacMismatch), Err(Error::MacMismatch)));
    }
    let all_but_one = |repetition, of_party_3: &SealedMac| known(repetition, of_party_3) ^ u16::from(repetition == 17);
    let [_, second, third] = take_error_back(all_but_one);
    assert_eq!((second, third), (Err(Error::MacMismatch), Err(Error::MacMismatch)));
}

/// Party 3 holds v_3; with `v_1 + v_2` it would know v.
#[test]
fn party_3_does_not_see_what_party_1_compares_with() {
    let results = World::new(35).run(|session| {
        let test = Test::begin(session, &[7; REPETITIONS]);
        let own = test.own.clone();
        let (_, came) = reshare_along(session, vec![], &test.along, test.expected).expect("an honest run");
        let answer = test.answer(session, &came);
        let (_, came) = reshare_along(session, vec![], &answer.along, answer.expected).expect("an honest run");
        (own, came)
    });
    let sum = results[0].0.0.iter().zip(results[1].0.0.iter()).map(|(first, second)| first.wrapping_add(*second));
    let seen = &results[2].0.1;
    assert_eq!(seen.len(), PACKED);
    assert!(packed(sum).iter().zip(seen.iter()).all(|(sum, seen)| sum != seen));
}

#[test]
fn a_mac_of_other_rows_fails() {
    let (example, other) = (Example::new(30, 8, 40), Example::new(30, 8, 41));
    let macs = other.seal(&World::new(40)).map(|(mac, _)| mac);
    assert_eq!(example.check(&World::new(41), &macs, unchanged), [Err(Error::MacMismatch); 3]);
}

/// A party that cheats while a MAC is made spoils it; it is noticed, and what is sent is as random as ever.
#[test]
fn a_mac_spoiled_while_it_was_made_fails() {
    let example = Example::new(30, 8, 50);
    for liar in PartyId::ALL {
        let world = World::new(50).tamper(move |place, messages| {
            if place.from == liar {
                messages[0][16] ^= 4;
            }
        });
        let macs = example.seal(&world).map(|(mac, _)| mac);
        assert_eq!(example.check(&World::new(51), &macs, unchanged), [Err(Error::MacMismatch); 3]);
    }
}

#[test]
fn every_bit_sent_while_sealing_is_a_fair_coin() {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let example = Example::new(3, 2, 60);
    let mut ones: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    for seed in 0..RUNS {
        for (ones, (_, traffic)) in ones.iter_mut().zip(example.seal(&World::new(seed))) {
            let bytes = traffic.to_previous.concat();
            ones.resize(8 * bytes.len(), 0);
            ones.iter_mut().enumerate().for_each(|(at, ones)| *ones += u32::from(bytes[at / 8] >> (at % 8) & 1));
        }
    }
    assert!(ones.iter().flatten().all(|ones| fair.contains(ones)));
}

#[test]
fn bytes_of_another_length_are_refused() {
    let expected = 64 + 2 * REPETITIONS * 4;
    for found in [0, 1, expected - 1, expected + 1] {
        assert_eq!(SealedMac::from_bytes(&vec![0; found], 10, 4).err(), Some(Error::ShareLength { expected, found }));
    }
    for features in [0, 3, 1026] {
        assert_eq!(SealedMac::from_bytes(&[], 10, features).err(), Some(Error::DimensionsInvalid { features }));
    }
}
