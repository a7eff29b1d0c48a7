//! The right to know and to withdraw: what a shopper's log says of looks that did not end in a payment, and what goes and
//! what stays when a consent is withdrawn.

use base::id::AccountId;
use store::payment::Identification;
use wire::api::{self, BiometricQuery, ConsentPurpose, EnrolmentStatus, PaymentStatus, QueryKind};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::world::*;

const YEAR_MS: u64 = 365 * 86_400_000;

fn log(world: &World, account: AccountId) -> Vec<BiometricQuery> {
    world.store.queries(account, None, 100).expect("reads").data
}

fn outcomes(world: &World, account: AccountId) -> Vec<String> {
    log(world, account).into_iter().map(|query| query.outcome).collect()
}

#[test]
fn every_look_that_recognised_somebody_is_in_their_log() {
    let world = World::new();
    let (alice, bob) = (world.shopper("13800000001", 300_000), world.shopper("13800000002", 0));
    let paid = world.pay(alice, 100);
    assert_eq!(paid.status, PaymentStatus::Paid);
    world.pay(alice, 600_000); // beyond tier B's day
    let cancelled = world.pay(alice, 30_000);
    assert_eq!(world.store.cancel_payment(&world.fresh(), TILL, cancelled.id, world.now()).expect("answers").status, 200);
    let abandoned = world.pay(alice, 30_000);
    assert_eq!(abandoned.status, PaymentStatus::AwaitingPasscode);
    world.wait_ms(300_000);
    world.store.expire_payments(world.now()).expect("expires");
    let guessed = world.pay(alice, 30_000);
    for _ in 0..5 {
        world.passcode(guessed.id, WRONG);
    }
    assert_eq!(outcomes(&world, alice.account), ["passcode_locked", "expired", "cancelled", "limit_exceeded", "paid", "enrolled"]);
    let first = &log(&world, alice.account)[4];
    assert_eq!((first.kind, first.payment, first.amount_minor), (QueryKind::Identification, Some(paid.id), Some(100)));
    assert_eq!((first.asked_by.as_str(), first.store_name.as_deref()), ("Noodle House", Some("Main Street")));
    assert_eq!((first.consent_version.as_deref(), first.rules_version.clone()), (Some("2026-11-01"), Some(paid.rules_version)));
    // A look that recognised nobody, or more than one, is in nobody's log: there is nobody who could be named.
    for found in [Identification::None, Identification::Ambiguous, Identification::Failed(Code::PartiesUnavailable)] {
        assert_eq!(world.look(100, &found).status, PaymentStatus::Refused);
    }
    assert_eq!((outcomes(&world, alice.account).len(), outcomes(&world, bob.account)), (6, vec!["enrolled".to_owned()]));
}

#[test]
fn a_look_whose_answer_came_too_late_is_in_the_log_once() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let payment = world.being_checked(100);
    world.wait_ms(300_000);
    world.store.expire_payments(world.now()).expect("expires");
    for _ in 0..2 {
        let token = Identification::Token(alice.token);
        let late = world.store.identified(payment, &token, &mut *world.rng.borrow_mut(), world.now(), &mut || {});
        assert_eq!(late.expect_err("it is over").code(), Code::StateConflict);
    }
    assert_eq!(outcomes(&world, alice.account), ["expired", "enrolled"]);
    assert_eq!(world.me(alice.account).balance_minor, 1_000, "nothing was charged");
}

#[test]
fn a_look_at_a_face_that_is_being_deleted_is_in_the_log() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    world.store.delete_enrolment(alice.account, alice.enrolment, world.now()).expect("deletes");
    assert_eq!(world.pay(alice, 100).refusal, Some(Code::NotRecognised));
    assert_eq!(outcomes(&world, alice.account), ["not_recognised", "enrolled"]);
}

#[test]
fn a_failed_look_at_enrolment_is_in_the_log() {
    let world = World::new();
    let account = world.account("13800000001");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    world.wait_ms(300_000);
    let key = world.fresh();
    let send = || {
        let probe = enrol_probe(&enrolment);
        world
            .store
            .receive_template(&key, TILL, enrolment.id, &probe, &[new_token([1; 16])], &mut *world.rng.borrow_mut(), world.now())
            .expect("answers")
    };
    let refused = send();
    assert_eq!((code(&refused), refused.replayed, send().replayed), (Code::ChallengeExpired, false, true));
    let all = log(&world, account);
    assert_eq!((all.len(), all[0].kind, all[0].outcome.as_str()), (1, QueryKind::Enrolment, "challenge_expired"), "once");
    // The look was not taken: the same enrolment may be looked at anew.
    assert_eq!(world.store.enrolment(account, enrolment.id).expect("there").status, EnrolmentStatus::WaitingForCapture);
}

#[test]
fn rows_of_the_log_go_after_three_years() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    world.wait_ms(1_000);
    world.pay(alice, 100);
    world.wait_ms(3 * YEAR_MS - 500);
    world.store.tidy(world.now()).expect("tidies");
    assert_eq!(outcomes(&world, alice.account), ["paid"], "the enrolment is older by a second");
    world.wait_ms(1_000);
    world.store.tidy(world.now()).expect("tidies");
    assert!(outcomes(&world, alice.account).is_empty());
    assert_eq!(world.store.activity(alice.account, None, 10).expect("reads").data.len(), 2, "money has a time of its own");
}

#[test]
fn each_purpose_is_withdrawn_by_itself_and_the_history_stays() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    for purpose in [ConsentPurpose::Membership, ConsentPurpose::Improvement, ConsentPurpose::Marketing] {
        assert_eq!(code(&world.consent(alice.account, purpose, false)), Code::ConsentMissing, "nothing to withdraw");
        assert_eq!(world.consent(alice.account, purpose, true).status, 201);
        assert_eq!(world.consent(alice.account, purpose, false).status, 201);
        assert_eq!(world.me(alice.account).consents.len(), 1, "{purpose:?} is gone, payment stands");
        assert_eq!(world.pay(alice, 10).status, PaymentStatus::Paid, "no other purpose is needed to pay");
    }
    // Whatever text a withdrawal names, it is of the one that was consented to.
    let shown = world.me(alice.account).consents[0].text_sha256;
    let new = api::NewConsent { purpose: ConsentPurpose::Payment, text_sha256: HexArray([9; 32]), granted: false };
    let answer =
        world.store.record_consent(&world.fresh(), alice.account, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers");
    let withdrawn: api::Consent = resource(&answer);
    assert_eq!((withdrawn.text_sha256, withdrawn.version.as_str()), (shown, "2026-11-01"));
    let all = world.store.consents(alice.account, None, 100).expect("reads").data;
    assert_eq!(all.iter().map(|consent| consent.granted).collect::<Vec<_>>(), [false, false, true, false, true, false, true, true]);
    let page = world.store.consents(alice.account, Some(all[2].id), 3).expect("reads");
    assert_eq!((&page.data[..], page.has_more), (&all[3..6], true));
    let bob = world.account("13800000002");
    assert_eq!(world.store.consents(bob, Some(all[2].id), 3).expect_err("another's").code(), Code::CursorUnknown);
}

#[test]
fn withdrawing_payment_takes_the_face_at_once_and_leaves_the_moneys_records() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let (paid, asked) = (world.pay(alice, 100), world.pay(alice, 30_000));
    assert_eq!(asked.status, PaymentStatus::AwaitingPasscode);
    assert_eq!(world.consent(alice.account, ConsentPurpose::Payment, false).status, 201);
    // At once: neither who has looked already pays, nor who looks now, before any party has destroyed anything.
    assert_eq!(resource::<api::Payment>(&world.passcode(asked.id, PASSCODE)).refusal, Some(Code::NotRecognised));
    assert_eq!(world.pay(alice, 100).refusal, Some(Code::NotRecognised));
    world.parties_catch_up();
    let proof = world.store.enrolment(alice.account, alice.enrolment).expect("stays");
    assert_eq!((proof.status, proof.deletions.len()), (EnrolmentStatus::Deleted, 3));
    // The money and its records have a time of their own.
    assert_eq!(world.me(alice.account).balance_minor, 99_900);
    assert_eq!(world.store.activity(alice.account, None, 10).expect("reads").data.len(), 2);
    assert_eq!(world.refund(paid.id, None).status, 201, "a refund still reaches whoever paid");
    assert_eq!(outcomes(&world, alice.account), ["deleted", "not_recognised", "not_recognised", "paid", "enrolled"]);
    world.check_books(100_000, 0);
}
