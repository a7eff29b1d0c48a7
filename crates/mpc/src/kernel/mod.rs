//! The inner loops that read whole galleries, three times over: for AVX-512, for AVX2, and in plain Rust.
//!
//! Which one runs is decided when the program runs, by what the processor has ([`Kernel::best`]); a test or a measurement
//! may take another ([`Kernel::available`]). All of them give the same results, bit by bit; `portable` is the definition
//! and the tests at the end of this file compare.
//!
//! **Constant time.** No branch and no address depends on a number, mask or share, only on how many there are.
//!
//! **Bits** are 64 to a word: slot j is bit j mod 64 of word j / 64. Bits behind the last slot are not looked at, and are 0
//! in what comes out.
//!
//! This module alone in the crate may use `unsafe`: for the instructions themselves, which only exist where the processor
//! has them, and for loads and stores through references of exactly the right length.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod memory;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

pub use memory::{bytes_of_numbers, numbers_of_bytes, numbers_of_bytes_mut};

use crate::layout::RowsView;

/// The most queries that one call of [`Kernel::inner_products`] takes.
pub const TILE_MAX: usize = 8;

/// A set of instructions that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Calls the function of this name in the module of `$kernel`.
macro_rules! dispatch {
    ($kernel:expr, $function:ident($($argument:expr),*)) => {
        match $kernel.0 {
            Instructions::Portable => portable::$function($($argument),*),
            // SAFETY: a kernel of this kind comes from `Kernel::available` alone, which asked the processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::$function($($argument),*) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::$function($($argument),*) },
        }
    };
}

impl Kernel {
    /// Plain Rust, on every processor.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// All that this processor can run, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = {
            use std::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("pclmulqdq");
            let avx512 = avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512vnni");
            [avx512.then_some(Instructions::Avx512), avx2.then_some(Instructions::Avx2)]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let special: [Option<Instructions>; 0] = [];
        special.into_iter().flatten().map(Self).chain([Self::PORTABLE])
    }

    /// The fastest that this processor can run.
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Self::PORTABLE)
    }

    /// Its name, as measurements print it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        }
    }

    /// With how many queries at once [`Kernel::inner_products`] is fastest: what fits into the registers.
    pub(crate) const fn tile(self) -> usize {
        match self.0 {
            Instructions::Portable => 4,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => 6,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => 8,
        }
    }

    /// The inner products modulo 2^16 of 1 to [`TILE_MAX`] queries with each row: `scores[q][from + slot]`.
    ///
    /// `pairs` holds, for each pair of features in turn, that pair of every query: the first feature in the low half.
    /// Meanwhile `ahead` is brought closer, for the next call to find.
    ///
    /// # Panics
    /// If there are no queries or too many, their features are not as many as the rows', or the scores do not fit.
    pub(crate) fn inner_products(self, pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
        let queries = scores.len();
        assert!((1..=TILE_MAX).contains(&queries), "1 to {TILE_MAX} queries at once");
        assert_eq!(pairs.len(), queries * rows.dimensions() / 2);
        assert!(scores.iter().all(|scores| scores.len() >= from + rows.slots()));
        dispatch!(self, inner_products(pairs, rows, ahead, scores, from));
    }

    /// The bits `bits` of each number as planes, one plane after the other, each of `numbers.len()` bits in whole words.
    ///
    /// # Panics
    /// If the numbers have no such bits, or `planes` is not as many words.
    pub fn bit_planes(self, numbers: &[u16], bits: Range<u32>, planes: &mut [u64]) {
        assert!(bits.end <= u16::BITS);
        assert_eq!(planes.len(), bits.len() * numbers.len().div_ceil(64));
        dispatch!(self, bit_planes(numbers, bits, planes));
    }

    /// As [`Kernel::bit_planes`], of 32-bit numbers; not made for many of them.
    ///
    /// # Panics
    /// If the numbers have no such bits, or `planes` is not as many words.
    pub fn bit_planes_32(self, numbers: &[u32], bits: Range<u32>, planes: &mut [u64]) {
        assert!(bits.end <= u32::BITS);
        assert_eq!(planes.len(), bits.len() * numbers.len().div_ceil(64));
        portable::bit_planes_32(numbers, bits, planes);
    }

    /// Adds to each of `sums`, modulo 2^16, the values whose bit is set in the mask at the same place.
    ///
    /// # Panics
    /// If there are not as many sums as masks, or a mask is shorter than the values.
    pub fn masked_sums(self, masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
        check_masks(masks, values.len());
        assert_eq!(masks.len(), sums.len());
        dispatch!(self, masked_sums(masks, values, sums));
    }

    /// Adds to each sum, modulo 2^16 and feature by feature, the rows whose bit is set in the mask at the same place. The
    /// sums stand one after the other, each of as many numbers as a row has features.
    ///
    /// # Panics
    /// If there are not as many sums as masks, or a mask is shorter than the slots.
    pub fn masked_row_sums(self, masks: &[&[u64]], rows: RowsView<'_>, sums: &mut [u16]) {
        check_masks(masks, rows.slots());
        assert_eq!(sums.len(), masks.len() * rows.dimensions());
        if masks.is_empty() {
            return;
        }
        dispatch!(self, masked_row_sums(masks, rows, sums));
    }

    /// The XOR of the values whose bit is set, for each of two masks.
    ///
    /// # Panics
    /// If a mask is shorter than the values.
    pub fn masked_xor_64(self, masks: [&[u64]; 2], values: &[u64]) -> [u64; 2] {
        check_masks(&masks, values.len());
        dispatch!(self, masked_xor_64(masks, values))
    }

    /// The XOR of the values, read as little-endian numbers, whose bit is set, for each of two masks.
    ///
    /// # Panics
    /// If a mask is shorter than the values.
    pub fn masked_xor_128(self, masks: [&[u64]; 2], values: &[[u8; 16]]) -> [u128; 2] {
        check_masks(&masks, values.len());
        dispatch!(self, masked_xor_128(masks, values))
    }

    /// The product of two polynomials over GF(2), bit i for the coefficient of X^i; not reduced.
    pub fn multiply(self, a: u64, b: u64) -> u128 {
        self.dot(&[a], &[b])
    }

    /// The sum of the products of polynomials over GF(2) at the same places; not reduced.
    ///
    /// # Panics
    /// If there are not as many of both.
    pub fn dot(self, a: &[u64], b: &[u64]) -> u128 {
        assert_eq!(a.len(), b.len());
        dispatch!(self, dot(a, b))
    }

    /// Adds to each sum the value at the same place times `multiplier`, as polynomials over GF(2); not reduced.
    ///
    /// # Panics
    /// If there are not as many sums as values.
    pub fn scale(self, multiplier: u64, values: &[u64], sums: &mut [u128]) {
        assert_eq!(values.len(), sums.len());
        dispatch!(self, scale(multiplier, values, sums));
    }
}

fn check_masks(masks: &[&[u64]], slots: usize) {
    assert!(masks.iter().all(|mask| mask.len() >= slots.div_ceil(64)), "a mask has a bit for each slot");
}
