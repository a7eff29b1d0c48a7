//! The committed pack, dates, and packs that contradict themselves.

use super::*;

const CN: &str = include_str!("../../../../rules/cn.toml");

fn cn() -> RuleBook {
    RuleBook::parse(CN).expect("the committed pack is sound")
}

#[test]
fn the_china_pack_says_what_the_rules_say() {
    let book = cn();
    let pack = book.in_force(Timestamp::from_millis(1_795_000_000_000)).expect("in force in November 2026");
    assert_eq!(pack.version, "cn/2026-11-01");
    assert_eq!(pack.class_cap(IdentityClass::I), ClassCap { max_minor: 100_000, period: CapPeriod::Life });
    assert_eq!(pack.class_cap(IdentityClass::II), ClassCap { max_minor: 10_000_000, period: CapPeriod::Year });
    assert_eq!(pack.class_cap(IdentityClass::III), ClassCap { max_minor: 20_000_000, period: CapPeriod::Year });
    assert_eq!((pack.strength.two_factor_day_max_minor, pack.strength.look_only_day_max_minor), (500_000, 100_000));
    assert_eq!((pack.refunds.window_days, pack.refunds.count_max), (365, 50));
}

#[test]
fn a_pack_begins_at_local_midnight() {
    let book = RuleBook::parse(&format!("{CN}\n{}", CN.replace("2026-11-01", "2027-01-01"))).expect("two packs");
    // 2027-01-01T00:00 at UTC+8 is 2026-12-31T16:00 UTC.
    let midnight = 1_798_732_800_000;
    for (millis, version) in [(midnight - 1, "cn/2026-11-01"), (midnight, "cn/2027-01-01")] {
        let now = Timestamp::from_millis(millis);
        let pack = book.in_force(now).expect("in force");
        assert_eq!(pack.version, version);
        assert_eq!(pack.local_year(now), version[3..7].parse::<u32>().unwrap());
    }
    assert!(matches!(book.in_force(Timestamp::from_millis(0)), Err(RulesError::NotYetInForce(0))));
}

#[test]
fn dates_and_years() {
    for (date, day) in [
        ("1970-01-01", Some(0)),
        ("1970-12-31", Some(364)),
        ("1972-02-29", Some(789)),
        ("2000-03-01", Some(11_017)),
        ("2026-11-01", Some(20_758)),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("2026-00-01", None),
        ("2026-01-00", None),
        ("26-01-01", None),
        ("2026-01-01-", None),
        ("+026-01-01", None),
    ] {
        assert_eq!(calendar::day_of_date(date), day, "{date}");
    }
    for year in 1970..2300 {
        let first = u32::try_from(calendar::day_of_date(&format!("{year}-01-01")).unwrap()).unwrap();
        assert_eq!(calendar::year_of_day(first), year);
        assert!(year == 1970 || calendar::year_of_day(first - 1) == year - 1);
    }
}

#[test]
fn a_pack_that_contradicts_itself_is_refused() {
    for (good, bad, reason) in [
        ("effective_from = \"2026-11-01\"", "effective_from = \"soon\"", "effective_from"),
        ("look_only_payment_max_minor = 20_000", "look_only_payment_max_minor = 200_000", "look_only_payment_max_minor is above"),
        ("look_only_day_max_minor = 100_000", "look_only_day_max_minor = 1_000_000", "look_only_day_max_minor is above"),
        ("wrong_max = 5", "wrong_max = 0", "wrong_max"),
        ("class_3_year_max_minor = 20_000_000", "class_3_year_max_minor = 2", "class II"),
        ("payment_lifetime_s = 300", "payment_lifetime_s = 3", "outlive"),
        ("wrong_max = 5", "wrong_maximum = 5", "unknown field"),
    ] {
        let text = CN.replace(good, bad);
        assert_ne!(text, CN, "{good} stands in the pack");
        let error = RuleBook::parse(&text).expect_err(bad).to_string();
        assert!(error.contains(reason), "{bad}: {error}");
    }
    assert!(RuleBook::parse("").is_err());
}

#[test]
fn a_file_is_known_number_by_number() {
    let book = RuleBook::parse(&format!("{CN}\n{}", CN.replace("2026-11-01", "2027-01-01"))).expect("two packs");
    let first: Vec<&Number> = book.numbers().iter().filter(|number| number.version == "cn/2026-11-01").collect();
    let value = |name: &str| first.iter().find(|number| number.name == name).map(|number| number.value.as_str());
    assert_eq!(value("strength.look_only_day_max_minor"), Some("100000"));
    assert_eq!(value("passcode.lock_minutes"), Some("[15, 60, 1440]"));
    assert_eq!(value("utc_offset_minutes"), Some("480"));
    let lines = CN.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
    assert_eq!((first.len(), book.numbers().len()), (lines, 2 * lines), "every line of each pack");
}
