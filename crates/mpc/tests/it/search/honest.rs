//! Honest runs agree with the ideal, in both modes, with MACs made before and in the run.

use std::time::Duration;

use mpc::error::Error;
use mpc::protocol::conclude::OutputShare;
use mpc::protocol::identify::{Resolution, Thresholds};
use mpc::protocol::mac::REPETITIONS;
use mpc::protocol::verified::Verification;
use mpc::protocol::{chunk, conclude, probe};
use mpc::testing::{SeededRng, World, random_template};
use rand_core::Rng;

use super::{Gallery, QUERY, near, record_scoring, thresholds};

/// Checks a gallery of these scores in every mode.
fn check_scores(scores: &[i16], part_slots: usize, seed: u64) {
    let gallery = Gallery::scoring(scores, part_slots, seed);
    for verification in [Verification::On, Verification::Off] {
        let mut search = gallery.search(&QUERY);
        search.verification = verification;
        search.check(&QUERY, seed);
    }
}

#[test]
fn every_coincidence_of_scores_around_the_thresholds() {
    let around = [-14_000, 0, 6_935, 6_936, 6_999, 7_000, 7_063, 7_064, 7_999, 8_000, 8_200, 14_000];
    for (seed, first) in around.into_iter().enumerate() {
        check_scores(&[first], 64, seed as u64);
        for second in around {
            check_scores(&[first, second], 64, 100 + seed as u64);
        }
    }
}

#[test]
fn three_coincide_within_a_word_a_part_a_chunk_and_across_chunks() {
    let around = [6_900, 7_500, 8_500];
    for places in [[0, 1, 2], [0, 63, 64], [5, 70, 200], [0, 128, 256], [3, 130, 131]] {
        for first in around {
            for second in around {
                for third in around {
                    let mut scores = vec![-3_000; 300];
                    places.into_iter().zip([first, second, third]).for_each(|(place, score)| scores[place] = score);
                    let gallery = Gallery::scoring(&scores, 128, 1);
                    let mut search = gallery.search(&QUERY);
                    search.parts_per_chunk = 2;
                    search.check(&QUERY, 2);
                }
            }
        }
    }
}

#[test]
fn galleries_around_words_and_rows_with_nobody_one_two_or_all_near() {
    for count in [0, 1, 15, 16, 17, 63, 64, 65, 1_023, 1_024, 1_025, 2_500] {
        let background: Vec<i16> = (0..count).map(|at| (at * 13 % 13_900) as i16 - 7_000).collect();
        check_scores(&background, 4096, 100);
        check_scores(&vec![14_000; count], 4096, 101);
        let places = [0, count / 2, count.saturating_sub(1)];
        for place in places.into_iter().filter(|place| *place < count) {
            let mut scores = background.clone();
            scores[place] = 8_300;
            check_scores(&scores, 4096, 103);
        }
    }
}

#[test]
fn many_chunks_and_parts_with_macs_made_before_or_in_the_run() {
    let mut rng = SeededRng::new(200);
    let templates: Vec<Vec<i16>> = (0..700).map(|_| random_template(128, &mut rng)).collect();
    let slots: Vec<Option<Vec<i16>>> = templates.iter().enumerate().map(|(at, template)| (at % 7 != 3).then(|| template.clone())).collect();
    let gallery = Gallery::new(slots, 128, |at| at as u64, 201);
    for parts_per_chunk in [1, 2, 6] {
        for sealed in [|_: usize| true, |_| false, |part| part % 2 == 0] {
            for person in [0, 127, 128, 699, 3] {
                let query = near(&templates[person], &mut rng);
                let mut search = gallery.search(&query).sealed(sealed, 202);
                search.parts_per_chunk = parts_per_chunk;
                search.check(&query, rng.next_u64());
            }
            let stranger = random_template(128, &mut rng);
            let mut search = gallery.search(&stranger);
            search.parts_per_chunk = parts_per_chunk;
            search.check(&stranger, 204);
        }
    }
}

#[test]
fn the_longest_templates_do_not_wrap() {
    let longest = vec![127, 38, 5, 0];
    let opposite: Vec<i16> = longest.iter().map(|feature: &i16| -feature).collect();
    for (accept, ambiguous) in [(13_600, 13_600), (13_600, 129), (129, 129)] {
        for slots in [vec![&longest], vec![&opposite], vec![&longest, &opposite], vec![&longest, &longest]] {
            let gallery = Gallery::new(slots.into_iter().map(|record| Some(record.clone())).collect(), 64, |at| at as u64, 300);
            let mut search = gallery.search(&longest);
            search.thresholds = Thresholds::new(accept, ambiguous).expect("valid thresholds");
            search.check(&longest, 301);
        }
    }
}

#[test]
fn a_record_with_several_near_variants_is_found_once() {
    // Two records of 64 to a run, three variants each.
    let mut scores = vec![-500; 3 * 64];
    let found = |scores: &[i16]| {
        let gallery = Gallery::new(scores.iter().map(|score| Some(record_scoring(*score))).collect(), 4096, |at| at as u64 % 64, 400);
        let mut search = gallery.search(&QUERY);
        search.variants = 3;
        search.thresholds = Thresholds::new(8_000, 8_000).expect("valid thresholds");
        let results = [Verification::On, Verification::Off].map(|verification| {
            search.verification = verification;
            search.resolution(401)
        });
        assert!(results[0] == results[1]);
        (results[0], gallery.tokens[5])
    };
    assert!(found(&scores).0 == Resolution::None);
    for near in [vec![5], vec![5 + 64], vec![5, 5 + 128], vec![5, 5 + 64, 5 + 128]] {
        scores.fill(-500);
        near.iter().for_each(|at| scores[*at] = 9_000);
        let (resolution, token) = found(&scores);
        assert!(resolution == Resolution::Token(token));
    }
    scores[6] = 9_000;
    assert!(found(&scores).0 == Resolution::Ambiguous);
    let gallery = Gallery::scoring(&[0; 64], 64, 402);
    let mut search = gallery.search(&QUERY);
    search.variants = 2;
    for (output, _) in search.run(&World::new(1)) {
        assert!(output == Err(Error::ThresholdsInvalid));
    }
}

#[test]
fn an_empty_gallery_finds_nobody_and_its_output_looks_like_any_other() {
    let gallery = Gallery::scoring(&[], 64, 500);
    let outputs = [1, 2].map(|seed| gallery.search(&QUERY).run(&World::new(seed)).map(|(output, _)| output.expect("an honest run")));
    assert!(gallery.search(&QUERY).resolution(1) == Resolution::None);
    for (first, second) in outputs[0].iter().zip(&outputs[1]) {
        assert!(first.to_bytes().iter().zip(second.to_bytes().iter()).filter(|(first, second)| first == second).count() < 8);
    }
}

#[test]
fn whatever_the_speeds_the_result_is_the_same() {
    let gallery = Gallery::scoring(&[100, 9_000, 200], 64, 600);
    let outputs = [1, 2, 3].map(|_| {
        let world = World::new(601).delays(Duration::from_micros(200));
        gallery.search(&QUERY).run(&world).map(|(output, _)| *output.expect("an honest run").to_bytes())
    });
    assert!(outputs[0] == outputs[1] && outputs[1] == outputs[2]);
}

#[test]
fn thresholds_outside_their_range_are_refused() {
    for (accept, ambiguous) in [(0, 0), (128, 128), (500, 128), (500, 501), (13_601, 500), (-1, -2), (i32::MAX, 500)] {
        assert_eq!(Thresholds::new(accept, ambiguous), Err(Error::ThresholdsInvalid));
    }
    assert!(Thresholds::new(129, 129).is_ok());
    assert_eq!(thresholds().accept(), 8_000);
}

#[test]
fn rounds_and_bytes_are_as_documented() {
    for count in [1, 64, 1_000, 1_025] {
        let gallery = Gallery::scoring(&vec![100; count], 4_096, 550);
        for (verification, sealed) in [(Verification::On, true), (Verification::On, false), (Verification::Off, false)] {
            let mut search = gallery.search(&QUERY).sealed(|_| sealed, 551);
            search.verification = verification;
            let sealing = verification == Verification::On && !sealed;
            let traffic = search.run(&World::new(552)).map(|(_, lanes)| lanes);
            for lanes in &traffic {
                let expected = chunk::bytes_sent(count, verification) + if sealing { 2 * REPETITIONS * 4 } else { 0 };
                assert_eq!(lanes[&1].bytes(), expected, "{count} slots");
            }
            let rounds = |lane| traffic.iter().map(|lanes| lanes[&lane].rounds).max();
            assert_eq!(rounds(1), Some(chunk::rounds(verification) + usize::from(sealing)));
            if verification == Verification::On {
                assert_eq!(rounds(0), Some(1 + probe::ROUNDS + conclude::ROUNDS));
                assert_eq!(traffic[0][&0].bytes(), 64 + probe::bytes_sent(4) + conclude::BYTES);
            }
        }
    }
}

/// The three elements that the resolver puts together.
fn opened(outputs: &[OutputShare; 3]) -> [u64; 3] {
    let own = |party: usize, at: usize| u64::from_le_bytes(outputs[party].to_bytes()[16 * at..16 * at + 8].try_into().expect("8 bytes"));
    [0, 1, 2].map(|at| own(0, at) ^ own(1, at) ^ own(2, at))
}

#[test]
fn an_ambiguous_output_is_random_and_an_unaccepted_one_is_zero() {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let run = |scores: &[i16], seed| {
        let gallery = Gallery::scoring(scores, 64, 560);
        opened(&gallery.search(&QUERY).run(&World::new(seed)).map(|(output, _)| output.expect("an honest run")))
    };
    assert_eq!(run(&[-100, 7_500, 300], 1), [0; 3]);
    assert_eq!(run(&[-100, 200, 300], 2), [0; 3]);
    let mut ones = vec![0; 192];
    for seed in 0..RUNS {
        let elements = run(&[9_000, 8_500, 300], seed);
        ones.iter_mut().enumerate().for_each(|(at, ones)| *ones += elements[at / 64] >> (at % 64) & 1);
    }
    assert!(ones.iter().all(|ones| fair.contains(ones)), "{ones:?}");
}

/// Every bit that a party sends before something is opened, or hands out, is 0 as often as 1 over runs with the same shares
/// and the same result, in which only the masks differ.
#[test]
fn every_bit_of_every_message_and_output_is_a_fair_coin() {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let gallery = Gallery::scoring(&[100, 9_000, 200], 64, 700);
    for sealed in [true, false] {
        let mut search = gallery.search(&QUERY).sealed(|_| sealed, 701);
        search.verification = if sealed { Verification::On } else { Verification::Off };
        let mut ones: [Vec<u32>; 3] = [vec![], vec![], vec![]];
        for seed in 0..RUNS {
            for (ones, (output, lanes)) in ones.iter_mut().zip(search.run(&World::new(seed))) {
                // What goes to the previous party on the chunk's lane; the check's end opens 0, of which each part is random too.
                let messages = lanes[&1].to_previous.concat();
                let bytes = [&messages[..], &output.expect("an honest run").to_bytes()[..]].concat();
                ones.resize(8 * bytes.len(), 0);
                for (at, ones) in ones.iter_mut().enumerate() {
                    *ones += u32::from(bytes[at / 8] >> (at % 8) & 1);
                }
            }
        }
        for (party, ones) in ones.into_iter().enumerate() {
            let unfair: Vec<usize> = ones.iter().enumerate().filter(|(_, ones)| !fair.contains(*ones)).map(|(at, _)| at).collect();
            assert!(unfair.is_empty(), "party {}, sealed {sealed}: {} bits of {}: {unfair:?}", party + 1, unfair.len(), ones.len());
        }
    }
}
