use super::super::conclude::{conclude, resolve};
use super::super::identify::Resolution;
use super::*;
use crate::kernel::Kernel;
use crate::layout::{block_numbers, write_slot};
use crate::scan::scan;
use crate::share::share_template;
use crate::testing::{SeededRng, World};
use base::party::PartyId;

const QUERY: [i16; 4] = [126, 16, 1, 0];

fn record_scoring(score: i16) -> [i16; 4] {
    let rest = score.rem_euclid(126);
    [score.div_euclid(126), rest / 16, rest % 16, 0]
}

fn token_of(slot: usize) -> Token {
    [slot as u8 + 1; 16]
}

/// A search of records of these scores in one chunk in which `liar` flips the match bits of `slots`, and goes on as if that
/// had been the comparison's result: the best that it can do with a product of the comparison.
fn search_with_flipped_bits(scores: &[i16], liar: PartyId, slots: &[usize]) -> Result<Resolution, Error> {
    let mut rng = SeededRng::new(1);
    let mut blocks = [(); 3].map(|()| vec![0; scores.len().div_ceil(16) * block_numbers(4)]);
    for (slot, score) in scores.iter().enumerate() {
        let shares = share_template(&record_scoring(*score), &mut rng).expect("a valid template");
        blocks.iter_mut().zip(&shares).for_each(|(blocks, share)| write_slot(blocks, slot, &share.to_row()));
    }
    let tokens: Vec<Token> = (0..scores.len()).map(token_of).collect();
    let query = share_template(&QUERY, &mut rng).expect("a valid template");
    let thresholds = Thresholds::new(8_000, 7_000).expect("valid thresholds");
    let results = World::new(2).run(|session| {
        let party = session.party();
        let rows = RowsView::new(&blocks[party.index()], 4);
        let query = query[party.index()].prepare_query(party);
        let mut scores = vec![0; rows.slots()];
        scan(Kernel::best(), &[&query], rows, &mut [&mut scores]);
        scores.truncate(tokens.len());
        let parts = [Part { tokens: &tokens, rows, mac: None }];
        let input =
            ChunkInput { number: 0, scores: vec![], parts: &parts, variants: 1, query: &query, thresholds, verification: Verification::On };
        let scores = reshare_16(session, scores)?;
        let mut near = compare::near(session, &scores, thresholds.ambiguous())?;
        // The liar's component, at itself and at the party before it.
        for slot in slots {
            let flip = 1 << (slot % 64);
            if party == liar {
                near.own[slot / 64] ^= flip;
            }
            if party.next() == liar {
                near.next[slot / 64] ^= flip;
            }
        }
        let values = mac_values(session, &input, &scores)?;
        let outcome = selected(session, &input, scores, &near, &values, &mut |_| ())?;
        conclude(session, &[outcome], thresholds, Verification::On)
    });
    let outputs = results.map(|(output, _)| output);
    let [first, second, third] = outputs;
    resolve(&[first?, second?, third?])
}

#[test]
fn a_stranger_whose_match_bit_is_forced_to_1_gets_no_token() {
    for liar in PartyId::ALL {
        for score in [-14_000, 0, 6_000, 6_900, 7_999] {
            let mut scores = vec![-3_000; 100];
            scores[70] = score;
            assert!(search_with_flipped_bits(&scores, liar, &[70]) == Ok(Resolution::None), "{liar} {score}");
        }
    }
}

#[test]
fn forcing_match_bits_hides_people_or_makes_them_ambiguous_and_nothing_else() {
    let mut scores = vec![-3_000; 100];
    scores[70] = 9_000;
    for liar in PartyId::ALL {
        assert!(search_with_flipped_bits(&scores, liar, &[]) == Ok(Resolution::Token(token_of(70))));
        assert!(search_with_flipped_bits(&scores, liar, &[70]) == Ok(Resolution::None));
        for others in [&[71][..], &[0], &[6], &[99], &[0, 1], &[6, 7, 8]] {
            assert!(search_with_flipped_bits(&scores, liar, others) == Ok(Resolution::Ambiguous));
        }
        // Hiding the one and naming another.
        assert!(search_with_flipped_bits(&scores, liar, &[70, 71]) == Ok(Resolution::None));
    }
    // The gap that tier 3 would close: hiding the second of two.
    scores[3] = 8_500;
    assert!(search_with_flipped_bits(&scores, PartyId::P1, &[]) == Ok(Resolution::Ambiguous));
    assert!(search_with_flipped_bits(&scores, PartyId::P1, &[3]) == Ok(Resolution::Token(token_of(70))));
}
