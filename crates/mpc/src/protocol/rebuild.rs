//! Giving a party that lost its rows the same rows again, from the other two, which are called its helpers.
//!
//! Source: A. Shamir, "How to share a secret", CACM 1979, for the interpolation; the mask is a pseudo-random share of zero
//! (Cramer, Damgård, Ishai, TCC 2005).
//!
//! - Algebra: with `f(X) = s + r X` per ring element, `f(x_p) = l_a f(x_a) + l_b f(x_b)` with the Lagrange coefficients of
//!   the helpers' points at `x_p`. Helper a, the party after p, sends `l_a f(x_a) + m`, helper b `l_b f(x_b) - m`, with `m`
//!   from the stream that the helpers have in common; the sum is the lost row.
//! - Rounds: two for each [`rows_at_once`] rows, the second for a sign that they have come. Bytes: 2 per feature and row
//!   from each helper.
//! - Leaks: to p nothing but its own rows, since the one message is uniformly random and the other is its row less that; to
//!   the helpers nothing but how many rows and when.
//! - The caller's duty: both helpers give the same records in the same order. Otherwise p could ask one for a record and the
//!   other for another one, and see a sum of two people's shares. Let all three agree on a hash of the list before.
//! - Holds against: one curious party. A helper that lies gives p the row of another template, and can follow suit with its
//!   own row; nothing at p can tell. It gains nobody's token by that: what it makes of a template that it does not know is
//!   a template that nobody has.

use std::ops::Range;

use base::party::PartyId;
use zeroize::Zeroizing;

use super::{Session, bytes_to_numbers, numbers_to_bytes};
use crate::error::Error;
use crate::network::Neighbour;
use crate::ring::{Element, point};
use crate::share::{ROW_BYTES, Row};

/// A message has at most so many bytes.
const MESSAGE_MAX: usize = 1 << 20;
/// The sign that rows have come.
const COME: [u8; 1] = [1];

/// How many rows of `dimensions` features go at once.
pub const fn rows_at_once(dimensions: usize) -> usize {
    MESSAGE_MAX / (ROW_BYTES * dimensions)
}

/// Helps `lost`: gives `count` rows of `dimensions` features, which `row` looks up by number.
///
/// # Errors
/// Errors of the network.
///
/// # Panics
/// If `lost` is this party itself.
pub fn give(session: &mut Session<'_>, lost: PartyId, count: usize, dimensions: usize, row: impl Fn(usize) -> Row) -> Result<(), Error> {
    let (party, is_next) = (session.party(), session.party() == lost.next());
    assert!(party != lost, "whoever lost its rows cannot give them");
    let towards = if is_next { Neighbour::Previous } else { Neighbour::Next };
    let coefficient = lagrange_at(lost, party);
    for range in ranges(count, dimensions) {
        let mask = match is_next {
            true => session.prss.with_next().bytes(ROW_BYTES * dimensions * range.len()),
            false => session.prss.with_previous().bytes(ROW_BYTES * dimensions * range.len()),
        };
        let mut numbers = Zeroizing::new(bytes_to_numbers(&mask));
        for (at, masked) in range.zip(numbers.chunks_exact_mut(dimensions)) {
            for (pair, mask) in row(at).as_slice().chunks_exact(2).zip(masked.chunks_exact_mut(2)) {
                let part = coefficient.times(Element::new(pair[0].into(), pair[1].into()));
                let with = |part: u32, mask: u16| (part as u16).wrapping_add(if is_next { mask } else { mask.wrapping_neg() });
                (mask[0], mask[1]) = (with(part.c0, mask[0]), with(part.c1, mask[1]));
            }
        }
        session.send(towards, numbers_to_bytes(&numbers))?;
        session.receive(towards, COME.len())?;
    }
    Ok(())
}

/// Takes `count` rows of `dimensions` features from both helpers, and hands them on, some at a time, with the number of the
/// first. The next are asked for when `keep` returns.
///
/// # Errors
/// Errors of the network and of `keep`.
pub fn take<E: From<Error>>(
    session: &mut Session<'_>,
    count: usize,
    dimensions: usize,
    mut keep: impl FnMut(usize, Vec<Row>) -> Result<(), E>,
) -> Result<(), E> {
    for range in ranges(count, dimensions) {
        let len = ROW_BYTES * dimensions * range.len();
        let next = Zeroizing::new(session.receive(Neighbour::Next, len)?);
        let previous = Zeroizing::new(session.receive(Neighbour::Previous, len)?);
        let mut numbers = Zeroizing::new(bytes_to_numbers(&next));
        for (sum, other) in numbers.iter_mut().zip(Zeroizing::new(bytes_to_numbers(&previous)).iter()) {
            *sum = sum.wrapping_add(*other);
        }
        let rows = numbers.chunks_exact(dimensions).map(|numbers| Row::from_numbers(numbers.to_vec())).collect::<Result<_, _>>()?;
        keep(range.start, rows)?;
        session.send(Neighbour::Next, COME.into())?;
        session.send(Neighbour::Previous, COME.into())?;
    }
    Ok(())
}

fn ranges(count: usize, dimensions: usize) -> impl Iterator<Item = Range<usize>> {
    let at_once = rows_at_once(dimensions);
    (0..count).step_by(at_once).map(move |start| start..count.min(start + at_once))
}

/// What `helper`'s value is multiplied with so that the sum over both helpers is the polynomial's value at `lost`'s point.
fn lagrange_at(lost: PartyId, helper: PartyId) -> Element {
    let other = if helper == lost.next() { lost.previous() } else { lost.next() };
    let (at, mine, theirs) = (point(lost), point(helper), point(other));
    at.minus(theirs).times(mine.minus(theirs).inverse())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::share_template;
    use crate::testing::{SeededRng, random_template, run_three};

    fn galleries(count: usize, dimensions: usize) -> [Vec<Row>; 3] {
        let mut rng = SeededRng::new(8);
        let mut galleries = [vec![], vec![], vec![]];
        for _ in 0..count {
            let shares = share_template(&random_template(dimensions, &mut rng), &mut rng).expect("a template");
            galleries.iter_mut().zip(shares).for_each(|(gallery, share)| gallery.push(share.to_row()));
        }
        galleries
    }

    fn rebuild(session: &mut Session<'_>, lost: PartyId, galleries: &[Vec<Row>; 3], dimensions: usize) -> Vec<Row> {
        let mut rebuilt = vec![];
        let mine = &galleries[session.party().index()];
        if session.party() == lost {
            let keep = |first: usize, rows: Vec<Row>| {
                assert_eq!(first, rebuilt.len());
                rebuilt.extend(rows);
                Ok::<_, Error>(())
            };
            take(session, mine.len(), dimensions, keep).expect("helped");
        } else {
            give(session, lost, mine.len(), dimensions, |at| mine[at].clone()).expect("helps");
        }
        rebuilt
    }

    #[test]
    fn every_partys_rows_come_back_as_they_were() {
        for (count, dimensions) in [(0, 128), (1, 2), (7, 128), (2 * rows_at_once(1024) + 3, 1024)] {
            let galleries = galleries(count, dimensions);
            for lost in PartyId::ALL {
                let results = run_three(3, |session| rebuild(session, lost, &galleries, dimensions));
                for (party, (rebuilt, traffic)) in PartyId::ALL.into_iter().zip(results) {
                    let expected = if party == lost { &galleries[lost.index()][..] } else { &[] };
                    assert!(rebuilt.iter().map(Row::as_slice).eq(expected.iter().map(Row::as_slice)), "{lost}, {count}");
                    if party != lost {
                        assert_eq!(traffic.bytes(), ROW_BYTES * dimensions * count);
                    }
                }
            }
        }
    }

    #[test]
    fn what_a_helper_sends_is_uniform_whatever_it_holds() {
        let (dimensions, count) = (128, 2_000);
        let row = |number: u16| Row::from_numbers(vec![number; dimensions]).expect("a row");
        for number in [0, 1, 0xffff] {
            let galleries = [(); 3].map(|()| vec![row(number); count]);
            let results = run_three(11, |session| rebuild(session, PartyId::P3, &galleries, dimensions));
            for (_, traffic) in &results[..2] {
                let mut seen = [0_u32; 256];
                traffic.to_next.iter().chain(&traffic.to_previous).filter(|message| message.len() > 1).for_each(|message| {
                    message.iter().for_each(|byte| seen[usize::from(*byte)] += 1);
                });
                let expected = (ROW_BYTES * dimensions * count) as f64 / 256.0;
                let chi_squared: f64 = seen.iter().map(|seen| (f64::from(*seen) - expected).powi(2) / expected).sum();
                assert!((150.0..400.0).contains(&chi_squared), "chi squared {chi_squared} with 255 degrees of freedom");
            }
        }
    }
}
