//! Days and years of the proleptic Gregorian calendar, without a time zone database: a rule pack gives its offset.

use base::time::Timestamp;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// Days since 1970-01-01 at `time`.
pub fn day_of(time: Timestamp) -> u32 {
    u32::try_from(time.millis() / DAY_MS).unwrap_or(u32::MAX)
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to 1 January of `year` (1970 or later).
fn day_of_year_start(year: u32) -> u64 {
    let past = u64::from(year) - 1;
    let leaps = |years: u64| years / 4 - years / 100 + years / 400;
    (past - 1969) * 365 + leaps(past) - leaps(1969)
}

/// The year that holds day `day` since 1970-01-01.
pub fn year_of_day(day: u32) -> u32 {
    // 366 days a year at most, so this begins at or before the right year.
    let mut year = 1970 + day / 366;
    while day_of_year_start(year + 1) <= u64::from(day) {
        year += 1;
    }
    year
}

/// Days since 1970-01-01 of a date written `YYYY-MM-DD`.
pub fn day_of_date(text: &str) -> Option<u64> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u32>().ok()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get((month as usize).checked_sub(1)?)?;
    if parts.next().is_some() || year < 1970 || day == 0 || day > length {
        return None;
    }
    let days_before: u32 = lengths[..month as usize - 1].iter().sum();
    Some(day_of_year_start(year) + u64::from(days_before + day - 1))
}
