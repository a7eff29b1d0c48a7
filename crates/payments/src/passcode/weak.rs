//! Passcodes that many people choose, so that a thief tries them first.

/// Whether six digits are a repetition, a run, pairs in a run, or a date.
pub fn is_weak(digits: [u8; 6]) -> bool {
    repeats(digits) || runs(&digits) || pairs_in_a_run(digits) || is_date(digits)
}

/// Periods of one, two and three (111111, 121212, 123123), the mirrored 123321, and anything of only two digits.
fn repeats(digits: [u8; 6]) -> bool {
    let periodic = |period: usize| (period..6).all(|at| digits[at] == digits[at - period]);
    let mirrored = (0..3).all(|at| digits[at] == digits[5 - at]);
    let mut distinct = digits;
    distinct.sort_unstable();
    let kinds = 1 + distinct.windows(2).filter(|pair| pair[0] != pair[1]).count();
    periodic(1) || periodic(2) || periodic(3) || mirrored || kinds <= 2
}

/// Equal steps around the keypad: 345678, 987654, 135791, 890123.
fn runs(digits: &[u8]) -> bool {
    let step = (digits[1] + 10 - digits[0]) % 10;
    [0, 1, 2, 8, 9].contains(&step) && digits.windows(2).all(|pair| (pair[1] + 10 - pair[0]) % 10 == step)
}

/// 112233, 998877.
fn pairs_in_a_run(digits: [u8; 6]) -> bool {
    (0..3).all(|at| digits[2 * at] == digits[2 * at + 1]) && runs(&[digits[0], digits[2], digits[4]])
}

/// Year, month and day in two digits each in the usual orders, or a year of four digits (1900 to 2099) beside a month.
fn is_date(digits: [u8; 6]) -> bool {
    let two = |at: usize| u32::from(digits[at]) * 10 + u32::from(digits[at + 1]);
    let month = |month: u32| (1..=12).contains(&month);
    let day = |month: u32, day: u32| day >= 1 && day <= [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
    let month_day = |first: u32, second: u32| month(first) && day(first, second);
    let century = |century: u32| century == 19 || century == 20;
    let (a, b, c) = (two(0), two(2), two(4));
    month_day(b, c) || month_day(a, b) || month_day(b, a) || (century(a) && month(c)) || (century(b) && month(a))
}
