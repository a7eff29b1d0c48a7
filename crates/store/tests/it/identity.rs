//! Classes of accounts: how checks move an account between them, and what caps count: to the fen, across the year's end, and of
//! all accounts of one person.

use base::id::AccountId;
use store::identity::Identity;
use wire::api::{IdentityClass, Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::*;

const DAY_MS: u64 = 86_400_000;
/// Caps that a few payments reach: class I 300.00 in its life, class II 1,000.00 a year, class III 2,000.00 a year.
fn small_caps() -> String {
    rules_with(&[
        ("class_1_life_max_minor", "30_000"),
        ("class_2_year_max_minor", "100_000"),
        ("class_3_year_max_minor", "200_000"),
        ("look_only_payment_max_minor", "100_000"),
        ("look_only_run_max", "1000"),
    ])
}

fn outcome(world: &World, shopper: Shopper, amount_minor: i64) -> Result<(), Code> {
    let payment = world.pay(shopper, amount_minor);
    match payment.refusal {
        Some(code) => Err(code),
        None => {
            assert_eq!(payment.status, PaymentStatus::Paid);
            Ok(())
        }
    }
}

fn check(world: &World, account: AccountId, channel: &str) -> Identity {
    world.store.add_identity_check(account, channel, "Chen", world.now()).expect("counts")
}

fn revoke(world: &World, account: AccountId, channel: &str) -> Identity {
    world.store.revoke_identity_check(account, channel, world.now()).expect("counted")
}

#[test]
fn checks_raise_the_class_and_what_was_paid_keeps_counting() {
    let world = World::with_rules(&small_caps());
    let alice = world.shopper("13800000001", 500_000);
    let account = alice.account;
    let begun = world.store.identity(account, world.now()).expect("is there");
    assert_eq!((begun.class, begun.channels.as_slice()), (IdentityClass::II, &["demo".to_owned()][..]), "it says that nobody was asked");
    outcome(&world, alice, 20_000).expect("pays");
    assert_eq!(revoke(&world, account, "demo").class, IdentityClass::I, "without the demonstration's word");
    for (channel, class) in [
        ("police", IdentityClass::I),
        ("bank_card", IdentityClass::I),
        ("phone", IdentityClass::II),
        ("phone", IdentityClass::II),
        ("tax", IdentityClass::II),
        ("social_security", IdentityClass::III),
    ] {
        assert_eq!(check(&world, account, channel).class, class, "{channel}");
    }
    assert_eq!(world.me(account).class_remaining_minor, 180_000, "what was paid before counts");
    for (channel, class) in [("phone", IdentityClass::II), ("tax", IdentityClass::II), ("police", IdentityClass::I)] {
        // The channel that was recorded twice goes at once.
        assert_eq!(revoke(&world, account, channel).class, class, "{channel}");
    }
    assert_eq!(world.store.revoke_identity_check(account, "phone", world.now()).expect_err("gone").code(), Code::NotFound);
    assert_eq!(outcome(&world, alice, 10_001), Err(Code::LimitExceeded), "class I counts its whole life");
    outcome(&world, alice, 10_000).expect("to the fen");
    assert_eq!((world.me(account).class_remaining_minor, outcome(&world, alice, 1)), (0, Err(Code::LimitExceeded)));
    assert_eq!(check(&world, account, "face_to_face").class, IdentityClass::III, "it stands for all channels");
    outcome(&world, alice, 1).expect("pays again");
    for channel in ["Face to face", "demo", ""] {
        let refused = world.store.add_identity_check(account, channel, "Chen", world.now());
        assert_eq!(refused.expect_err("no name").code(), Code::InvalidRequest, "{channel}");
    }
    let nobody = world.store.add_identity_check(AccountId::from_bits(99), "police", "Chen", world.now());
    assert_eq!(nobody.expect_err("nobody").code(), Code::NotFound);
}

#[test]
fn caps_of_every_class_end_to_the_fen_and_begin_anew_with_the_year() {
    for (channels, cap_minor, is_yearly) in [
        (&["police"][..], 30_000, false),
        (&["police", "bank_card", "phone"], 100_000, true),
        (&["face_to_face"], 200_000, true),
    ] {
        let world = World::with_rules(&small_caps());
        let alice = world.shopper("13800000001", 500_000);
        channels.iter().for_each(|channel| drop(check(&world, alice.account, channel)));
        revoke(&world, alice.account, "demo");
        // In parts that fit into a day by look alone, up to one fen below the cap.
        let mut left = cap_minor - 1;
        while left > 0 {
            let part = left.min(90_000);
            outcome(&world, alice, part).expect("below the cap");
            left -= part;
            world.wait_ms(DAY_MS);
        }
        assert_eq!(outcome(&world, alice, 2), Err(Code::LimitExceeded), "{channels:?}: a fen above");
        outcome(&world, alice, 1).expect("at the cap");
        assert_eq!(outcome(&world, alice, 1), Err(Code::LimitExceeded), "{channels:?}: above");
        // 2026-12-31T16:00 UTC is midnight of the new year at UTC+8.
        let new_year = 1_798_732_800_000;
        world.wait_ms(new_year - 1 - world.now().millis());
        assert_eq!(outcome(&world, alice, 1), Err(Code::LimitExceeded), "{channels:?}: the old year's last millisecond");
        world.wait_ms(1);
        assert_eq!(outcome(&world, alice, 1).is_ok(), is_yearly, "{channels:?}: the new year's first");
        assert_eq!(world.me(alice.account).class_remaining_minor, if is_yearly { cap_minor - 1 } else { 0 });
    }
}

#[test]
fn caps_count_all_accounts_of_one_person() {
    let world = World::with_rules(&small_caps());
    let [first, second, third] = ["13800000001", "13800000002", "13800000003"].map(|phone| world.shopper(phone, 500_000));
    outcome(&world, first, 60_000).expect("pays");
    let join = |account: Shopper, other| world.store.set_person(account.account, other, "Chen", world.now());
    assert_eq!(join(first, Some(first.account)).expect_err("the same").code(), Code::InvalidRequest);
    assert_eq!(join(first, Some(AccountId::from_bits(99))).expect_err("nobody").code(), Code::NotFound);
    let joined = join(second, Some(first.account)).expect("two of one person");
    assert_eq!((joined.class_remaining_minor, joined.other_accounts), (40_000, vec![first.account]));
    join(third, Some(second.account)).expect("three of one person");
    // The day of the look alone (tier C, 1,000.00) and the year of the class are one for all three.
    assert_eq!(outcome(&world, third, 40_001), Err(Code::LimitExceeded));
    outcome(&world, third, 39_999).expect("below");
    outcome(&world, second, 1).expect("at");
    for shopper in [first, second, third] {
        assert_eq!((world.me(shopper.account).class_remaining_minor, outcome(&world, shopper, 1)), (0, Err(Code::LimitExceeded)));
    }
    // The next day the look alone is enough again, and the year is still over; the next year it is not.
    world.wait_ms(DAY_MS);
    assert_eq!(outcome(&world, first, 1), Err(Code::LimitExceeded));
    world.wait_ms(60 * DAY_MS);
    outcome(&world, first, 100_000).expect("another year");
    assert_eq!(outcome(&world, second, 1), Err(Code::LimitExceeded));
    // Staff was wrong about one of them.
    assert_eq!(join(third, None).expect("apart").other_accounts, []);
    outcome(&world, third, 100_000).expect("a person of its own");
    assert_eq!(outcome(&world, second, 1), Err(Code::LimitExceeded));
}

#[test]
fn the_days_of_tiers_count_all_accounts_of_one_person() {
    let world = World::with_rules(&rules_with(&[("look_only_payment_max_minor", "100_000"), ("look_only_run_max", "1000")]));
    let [first, second] = ["13800000001", "13800000002"].map(|phone| world.shopper(phone, 500_000));
    world.store.set_person(second.account, Some(first.account), "Chen", world.now()).expect("one person");
    outcome(&world, first, 99_999).expect("below tier C's day");
    let asked = world.pay(second, 2);
    assert_eq!(asked.status, PaymentStatus::AwaitingPasscode, "above tier C's day the passcode is asked");
    outcome(&world, second, 1).expect("at tier C's day");
    let with_passcode = |payment: Payment| resource::<Payment>(&world.passcode(payment.id, PASSCODE));
    assert_eq!(with_passcode(world.pay(first, 399_999)).status, PaymentStatus::Paid, "below tier B's day");
    assert_eq!(world.pay(second, 2).refusal, Some(Code::LimitExceeded), "above tier B's day");
    assert_eq!(with_passcode(world.pay(second, 1)).status, PaymentStatus::Paid, "at tier B's day");
    assert_eq!(world.pay(first, 1).refusal, Some(Code::LimitExceeded));
    world.wait_ms(DAY_MS);
    outcome(&world, first, 1).expect("another day");
}
