//! Galleries for measuring: templates and their shares, each made from a seed and its slot alone, fast enough for millions.

use base::party::PartyId;

use super::SeededRng;
use crate::ring::{Element, point};
use crate::share::pack;

/// Writes the made-up template of `slot`: features alike often from -a to a, with a so that it is about 127 long.
pub fn generated_template(seed: u64, slot: u64, template: &mut [i16]) {
    let width = 2 * amplitude(template.len()) + 1;
    let mut rng = at_slot(seed, slot);
    for pair in template.chunks_exact_mut(2) {
        let word = rng.word();
        for (feature, random) in pair.iter_mut().zip([word >> 32 & 0xffff, word >> 48]) {
            *feature = ((random * width) >> 16) as i16 - (width / 2) as i16;
        }
    }
}

/// Writes `party`'s row of `template` in `slot`, with the same randomness whatever the party.
///
/// # Panics
/// If there are not as many numbers as features.
pub fn generated_row(seed: u64, slot: u64, template: &[i16], party: PartyId, row: &mut [u16]) {
    assert_eq!(template.len(), row.len());
    let mut rng = at_slot(!seed, slot);
    for (features, numbers) in template.as_chunks::<2>().0.iter().zip(row.as_chunks_mut::<2>().0) {
        let word = rng.word();
        let slope = Element::new(word as u32, (word >> 32) as u32);
        let value = pack(features[0], features[1]).plus(slope.times(point(party)));
        *numbers = [value.c0 as u16, value.c1 as u16];
    }
}

fn at_slot(seed: u64, slot: u64) -> SeededRng {
    SeededRng::new(SeededRng::new(seed ^ SeededRng::new(slot).word()).word())
}

/// The largest a for which features uniform from -a to a, whose squares are a (a + 1) / 3 on average, add up to 127^2.
fn amplitude(dimensions: usize) -> u64 {
    (1..=127).take_while(|a| dimensions as u64 * a * (a + 1) <= 3 * 127 * 127).last().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::{Row, reconstruct_rows};

    #[test]
    fn generated_rows_are_shares_of_generated_templates_about_as_long_as_real_ones() {
        for dimensions in [2, 128, 512, 1024] {
            for slot in [0, 1, 1 << 40] {
                let mut template = vec![0; dimensions];
                generated_template(3, slot, &mut template);
                let rows = PartyId::ALL.map(|party| {
                    let mut numbers = vec![0; dimensions];
                    generated_row(3, slot, &template, party, &mut numbers);
                    Row::from_numbers(numbers).expect("valid dimensions")
                });
                for (first, second) in [(PartyId::P1, PartyId::P2), (PartyId::P2, PartyId::P3), (PartyId::P3, PartyId::P1)] {
                    let whole = reconstruct_rows((first, &rows[first.index()]), (second, &rows[second.index()]));
                    assert_eq!(*whole.expect("equal lengths"), template);
                }
                let norm = template.iter().map(|feature| f64::from(*feature).powi(2)).sum::<f64>().sqrt();
                assert!(dimensions < 128 || (100.0..140.0).contains(&norm), "{dimensions} features: {norm}");
            }
        }
    }
}
