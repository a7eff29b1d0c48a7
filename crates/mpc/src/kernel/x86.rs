//! What the kernels for x86 processors have in common: carry-less products (PCLMULQDQ), and how queries pass over rows.

use std::arch::x86_64::*;
use std::array::from_fn;

use crate::layout::RowsView;

/// Pair of features of a block: 16 slots times two numbers.
pub const LINE: usize = 32;

/// Defines `tile`: `Q` queries over `B` blocks at a time by the module's `several`; what remains, block by block. A macro,
/// because code that uses some instructions can only be inlined into code that may use them too.
macro_rules! define_tile {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn tile<const Q: usize, const B: usize>(pairs: &[u32], rows: RowsView<'_>, ahead: &[u16], scores: &mut [&mut [u16]], from: usize) {
            let pairs = pairs.as_chunks::<Q>().0;
            let by_several = rows.blocks() / B * B;
            let mut ahead = Ahead::new(ahead, rows);
            for block in (0..by_several).step_by(B) {
                several::<Q, B>(pairs, rows, block, &mut ahead, scores, from);
            }
            for block in by_several..rows.blocks() {
                several::<Q, 1>(pairs, rows, block, &mut ahead, scores, from);
            }
        }
    };
}
pub(super) use define_tile;

/// Where to prefetch next: evenly spread over the lines that are read meanwhile.
pub struct Ahead {
    next: *const i8,
    stride: usize,
}

impl Ahead {
    pub fn new(ahead: &[u16], meanwhile: RowsView<'_>) -> Self {
        let lines = meanwhile.numbers().len() / LINE;
        Self { next: ahead.as_ptr().cast(), stride: size_of_val(ahead).checked_div(lines).unwrap_or(0) }
    }

    #[inline]
    #[target_feature(enable = "sse")]
    pub fn prefetch(&mut self) {
        // Says nothing about what is there and cannot fault, whatever the address.
        _mm_prefetch::<_MM_HINT_T0>(self.next);
        self.next = self.next.wrapping_add(self.stride);
    }
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

/// `values` in arrays of 64: the whole ones, and the rest filled up with zeros, if there is one.
pub fn padded<T: Copy + Default>(values: &[T]) -> (&[[T; 64]], Option<[T; 64]>) {
    let (whole, rest) = values.as_chunks::<64>();
    (whole, (!rest.is_empty()).then(|| from_fn(|at| rest.get(at).copied().unwrap_or_default())))
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
