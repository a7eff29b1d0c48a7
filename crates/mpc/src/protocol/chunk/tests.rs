use super::super::conclude::{OutputShare, conclude, resolve};
use super::super::identify::Resolution;
use super::super::verified::lie::{self, Lie};
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

/// What a party does against the protocol.
#[derive(Clone, Copy)]
enum Cheat<'a> {
    /// It flips the match bits of these slots, and goes on as if that had been the comparison's result: the best that it can
    /// do with the comparison's products.
    FlipBits(&'a [usize]),
    /// It adds an error to a product of a circuit, and goes on with it.
    AlterProduct(Lie),
}

/// A search of records of these scores in one chunk, with a party that cheats: each party's output.
fn search(scores: &[i16], liar: PartyId, cheat: Cheat<'_>) -> [Result<OutputShare, Error>; 3] {
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
        match cheat {
            Cheat::FlipBits(slots) => slots.iter().for_each(|slot| flip(&mut near, party, liar, *slot)),
            Cheat::AlterProduct(lie) => lie::plan(Some(lie).filter(|_| party == liar)),
        }
        let values = mac_values(session, &input, &scores)?;
        let outcome = selected(session, &input, scores, &near, &values, &mut |_| ())?;
        let output = conclude(session, &[outcome], thresholds, Verification::On)?;
        assert!(lie::is_told(), "there is no such message");
        Ok(output)
    });
    results.map(|(output, _)| output)
}

/// Flips a bit in the liar's component, at itself and at the party before it.
fn flip(near: &mut Bits, party: PartyId, liar: PartyId, slot: usize) {
    let flip = 1 << (slot % 64);
    if party == liar {
        near.own[slot / 64] ^= flip;
    }
    if party.next() == liar {
        near.next[slot / 64] ^= flip;
    }
}

fn search_with_flipped_bits(scores: &[i16], liar: PartyId, slots: &[usize]) -> Result<Resolution, Error> {
    let [first, second, third] = search(scores, liar, Cheat::FlipBits(slots));
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

/// Words of the messages of a circuit over one row, in order: s_k with the parities' MACs, the sketch's MACs, the inner
/// products, the places, the check; then the conclusion's.
const MESSAGES: [usize; 14] = [3 + 1 + ROW_SCORE_WORDS + PLACES, 3, 14, 6, 2, 53, 34, 34, 28, 12, 8, 4, 4, 2];

#[test]
fn an_error_added_to_any_product_and_gone_on_with_fails_the_check() {
    let mut scores = vec![-3_000; 100];
    scores[70] = 7_500;
    for liar in PartyId::ALL {
        for (message, words) in MESSAGES.into_iter().enumerate() {
            // Of the many parities' MACs some.
            for word in (0..words).filter(|word| *word < 60 || word % 16 == 0) {
                for (party, output) in PartyId::ALL.into_iter().zip(search(&scores, liar, Cheat::AlterProduct(Lie { message, word }))) {
                    let is_noticed = matches!(output, Err(Error::CheckFailed | Error::MacMismatch | Error::PeerUnavailable { .. }));
                    assert!(is_noticed, "{party}, {liar} lies in message {message}, word {word}: {:?}", output.err());
                }
            }
        }
    }
}
