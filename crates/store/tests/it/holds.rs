//! Money that is held: authorised, captured whole or in part, voided, expired; a small payment undone; what was reported of
//! other systems.

use std::thread;

use base::id::PaymentId;
use ledger::transfer::EntryKind;
use store::idempotency::{Answer, Idempotency};
use store::payment::Identification;
use wire::api::{self, PaymentStatus};
use wire::problem::Code;

use crate::world::*;

const HOLD_MS: u64 = 7 * 86_400_000;

fn capture(world: &World, payment: PaymentId, amount_minor: Option<i64>) -> Answer {
    world.store.capture_payment(&world.fresh(), TILL, payment, &api::NewCapture { amount_minor }, world.now()).expect("answers")
}

fn void(world: &World, payment: PaymentId) -> Answer {
    world.store.void_payment(&world.fresh(), OTHER_TILL, payment, world.now()).expect("answers")
}

fn undo(world: &World, shopper: Shopper, payment: PaymentId) -> Answer {
    world.store.undo_payment(&world.fresh(), shopper.account, payment, world.now()).expect("answers")
}

/// A payment whose payer is known and whose money is held.
fn held(world: &World, shopper: Shopper, amount_minor: i64) -> api::Payment {
    let payment = world.being_checked_with(amount_minor, api::Capture::Manual);
    let payment = world.identified(payment, &Identification::Token(shopper.token));
    assert_eq!(payment.status, PaymentStatus::Authorised);
    payment
}

#[test]
fn what_is_held_is_captured_in_part_and_the_rest_is_free() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let payment = held(&world, alice, 3_000);
    assert_eq!((payment.captured_minor, payment.paid_at), (0, None));
    assert_eq!(world.me(alice.account).balance_minor, 7_000, "what is held cannot be spent");
    world.check_books(10_000, 0);
    let rival = world.store.capture_payment(&world.fresh(), RIVAL_TILL, payment.id, &api::NewCapture::default(), world.now());
    assert_eq!(code(&rival.expect("answers")), Code::NotFound);
    assert_eq!(code(&capture(&world, payment.id, Some(3_001))), Code::CaptureExceedsAuthorisation);
    let paid: api::Payment = resource(&capture(&world, payment.id, Some(1_800)));
    assert_eq!((paid.status, paid.captured_minor, paid.paid_at), (PaymentStatus::Paid, 1_800, Some(world.now())));
    assert_eq!(world.me(alice.account).balance_minor, 8_200);
    world.check_books(8_200, 1_800);
    assert_eq!(code(&capture(&world, payment.id, Some(1))), Code::StateConflict);
    assert_eq!(code(&void(&world, payment.id)), Code::StateConflict);
    assert_eq!(code(&world.refund(payment.id, Some(1_801))), Code::RefundExceedsPayment, "refunds count what was captured");
    assert_eq!(world.refund(payment.id, None).status, 201);
    world.check_books(10_000, 0);
    let rows = world.store.activity(alice.account, None, 10).expect("reads").data;
    assert_eq!(rows.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [1_800, -1_800, 10_000], "a hold is no movement");
}

#[test]
fn what_is_held_is_voided_or_expires_and_counts_for_no_limit() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let before = world.me(alice.account);
    let voided = held(&world, alice, 3_000);
    assert_eq!(world.me(alice.account).class_remaining_minor, before.class_remaining_minor - 3_000);
    assert_eq!(resource::<api::Payment>(&void(&world, voided.id)).status, PaymentStatus::Voided);
    assert_eq!(world.me(alice.account).class_remaining_minor, before.class_remaining_minor);
    let expired = held(&world, alice, 2_000);
    assert_eq!(expired.expires_at.millis_since(world.now()), HOLD_MS);
    world.wait_ms(HOLD_MS - 1);
    assert!(world.store.expire_payments(world.now()).expect("runs").is_empty());
    world.wait_ms(1);
    assert_eq!(code(&capture(&world, expired.id, None)), Code::PaymentExpired, "also before anybody has tidied up");
    assert_eq!(world.store.expire_payments(world.now()).expect("runs"), [expired.id]);
    assert_eq!(world.store.payment(TILL, expired.id, world.now()).expect("reads").status, PaymentStatus::Expired);
    let after = world.me(alice.account);
    assert_eq!((after.balance_minor, after.class_remaining_minor), (10_000, before.class_remaining_minor));
    world.check_books(10_000, 0);
    let kinds = kinds(&world);
    use EntryKind::*;
    assert_eq!(kinds, [Post, Pending, VoidPending, Pending, ExpirePending]);
}

/// What the ledger did, by its export, which is verified on the way.
fn kinds(world: &World) -> Vec<EntryKind> {
    let mut text = String::new();
    let head = world
        .store
        .export_ledger(|piece| {
            text.push_str(piece);
            Ok(())
        })
        .expect("exports");
    let verified = ledger::export::verify(&text, Some(head)).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    assert_eq!(verified.head, world.store.ledger_head().expect("reads"));
    let entries = text.lines().skip(1).map_while(|line| ledger::chain::parse_line(line.rsplit_once(' ')?.0));
    entries.map(|(_, entry)| entry.kind).collect()
}

#[test]
fn a_small_payment_is_undone_by_its_payer_and_nobody_else() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let bob = world.shopper("13800000002", 0);
    let paid = world.pay(alice, 1_500);
    assert_eq!(code(&undo(&world, bob, paid.id)), Code::NotFound);
    let activity: api::Activity = resource(&undo(&world, alice, paid.id));
    assert_eq!((activity.kind, activity.amount_minor, activity.payment), (api::ActivityKind::Refund, 1_500, Some(paid.id)));
    let seen = world.store.payment(TILL, paid.id, world.now()).expect("reads");
    assert_eq!((seen.status, seen.refunded_minor, seen.refunds.len()), (PaymentStatus::Undone, 1_500, 1));
    assert_eq!(code(&undo(&world, alice, paid.id)), Code::StateConflict);
    assert_eq!(code(&world.refund(paid.id, None)), Code::StateConflict, "it is not paid back twice");
    world.check_books(10_000, 0);
    let late = world.pay(alice, 1_500);
    world.wait_ms(60_000);
    assert_eq!(code(&undo(&world, alice, late.id)), Code::UndoOver);
    world.check_books(8_500, 1_500);
}

/// Blnk issue 374: a repeated refund answered 409 and silently reversed the first.
#[test]
fn blnk_374_a_repeated_refund_leaves_the_first_one_standing() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_000);
    assert_eq!(world.refund(paid.id, None).status, 201);
    for _ in 0..3 {
        assert_eq!(code(&world.refund(paid.id, None)), Code::RefundExceedsPayment);
        world.check_books(10_000, 0);
    }
    let seen = world.store.payment(TILL, paid.id, world.now()).expect("reads");
    assert_eq!((seen.refunded_minor, seen.refunds.len()), (1_000, 1));
}

/// Blnk issue 181: holds not counted in the balance check. Here many at once, from many threads.
#[test]
fn blnk_181_many_holds_at_once_never_exceed_the_balance() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let payments: Vec<PaymentId> = (0..12).map(|_| world.being_checked_with(300, api::Capture::Manual)).collect();
    let (store, now) = (&world.store, world.now());
    let outcomes: Vec<api::Payment> = thread::scope(|scope| {
        let running: Vec<_> = payments
            .iter()
            .enumerate()
            .map(|(at, payment)| {
                scope.spawn(move || {
                    let found = Identification::Token(alice.token);
                    store.identified(*payment, &found, &mut TestRng(at as u64 * 1_000), now, &mut || {}).expect("judged")
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let count = |status| outcomes.iter().filter(|payment| payment.status == status).count();
    // Three fit into the balance; a fourth would fit neither, nor would five looks in a row be allowed.
    assert_eq!((count(PaymentStatus::Authorised), count(PaymentStatus::Refused)), (3, 9 - count(PaymentStatus::AwaitingPasscode)));
    assert_eq!(world.me(alice.account).balance_minor, 100);
    world.check_books(1_000, 0);
}

/// Midaz issue 2317: cancelling a hold left debits and credits unequal.
#[test]
fn midaz_2317_a_voided_hold_of_all_that_is_there_leaves_the_books_equal() {
    let world = World::new();
    let alice = world.shopper("13800000001", 2_000);
    let payment = held(&world, alice, 2_000);
    assert_eq!(world.me(alice.account).balance_minor, 0);
    assert_eq!(void(&world, payment.id).status, 200);
    assert_eq!(world.me(alice.account).balance_minor, 2_000);
    let totals = world.store.books().expect("agree");
    assert!(totals.balanced());
    assert_eq!((totals.debits_pending_minor, totals.credits_pending_minor), (0, 0));
}

/// Hyperswitch issue 319: a second payment under a used identifier updated the first. Here identifiers are the platform's,
/// and the request's key with another body is refused.
#[test]
fn hyperswitch_319_a_used_key_with_another_amount_changes_nothing() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let payment = held(&world, alice, 1_000);
    let key = keyed("one capture");
    let take = |key: &Idempotency, amount_minor| {
        world.store.capture_payment(key, TILL, payment.id, &api::NewCapture { amount_minor }, world.now())
    };
    let first = take(&key, Some(400)).expect("answers");
    let other_body = Idempotency { request_digest: [9; 32], ..key.clone() };
    assert_eq!(take(&other_body, Some(900)).expect_err("another body").code(), Code::IdempotencyKeyReused);
    let again = take(&key, Some(400)).expect("answers");
    assert_eq!((again.body, again.replayed), (first.body, true));
    world.check_books(9_600, 400);
}

/// A capture that is asked for by many threads with keys of their own is done once.
#[test]
fn threads_that_capture_and_void_one_hold_settle_it_once() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let payment = held(&world, alice, 1_000).id;
    let (store, now) = (&world.store, world.now());
    let answers: Vec<Answer> = thread::scope(|scope| {
        let running: Vec<_> = (0..8)
            .map(|number: u32| {
                scope.spawn(move || {
                    let key = keyed(&format!("thread {number}"));
                    if number.is_multiple_of(2) {
                        store.capture_payment(&key, TILL, payment, &api::NewCapture { amount_minor: None }, now).expect("answers")
                    } else {
                        store.void_payment(&key, TILL, payment, now).expect("answers")
                    }
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| code(answer) == Code::StateConflict));
    let settled = world.store.payment(TILL, payment, now).expect("reads");
    match settled.status {
        PaymentStatus::Paid => world.check_books(9_000, 1_000),
        PaymentStatus::Voided => world.check_books(10_000, 0),
        other => panic!("{other:?}"),
    }
}

/// A payee that was paid out has nothing to refund from: told so, and nothing half done.
#[test]
fn a_refund_beyond_what_the_payee_has_is_refused() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    world.bank_account("6222021001112223");
    let paid = world.pay(alice, 900);
    world.wait_ms(86_400_000);
    assert_eq!(world.store.settle(world.now()).expect("settles").len(), 1);
    world.pay(alice, 100);
    assert_eq!(code(&world.refund(paid.id, Some(101))), Code::RefundUnfunded);
    assert_eq!(world.refund(paid.id, Some(100)).status, 201);
    let totals = world.store.books().expect("agree");
    assert!(totals.balanced(), "{totals:?}");
    assert_eq!((totals.customer_minor, totals.merchant_minor, totals.transit_minor, totals.reserve_minor), (9_100, 0, 900, 10_000));
}
