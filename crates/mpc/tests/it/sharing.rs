//! Splitting templates: reconstruction, inner products on shares, what bytes are refused, what a share gives away.

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::identify::ideal;
use mpc::share::{DIMENSIONS_MAX, ROW_BYTES, Row, SHARE_BYTES, TemplateShare, reconstruct, reconstruct_rows, share_template};
use mpc::testing::{SeededRng, random_template};
use proptest::prelude::*;

/// Three parties' inner products on shares, added up.
fn shared_score(query: &[i16], record: &[i16], seed: u64) -> u16 {
    let mut rng = SeededRng::new(seed);
    let query = share_template(query, &mut rng).expect("a valid template");
    let record = share_template(record, &mut rng).expect("a valid template");
    PartyId::ALL
        .into_iter()
        .map(|party| query[party.index()].prepare_query(party).inner_product(record[party.index()].to_row().as_slice()))
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
    fn the_parts_of_the_norm_and_of_every_feature_add_up_modulo_2_to_the_32(seed in any::<u64>(), pairs in 1..=DIMENSIONS_MAX / 2) {
        let mut rng = SeededRng::new(seed);
        let template = random_template(2 * pairs, &mut rng);
        let shares = share_template(&template, &mut rng).expect("a valid template");
        let norm = PartyId::ALL.iter().fold(0_u32, |sum, party| sum.wrapping_add(shares[party.index()].norm_part(*party)));
        prop_assert_eq!(norm as i32, ideal::score(&template, &template));
        let parts = PartyId::ALL.map(|party| shares[party.index()].feature_parts(party));
        for (at, feature) in template.iter().enumerate() {
            let sum = parts.iter().fold(0_u32, |sum, parts| sum.wrapping_add(parts[at]));
            prop_assert_eq!(sum as i32, i32::from(*feature));
        }
    }

    #[test]
    fn any_two_parties_give_the_template_back(seed in any::<u64>(), features in proptest::collection::vec((-11_i16..=11, -11_i16..=11), 1..=64)) {
        let template: Vec<i16> = features.into_iter().flat_map(|(a, b)| [a, b]).collect();
        let shares = share_template(&template, &mut SeededRng::new(seed)).expect("a valid template");
        for first in PartyId::ALL {
            for second in [first.next(), first.previous()] {
                let whole = reconstruct((first, &shares[first.index()]), (second, &shares[second.index()])).expect("equal lengths");
                prop_assert_eq!(&*whole, &template);
                let (one, other) = (shares[first.index()].to_row(), shares[second.index()].to_row());
                let whole = reconstruct_rows((first, &one), (second, &other)).expect("equal lengths");
                prop_assert_eq!(&*whole, &template);
            }
        }
    }

    #[test]
    fn bytes_are_a_share_or_a_row_only_at_the_right_length(len in 0..1200_usize, dimensions in 0..260_usize) {
        let bytes = vec![7; len];
        let expected = |bytes_per_feature| match (dimensions > 0 && dimensions % 2 == 0, len == bytes_per_feature * dimensions) {
            (false, _) => Err(Error::DimensionsInvalid { features: dimensions }),
            (true, false) => Err(Error::ShareLength { expected: bytes_per_feature * dimensions, found: len }),
            (true, true) => Ok(bytes.clone()),
        };
        prop_assert_eq!(TemplateShare::from_bytes(&bytes, dimensions).map(|share| share.to_bytes().to_vec()), expected(SHARE_BYTES));
        prop_assert_eq!(Row::from_bytes(&bytes, dimensions).map(|row| row.to_bytes().to_vec()), expected(ROW_BYTES));
    }

    #[test]
    fn bytes_of_a_share_or_a_row_come_back(seed in any::<u64>(), pairs in 1..=DIMENSIONS_MAX / 2) {
        let mut rng = SeededRng::new(seed);
        let [share, ..] = share_template(&random_template(2 * pairs, &mut rng), &mut rng).expect("a valid template");
        prop_assert!(TemplateShare::from_bytes(&share.to_bytes(), 2 * pairs) == Ok(share.clone()));
        let row = share.to_row();
        prop_assert!(Row::from_bytes(&row.to_bytes(), 2 * pairs) == Ok(row.clone()));
        prop_assert!(Row::from_numbers(row.as_slice().to_vec()) == Ok(row));
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
        for byte_of_number in 0..SHARE_BYTES {
            let bytes = shares.iter().flat_map(|shares| {
                shares[party.index()].to_bytes().iter().copied().skip(byte_of_number).step_by(SHARE_BYTES).collect::<Vec<u8>>()
            });
            let statistic = chi_squared_of_bytes(bytes);
            assert!((119.0..=391.0).contains(&statistic), "{party}, byte {byte_of_number}: {statistic}");
        }
    }
    // The same measure must see a template that is not shared.
    let plain = (0..200).flat_map(|_| template.iter().map(|feature| *feature as u8).collect::<Vec<u8>>());
    assert!(chi_squared_of_bytes(plain) > 10_000.0);
}

#[test]
fn debug_shows_nothing() {
    let shares = share_template(&[1, 2], &mut SeededRng::new(4)).expect("a valid template");
    assert_eq!(format!("{:?}", shares[0]), "TemplateShare[hidden]");
    assert_eq!(format!("{:?}", shares[0].to_row()), "Row[hidden]");
    assert_eq!(format!("{:?}", shares[0].prepare_query(PartyId::P1)), "PreparedQuery[hidden]");
}
