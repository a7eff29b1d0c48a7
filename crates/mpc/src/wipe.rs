//! Overwriting many shares at once.
//!
//! `zeroize` writes number by number and then the vector's whole room byte by byte: 0.7 ms for 2 MB, more than what is
//! computed with them. This is for lists as long as the gallery, whose numbers are shares of one run.

/// Overwrites `numbers` with zeros.
pub(crate) fn wipe<T: Copy + Default>(numbers: &mut [T]) {
    numbers.fill(T::default());
    // Whoever might look at them afterwards: the compiler cannot leave the zeros out.
    std::hint::black_box(numbers);
}
