//! Every kernel that this processor can run, against the plain definition of what it computes, on random and extreme
//! inputs of every tail length. `scripts/check-kernels` runs the same under an address sanitizer, `scripts/test-avx512` on emulated
//! processors.

use proptest::prelude::*;
use rand_core::Rng;

use super::*;
use crate::layout::block_numbers;
use crate::testing::SeededRng;

/// Numbers that are all alike at an extreme, or random with extremes among them.
#[derive(Clone, Copy, Debug)]
enum Inputs {
    All(u16),
    Random(u64),
}

const EXTREMES: [u16; 7] = [0, 1, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];

impl Inputs {
    fn numbers(self, count: usize) -> Vec<u16> {
        match self {
            Self::All(number) => vec![number; count],
            Self::Random(seed) => {
                let mut rng = SeededRng::new(seed);
                let mut number = || match rng.below(4) {
                    0 => EXTREMES[rng.below(7) as usize],
                    _ => rng.next_u32() as u16,
                };
                (0..count).map(|_| number()).collect()
            }
        }
    }

    fn words(self, count: usize) -> Vec<u64> {
        self.numbers(4 * count).chunks(4).map(|four| four.iter().fold(0, |word, number| word << 16 | u64::from(*number))).collect()
    }

    /// Masks for `slots`, each with a bit behind the last slot set.
    fn masks(self, count: usize, slots: usize) -> Vec<Vec<u64>> {
        let words = slots.div_ceil(64);
        let mut all = self.words(count * words);
        all.iter_mut().skip(words.saturating_sub(1)).step_by(words.max(1)).for_each(|word| *word |= 1 << 63);
        (0..count).map(|at| all[at * words..][..words].to_vec()).collect()
    }

    /// Others of the same kind.
    fn others(self) -> Self {
        match self {
            Self::All(number) => Self::All(number.wrapping_mul(3)),
            Self::Random(seed) => Self::Random(seed.wrapping_add(1_000_003)),
        }
    }
}

fn inputs() -> impl Strategy<Value = Inputs> {
    prop_oneof![1 => (0..7_usize).prop_map(|at| Inputs::All(EXTREMES[at])), 3 => any::<u64>().prop_map(Inputs::Random)]
}

fn bit(words: &[u64], slot: usize) -> bool {
    words[slot / 64] >> (slot % 64) & 1 == 1
}

fn slices(masks: &[Vec<u64>]) -> Vec<&[u64]> {
    masks.iter().map(|mask| &mask[..]).collect()
}

/// Feature `f` of the row in `slot`, by the definition of the layout.
fn feature(numbers: &[u16], dimensions: usize, slot: usize, f: usize) -> u16 {
    numbers[slot / 16 * 16 * dimensions + f / 2 * 32 + slot % 16 * 2 + f % 2]
}

fn product(a: u64, b: u64) -> u128 {
    (0..64).filter(|bit| b >> bit & 1 == 1).fold(0, |sum, bit| sum ^ u128::from(a) << bit)
}

#[test]
fn the_portable_kernel_is_the_last_of_those_available() {
    let available: Vec<Kernel> = Kernel::available().collect();
    println!("kernels tested: {}", available.iter().map(|kernel| kernel.name()).collect::<Vec<_>>().join(", "));
    if !available.iter().any(|kernel| kernel.name() == "avx512") {
        println!("skipped: avx512, which this processor does not have");
    }
    assert_eq!(available.last(), Some(&Kernel::PORTABLE));
    assert_eq!(available.first(), Some(&Kernel::best()));
}

#[test]
fn bit_planes_of_every_length() {
    for len in 0..=260 {
        for inputs in EXTREMES.map(Inputs::All).into_iter().chain([Inputs::Random(len as u64)]) {
            let numbers = inputs.numbers(len);
            for bits in [0..16, 6..16, 0..1, 15..16, 7..9, 5..5] {
                let words = len.div_ceil(64);
                let mut expected = vec![0; bits.len() * words];
                for (plane, at) in bits.clone().enumerate() {
                    for (slot, number) in numbers.iter().enumerate() {
                        expected[plane * words + slot / 64] |= u64::from(number >> at & 1) << (slot % 64);
                    }
                }
                for kernel in Kernel::available() {
                    let mut planes = vec![u64::MAX; expected.len()];
                    kernel.bit_planes(&numbers, bits.clone(), &mut planes);
                    assert_eq!(planes, expected, "{} {inputs:?} {len} {bits:?}", kernel.name());
                }
            }
        }
    }
}

#[test]
fn bit_planes_of_wide_numbers() {
    for len in [0, 1, 63, 64, 65, 1000] {
        let numbers: Vec<u32> = Inputs::Random(5).words(len).into_iter().map(|word| word as u32).collect();
        let mut planes = vec![u64::MAX; 24 * len.div_ceil(64)];
        Kernel::best().bit_planes_32(&numbers, 8..32, &mut planes);
        for bit in 8..32 {
            let plane = &planes[(bit - 8) * len.div_ceil(64)..];
            for slot in 0..len.div_ceil(64) * 64 {
                let expected = numbers.get(slot).is_some_and(|number| number >> bit & 1 == 1);
                assert_eq!(plane[slot / 64] >> (slot % 64) & 1 == 1, expected, "slot {slot}, bit {bit}");
            }
        }
    }
}

#[test]
fn masked_sums_of_every_length() {
    for len in (0..=600).chain([4095, 4096, 4097, 4351, 4352, 8200]) {
        for inputs in EXTREMES.map(Inputs::All).into_iter().chain([Inputs::Random(len as u64)]) {
            let (values, masks) = (inputs.numbers(len), inputs.others().masks(len % 11, len));
            let before = Inputs::Random(1).numbers(masks.len());
            let expected: Vec<u16> = masks
                .iter()
                .zip(&before)
                .map(|(mask, before)| (0..len).filter(|slot| bit(mask, *slot)).fold(*before, |sum, slot| sum.wrapping_add(values[slot])))
                .collect();
            for kernel in Kernel::available() {
                let mut sums = before.clone();
                kernel.masked_sums(&slices(&masks), &values, &mut sums);
                assert_eq!(sums, expected, "{} {inputs:?} {len}", kernel.name());
            }
        }
    }
}

#[test]
fn masked_xors_of_words_and_tokens_of_every_length() {
    for len in 0..=200 {
        for inputs in [Inputs::All(0xffff), Inputs::All(1), Inputs::Random(len as u64)] {
            let masks = inputs.others().masks(2, len);
            let masks = [&masks[0][..], &masks[1][..]];
            let words = inputs.words(len);
            let tokens: Vec<u128> = inputs.words(2 * len).chunks(2).map(|two| u128::from(two[0]) | u128::from(two[1]) << 64).collect();
            let bytes: Vec<[u8; 16]> = tokens.iter().map(|token| token.to_le_bytes()).collect();
            let chosen = |mask: &[u64]| (0..len).filter(|slot| bit(mask, *slot)).collect::<Vec<usize>>();
            let expected_words = masks.map(|mask| chosen(mask).into_iter().fold(0, |sum, slot| sum ^ words[slot]));
            let expected_tokens = masks.map(|mask| chosen(mask).into_iter().fold(0, |sum, slot| sum ^ tokens[slot]));
            for kernel in Kernel::available() {
                assert_eq!(kernel.masked_xor_64(masks, &words), expected_words, "{} {inputs:?} {len}", kernel.name());
                assert_eq!(kernel.masked_xor_128(masks, &bytes), expected_tokens, "{} {inputs:?} {len}", kernel.name());
            }
        }
    }
}

#[test]
fn products_over_gf_2_of_every_length() {
    for len in 0..=70 {
        for inputs in [Inputs::All(0xffff), Inputs::All(0x8000), Inputs::Random(len as u64)] {
            let (a, b) = (inputs.words(len), inputs.others().words(len));
            let multiplier = inputs.others().words(1)[0];
            let before: Vec<u128> = a.iter().map(|word| u128::from(*word) << 33).collect();
            let scaled: Vec<u128> = before.iter().zip(&b).map(|(x, value)| x ^ product(multiplier, *value)).collect();
            for kernel in Kernel::available() {
                let expected = a.iter().zip(&b).fold(0, |sum, (a, b)| sum ^ product(*a, *b));
                assert_eq!(kernel.dot(&a, &b), expected, "{} {inputs:?} {len}", kernel.name());
                let mut sums = before.clone();
                kernel.scale(multiplier, &b, &mut sums);
                assert_eq!(sums, scaled, "{} {inputs:?} {len}", kernel.name());
            }
        }
    }
    for (a, b) in [(0, u64::MAX), (1, u64::MAX), (u64::MAX, u64::MAX), (1 << 63, 1 << 63), (2, 1 << 63)] {
        for kernel in Kernel::available() {
            assert_eq!(kernel.multiply(a, b), product(a, b), "{} {a:x} {b:x}", kernel.name());
        }
    }
}

fn check_inner_products(inputs: Inputs, pairs: usize, blocks: usize, queries: usize, from: usize) {
    let dimensions = 2 * pairs;
    let rows = inputs.numbers(blocks * block_numbers(dimensions));
    let view = RowsView::new(&rows, dimensions);
    let query = inputs.others().words(pairs * queries);
    let query: Vec<u32> = query.into_iter().map(|word| word as u32).collect();
    let expected: Vec<Vec<u16>> = (0..queries)
        .map(|q| {
            let one = |slot| {
                (0..dimensions).fold(0_u16, |sum, f| {
                    let factor = (query[f / 2 * queries + q] >> (16 * (f % 2))) as u16;
                    sum.wrapping_add(feature(&rows, dimensions, slot, f).wrapping_mul(factor))
                })
            };
            [vec![7; from], (0..view.slots()).map(one).collect(), vec![7; 3]].concat()
        })
        .collect();
    for kernel in Kernel::available() {
        let mut scores = vec![vec![7; from + view.slots() + 3]; queries];
        let mut slices: Vec<&mut [u16]> = scores.iter_mut().map(|scores| &mut scores[..]).collect();
        kernel.inner_products(&query, view, &rows, &mut slices, from);
        assert_eq!(scores, expected, "{} {inputs:?} {pairs} {blocks} {queries} {from}", kernel.name());
    }
}

fn check_row_sums(inputs: Inputs, pairs: usize, blocks: usize, count: usize) {
    let dimensions = 2 * pairs;
    let rows = inputs.numbers(blocks * block_numbers(dimensions));
    let view = RowsView::new(&rows, dimensions);
    let masks = inputs.others().masks(count, view.slots());
    let before = inputs.numbers(count * dimensions);
    let mut expected = before.clone();
    for (mask, sums) in masks.iter().zip(expected.chunks_mut(dimensions)) {
        for slot in (0..view.slots()).filter(|slot| bit(mask, *slot)) {
            for (f, sum) in sums.iter_mut().enumerate() {
                *sum = sum.wrapping_add(feature(&rows, dimensions, slot, f));
            }
        }
    }
    for kernel in Kernel::available() {
        let mut sums = before.clone();
        kernel.masked_row_sums(&slices(&masks), view, &mut sums);
        assert_eq!(sums, expected, "{} {inputs:?} {pairs} {blocks} {count}", kernel.name());
    }
}

#[test]
fn extreme_rows_and_queries_do_not_saturate() {
    for number in EXTREMES {
        for queries in 1..=TILE_MAX {
            check_inner_products(Inputs::All(number), 64, 3, queries, 0);
        }
        check_row_sums(Inputs::All(number), 5, 9, 3);
    }
    // The one pair of products whose sum leaves the signed 32 bits: (-2^15)^2 twice.
    let rows = vec![0x8000; block_numbers(2)];
    for kernel in Kernel::available() {
        let mut scores = vec![1; 16];
        kernel.inner_products(&[0x8000_8000], RowsView::new(&rows, 2), &[], &mut [&mut scores], 0);
        assert_eq!(scores, vec![0; 16], "{}", kernel.name());
    }
}

/// What the address sanitizer must notice, to show that it looks at the kernels' loads at all.
#[test]
#[ignore = "reads beyond the end of a list on purpose: for scripts/check-kernels"]
fn a_planted_read_beyond_the_end() {
    let rows = vec![0_u16; block_numbers(2) - 1];
    // SAFETY: none. One number of the block is missing; nothing depends on what stands there.
    let block = unsafe { std::slice::from_raw_parts(std::hint::black_box(rows.as_ptr()), block_numbers(2)) };
    let mut scores = [0; 16];
    Kernel::best().inner_products(&[1], RowsView::new(block, 2), &[], &mut [&mut scores], 0);
    println!("not noticed: {}", std::hint::black_box(scores[15]) & 1);
}

proptest! {
    #[test]
    fn inner_products_are_those_of_the_definition(
        inputs in inputs(), pairs in 1..40_usize, blocks in 0..12_usize, queries in 1..=TILE_MAX, from in 0..40_usize,
    ) {
        check_inner_products(inputs, pairs, blocks, queries, from);
    }

    #[test]
    fn row_sums_are_those_of_the_definition(inputs in inputs(), pairs in 1..20_usize, blocks in 0..20_usize, count in 0..20_usize) {
        check_row_sums(inputs, pairs, blocks, count);
    }
}
