//! The kernels for 256-bit registers (AVX2).
//!
//! Everything but the loads and stores at the end is safe code: those go through references to arrays of exactly the
//! register's size, so that the types rule out reading beyond an end. Tails are padded with zeros to whole words.

use std::arch::x86_64::*;
use std::array::from_fn;
use std::ops::Range;

use zeroize::Zeroizing;

use super::x86::{Ahead, LINE, define_tile, padded};
use crate::layout::RowsView;

pub use super::x86::{dot, scale};

define_tile!("avx2");

/// What a register holds, at an address where no load crosses a cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Lanes([u16; 16]);

impl zeroize::DefaultIsZeroes for Lanes {}

/// Slots whose values, in turn, stay in the first-level cache while one mask after the other passes over them.
const SUM_SLOTS: usize = 4096;
/// Blocks whose expanded masks fit into the first-level cache, with masks for 40 sums.
const ROW_SUM_BLOCKS: usize = 8;

/// `vpmaddwd` multiplies two pairs of numbers as signed and adds the two products modulo 2^32; the low 16 bits of that are
/// right modulo 2^16, whatever the signs. Two sums of 8 slots for each query and block stay in registers over a whole block.
///
/// A few queries read several blocks side by side: the processor's own prefetcher is fastest when it sees several streams
/// (a million rows of 512 features, one query: 59 ms with one stream, 45 with four). With more queries `ahead` is prefetched by name.
#[target_feature(enable = "avx2")]
pub fn inner_products(pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
    match scores.len() {
        1 => tile::<1, 4>(pairs, rows, ahead, scores, from),
        2 => tile::<2, 3>(pairs, rows, ahead, scores, from),
        3 => tile::<3, 2>(pairs, rows, ahead, scores, from),
        4 => tile::<4, 1>(pairs, rows, ahead, scores, from),
        5 => tile::<5, 1>(pairs, rows, ahead, scores, from),
        6 => tile::<6, 1>(pairs, rows, ahead, scores, from),
        7 => tile::<7, 1>(pairs, rows, ahead, scores, from),
        _ => tile::<8, 1>(pairs, rows, ahead, scores, from),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn several<const Q: usize, const B: usize>(
    pairs: &[[u32; Q]],
    rows: RowsView<'_>,
    first: usize,
    ahead: &mut Ahead,
    scores: &mut [&mut [u16]],
    from: usize,
) {
    let blocks: [&[[u16; LINE]]; B] = from_fn(|at| &rows.block(first + at).as_chunks().0[..pairs.len()]);
    let mut sums = [[[_mm256_setzero_si256(); 2]; Q]; B];
    for (pair, query) in pairs.iter().enumerate() {
        for b in 0..B {
            ahead.prefetch();
            let (low, high) = halves(&blocks[b][pair]);
            for q in 0..Q {
                let factor = _mm256_set1_epi32(query[q] as i32);
                sums[b][q][0] = _mm256_add_epi32(sums[b][q][0], _mm256_madd_epi16(low, factor));
                sums[b][q][1] = _mm256_add_epi32(sums[b][q][1], _mm256_madd_epi16(high, factor));
            }
        }
    }
    for b in 0..B {
        for q in 0..Q {
            let [low, high] = sums[b][q].map(|sum| _mm256_and_si256(sum, _mm256_set1_epi32(0xffff)));
            let place = &mut scores[q][from + 16 * (first + b)..];
            let in_order = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            store(in_order, place.first_chunk_mut().expect("the scores fit"));
        }
    }
}

/// `vpmovmskb` gathers the highest bit of 32 bytes; adding a byte to itself brings its next bit there.
#[target_feature(enable = "avx2")]
pub fn bit_planes(numbers: &[u16], bits: Range<u32>, planes: &mut [u64]) {
    let words = numbers.len().div_ceil(64);
    let (whole, rest) = padded(numbers);
    for (word, numbers) in whole.iter().chain(&rest).enumerate() {
        let parts = quarters(numbers);
        let low_byte = _mm256_set1_epi16(0xff);
        let in_order = |a, b| _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(a, b));
        let low = |at: usize| in_order(_mm256_and_si256(parts[at], low_byte), _mm256_and_si256(parts[at + 1], low_byte));
        let high = |at: usize| in_order(_mm256_srli_epi16::<8>(parts[at]), _mm256_srli_epi16::<8>(parts[at + 1]));
        for (lowest_bit, mut bytes) in [(0, [low(0), low(2)]), (8, [high(0), high(2)])] {
            for bit in (lowest_bit..lowest_bit + 8).rev() {
                if bits.contains(&bit) {
                    let [first, second] = bytes.map(|bytes| _mm256_movemask_epi8(bytes) as u32);
                    planes[(bit - bits.start) as usize * words + word] = u64::from(first) | u64::from(second) << 32;
                }
                bytes = bytes.map(|bytes| _mm256_add_epi8(bytes, bytes));
            }
        }
    }
}

/// A register holds 256 bits of a mask: bit k of lane l is slot 16 l + k. The values are brought into registers likewise,
/// the k-th of them with slot 16 l + k in lane l. Keeping bit k of every lane leaves 2^k or 0 there, and `vpmaddwd` with
/// the values adds up 2^k times the chosen ones modulo 2^32: shifted down by k, that is right modulo 2^16.
#[target_feature(enable = "avx2")]
pub fn masked_sums(masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
    let mut in_turn = Zeroizing::new([[Lanes::default(); 16]; SUM_SLOTS / 256]);
    for (at, values) in values.chunks(SUM_SLOTS).enumerate() {
        let groups = values.len().div_ceil(256);
        let in_turn = &mut in_turn[..groups];
        for (group, in_turn) in in_turn.iter_mut().enumerate() {
            let values = &values[256 * group..];
            match values.first_chunk::<256>() {
                Some(values) => transpose(values, in_turn),
                None => transpose(&from_fn(|slot| values.get(slot).copied().unwrap_or(0)), in_turn),
            }
        }
        for (mask, sum) in masks.iter().zip(sums.iter_mut()) {
            let (mask, rest) = mask[at * SUM_SLOTS / 64..].as_chunks::<4>();
            let chosen = match mask.get(..groups) {
                Some(mask) => masked_sum(mask, in_turn),
                None => {
                    let last = [from_fn(|word| rest.get(word).copied().unwrap_or(0))];
                    let (whole, part) = in_turn.split_at(mask.len());
                    masked_sum(mask, whole).wrapping_add(masked_sum(&last, part))
                }
            };
            *sum = sum.wrapping_add(chosen);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn masked_sum(mask: &[[u64; 4]], values: &[[Lanes; 16]]) -> u16 {
    let low = sum_of_bits::<0>(mask, values);
    let high = sum_of_bits::<8>(mask, values);
    words(_mm256_add_epi32(low, high)).iter().fold(0, |sum, word| sum.wrapping_add(*word as u16).wrapping_add((*word >> 32) as u16))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_bits<const FROM: usize>(mask: &[[u64; 4]], values: &[[Lanes; 16]]) -> __m256i {
    let mut sums = [_mm256_setzero_si256(); 8];
    for (mask, values) in mask.iter().zip(values) {
        let mask = load_words(mask);
        for k in 0..8 {
            let chosen = _mm256_and_si256(mask, _mm256_set1_epi16((1_u16 << (FROM + k)) as i16));
            sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(chosen, load(&values[FROM + k].0)));
        }
    }
    let mut sum = _mm256_setzero_si256();
    for (k, of_bit) in sums.into_iter().enumerate() {
        let shifted = _mm256_srl_epi32(of_bit, _mm_cvtsi32_si128((FROM + k) as i32));
        // As a signed number, 2^15 is -2^15.
        sum = if FROM + k == 15 { _mm256_sub_epi32(sum, shifted) } else { _mm256_add_epi32(sum, shifted) };
    }
    sum
}

/// Number 16 l + k to lane l of the k-th register.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(values: &[u16; 256], in_turn: &mut [Lanes; 16]) {
    let rows = values.as_chunks::<16>().0;
    let [first, second] = [0, 8].map(|from| {
        let rows = from_fn(|row| load(&rows[from + row]));
        perfect_shuffle(perfect_shuffle(perfect_shuffle(rows)))
    });
    for k in 0..8 {
        store(_mm256_permute2x128_si256::<0x20>(first[k], second[k]), &mut in_turn[k].0);
        store(_mm256_permute2x128_si256::<0x31>(first[k], second[k]), &mut in_turn[8 + k].0);
    }
}

/// Each slot's two numbers of a pair are one 32-bit lane; its mask is a lane of ones or zeros. Sums of a pair for eight
/// masks stay in registers over some blocks, lane by lane; the lanes are added at the very end.
#[target_feature(enable = "avx2")]
pub fn masked_row_sums(masks: &[&[u64]], rows: RowsView<'_>, sums: &mut [u16]) {
    let (pairs, groups) = (rows.dimensions() / 2, masks.len().div_ceil(8));
    let lines = rows.numbers().as_chunks::<LINE>().0;
    // For every pair, each eight masks' sums; the last eight are filled up with empty masks.
    let mut lanes = Zeroizing::new(vec![[Lanes::default(); 8]; pairs * groups]);
    let mut expanded = Zeroizing::new(vec![[[[Lanes::default(); 2]; 8]; ROW_SUM_BLOCKS]; groups]);
    // Lines of one pair, side by side: where they come from, they would all want the same places of the cache.
    let mut of_pair = [[0_u16; LINE]; ROW_SUM_BLOCKS];
    for (at, lines) in lines.chunks(pairs * ROW_SUM_BLOCKS).enumerate() {
        let blocks = lines.len() / pairs;
        for (masks, expanded) in masks.chunks(8).zip(expanded.iter_mut()) {
            for (block, expanded) in (at * ROW_SUM_BLOCKS..).zip(&mut expanded[..blocks]) {
                for (mask, expanded) in masks.iter().zip(expanded) {
                    expand((mask[block / 4] >> (block % 4 * 16)) as u16, expanded);
                }
            }
        }
        for (pair, lanes) in lanes.chunks_exact_mut(groups).enumerate() {
            for (to, from) in of_pair.iter_mut().zip(lines[pair..].iter().step_by(pairs)) {
                *to = *from;
            }
            for (masks, lanes) in expanded.iter().zip(lanes) {
                row_sums(&masks[..blocks], &of_pair[..blocks], lanes);
            }
        }
    }
    for (mask, sums) in sums.chunks_exact_mut(rows.dimensions()).enumerate() {
        for (sum, lanes) in sums.as_chunks_mut::<2>().0.iter_mut().zip(lanes.chunks_exact(groups)) {
            for slot in lanes[mask / 8][mask % 8].0.as_chunks::<2>().0 {
                sum[0] = sum[0].wrapping_add(slot[0]);
                sum[1] = sum[1].wrapping_add(slot[1]);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn row_sums(masks: &[[[Lanes; 2]; 8]], lines: &[[u16; LINE]], lanes: &mut [Lanes; 8]) {
    let mut sums: [__m256i; 8] = from_fn(|mask| load(&lanes[mask].0));
    for (line, masks) in lines.iter().zip(masks) {
        let (low, high) = halves(line);
        for (sum, mask) in sums.iter_mut().zip(masks) {
            let both = _mm256_add_epi16(_mm256_and_si256(low, load(&mask[0].0)), _mm256_and_si256(high, load(&mask[1].0)));
            *sum = _mm256_add_epi16(*sum, both);
        }
    }
    for (sum, lanes) in sums.into_iter().zip(lanes) {
        store(sum, &mut lanes.0);
    }
}

/// 16 bits as 16 lanes of 32 bits, of ones or zeros.
#[inline]
#[target_feature(enable = "avx2")]
fn expand(mask: u16, expanded: &mut [Lanes; 2]) {
    let mask = _mm256_set1_epi32(i32::from(mask));
    for (half, expanded) in expanded.iter_mut().enumerate() {
        let bit = _mm256_sllv_epi32(_mm256_set1_epi32(1 << (8 * half)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        store(_mm256_cmpeq_epi32(_mm256_and_si256(mask, bit), bit), &mut expanded.0);
    }
}

/// Within each half of the registers: the numbers of the first four and of the last four in turn. Three times, and rows
/// have become columns.
#[inline]
#[target_feature(enable = "avx2")]
fn perfect_shuffle([a, b, c, d, e, f, g, h]: [__m256i; 8]) -> [__m256i; 8] {
    [
        _mm256_unpacklo_epi16(a, e),
        _mm256_unpackhi_epi16(a, e),
        _mm256_unpacklo_epi16(b, f),
        _mm256_unpackhi_epi16(b, f),
        _mm256_unpacklo_epi16(c, g),
        _mm256_unpackhi_epi16(c, g),
        _mm256_unpacklo_epi16(d, h),
        _mm256_unpackhi_epi16(d, h),
    ]
}

#[target_feature(enable = "avx2")]
pub fn masked_xor_64(masks: [&[u64]; 2], values: &[u64]) -> [u64; 2] {
    let mut sums = [_mm256_setzero_si256(); 2];
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        let masks = masks.map(|mask| _mm256_set1_epi64x(mask[word] as i64));
        let mut bits = _mm256_setr_epi64x(1, 2, 4, 8);
        for values in values.as_chunks::<4>().0 {
            let values = load_words(values);
            for (sum, mask) in sums.iter_mut().zip(masks) {
                let wanted = _mm256_cmpeq_epi64(_mm256_and_si256(mask, bits), bits);
                *sum = _mm256_xor_si256(*sum, _mm256_and_si256(values, wanted));
            }
            bits = _mm256_slli_epi64::<4>(bits);
        }
    }
    sums.map(|sum| words(sum).into_iter().fold(0, |sum, word| sum ^ word))
}

#[target_feature(enable = "avx2")]
pub fn masked_xor_128(masks: [&[u64]; 2], values: &[[u8; 16]]) -> [u128; 2] {
    let mut sums = [_mm256_setzero_si256(); 2];
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        let masks = masks.map(|mask| _mm256_set1_epi64x(mask[word] as i64));
        let mut bits = _mm256_setr_epi64x(1, 1, 2, 2);
        for values in values.as_chunks::<2>().0 {
            let values = load_bytes(values);
            for (sum, mask) in sums.iter_mut().zip(masks) {
                let wanted = _mm256_cmpeq_epi64(_mm256_and_si256(mask, bits), bits);
                *sum = _mm256_xor_si256(*sum, _mm256_and_si256(values, wanted));
            }
            bits = _mm256_slli_epi64::<2>(bits);
        }
    }
    sums.map(|sum| {
        let [a, b, c, d] = words(sum);
        u128::from(a ^ c) | u128::from(b ^ d) << 64
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn halves(line: &[u16; LINE]) -> (__m256i, __m256i) {
    let [low, high] = line.as_chunks::<16>().0 else { unreachable!("a line is two registers") };
    (load(low), load(high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn quarters(numbers: &[u16; 64]) -> [__m256i; 4] {
    from_fn(|at| load(&numbers.as_chunks::<16>().0[at]))
}

#[inline]
#[target_feature(enable = "avx2")]
fn words(register: __m256i) -> [u64; 4] {
    let mut words = [0; 4];
    // SAFETY: the array is 32 bytes; the store asks for no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), register) };
    words
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[u16; 16]) -> __m256i {
    // SAFETY: the reference is to 32 bytes; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_words(from: &[u64; 4]) -> __m256i {
    // SAFETY: as above.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_bytes(from: &[[u8; 16]; 2]) -> __m256i {
    // SAFETY: as above.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(register: __m256i, to: &mut [u16; 16]) {
    // SAFETY: the reference is to 32 bytes; the store asks for no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), register) }
}
