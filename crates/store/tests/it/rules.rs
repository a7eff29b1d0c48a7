//! Rule packs in a store: what payments were judged by never changes.

use base::secret::Secret;
use payments::rules::RuleBook;
use store::{Location, Store};

use crate::place;
use crate::world::*;

/// The packs of these texts, where the store is.
fn open(place: &Location, rules: &str) -> Result<(), String> {
    let book = RuleBook::parse(&settled(rules)).expect("sound");
    Store::open(place, book, Secret::new([3; 32])).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_pack_that_has_judged_is_not_changed_any_more() {
    let (place, _directory) = place::fresh();
    let stricter = rules_with(&[("look_only_payment_max_minor", "10_000")]);
    open(&place, &stricter).expect("the first time");
    open(&place, RULES).expect("it has judged nothing");
    World::at(&place, RULES, 1).new_payment(100);
    open(&place, RULES).expect("the same again");
    open(&place, &RULES.replace("20_000", "2_0000")).expect("the same number");
    let refused = open(&place, &stricter).expect_err("it has judged");
    for said in ["cn/2026-11-01", "strength.look_only_payment_max_minor = 20000", "10000", "whoever edits the file", "new [[pack]]"] {
        assert!(refused.contains(said), "{said} is not in: {refused}");
    }
    let gone = open(&place, &RULES.replace("version = \"cn/2026-11-01\"", "version = \"cn/other\"")).expect_err("it is gone");
    assert!(gone.contains("now says nothing"), "{gone}");
    // A change is a new pack. While that has judged nothing it may still be changed.
    let with = |next: &str| format!("{RULES}\n{}", next.replace("2026-11-01", "2027-01-01"));
    open(&place, &with(RULES)).expect("a pack to come");
    open(&place, &with(&stricter)).expect("it has judged nothing");
    let world = World::at(&place, &with(&stricter), 2);
    world.wait_ms(90 * 86_400_000);
    assert_eq!(world.new_payment(100).rules_version, "cn/2027-01-01");
    drop(world);
    assert!(open(&place, &with(RULES)).expect_err("it has judged now").contains("cn/2027-01-01"));
    open(&place, &with(&stricter)).expect("as it was");
}
