//! Names, phones and what counts towards limits.

use base::time::Timestamp;

use super::*;
use crate::account::tier::VerifiedBy;
use crate::rules::RuleBook;

#[test]
fn names_and_phones() {
    let long = "名".repeat(64);
    let too_long = "名".repeat(65);
    for (name, fits) in [("李雷", true), ("Ada", true), (&long, true), (&too_long, false), ("", false), ("  ", false), ("a\nb", false)] {
        assert_eq!(check_name(&Secret::new(name.to_owned())).is_ok(), fits);
    }
    for (phone, fits) in [
        ("13800138000", true),
        ("19912345678", true),
        ("12800138000", false),
        ("1380013800", false),
        ("138001380000", false),
        ("+8613800138", false),
        ("1380013800x", false),
        ("１3800138", false),
    ] {
        assert_eq!(check_phone(&Secret::new(phone.to_owned())).is_ok(), fits, "{phone}");
    }
    assert_eq!(mask_phone("13800138000"), "*******8000");
}

#[test]
fn usage_counts_by_local_day_and_year() {
    let book = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
    // 2026-12-31T15:59:59.999 UTC is the last millisecond of 2026 at UTC+8.
    let last = Timestamp::from_millis(1_798_732_799_999);
    let next = last.plus_millis(1);
    let rules = book.in_force(last).expect("in force");
    let usage = Usage::default()
        .after_payment(100, VerifiedBy::Look, rules, last)
        .after_payment(1_000, VerifiedBy::LookAndPasscode, rules, last)
        .after_payment(10_000, VerifiedBy::Look, rules, last);
    let expected = Usage {
        life_minor: 11_100,
        year: 2026,
        year_minor: 11_100,
        day: usage.day,
        day_minor: 11_100,
        day_look_only_minor: 10_100,
        day_phone_minor: 0,
        look_only_run: 1,
        night: usage.night,
        night_minor: 11_100,
    };
    assert_eq!(usage, expected);
    // The night goes on past midnight.
    let new_year = Usage { year: 2027, year_minor: 0, day: usage.day + 1, day_minor: 0, day_look_only_minor: 0, ..expected };
    assert_eq!(usage.as_of(rules, next), new_year);
    for (class, at, remaining) in [
        (IdentityClass::I, next, 88_900),
        (IdentityClass::II, last, 9_988_900),
        (IdentityClass::II, next, 10_000_000),
        (IdentityClass::III, last, 19_988_900),
    ] {
        assert_eq!(usage.class_remaining_minor(class, rules, at), remaining, "{class:?}");
    }
}

#[test]
fn accounts_of_one_person_count_together_while_their_days_are_the_same() {
    let one = Usage {
        life_minor: 1,
        year: 2026,
        year_minor: 2,
        day: 100,
        day_minor: 3,
        day_look_only_minor: 4,
        day_phone_minor: 7,
        look_only_run: 5,
        night: 100,
        night_minor: 6,
    };
    let same = Usage {
        life_minor: 10,
        year_minor: 20,
        day_minor: 30,
        day_look_only_minor: 40,
        day_phone_minor: 70,
        look_only_run: 50,
        night_minor: 60,
        ..one
    };
    let sum = Usage {
        life_minor: 11,
        year_minor: 22,
        day_minor: 33,
        day_look_only_minor: 44,
        day_phone_minor: 77,
        look_only_run: 5,
        night_minor: 66,
        ..one
    };
    assert_eq!(one.plus(same), sum);
    // What was paid on an earlier day, in an earlier year, counts for life only.
    let earlier = Usage { year: 2025, day: 99, night: 99, ..same };
    assert_eq!(one.plus(earlier), Usage { life_minor: 11, ..one });
    assert_eq!(earlier.plus(one), Usage { life_minor: 11, look_only_run: 50, ..one });
    assert_eq!(one.plus(Usage::default()), one);
}
