//! Splitting templates: reconstruction, inner products on shares, what bytes are refused, what a share gives away.

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::identify::ideal;
use mpc::share::{DIMENSIONS_MAX, TemplateShare, reconstruct, share_template};
use mpc::testing::{SeededRng, random_template};
use proptest::prelude::*;

/// Three parties' inner products on shares, added up.
fn shared_score(query: &[i16], record: &[i16], seed: u64) -> u16 {
    let mut rng = SeededRng::new(seed);
    let query = share_template(query, &mut rng).expect("a valid template");
    let record = share_template(record, &mut rng).expect("a valid template");
    PartyId::ALL
        .into_iter()
        .map(|party| query[party.index()].prepare_query(party).inner_product(record[party.index()].as_row()))
        .fold(0, u16::wrapping_add)
}

#[test]
fn the_longest_templates_score_exactly() {
    let longest = [132, 13, 2, 1];
    let opposite = longest.map(|feature: i16| -feature);
    for (query, record) in [(longest, longest), (longest, opposite), (opposite, opposite), ([0; 4], longest), ([0; 4], [0; 4])] {
        assert_eq!(i32::from(shared_score(&query, &record, 1) as i16), ideal::score(&query, &record));
    }
    assert_eq!(ideal::score(&longest, &longest), mpc::share::NORM_SQUARED_MAX);
}

proptest! {
    #[test]
    fn three_inner_products_add_up_to_the_score(seed in any::<u64>(), pairs in 1..=DIMENSIONS_MAX / 2) {
        let mut rng = SeededRng::new(seed);
        let (query, record) = (random_template(2 * pairs, &mut rng), random_template(2 * pairs, &mut rng));
        prop_assert_eq!(i32::from(shared_score(&query, &record, seed) as i16), ideal::score(&query, &record));
    }

    #[test]
    fn any_two_parties_give_the_template_back(seed in any::<u64>(), features in proptest::collection::vec((-11_i16..=11, -11_i16..=11), 1..=64)) {
        let template: Vec<i16> = features.into_iter().flat_map(|(a, b)| [a, b]).collect();
        let shares = share_template(&template, &mut SeededRng::new(seed)).expect("a valid template");
        for first in PartyId::ALL {
            for second in [first.next(), first.previous()] {
                let whole = reconstruct((first, &shares[first.index()]), (second, &shares[second.index()])).expect("equal lengths");
                prop_assert_eq!(&*whole, &template);
            }
        }
    }

    #[test]
    fn bytes_are_a_share_only_at_the_right_length(len in 0..600_usize, dimensions in 0..260_usize) {
        let shape = TemplateShare::from_bytes(&vec![7; len], dimensions);
        let valid = dimensions > 0 && dimensions % 2 == 0;
        let expected = match (valid, len == 2 * dimensions) {
            (false, _) => Err(Error::DimensionsInvalid { features: dimensions }),
            (true, false) => Err(Error::ShareLength { expected: 2 * dimensions, found: len }),
            (true, true) => Ok(vec![7; len]),
        };
        prop_assert_eq!(shape.map(|share| share.to_bytes().to_vec()), expected);
    }
}

#[test]
fn templates_that_cannot_be_shared_are_refused() {
    let mut rng = SeededRng::new(2);
    for (features, error) in [
        (vec![], Error::DimensionsInvalid { features: 0 }),
        (vec![1], Error::DimensionsInvalid { features: 1 }),
        (vec![0; DIMENSIONS_MAX + 2], Error::DimensionsInvalid { features: DIMENSIONS_MAX + 2 }),
        (vec![132, 14], Error::NormTooLarge),
        (vec![i16::MIN, i16::MIN], Error::NormTooLarge),
    ] {
        assert_eq!(share_template(&features, &mut rng).map(|_| ()), Err(error));
    }
    share_template(&vec![0; DIMENSIONS_MAX], &mut rng).expect("the most features that are allowed");
}

/// Pearson's chi-squared over the 256 values of a byte: 255 degrees of freedom, mean 255, standard deviation 22.6.
/// A uniform source is outside 255 ± 6 deviations less than once in a hundred million tables.
fn chi_squared_of_bytes(bytes: impl Iterator<Item = u8>) -> f64 {
    let mut counts = [0_u64; 256];
    bytes.for_each(|byte| counts[usize::from(byte)] += 1);
    let expected = counts.iter().sum::<u64>() as f64 / 256.0;
    assert!(expected >= 30.0, "too few bytes to tell");
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

#[test]
fn one_partys_share_of_the_same_template_is_uniform() {
    let mut rng = SeededRng::new(3);
    let template = random_template(128, &mut rng);
    let shares: Vec<[TemplateShare; 3]> = (0..200).map(|_| share_template(&template, &mut rng).expect("a valid template")).collect();
    for party in PartyId::ALL {
        for byte_of_number in 0..2 {
            let bytes = shares
                .iter()
                .flat_map(|shares| shares[party.index()].to_bytes().iter().copied().skip(byte_of_number).step_by(2).collect::<Vec<u8>>());
            let statistic = chi_squared_of_bytes(bytes);
            assert!((119.0..=391.0).contains(&statistic), "{party}, byte {byte_of_number}: {statistic}");
        }
    }
    // The same measure must see a template that is not shared.
    let plain = (0..200).flat_map(|_| template.iter().flat_map(|feature| feature.to_le_bytes()).collect::<Vec<u8>>());
    assert!(chi_squared_of_bytes(plain) > 10_000.0);
}

#[test]
fn debug_shows_nothing() {
    let shares = share_template(&[1, 2], &mut SeededRng::new(4)).expect("a valid template");
    assert_eq!(format!("{:?}", shares[0]), "TemplateShare[hidden]");
    assert_eq!(format!("{:?}", shares[0].prepare_query(PartyId::P1)), "PreparedQuery[hidden]");
}
