//! A payment at the till: every outcome with its code, and nothing charged unless it is paid.

use base::id::PaymentId;
use store::payment::Identification;
use wire::api::{self, ConsentPurpose, PaymentStatus};
use wire::probe::{ProbeContext, SealedProbe};
use wire::problem::Code;

use crate::world::*;

#[test]
fn a_look_pays_once_and_everything_about_it_is_on_record() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let paid = world.pay(alice, 3_650);
    assert_eq!((paid.status, paid.paid_at, paid.rules_version.as_str()), (PaymentStatus::Paid, Some(world.now()), "cn/2026-11-01"));
    assert_eq!(
        (paid.merchant_name.as_str(), paid.store_name.as_str(), paid.merchant_reference.as_deref()),
        ("Noodle House", "Main Street", Some("table 5"))
    );
    assert_eq!(world.me(alice.account).balance_minor, 96_350);
    assert_eq!(world.me(alice.account).class_remaining_minor, 10_000_000 - 3_650);
    world.check_books(96_350, 3_650);
    let activity = world.store.activity(alice.account, None, 10).expect("reads").data;
    assert_eq!(activity.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [-3_650, 100_000]);
    assert_eq!(
        (activity[0].verified_by.as_deref(), activity[0].id.clone(), activity[0].counterparty.as_str()),
        (Some("look"), paid.id.to_string(), "Noodle House")
    );
    let queries = world.store.queries(alice.account, None, 10).expect("reads").data;
    assert_eq!(queries.iter().map(|row| row.outcome.as_str()).collect::<Vec<_>>(), ["paid", "enrolled"]);
    assert_eq!((queries[0].asked_by.as_str(), queries[0].amount_minor), ("Noodle House", Some(3_650)));
    let read = world.store.payment(TILL, paid.id, world.now()).expect("is there");
    assert_eq!(serde_json::to_value(read).expect("json"), serde_json::to_value(paid).expect("json"));
}

#[test]
fn every_outcome_of_a_look_has_its_code_and_charges_nothing() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let token = Identification::Token(alice.token);
    let pause = |paused| world.store.set_paused(&world.fresh(), alice.account, paused, world.now()).expect("answers");
    let table: [(&str, Identification, i64, Code); 7] = [
        ("nobody", Identification::None, 100, Code::NotRecognised),
        ("two", Identification::Ambiguous, 100, Code::Ambiguous),
        ("party down", Identification::Failed(Code::PartiesUnavailable), 100, Code::PartiesUnavailable),
        ("budget", Identification::Failed(Code::BudgetExhausted), 100, Code::BudgetExhausted),
        ("a token nobody has", Identification::Token([0; 16]), 100, Code::NotRecognised),
        ("too poor", token.clone(), 10_001, Code::InsufficientBalance),
        ("above the day", token.clone(), 500_001, Code::LimitExceeded),
    ];
    for (name, found, amount_minor, code) in table {
        let payment = world.look(amount_minor, &found);
        assert_eq!((payment.status, payment.refusal), (PaymentStatus::Refused, Some(code)), "{name}");
    }
    assert!(resource::<api::Me>(&pause(true)).paused);
    assert_eq!(world.look(100, &token).refusal, Some(Code::AccountPaused));
    assert!(!resource::<api::Me>(&pause(false)).paused);
    world.store.delete_enrolment(alice.account, alice.enrolment, world.now()).expect("deletes");
    assert_eq!(
        world.look(100, &token).refusal,
        Some(Code::NotRecognised),
        "a deleted face pays nothing, also before the parties confirmed"
    );
    world.check_books(10_000, 0);
    let outcomes: Vec<String> =
        world.store.queries(alice.account, None, 10).expect("reads").data.into_iter().map(|row| row.outcome).collect();
    assert_eq!(
        outcomes,
        ["not_recognised", "account_paused", "limit_exceeded", "insufficient_balance", "enrolled"],
        "refused looks are on the owner's record too"
    );
}

#[test]
fn probes_that_do_not_fit() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let first: api::Payment = resource(&world.challenge(world.new_payment(100).id));
    let second: api::Payment = resource(&world.challenge(world.new_payment(200).id));
    let good = pay_probe(&first);
    let send = |payment: PaymentId, probe: &SealedProbe| {
        world.store.receive_probe(&world.fresh(), TILL, payment, probe, world.now()).expect("answers")
    };
    let mut altered = good.clone();
    altered.context.amount_minor = 1;
    let dearer = sign(ProbeContext { amount_minor: 200, ..good.context.clone() });
    let of_other_till = sign(ProbeContext { terminal: OTHER_TILL, ..good.context.clone() });
    for (name, payment, probe, expected) in [
        ("another payment's", second.id, &good, Code::ProbeMismatch),
        ("another amount", first.id, &dearer, Code::ProbeMismatch),
        ("another till's", first.id, &of_other_till, Code::ProbeMismatch),
        ("altered", first.id, &altered, Code::ProbeInvalid),
        ("of no payment", PaymentId::from_bits(5), &good, Code::NotFound),
    ] {
        assert_eq!(code(&send(payment, probe)), expected, "{name}");
    }
    assert_eq!(send(first.id, &good).status, 202, "none of that used the look up");
    assert_eq!(code(&send(first.id, &good)), Code::StateConflict, "it is being checked");
    world.identified(first.id, &Identification::Token(alice.token));
    assert_eq!(code(&send(first.id, &good)), Code::StateConflict, "after it was paid nobody hears that nothing was charged");
    assert_eq!(code(&send(second.id, &good)), Code::ProbeReplayed, "at another payment");
    world.wait_ms(30_000);
    assert_eq!(code(&send(second.id, &pay_probe(&second))), Code::ChallengeExpired);
    let again: api::Payment = resource(&world.challenge(second.id));
    assert_eq!(send(second.id, &pay_probe(&again)).status, 202, "a new challenge, a new look");
    world.check_books(9_900, 100);
}

#[test]
fn only_the_right_till_drives_a_payment() {
    let world = World::new();
    let payment = world.new_payment(100);
    let cancel = |terminal| world.store.cancel_payment(&world.fresh(), terminal, payment.id, world.now()).expect("answers");
    assert_eq!(code(&cancel(OTHER_TILL)), Code::Forbidden);
    assert_eq!(code(&cancel(RIVAL_TILL)), Code::NotFound);
    assert!(world.store.payment(OTHER_TILL, payment.id, world.now()).is_ok(), "the payee's other till may look");
    assert_eq!(world.store.payment(RIVAL_TILL, payment.id, world.now()).expect_err("not theirs").code(), Code::NotFound);
    assert_eq!(resource::<api::Payment>(&cancel(TILL)).status, PaymentStatus::Cancelled);
    assert_eq!(code(&world.challenge(payment.id)), Code::PaymentCancelled);
}

#[test]
fn above_the_look_only_maximum_the_passcode_is_asked() {
    let world = World::new();
    let alice = world.shopper("13800000001", 500_000);
    let asked = world.pay(alice, 20_001);
    assert_eq!((asked.status, asked.attempts_left), (PaymentStatus::AwaitingPasscode, Some(5)));
    let wrong = world.passcode(asked.id, WRONG);
    assert_eq!((code(&wrong), problem(&wrong).attempts_left), (Code::PasscodeWrong, Some(4)));
    assert_eq!(world.store.payment(TILL, asked.id, world.now()).expect("there").attempts_left, Some(4));
    assert_eq!(code(&world.passcode(asked.id, "12")), Code::InvalidRequest);
    assert_eq!(resource::<api::Payment>(&world.passcode(asked.id, PASSCODE)).status, PaymentStatus::Paid);
    assert_eq!(code(&world.passcode(asked.id, PASSCODE)), Code::StateConflict);
    assert_eq!(world.store.activity(alice.account, None, 1).expect("reads").data[0].verified_by.as_deref(), Some("look_and_passcode"));
    world.check_books(479_999, 20_001);
}

#[test]
fn five_wrong_passcodes_lock_till_and_wallet_alike() {
    let world = World::new();
    let alice = world.shopper("13800000001", 500_000);
    let asked = world.pay(alice, 20_001);
    for left in (1..5).rev() {
        assert_eq!(problem(&world.passcode(asked.id, WRONG)).attempts_left, Some(left));
    }
    let last: api::Payment = resource(&world.passcode(asked.id, WRONG));
    assert_eq!((last.status, last.refusal), (PaymentStatus::Refused, Some(Code::PasscodeLocked)));
    assert_eq!(world.pay(alice, 20_001).refusal, Some(Code::PasscodeLocked));
    let sign_in = |passcode| {
        world.store.sign_in(
            &api::NewSession { phone: secret("13800000001"), passcode: secret(passcode) },
            &[1; 32],
            world.now().plus_millis(1_000),
            world.now(),
        )
    };
    assert_eq!(sign_in(PASSCODE).expect_err("locked").code(), Code::SignInFailed);
    assert_eq!(world.pay(alice, 100).status, PaymentStatus::Paid, "small payments go on");
    world.wait_ms(15 * 60_000);
    assert_eq!(sign_in(PASSCODE).expect("the lock is over"), alice.account);
    world.check_books(499_900, 100);
}

#[test]
fn whoever_pauses_or_deletes_between_look_and_passcode_does_not_pay() {
    type Change = fn(&World, Shopper);
    let changes: [(&str, Change, Code); 3] = [
        (
            "paused",
            |world, shopper| {
                assert_eq!(world.store.set_paused(&world.fresh(), shopper.account, true, world.now()).expect("answers").status, 200)
            },
            Code::AccountPaused,
        ),
        (
            "deleted",
            |world, shopper| {
                world.store.delete_enrolment(shopper.account, shopper.enrolment, world.now()).expect("deletes");
            },
            Code::NotRecognised,
        ),
        (
            "consent withdrawn",
            |world, shopper| assert_eq!(world.consent(shopper.account, ConsentPurpose::Payment, false).status, 201),
            Code::NotRecognised,
        ),
    ];
    for (what, change, code) in changes {
        let world = World::new();
        let alice = world.shopper("13800000001", 500_000);
        let asked = world.pay(alice, 20_001);
        assert_eq!(asked.status, PaymentStatus::AwaitingPasscode, "{what}");
        change(&world, alice);
        let refused: api::Payment = resource(&world.passcode(asked.id, PASSCODE));
        assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(code)), "{what}");
        world.check_books(500_000, 0);
    }
}

#[test]
fn the_sixth_look_in_a_row_asks_for_the_passcode() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    for _ in 0..5 {
        assert_eq!(world.pay(alice, 100).status, PaymentStatus::Paid);
    }
    let sixth = world.pay(alice, 100);
    assert_eq!(sixth.status, PaymentStatus::AwaitingPasscode);
    assert_eq!(resource::<api::Payment>(&world.passcode(sixth.id, PASSCODE)).status, PaymentStatus::Paid);
    assert_eq!(world.pay(alice, 100).status, PaymentStatus::Paid, "the count begins anew");
}

#[test]
fn a_gallery_above_the_budget_asks_for_the_phone() {
    // Three people at one false match in a hundred, with a budget of two in a hundred.
    let world = World::with_rules(&rules_with(&[("false_match_rate_ppb", "10_000_000"), ("false_match_budget_ppm", "20_000")]));
    for phone in ["13800000001", "13800000002"] {
        world.shopper(phone, 0);
    }
    let payment = world.new_payment(100);
    assert_eq!(world.challenge(payment.id).status, 200, "two people are within it");
    let alice = world.shopper("13800000003", 1_000);
    let refused = world.challenge(payment.id);
    assert_eq!((code(&refused), problem(&refused).field.as_deref()), (Code::PhoneSuffixRequired, Some("phone_suffix")));
    let part = part_of("13800000003");
    let answer = world
        .store
        .start_challenge(&world.fresh(), TILL, payment.id, labels(Some(part)), &mut *world.rng.borrow_mut(), world.now())
        .expect("answers");
    let challenged: api::Payment = resource(&answer);
    assert_eq!(challenged.challenge.as_ref().expect("open").partition, Some(part));
    assert_eq!(
        world.store.receive_probe(&world.fresh(), TILL, payment.id, &pay_probe(&challenged), world.now()).expect("answers").status,
        202
    );
    assert_eq!(world.identified(payment.id, &Identification::Token(alice.token)).status, PaymentStatus::Paid);
}

#[test]
fn time_ends_payments_and_a_late_answer_charges_nothing() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let (checked, late) = (world.being_checked(100), world.being_checked(100));
    let created = world.new_payment(100).id;
    assert!(world.store.expire_payments(world.now()).expect("runs").is_empty());
    world.wait_ms(300_000);
    assert_eq!(code(&world.challenge(created)), Code::PaymentExpired);
    assert_eq!(world.identified(late, &Identification::Token(alice.token)).status, PaymentStatus::Expired, "before the sweep");
    let mut ended = world.store.expire_payments(world.now()).expect("runs");
    ended.sort();
    let mut expected = vec![checked, created];
    expected.sort();
    assert_eq!(ended, expected);
    let error = world
        .store
        .identified(checked, &Identification::Token(alice.token), &mut *world.rng.borrow_mut(), world.now(), &mut || {})
        .expect_err("after the sweep");
    assert_eq!(error.code(), Code::StateConflict);
    world.check_books(10_000, 0);
}

#[test]
fn a_restart_resolves_what_was_being_checked() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let payment = world.being_checked(100);
    assert_eq!(
        code(&world.store.cancel_payment(&world.fresh(), TILL, payment, world.now()).expect("answers")),
        Code::StateConflict,
        "the outcome is not known"
    );
    assert_eq!(world.store.recover(world.now()).expect("recovers"), [payment]);
    let after = world.store.payment(TILL, payment, world.now()).expect("there");
    assert_eq!((after.status, after.refusal), (PaymentStatus::Refused, Some(Code::IdentificationInterrupted)));
    assert!(
        world
            .store
            .identified(payment, &Identification::Token(alice.token), &mut *world.rng.borrow_mut(), world.now(), &mut || {})
            .is_err()
    );
    assert!(world.store.recover(world.now()).expect("recovers").is_empty());
    world.check_books(10_000, 0);
}

#[test]
fn lists_go_on_from_where_they_ended() {
    let world = World::new();
    let mut ids: Vec<PaymentId> = (0..5)
        .map(|_| {
            world.wait_ms(1);
            world.new_payment(100).id
        })
        .collect();
    ids.reverse();
    let mut seen = Vec::new();
    loop {
        let page = world.store.payments(OTHER_TILL, seen.last().copied(), 2, world.now()).expect("reads");
        seen.extend(page.data.iter().map(|payment| payment.id));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ids);
    assert!(world.store.payments(RIVAL_TILL, None, 10, world.now()).expect("reads").data.is_empty());
}
