//! The whole identification against its ideal: every coincidence of matches, sizes around a word, traffic, messages.

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::Stage;
use mpc::protocol::identify::{OutputShare, Records, Resolution, Thresholds, bytes_sent, ideal, identify, resolve, rounds};
use mpc::share::share_template;
use mpc::testing::{SeededRng, Traffic, random_template, run_three};
use mpc::token::{Token, TokenShare, share_token};

/// Three parties' galleries.
struct World {
    query: Vec<i16>,
    templates: Vec<Vec<i16>>,
    tokens: Vec<Token>,
    matrices: [Vec<u16>; 3],
    token_shares: [Vec<TokenShare>; 3],
}

impl World {
    fn new(query: Vec<i16>, templates: Vec<Vec<i16>>, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let mut world =
            Self { query, templates, tokens: vec![], matrices: [vec![], vec![], vec![]], token_shares: [vec![], vec![], vec![]] };
        for at in 0..world.templates.len() {
            let token =
                (1 + u128::from(seed) * 1_000_003 + at as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes();
            world.tokens.push(token);
            let shares = share_template(&world.templates[at], &mut rng).expect("a valid template");
            for (party, token_share) in share_token(&token, &mut rng).into_iter().enumerate() {
                world.matrices[party].extend_from_slice(shares[party].to_row().as_slice());
                world.token_shares[party].push(token_share);
            }
        }
        world
    }

    /// Runs the protocol over `rows` and gives the resolution and each party's output and traffic.
    ///
    /// The query is always split alike; only the parties' common randomness comes from `seed`.
    fn run(&self, rows: &[u32], thresholds: Thresholds, seed: u64) -> (Result<Resolution, Error>, [(OutputShare, Traffic); 3]) {
        let query = share_template(&self.query, &mut SeededRng::new(1)).expect("a valid template");
        let results = run_three(seed, |session| {
            let party = session.party();
            let records = Records { shares: &self.matrices[party.index()], tokens: &self.token_shares[party.index()], rows };
            let mut stages = vec![];
            let output =
                identify(session, &query[party.index()].prepare_query(party), records, thresholds, &mut |stage| stages.push(stage));
            assert_eq!(stages, if rows.is_empty() { vec![Stage::Scan] } else { Stage::ALL.to_vec() });
            output.expect("no network error")
        });
        (resolve(&results.each_ref().map(|(output, _)| *output)), results)
    }

    fn check(&self, rows: &[u32], thresholds: Thresholds, seed: u64) {
        let (resolution, results) = self.run(rows, thresholds, seed);
        let records = rows.iter().map(|row| (&self.templates[*row as usize][..], self.tokens[*row as usize]));
        assert!(resolution == Ok(ideal::identify(&self.query, records, thresholds)), "another decision than in the clear, seed {seed}");
        for (party, (_, traffic)) in PartyId::ALL.into_iter().zip(&results) {
            assert_eq!(traffic.bytes(), bytes_sent(party, rows.len()), "{party}, {} records", rows.len());
        }
        assert_eq!(results.iter().map(|(_, traffic)| traffic.rounds).max(), Some(rounds(rows.len())));
    }
}

/// Against this query, [`record_scoring`] makes a record with any score from -10,000 to 10,000.
const QUERY: [i16; 4] = [100, 1, 0, 0];

fn record_scoring(score: i16) -> Vec<i16> {
    vec![score.div_euclid(100), score.rem_euclid(100), 0, 0]
}

fn thresholds() -> Thresholds {
    Thresholds::new(8000, 7000).expect("valid thresholds")
}

fn check_scores(scores: &[i16], seed: u64) {
    let world = World::new(QUERY.to_vec(), scores.iter().map(|score| record_scoring(*score)).collect(), seed);
    world.check(&(0..scores.len() as u32).collect::<Vec<u32>>(), thresholds(), seed);
}

#[test]
fn every_coincidence_of_scores_around_the_thresholds() {
    let around = [-10_000, 0, 6_999, 7_000, 7_999, 8_000, 10_000];
    for (seed, first) in around.into_iter().enumerate() {
        check_scores(&[first], seed as u64);
        for second in around {
            check_scores(&[first, second], seed as u64);
            for third in around {
                check_scores(&[first, second, third], seed as u64);
            }
        }
    }
}

#[test]
fn galleries_around_a_word_with_nobody_one_two_or_all_near() {
    for count in [0, 1, 63, 64, 65, 129, 1000] {
        let background: Vec<i16> = (0..count).map(|at| (at * 13 % 13_900) as i16 - 7_000).collect();
        check_scores(&background, 100);
        check_scores(&vec![10_000; count], 101);
        check_scores(&vec![7_500; count], 102);
        let places = [0, count / 2, count.saturating_sub(2), count.saturating_sub(1)];
        for first in places.into_iter().filter(|place| *place < count) {
            for second in places.into_iter().filter(|place| *place < count) {
                let mut scores = background.clone();
                scores[first] = 8_000;
                check_scores(&scores, 103);
                scores[second] = 7_000;
                check_scores(&scores, 104);
            }
        }
    }
}

#[test]
fn real_dimensions_with_the_enrolled_and_with_a_stranger() {
    let mut rng = SeededRng::new(200);
    let templates: Vec<Vec<i16>> = (0..300).map(|_| random_template(128, &mut rng)).collect();
    let all: Vec<u32> = (0..300).collect();
    for person in [0, 63, 64, 299] {
        World::new(templates[person].clone(), templates.clone(), 201).check(&all, thresholds(), 202);
    }
    World::new(random_template(128, &mut rng), templates, 203).check(&all, thresholds(), 204);
}

#[test]
fn the_longest_templates_do_not_wrap() {
    let longest = vec![132, 13, 2, 1];
    let opposite: Vec<i16> = longest.iter().map(|feature: &i16| -feature).collect();
    for thresholds in [Thresholds::new(13_600, 13_600), Thresholds::new(13_600, 129), Thresholds::new(129, 129)] {
        let world = World::new(longest.clone(), vec![longest.clone(), opposite.clone()], 300);
        for rows in [&[0][..], &[1], &[0, 1], &[1, 1], &[0, 0]] {
            world.check(rows, thresholds.expect("valid thresholds"), 301);
        }
    }
}

#[test]
fn only_the_named_rows_are_searched() {
    let scores = [9_000, 100, 9_000, 200];
    let world = World::new(QUERY.to_vec(), scores.map(record_scoring).to_vec(), 400);
    for rows in [&[][..], &[1, 3], &[0], &[3, 2, 1], &[0, 2]] {
        world.check(rows, thresholds(), 401);
    }
}

#[test]
fn thresholds_outside_their_range_are_refused() {
    for (accept, ambiguous) in [(0, 0), (128, 128), (500, 501), (13_601, 500), (-1, -2), (i32::MAX, 500)] {
        assert_eq!(Thresholds::new(accept, ambiguous), Err(Error::ThresholdsInvalid));
    }
}

#[test]
fn output_shares_that_contradict_one_another_release_nothing() {
    let zero = OutputShare { token: [0; 16], ambiguous: false };
    let ambiguous = OutputShare { token: [0; 16], ambiguous: true };
    let token = OutputShare { token: [9; 16], ambiguous: false };
    assert!(resolve(&[zero, zero, zero]) == Ok(Resolution::None));
    assert!(resolve(&[zero, token, zero]) == Ok(Resolution::Token([9; 16])));
    assert!(resolve(&[zero, zero, ambiguous]) == Ok(Resolution::Ambiguous));
    assert!(resolve(&[token, zero, ambiguous]) == Err(Error::ResultInconsistent));
}

/// Every bit that a party sends or hands out is 0 as often as 1 over runs with the same shares and the same result, in
/// which only the masks differ: a message that lacks its mask would be the same each time.
#[test]
fn every_bit_of_every_message_and_output_is_a_fair_coin() {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let world = World::new(QUERY.to_vec(), [100, 9_000, 200].map(record_scoring).to_vec(), 500);
    let mut ones: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    for seed in 0..RUNS {
        for (ones, (output, traffic)) in ones.iter_mut().zip(world.run(&[0, 1, 2], thresholds(), seed).1) {
            let outputs = [&output.token[..], &[if output.ambiguous { 0xff } else { 0 }]].concat();
            let bytes = [traffic.to_next.concat(), traffic.to_previous.concat(), outputs].concat();
            ones.resize(8 * bytes.len(), 0);
            for (at, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(bytes[at / 8] >> (at % 8) & 1);
            }
        }
    }
    for (party, ones) in PartyId::ALL.into_iter().zip(ones) {
        assert_eq!(ones.len(), 8 * (bytes_sent(party, 3) + 17));
        for (at, ones) in ones.into_iter().enumerate() {
            assert!(fair.contains(&ones), "{party}, bit {at}: 1 in {ones} of {RUNS} runs");
        }
    }
}
