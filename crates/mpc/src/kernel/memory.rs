//! The same memory as bytes and as 16-bit numbers: a file of rows is mapped as bytes and scanned as numbers.

/// `bytes` as little-endian numbers, in place; `None` if they do not begin at an even address, are odd in number, or the
/// machine is not little-endian.
pub fn numbers_of_bytes(bytes: &[u8]) -> Option<&[u16]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every pair of bytes is a valid u16; `align_to` keeps to aligned ones.
    let (before, numbers, after) = unsafe { bytes.align_to::<u16>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// As [`numbers_of_bytes`], to be changed.
pub fn numbers_of_bytes_mut(bytes: &mut [u8]) -> Option<&mut [u16]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every pair of bytes is a valid u16 and the other way round; `align_to_mut` keeps to aligned ones.
    let (before, numbers, after) = unsafe { bytes.align_to_mut::<u16>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// `numbers` as bytes, in place and in the machine's order.
pub fn bytes_of_numbers(numbers: &[u16]) -> &[u8] {
    // SAFETY: a u16 is two valid bytes, and a byte may begin anywhere.
    unsafe { numbers.align_to::<u8>().1 }
}
