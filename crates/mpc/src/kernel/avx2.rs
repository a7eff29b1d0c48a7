//! The kernels for 256-bit registers (AVX2) and carry-less products (PCLMULQDQ).
//!
//! Everything but the loads and stores at the end is safe code: those go through references to arrays of exactly the
//! register's size, so that the types rule out reading beyond an end. Tails are padded with zeros to whole words.

use std::arch::x86_64::*;
use std::array::from_fn;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::layout::RowsView;

/// Pair of features of a block: 16 slots times two numbers.
const LINE: usize = 32;
/// Blocks whose expanded masks fit into the first-level cache, with masks for 40 sums.
const ROW_SUM_BLOCKS: usize = 8;

/// `vpmaddwd` multiplies two pairs of numbers as signed and adds the two products modulo 2^32; the low 16 bits of that are
/// right modulo 2^16, whatever the signs. Two accumulators of 8 slots for each query stay in registers over a whole block.
#[target_feature(enable = "avx2")]
pub fn inner_products(pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
    match scores.len() {
        1 => tile::<1>(pairs, rows, ahead, scores, from),
        2 => tile::<2>(pairs, rows, ahead, scores, from),
        3 => tile::<3>(pairs, rows, ahead, scores, from),
        4 => tile::<4>(pairs, rows, ahead, scores, from),
        5 => tile::<5>(pairs, rows, ahead, scores, from),
        6 => tile::<6>(pairs, rows, ahead, scores, from),
        7 => tile::<7>(pairs, rows, ahead, scores, from),
        _ => tile::<8>(pairs, rows, ahead, scores, from),
    }
}

#[target_feature(enable = "avx2")]
fn tile<const Q: usize>(pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
    let pairs = pairs.as_chunks::<Q>().0;
    // Spread evenly over the lines that are read meanwhile.
    let stride = size_of_val(ahead) / (rows.numbers().len() / LINE).max(1);
    let mut next = ahead.as_ptr().cast::<i8>();
    for block in 0..rows.blocks() {
        let mut low = [_mm256_setzero_si256(); Q];
        let mut high = [_mm256_setzero_si256(); Q];
        for (line, query) in rows.block(block).as_chunks::<LINE>().0.iter().zip(pairs) {
            prefetch(next);
            next = next.wrapping_add(stride);
            let (slots_low, slots_high) = halves(line);
            for q in 0..Q {
                let factor = _mm256_set1_epi32(query[q] as i32);
                low[q] = _mm256_add_epi32(low[q], _mm256_madd_epi16(slots_low, factor));
                high[q] = _mm256_add_epi32(high[q], _mm256_madd_epi16(slots_high, factor));
            }
        }
        for q in 0..Q {
            let keep = _mm256_set1_epi32(0xffff);
            let packed = _mm256_packus_epi32(_mm256_and_si256(low[q], keep), _mm256_and_si256(high[q], keep));
            let place = &mut scores[q][from + 16 * block..];
            store(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed), place.first_chunk_mut().expect("the scores fit"));
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

#[target_feature(enable = "avx2")]
pub fn masked_sums(masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
    masked_fold(masks, values, sums, |a, b| _mm256_add_epi16(a, b), u16::wrapping_add);
}

#[target_feature(enable = "avx2")]
pub fn masked_xors(masks: &[&[u64]], values: &[u16], sums: &mut [u16]) {
    masked_fold(masks, values, sums, |a, b| _mm256_xor_si256(a, b), |a, b| a ^ b);
}

/// A mask's word is broadcast to every 64 bits, so that a 16-bit lane sees one of its four quarters. The values are
/// brought into an order in which lane after lane wants its bit at the same four places of its quarter.
#[inline]
#[target_feature(enable = "avx2")]
fn masked_fold(
    masks: &[&[u64]],
    values: &[u16],
    sums: &mut [u16],
    fold: impl Fn(__m256i, __m256i) -> __m256i,
    fold_one: impl Fn(u16, u16) -> u16,
) {
    let bits: [__m256i; 4] = from_fn(|step| {
        let of_quarter =
            |slot: usize| i64::from_ne_bytes([1_u16 << slot; 4].map(u16::to_ne_bytes).as_flattened().try_into().expect("8 bytes"));
        let first = 2 * step;
        _mm256_setr_epi64x(of_quarter(first), of_quarter(first + 1), of_quarter(first + 8), of_quarter(first + 9))
    });
    let mut folded = Zeroizing::new(vec![[0_u16; 16]; masks.len()]);
    let (whole, rest) = padded(values);
    for (word, values) in whole.iter().chain(&rest).enumerate() {
        let parts = quarters(values);
        // From four quarters in a row to one number of each quarter in turn.
        let [low_01, low_23] = [0, 2].map(|at| _mm256_unpacklo_epi16(parts[at], parts[at + 1]));
        let [high_01, high_23] = [0, 2].map(|at| _mm256_unpackhi_epi16(parts[at], parts[at + 1]));
        let in_turn = [
            _mm256_unpacklo_epi32(low_01, low_23),
            _mm256_unpackhi_epi32(low_01, low_23),
            _mm256_unpacklo_epi32(high_01, high_23),
            _mm256_unpackhi_epi32(high_01, high_23),
        ];
        for (mask, folded) in masks.iter().zip(folded.iter_mut()) {
            let mask = _mm256_set1_epi64x(mask[word] as i64);
            let chosen: [__m256i; 4] = from_fn(|step| {
                let wanted = _mm256_cmpeq_epi16(_mm256_and_si256(mask, bits[step]), bits[step]);
                _mm256_and_si256(in_turn[step], wanted)
            });
            let chosen = fold(fold(chosen[0], chosen[1]), fold(chosen[2], chosen[3]));
            store(fold(load(folded), chosen), folded);
        }
    }
    for (folded, sum) in folded.iter().zip(sums) {
        *sum = folded.iter().fold(*sum, |sum, value| fold_one(sum, *value));
    }
}

/// Each slot's two numbers of a pair are one 32-bit lane; its mask is a lane of ones or zeros. Sums of four pairs for two
/// masks stay in registers over some blocks, lane by lane; the lanes are added at the very end.
#[target_feature(enable = "avx2")]
pub fn masked_row_sums(masks: &[&[u64]], rows: RowsView<'_>, sums: &mut [u16]) {
    let pairs = rows.dimensions() / 2;
    let mut lanes = Zeroizing::new(vec![[0_u16; 16]; masks.len() * pairs]);
    let mut expanded = Zeroizing::new(vec![[[0_u16; 16]; 2]; masks.len() * ROW_SUM_BLOCKS]);
    for start in (0..rows.blocks()).step_by(ROW_SUM_BLOCKS) {
        let blocks = ROW_SUM_BLOCKS.min(rows.blocks() - start);
        for (mask, expanded) in masks.iter().zip(expanded.chunks_exact_mut(ROW_SUM_BLOCKS)) {
            for (at, expanded) in expanded[..blocks].iter_mut().enumerate() {
                let block = start + at;
                expand((mask[block / 4] >> (block % 4 * 16)) as u16, expanded);
            }
        }
        let rows = rows.slice(start..start + blocks);
        for (masks, lanes) in expanded.chunks(2 * ROW_SUM_BLOCKS).zip(lanes.chunks_mut(2 * pairs)) {
            let (first_lanes, second_lanes) = lanes.split_at_mut(pairs);
            match masks.split_at(ROW_SUM_BLOCKS) {
                (first, []) => row_sums([first], rows, &mut [first_lanes]),
                (first, second) => row_sums([first, second], rows, &mut [first_lanes, second_lanes]),
            }
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
#[target_feature(enable = "avx2")]
fn row_sums<const M: usize>(masks: [&[[[u16; 16]; 2]]; M], rows: RowsView<'_>, lanes: &mut [&mut [[u16; 16]]; M]) {
    let pairs = rows.dimensions() / 2;
    let by_four = pairs / 4 * 4;
    for pair in (0..by_four).step_by(4) {
        row_sums_of_pairs::<M, 4>(masks, rows, pair, lanes);
    }
    for pair in by_four..pairs {
        row_sums_of_pairs::<M, 1>(masks, rows, pair, lanes);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn row_sums_of_pairs<const M: usize, const P: usize>(
    masks: [&[[[u16; 16]; 2]]; M],
    rows: RowsView<'_>,
    pair: usize,
    lanes: &mut [&mut [[u16; 16]]; M],
) {
    let mut sums: [[__m256i; P]; M] = from_fn(|m| from_fn(|p| load(&lanes[m][pair + p])));
    for block in 0..rows.blocks() {
        let lines: &[[u16; LINE]; P] = rows.block(block).as_chunks().0[pair..].first_chunk().expect("pairs of the block");
        for half in 0..2 {
            let masks: [__m256i; M] = from_fn(|m| load(&masks[m][block][half]));
            for p in 0..P {
                let line = halves(&lines[p]);
                let line = [line.0, line.1][half];
                for m in 0..M {
                    sums[m][p] = _mm256_add_epi16(sums[m][p], _mm256_and_si256(line, masks[m]));
                }
            }
        }
    }
    for m in 0..M {
        for p in 0..P {
            store(sums[m][p], &mut lanes[m][pair + p]);
        }
    }
}

/// 16 bits as 16 lanes of 32 bits, of ones or zeros.
#[inline]
#[target_feature(enable = "avx2")]
fn expand(mask: u16, expanded: &mut [[u16; 16]; 2]) {
    let mask = _mm256_set1_epi32(i32::from(mask));
    for (half, expanded) in expanded.iter_mut().enumerate() {
        let bit = _mm256_sllv_epi32(_mm256_set1_epi32(1 << (8 * half)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        store(_mm256_cmpeq_epi32(_mm256_and_si256(mask, bit), bit), expanded);
    }
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

#[target_feature(enable = "sse2,pclmulqdq")]
pub fn dot(a: &[u64], b: &[u64]) -> u128 {
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<2>(), b.as_chunks::<2>());
    let mut sum = _mm_setzero_si128();
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (two_words(*a), two_words(*b));
        sum = _mm_xor_si128(sum, _mm_clmulepi64_si128::<0x00>(a, b));
        sum = _mm_xor_si128(sum, _mm_clmulepi64_si128::<0x11>(a, b));
    }
    for (a, b) in a_last.iter().zip(b_last) {
        sum = _mm_xor_si128(sum, _mm_clmulepi64_si128::<0x00>(two_words([*a, 0]), two_words([*b, 0])));
    }
    as_number(sum)
}

#[target_feature(enable = "sse2,pclmulqdq")]
pub fn scale(multiplier: u64, values: &[u64], sums: &mut [u128]) {
    let multiplier = two_words([multiplier, 0]);
    for (value, sum) in values.iter().zip(sums) {
        *sum ^= as_number(_mm_clmulepi64_si128::<0x00>(multiplier, two_words([*value, 0])));
    }
}

#[target_feature(enable = "sse2,pclmulqdq")]
pub fn scale_16(multiplier: u64, values: &[u16], sums: &mut [u128]) {
    let multiplier = two_words([multiplier, 0]);
    for (value, sum) in values.iter().zip(sums) {
        *sum ^= as_number(_mm_clmulepi64_si128::<0x00>(multiplier, two_words([u64::from(*value), 0])));
    }
}

/// `values` in arrays of 64: the whole ones, and the rest filled up with zeros, if there is one.
pub(super) fn padded<T: Copy + Default>(values: &[T]) -> (&[[T; 64]], Option<[T; 64]>) {
    let (whole, rest) = values.as_chunks::<64>();
    (whole, (!rest.is_empty()).then(|| from_fn(|at| rest.get(at).copied().unwrap_or_default())))
}

/// Asks for the cache line at `at` to be brought closer; says nothing about what is there.
#[inline]
#[target_feature(enable = "sse")]
pub(super) fn prefetch(at: *const i8) {
    _mm_prefetch::<_MM_HINT_T0>(at);
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

#[inline]
#[target_feature(enable = "sse2")]
fn two_words(words: [u64; 2]) -> __m128i {
    _mm_set_epi64x(words[1] as i64, words[0] as i64)
}

#[inline]
#[target_feature(enable = "sse2")]
fn as_number(register: __m128i) -> u128 {
    let mut number = 0_u128;
    // SAFETY: the number is 16 bytes; the store asks for no alignment.
    unsafe { _mm_storeu_si128((&raw mut number).cast(), register) };
    number
}
