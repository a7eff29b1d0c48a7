//! What owners may set and when it counts, as tables.

use super::*;
use crate::account::tier::VerifiedBy;
use crate::rules::RuleBook;

/// 2026-11-18, 15:46 in China.
const AFTERNOON: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const HOUR_MS: u64 = 3_600_000;

fn rules() -> RulePack {
    RuleBook::parse(include_str!("../../../../../rules/cn.toml")).expect("sound").in_force(AFTERNOON).expect("in force").clone()
}

fn limits(payment: Option<i64>, day: Option<i64>, night: Option<i64>) -> OwnerLimits {
    OwnerLimits { payment_max_minor: payment, day_max_minor: day, night_max_minor: night, passcode_always: false }
}

fn twin(limits: OwnerLimits) -> OwnerLimits {
    OwnerLimits { passcode_always: true, ..limits }
}

#[test]
fn lower_counts_at_once_and_higher_later() {
    let rules = rules();
    let later = AFTERNOON.plus_millis(24 * HOUR_MS);
    let free = OwnerLimits::default();
    let table = [
        ("a first limit", free, limits(Some(5), None, None), vec![(limits(Some(5), None, None), AFTERNOON)]),
        ("lower", limits(Some(5), None, None), limits(Some(4), None, Some(0)), vec![(limits(Some(4), None, Some(0)), AFTERNOON)]),
        (
            "higher",
            limits(Some(5), None, None),
            limits(Some(6), None, None),
            vec![(limits(Some(5), None, None), AFTERNOON), (limits(Some(6), None, None), later)],
        ),
        (
            "taken away",
            limits(Some(5), Some(7), None),
            limits(None, Some(7), None),
            vec![(limits(Some(5), Some(7), None), AFTERNOON), (limits(None, Some(7), None), later)],
        ),
        (
            "one lower, one higher",
            limits(Some(5), Some(7), None),
            limits(Some(9), Some(6), None),
            vec![(limits(Some(5), Some(6), None), AFTERNOON), (limits(Some(9), Some(6), None), later)],
        ),
        ("the passcode always", free, twin(free), vec![(twin(free), AFTERNOON)]),
        (
            "a lower limit, and the look enough again",
            twin(limits(Some(5), None, None)),
            limits(Some(4), None, None),
            vec![(twin(limits(Some(4), None, None)), AFTERNOON), (limits(Some(4), None, None), later)],
        ),
    ];
    for (name, standing, wanted, expected) in table {
        let changes = standing.change(wanted, &rules, AFTERNOON).expect("can be set");
        let changes: Vec<_> = changes.into_iter().map(|change| (change.limits, change.effective_at)).collect();
        assert_eq!(changes, expected, "{name}");
    }
    let negative = free.change(limits(None, Some(-1), None), &rules, AFTERNOON);
    assert_eq!(negative, Err(Refusal::of_field(Code::InvalidRequest, "day_max_minor")));
}

#[test]
fn payments_days_and_nights_have_their_own_sums() {
    let rules = rules();
    let spent = |minor: i64, at: Timestamp| Usage::default().after_payment(minor, VerifiedBy::LookAndPasscode, &rules, at);
    let at = |hours: u64| AFTERNOON.plus_millis(hours * HOUR_MS);
    let (evening, midnight, morning) = (at(8), at(10), at(15));
    assert_eq!([evening, midnight, morning].map(|time| rules.local_night(time).is_some()), [true, true, false]);
    assert_eq!(rules.local_night(evening), rules.local_night(midnight), "one night, though two days");
    let cap = rules.owner_limits.night_max_minor;
    let table = [
        ("largest payment", limits(Some(100), None, None), 100, Usage::default(), AFTERNOON, true),
        ("one fen more", limits(Some(100), None, None), 101, Usage::default(), AFTERNOON, false),
        ("the day just full", limits(None, Some(100), None), 40, spent(60, AFTERNOON), AFTERNOON, true),
        ("the day full", limits(None, Some(100), None), 41, spent(60, AFTERNOON), AFTERNOON, false),
        ("the next day", limits(None, Some(100), None), 100, spent(60, AFTERNOON), at(12), true),
        ("the night's own limit", limits(None, None, Some(50)), 51, Usage::default(), evening, false),
        ("not by day", limits(None, None, Some(50)), 51, Usage::default(), morning, true),
        ("the night goes on past midnight", limits(None, None, Some(50)), 20, spent(31, evening), midnight, false),
        ("and is over in the morning", limits(None, None, Some(50)), 20, spent(31, evening), morning, true),
        ("the next night starts over", limits(None, None, Some(50)), 50, spent(31, evening), at(8 + 24), true),
        ("the rules' own night", OwnerLimits::default(), cap, Usage::default(), evening, true),
        ("and one fen more", OwnerLimits::default(), cap + 1, Usage::default(), evening, false),
        ("an owner may want more by night", limits(None, None, Some(cap + 1)), cap + 1, Usage::default(), evening, true),
    ];
    for (name, limits, amount_minor, usage, now, allowed) in table {
        assert_eq!(limits.allow(amount_minor, &usage, &rules, now), allowed, "{name}");
    }
}

#[test]
fn what_was_held_and_released_no_longer_counts() {
    let rules = rules();
    let paid = Usage::default().after_payment(500, VerifiedBy::Look, &rules, AFTERNOON);
    let held = paid.after_payment(300, VerifiedBy::Look, &rules, AFTERNOON);
    let released = held.after_release(300, VerifiedBy::Look, AFTERNOON, &rules, AFTERNOON);
    assert_eq!(Usage { look_only_run: paid.look_only_run, ..released }, paid);
    assert_eq!(released.look_only_run, 2, "two looks in a row stay two");
    // The next day only the sums that still run are given back.
    let tomorrow = AFTERNOON.plus_millis(24 * HOUR_MS);
    let released = held.after_release(300, VerifiedBy::Look, AFTERNOON, &rules, tomorrow);
    assert_eq!((released.life_minor, released.year_minor, released.day_minor), (500, 500, 0));
}
