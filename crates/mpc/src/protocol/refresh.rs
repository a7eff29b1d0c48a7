//! Other shares of the same templates, so that a share stolen before is of no use with one stolen after.
//!
//! Source: A. Herzberg, S. Jarecki, H. Krawczyk, M. Yung, "Proactive secret sharing, or: how to cope with perpetual
//! leakage", CRYPTO 1995, for degree 1 and with a common seed instead of dealt polynomials.
//!
//! - Algebra: a row holds, per ring element, `f(x_i) = s + r x_i`. All parties draw the same `d` of the ring for it and hold
//!   `f(x_i) + d x_i = s + (r + d) x_i` from then on: the same secret, another line. `d` comes from a stream of the seed and
//!   the record's name, so it does not matter in which order records are taken, or whether one of them is missing.
//! - The seed is a coin ([`super::coin`]): no party can choose or foresee it.
//! - Rounds: 1 for the seed. Bytes: 64 sent per party. A row costs no message.
//! - Leaks: nothing about templates. Each party knows every `d` as long as it holds the seed (with one possible traitor of
//!   three it cannot be otherwise: `d x_i` is a multiple of `d`), so whoever copies a seed can carry an old share over to the
//!   new epoch. The caller wipes the seed before it answers, and destroys the old rows with their keys.
//! - Holds against: one curious party. A party that adds something else to its rows spoils them, as it can at any time: the
//!   check of the inner products finds it when they are searched.

use base::party::PartyId;
use base::secret::Secret;

use super::{Session, coin};
use crate::error::Error;
use crate::prss::Stream;
use crate::ring::{Element, point};
use crate::share::Row;

/// What the three parties draw the new lines from. Wipe it as soon as the rows are made.
pub type Seed = Secret<[u8; 32]>;

/// Agrees with the other two on a fresh seed.
///
/// # Errors
/// [`Error::CoinMismatch`]; errors of the network.
pub fn seed(session: &mut Session<'_>) -> Result<Seed, Error> {
    let bytes = coin::toss(session)?.bytes(32);
    Ok(Secret::new(bytes.as_slice().try_into().expect("32 bytes were drawn")))
}

/// `party`'s row of the record named `record` in the epoch that `seed` begins.
pub fn refreshed(party: PartyId, seed: &Seed, record: &[u8; 16], row: &Row) -> Row {
    let drawn = Stream::new(seed.expose(), record, &[b"handsel/refresh/v1"]).bytes(2 * row.dimensions());
    let numbers = row.as_slice().chunks_exact(2).zip(drawn.chunks_exact(4)).flat_map(|(old, drawn)| {
        let number = |at: usize| u32::from(u16::from_le_bytes([drawn[at], drawn[at + 1]]));
        let new = Element::new(old[0].into(), old[1].into()).plus(Element::new(number(0), number(2)).times(point(party)));
        [new.c0 as u16, new.c1 as u16]
    });
    let mut refreshed = Vec::with_capacity(row.dimensions());
    refreshed.extend(numbers);
    Row::from_numbers(refreshed).expect("as many numbers as the row has")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::{reconstruct_rows, share_template};
    use crate::testing::{SeededRng, random_template, run_three};

    #[test]
    fn all_three_draw_the_same_seed_and_each_run_another() {
        let seeds = |run| run_three(run, seed).map(|(seed, traffic)| (*seed.expect("nobody lies").expose(), traffic.bytes()));
        let [first, second, third] = seeds(1);
        assert!(first == second && second == third);
        assert_eq!(first.1, coin::BYTES);
        assert_ne!(first.0, seeds(2)[0].0);
    }

    #[test]
    fn refreshed_rows_are_of_the_same_template_and_do_not_go_with_the_old() {
        let mut rng = SeededRng::new(5);
        for record in 0..50_u8 {
            let template = random_template(128, &mut rng);
            let old = share_template(&template, &mut rng).expect("a template").map(|share| share.to_row());
            let seed = Secret::new([record; 32]);
            let new = PartyId::ALL.map(|party| refreshed(party, &seed, &[record; 16], &old[party.index()]));
            for (one, other) in [(PartyId::P1, PartyId::P2), (PartyId::P2, PartyId::P3), (PartyId::P3, PartyId::P1)] {
                let of = |rows: &[Row; 3], party: PartyId| rows[party.index()].clone();
                let from = |one_row: Row, other_row: Row| reconstruct_rows((one, &one_row), (other, &other_row)).expect("rows");
                assert_eq!(*from(of(&new, one), of(&new, other)), template);
                // A share of each epoch: far from the template, as far as a random one.
                let mixed = from(of(&old, one), of(&new, other));
                let near = mixed.iter().zip(&template).filter(|(mixed, right)| mixed.abs_diff(**right) < 300).count();
                assert!(near <= 8, "{near} of 128 features are near, about 1 is by chance");
            }
            for party in PartyId::ALL {
                let same = old[party.index()].as_slice().iter().zip(new[party.index()].as_slice()).filter(|(old, new)| old == new).count();
                assert!(same <= 3, "{same} numbers are the old ones");
            }
        }
    }

    #[test]
    fn each_record_gets_a_line_of_its_own() {
        let row = Row::from_numbers(vec![0; 64]).expect("a row");
        let with = |seed: u8, record: u8| refreshed(PartyId::P2, &Secret::new([seed; 32]), &[record; 16], &row).as_slice().to_vec();
        assert_eq!(with(1, 1), with(1, 1));
        assert_ne!(with(1, 1), with(1, 2));
        assert_ne!(with(1, 1), with(2, 1));
    }
}
