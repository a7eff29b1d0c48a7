//! Idempotency and refunds, alone and from many threads at once.

use std::thread;

use store::idempotency::{Answer, Idempotency};
use store::payment::Identification;
use wire::api::{self, PaymentStatus};
use wire::problem::Code;

use crate::world::*;

#[test]
fn the_same_request_gets_the_same_bytes_and_is_done_once() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_000);
    let key = keyed("one refund");
    let refund = |idempotency: &Idempotency, amount_minor| {
        world.store.refund(idempotency, TILL, paid.id, &api::NewRefund { amount_minor }, &mut *world.rng.borrow_mut(), world.now())
    };
    let first = refund(&key, Some(300)).expect("answers");
    world.wait_ms(5_000);
    let second = refund(&key, Some(300)).expect("answers");
    assert!(first.is_first_success());
    assert!(!second.is_first_success());
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let other_body = Idempotency { request_digest: [2; 32], ..key.clone() };
    assert_eq!(refund(&other_body, Some(400)).expect_err("another body").code(), Code::IdempotencyKeyReused);
    let other_scope = Idempotency { scope: "somebody else".into(), ..key.clone() };
    assert!(refund(&other_scope, Some(1)).expect("answers").is_first_success(), "keys of others do not meet");
    // What was refused stays refused under its key, though another request would succeed by now.
    let key = keyed("too much");
    assert_eq!(code(&refund(&key, Some(1_000)).expect("answers")), Code::RefundExceedsPayment);
    assert!(refund(&key, Some(1_000)).expect("answers").replayed);
    world.check_books(9_301, 699);
    // Answers about money are kept for ever.
    world.store.tidy(world.now().plus_millis(400 * 86_400_000)).expect("tidies");
    assert_eq!(refund(&keyed("one refund"), Some(300)).expect("answers").body, first.body);
}

#[test]
fn repeated_and_partial_refunds_add_up() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_000);
    for (amount_minor, refunded) in [(Some(1), 1), (Some(399), 400), (None, 1_000)] {
        let answer: api::Payment = resource(&world.refund(paid.id, amount_minor));
        assert_eq!((answer.status, answer.refunded_minor), (PaymentStatus::Paid, refunded));
        assert_eq!(answer.refunds.iter().map(|refund| refund.amount_minor).sum::<i64>(), refunded);
    }
    // A repeated refund is refused; it never turns the earlier ones back.
    for _ in 0..3 {
        assert_eq!(code(&world.refund(paid.id, None)), Code::RefundExceedsPayment);
    }
    world.check_books(10_000, 0);
    let rows = world.store.activity(alice.account, None, 2).expect("reads");
    assert_eq!((rows.data[0].amount_minor, rows.data[0].payment, rows.has_more), (600, Some(paid.id), true));
    let rest = world.store.activity(alice.account, Some(&rows.data[1].id), 10).expect("reads");
    assert_eq!((rest.data.len(), rest.has_more), (3, false));
}

#[test]
fn what_cannot_be_refunded() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let refused = world.look(100, &Identification::None);
    assert_eq!(code(&world.refund(refused.id, None)), Code::StateConflict);
    let paid = world.pay(alice, 100);
    assert_eq!(code(&world.refund(paid.id, Some(0))), Code::InvalidRequest);
    assert_eq!(code(&world.refund(paid.id, Some(101))), Code::RefundExceedsPayment);
    let rival = world.store.refund(
        &world.fresh(),
        RIVAL_TILL,
        paid.id,
        &api::NewRefund { amount_minor: None },
        &mut *world.rng.borrow_mut(),
        world.now(),
    );
    assert_eq!(code(&rival.expect("answers")), Code::NotFound);
    for _ in 0..50 {
        assert_eq!(world.refund(paid.id, Some(1)).status, 201);
    }
    assert_eq!(code(&world.refund(paid.id, Some(1))), Code::RefundWindowOver);
    let paid = world.pay(alice, 100);
    world.wait_ms(365 * 86_400_000 + 1);
    assert_eq!(code(&world.refund(paid.id, None)), Code::RefundWindowOver);
}

/// Runs `work` in `threads` threads at once.
fn at_once<T: Send>(threads: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn threads_with_one_key_get_one_answer() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let (store, now) = (&world.store, world.now());
    let answers = at_once(8, |number| {
        store
            .top_up(&keyed("same"), alice.account, &api::NewTopUp { amount_minor: 500 }, &mut TestRng(number * 1_000), now)
            .expect("answers")
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_first_success()).count(), 1);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    world.check_books(10_500, 0);
}

#[test]
fn threads_that_refund_at_once_never_exceed_the_payment() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_000);
    let (store, now) = (&world.store, world.now());
    let answers: Vec<Answer> = at_once(8, |number| {
        store
            .refund(
                &keyed(&format!("refund {number}")),
                TILL,
                paid.id,
                &api::NewRefund { amount_minor: Some(300) },
                &mut TestRng(number * 1_000),
                now,
            )
            .expect("answers")
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    assert!(answers.iter().filter(|answer| answer.status != 201).all(|answer| code(answer) == Code::RefundExceedsPayment));
    world.check_books(9_900, 100);
}

#[test]
fn threads_that_settle_one_payment_post_it_once() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let payment = world.being_checked(1_000);
    let (store, now) = (&world.store, world.now());
    let results = at_once(8, |number| {
        store
            .identified(payment, &Identification::Token(alice.token), &mut TestRng(number * 1_000), now, &mut || {})
            .map(|payment| payment.status)
    });
    assert_eq!(results.iter().filter(|result| matches!(result, Ok(PaymentStatus::Paid))).count(), 1);
    assert!(results.iter().filter_map(|result| result.as_ref().err()).all(|error| error.code() == Code::StateConflict));
    world.check_books(9_000, 1_000);
}

#[test]
fn two_payments_at_once_cannot_spend_the_same_money() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let payments: Vec<_> = (0..4).map(|_| world.being_checked(600)).collect();
    let (store, now) = (&world.store, world.now());
    let results = at_once(4, |number| {
        store
            .identified(payments[number as usize], &Identification::Token(alice.token), &mut TestRng(number * 1_000), now, &mut || {})
            .expect("judged")
    });
    assert_eq!(results.iter().filter(|payment| payment.status == PaymentStatus::Paid).count(), 1);
    assert_eq!(results.iter().filter(|payment| payment.refusal == Some(Code::InsufficientBalance)).count(), 3);
    world.check_books(400, 600);
}

#[test]
fn guessing_from_many_threads_gives_no_further_tries() {
    let world = World::new();
    let alice = world.shopper("13800000001", 500_000);
    let asked = world.pay(alice, 20_001);
    let (store, now) = (&world.store, world.now());
    let answers = at_once(9, |number| {
        store.enter_passcode(&keyed(&format!("guess {number}")), TILL, asked.id, &secret(WRONG), now).expect("answers")
    });
    let count = |wanted: Code| answers.iter().filter(|answer| answer.status >= 400 && code(answer) == wanted).count();
    assert_eq!((count(Code::PasscodeWrong), count(Code::StateConflict)), (4, 4));
    let locked: Vec<api::Payment> = answers.iter().filter_map(Answer::resource).collect();
    assert_eq!((locked.len(), locked[0].refusal), (1, Some(Code::PasscodeLocked)));
    world.check_books(500_000, 0);
}
