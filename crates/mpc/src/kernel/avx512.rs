//! The kernels for 512-bit registers (AVX-512 F, BW and VNNI): one register is a whole line of a block, and a mask's bits
//! are used as they are.

use std::arch::x86_64::*;
use std::array::from_fn;
use std::ops::Range;

use zeroize::Zeroizing;

use super::x86::{Ahead, LINE, define_tile, padded};
use crate::layout::RowsView;

pub use super::x86::{dot, scale};

define_tile!("avx512f,avx512bw,avx512vnni");

/// `vpdpwssd` multiplies two pairs of numbers as signed and adds both products to a sum modulo 2^32, without saturation;
/// the low 16 bits of that are right modulo 2^16. Several blocks at a time, so that enough sums are under way.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn inner_products(pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
    match scores.len() {
        1 => tile::<1, 8>(pairs, rows, ahead, scores, from),
        2 => tile::<2, 6>(pairs, rows, ahead, scores, from),
        3 => tile::<3, 4>(pairs, rows, ahead, scores, from),
        4 => tile::<4, 4>(pairs, rows, ahead, scores, from),
        5 => tile::<5, 2>(pairs, rows, ahead, scores, from),
        6 => tile::<6, 2>(pairs, rows, ahead, scores, from),
        7 => tile::<7, 2>(pairs, rows, ahead, scores, from),
        _ => tile::<8, 2>(pairs, rows, ahead, scores, from),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn several<const Q: usize, const B: usize>(
    pairs: &[[u32; Q]],
    rows: RowsView<'_>,
    first: usize,
    ahead: &mut Ahead,
    scores: &mut [&mut [u16]],
    from: usize,
) {
    let blocks: [&[[u16; LINE]]; B] = from_fn(|at| &rows.block(first + at).as_chunks().0[..pairs.len()]);
    let mut sums = [[_mm512_setzero_si512(); Q]; B];
    for (pair, query) in pairs.iter().enumerate() {
        for b in 0..B {
            ahead.prefetch();
            let line = load(&blocks[b][pair]);
            for q in 0..Q {
                sums[b][q] = _mm512_dpwssd_epi32(sums[b][q], line, _mm512_set1_epi32(query[q] as i32));
            }
        }
    }
    for b in 0..B {
        for q in 0..Q {
            let place: &mut [u16; 16] = scores[q][from + 16 * (first + b)..].first_chunk_mut().expect("the scores fit");
            // SAFETY: the reference is to 32 bytes; the store asks for no alignment.
            unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(sums[b][q])) }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub fn bit_planes(numbers: &[u16], bits: Range<u32>, planes: &mut [u64]) {
    let words = numbers.len().div_ceil(64);
    let (whole, rest) = padded(numbers);
    for (word, numbers) in whole.iter().chain(&rest).enumerate() {
        let halves = halves(numbers);
        for bit in bits.clone() {
            let wanted = _mm512_set1_epi16(1_i16.wrapping_shl(bit));
            let [low, high] = halves.map(|half| _mm512_test_epi16_mask(half, wanted));
            planes[(bit - bits.start) as usize * words + word] = u64::from(low) | u64::from(high) << 32;
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub fn masked_sums(masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
    let mut lanes = Zeroizing::new(vec![[0_u16; LINE]; masks.len()]);
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        let [low, high] = halves(values);
        for (mask, lanes) in masks.iter().zip(lanes.iter_mut()) {
            let mask = mask[word];
            let low = _mm512_mask_add_epi16(load(lanes), mask as u32, load(lanes), low);
            store(_mm512_mask_add_epi16(low, (mask >> 32) as u32, low, high), lanes);
        }
    }
    for (lanes, sum) in lanes.iter().zip(sums) {
        *sum = lanes.iter().fold(*sum, |sum, lane| sum.wrapping_add(*lane));
    }
}

/// Sums of a pair of features stay in registers for eight masks at a time, over the four blocks that a word of mask covers.
#[target_feature(enable = "avx512f,avx512bw")]
pub fn masked_row_sums(masks: &[&[u64]], rows: RowsView<'_>, sums: &mut [u16]) {
    let pairs = rows.dimensions() / 2;
    let mut lanes = Zeroizing::new(vec![[0_u16; LINE]; masks.len() * pairs]);
    for start in (0..rows.blocks()).step_by(4) {
        let rows = rows.slice(start..rows.blocks().min(start + 4));
        let (masks_by_eight, masks_left) = masks.as_chunks::<8>();
        let (lanes_by_eight, lanes_left) = lanes.split_at_mut(masks_by_eight.len() * 8 * pairs);
        for (masks, lanes) in masks_by_eight.iter().zip(lanes_by_eight.chunks_exact_mut(8 * pairs)) {
            row_sums(masks.map(|mask| mask[start / 4]), rows, lanes);
        }
        for (mask, lanes) in masks_left.iter().zip(lanes_left.chunks_exact_mut(pairs)) {
            row_sums([mask[start / 4]], rows, lanes);
        }
    }
    for (sum, lanes) in sums.as_chunks_mut::<2>().0.iter_mut().zip(lanes.iter()) {
        for slot in lanes.as_chunks::<2>().0 {
            sum[0] = sum[0].wrapping_add(slot[0]);
            sum[1] = sum[1].wrapping_add(slot[1]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn row_sums<const M: usize>(masks: [u64; M], rows: RowsView<'_>, lanes: &mut [[u16; LINE]]) {
    let pairs = rows.dimensions() / 2;
    for pair in 0..pairs {
        let mut sums: [__m512i; M] = from_fn(|m| load(&lanes[m * pairs + pair]));
        for block in 0..rows.blocks() {
            let line = load(&rows.block(block).as_chunks().0[pair]);
            for (sum, mask) in sums.iter_mut().zip(masks) {
                let mask = (mask >> (16 * block)) as u16;
                *sum = _mm512_add_epi16(*sum, _mm512_maskz_mov_epi32(mask, line));
            }
        }
        for (m, sum) in sums.into_iter().enumerate() {
            store(sum, &mut lanes[m * pairs + pair]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub fn masked_xor_64(masks: [&[u64]; 2], values: &[u64]) -> [u64; 2] {
    let mut sums = [_mm512_setzero_si512(); 2];
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        for (at, values) in values.as_chunks::<8>().0.iter().enumerate() {
            let values = load_words(values);
            for (sum, mask) in sums.iter_mut().zip(masks) {
                *sum = _mm512_mask_xor_epi64(*sum, (mask[word] >> (8 * at)) as u8, *sum, values);
            }
        }
    }
    sums.map(|sum| words(sum).into_iter().fold(0, |sum, word| sum ^ word))
}

#[target_feature(enable = "avx512f,avx512bw")]
pub fn masked_xor_128(masks: [&[u64]; 2], values: &[[u8; 16]]) -> [u128; 2] {
    let mut sums = [_mm512_setzero_si512(); 2];
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        for (at, values) in values.as_chunks::<4>().0.iter().enumerate() {
            let values = load_bytes(values);
            for (sum, mask) in sums.iter_mut().zip(masks) {
                *sum = _mm512_mask_xor_epi64(*sum, each_bit_twice(mask[word] >> (4 * at)), *sum, values);
            }
        }
    }
    sums.map(|sum| {
        let [a, b, c, d, e, f, g, h] = words(sum);
        u128::from(a ^ c ^ e ^ g) | u128::from(b ^ d ^ f ^ h) << 64
    })
}

/// The four low bits, each twice in a row.
#[inline]
fn each_bit_twice(bits: u64) -> u8 {
    let apart = bits & 1 | (bits & 2) << 1 | (bits & 4) << 2 | (bits & 8) << 3;
    (apart | apart << 1) as u8
}

#[inline]
#[target_feature(enable = "avx512f")]
fn halves(numbers: &[u16; 64]) -> [__m512i; 2] {
    from_fn(|at| load(&numbers.as_chunks::<LINE>().0[at]))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn words(register: __m512i) -> [u64; 8] {
    let mut words = [0; 8];
    // SAFETY: the array is 64 bytes; the store asks for no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), register) };
    words
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(from: &[u16; LINE]) -> __m512i {
    // SAFETY: the reference is to 64 bytes; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_words(from: &[u64; 8]) -> __m512i {
    // SAFETY: as above.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_bytes(from: &[[u8; 16]; 4]) -> __m512i {
    // SAFETY: as above.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(register: __m512i, to: &mut [u16; LINE]) {
    // SAFETY: the reference is to 64 bytes; the store asks for no alignment.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), register) }
}
