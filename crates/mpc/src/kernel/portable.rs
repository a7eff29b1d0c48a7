//! The kernels in plain Rust: their definition, and what runs where the processor has nothing better.

use std::ops::Range;

use crate::layout::{RowsView, SLOTS_PER_BLOCK};

pub fn inner_products(pairs: &[u32], rows: RowsView<'_>, _ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
    let queries = scores.len();
    for block in 0..rows.blocks() {
        let lines = rows.block(block).as_chunks::<{ 2 * SLOTS_PER_BLOCK }>().0;
        for (query, scores) in scores.iter_mut().enumerate() {
            let mut sums = [0_u16; SLOTS_PER_BLOCK];
            for (line, pair) in lines.iter().zip(pairs[query..].iter().step_by(queries)) {
                let (first, second) = (*pair as u16, (*pair >> 16) as u16);
                for (sum, row) in sums.iter_mut().zip(line.as_chunks::<2>().0) {
                    *sum = sum.wrapping_add(row[0].wrapping_mul(first)).wrapping_add(row[1].wrapping_mul(second));
                }
            }
            scores[from + SLOTS_PER_BLOCK * block..][..SLOTS_PER_BLOCK].copy_from_slice(&sums);
        }
    }
}

pub fn bit_planes(numbers: &[u16], bits: Range<u32>, planes: &mut [u64]) {
    planes_of(numbers, bits, planes);
}

pub fn bit_planes_32(numbers: &[u32], bits: Range<u32>, planes: &mut [u64]) {
    planes_of(numbers, bits, planes);
}

fn planes_of<T: Copy + Into<u64>>(numbers: &[T], bits: Range<u32>, planes: &mut [u64]) {
    let words = numbers.len().div_ceil(64);
    for (word, numbers) in numbers.chunks(64).enumerate() {
        for (plane, bit) in bits.clone().enumerate() {
            let lanes = numbers.iter().enumerate();
            planes[plane * words + word] = lanes.fold(0, |word, (lane, number)| word | ((*number).into() >> bit & 1) << lane);
        }
    }
}

pub fn masked_sums(masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
    for (mask, sum) in masks.iter().zip(sums) {
        for (slot, value) in values.iter().enumerate() {
            *sum = sum.wrapping_add(value & all_or_nothing(mask, slot) as u16);
        }
    }
}

pub fn masked_row_sums(masks: &[&[u64]], rows: RowsView<'_>, sums: &mut [u16]) {
    for (mask, sums) in masks.iter().zip(sums.chunks_exact_mut(rows.dimensions())) {
        for slot in 0..rows.slots() {
            let chosen = all_or_nothing(mask, slot) as u16;
            let lines = rows.block(slot / SLOTS_PER_BLOCK).as_chunks::<{ 2 * SLOTS_PER_BLOCK }>().0;
            for (sums, line) in sums.as_chunks_mut::<2>().0.iter_mut().zip(lines) {
                let at = 2 * (slot % SLOTS_PER_BLOCK);
                sums[0] = sums[0].wrapping_add(line[at] & chosen);
                sums[1] = sums[1].wrapping_add(line[at + 1] & chosen);
            }
        }
    }
}

pub fn masked_xor_64(masks: [&[u64]; 2], values: &[u64]) -> [u64; 2] {
    masks.map(|mask| values.iter().enumerate().fold(0, |sum, (slot, value)| sum ^ value & all_or_nothing(mask, slot)))
}

pub fn masked_xor_128(masks: [&[u64]; 2], values: &[[u8; 16]]) -> [u128; 2] {
    masks.map(|mask| {
        values.iter().enumerate().fold(0, |sum, (slot, value)| {
            let chosen = all_or_nothing(mask, slot);
            sum ^ u128::from_le_bytes(*value) & (u128::from(chosen) | u128::from(chosen) << 64)
        })
    })
}

pub fn dot(a: &[u64], b: &[u64]) -> u128 {
    a.iter().zip(b).fold(0, |sum, (a, b)| sum ^ multiply(*a, *b))
}

pub fn scale(multiplier: u64, values: &[u64], sums: &mut [u128]) {
    for (value, sum) in values.iter().zip(sums) {
        *sum ^= multiply(multiplier, *value);
    }
}

/// The product of two polynomials over GF(2): shifted copies of `a`, each kept or not by arithmetic, not by a branch.
fn multiply(a: u64, b: u64) -> u128 {
    (0..64).fold(0, |sum, bit| {
        let chosen = 0_u128.wrapping_sub(u128::from(b >> bit & 1));
        sum ^ (u128::from(a) << bit) & chosen
    })
}

/// All ones if `slot`'s bit is set in `mask`, all zeros if not.
fn all_or_nothing(mask: &[u64], slot: usize) -> u64 {
    0_u64.wrapping_sub(mask[slot / 64] >> (slot % 64) & 1)
}
