//! Numbers as planes of bits: plane p is a list of words and holds bit p of 64 numbers to a word, so that one instruction on
//! words serves 64 numbers. Planes of the same numbers lie one after the other in one list, lowest bit first.
//!
//! Number j is bit j % 64 of word j / 64 of each plane. No message is sent here: these are each party's own computations.

use std::ops::Range;

use zeroize::Zeroize;

use crate::kernel::Kernel;

/// Words that a plane of `numbers` numbers takes.
pub const fn words_per_plane(numbers: usize) -> usize {
    numbers.div_ceil(64)
}

/// The planes of those bits of `numbers`. Bits behind the last number are 0.
pub fn of_16(numbers: &[u16], bits: Range<u32>) -> Vec<u64> {
    let mut planes = vec![0; bits.len() * words_per_plane(numbers.len())];
    Kernel::best().bit_planes(numbers, bits, &mut planes);
    planes
}

/// The 32 planes of `numbers`. Bits behind the last number are 0.
pub fn of_32(numbers: &[u32]) -> Vec<u64> {
    let mut planes = vec![0; 32 * words_per_plane(numbers.len())];
    Kernel::best().bit_planes_32(numbers, 0..32, &mut planes);
    planes
}

/// Adds the numbers of `other` to those of `sum`, modulo 2 to the number of planes.
///
/// # Panics
/// If the lists are not equally long or not `planes` planes.
pub fn add_in(sum: &mut [u64], other: &[u64], planes: usize) {
    ripple(sum, other, planes, 0, |word| word);
}

/// Subtracts the numbers of `other` from those of `difference`, modulo 2 to the number of planes.
///
/// # Panics
/// If the lists are not equally long or not `planes` planes.
pub fn subtract_in(difference: &mut [u64], other: &[u64], planes: usize) {
    // Two's complement: add the complement and one.
    ripple(difference, other, planes, u64::MAX, |word| !word);
}

/// A ripple-carry adder on the planes; `read` is applied to each word of `other`.
fn ripple(sum: &mut [u64], other: &[u64], planes: usize, carry_in: u64, read: impl Fn(u64) -> u64) {
    assert_eq!(sum.len(), other.len());
    assert!(sum.len().is_multiple_of(planes));
    let words = sum.len() / planes;
    let mut carries = vec![carry_in; words];
    for (sum, other) in sum.chunks_exact_mut(words.max(1)).zip(other.chunks_exact(words.max(1))) {
        for ((sum, other), carry) in sum.iter_mut().zip(other).zip(&mut carries) {
            let other = read(*other);
            let differing = *sum ^ other;
            let carry_out = (differing & *carry) | (*sum & other);
            *sum = differing ^ *carry;
            *carry = carry_out;
        }
    }
    carries.zeroize();
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::SeededRng;

    /// The number of each lane, from its planes: the definition, not the shortcut.
    pub(crate) fn numbers(planes: &[u64], count: usize) -> Vec<u32> {
        let words = words_per_plane(count);
        let bit = |plane: usize, at: usize| (planes[plane * words + at / 64] >> (at % 64) & 1) as u32;
        (0..count).map(|at| (0..planes.len() / words.max(1)).fold(0, |number, plane| number | bit(plane, at) << plane)).collect()
    }

    #[test]
    fn planes_hold_the_bits_of_the_numbers() {
        let mut rng = SeededRng::new(1);
        for count in [0, 1, 63, 64, 65, 200, 1000] {
            let large: Vec<u32> = (0..count).map(|_| rng.below(1 << 32) as u32).collect();
            let small: Vec<u16> = large.iter().map(|number| *number as u16).collect();
            assert_eq!(numbers(&of_32(&large), count), large);
            for bits in [0..16, 6..16, 3..4] {
                let expected: Vec<u32> = small.iter().map(|n| u32::from(*n) >> bits.start & ((1 << bits.len()) - 1)).collect();
                assert_eq!(numbers(&of_16(&small, bits), count), expected);
            }
        }
    }

    #[test]
    fn sums_and_differences_are_those_of_the_numbers() {
        let mut rng = SeededRng::new(2);
        for planes in [1, 10, 16] {
            let mask = (1_u32 << planes) - 1;
            let mut draw = || (0..200).map(|_| rng.below(1 << planes) as u16).chain([0, mask as u16]).collect::<Vec<u16>>();
            let (x, y) = (draw(), draw());
            let (mut sum, mut difference) = (of_16(&x, 0..planes), of_16(&x, 0..planes));
            add_in(&mut sum, &of_16(&y, 0..planes), planes as usize);
            subtract_in(&mut difference, &of_16(&y, 0..planes), planes as usize);
            let (sums, differences) = (numbers(&sum, x.len()), numbers(&difference, x.len()));
            for at in 0..x.len() {
                let (x, y) = (u32::from(x[at]), u32::from(y[at]));
                assert_eq!((sums[at], differences[at]), (x.wrapping_add(y) & mask, x.wrapping_sub(y) & mask));
            }
        }
    }
}
