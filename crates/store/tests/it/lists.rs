//! Lists as chains: whole, in order, in pages, and each its owner's alone.

use base::id::PaymentId;
use wire::merchant::EventType;
use wire::problem::Code;

use crate::world::*;

/// All payments of the merchant, page by page.
fn payments(world: &World, page: u32) -> Vec<PaymentId> {
    let mut all: Vec<PaymentId> = Vec::new();
    loop {
        let list = world.store.payments(TILL, all.last().copied(), page, world.now()).expect("reads");
        all.extend(list.data.iter().map(|payment| payment.id));
        if !list.has_more {
            return all;
        }
    }
}

#[test]
fn lists_are_whole_in_pages_of_every_size() {
    let world = World::new();
    let mut made: Vec<PaymentId> = (0..23).map(|_| world.new_payment(100).id).collect();
    made.reverse();
    for page in [1, 2, 7, 22, 23, 24, 100] {
        assert_eq!(payments(&world, page), made, "{page} at a time");
    }
    assert!(world.store.payments(RIVAL_TILL, None, 10, world.now()).expect("reads").data.is_empty());
    // A row of another list, and one that is nowhere.
    let of_rival = world.store.payments(RIVAL_TILL, Some(made[3]), 10, world.now());
    assert_eq!(of_rival.expect_err("not theirs").code(), Code::CursorUnknown);
    let nowhere = world.store.payments(TILL, Some(PaymentId::from_bits(5)), 10, world.now());
    assert_eq!(nowhere.expect_err("nobody's").code(), Code::CursorUnknown);
}

#[test]
fn a_clock_that_goes_back_loses_nothing_of_a_list() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let first = world.pay(alice, 100).id;
    world.wait_ms(3_600_000);
    let later = world.pay(alice, 200).id;
    world.now.set(START);
    let last = world.pay(alice, 300).id;
    assert_eq!(payments(&world, 1), [last, later, first], "in the order in which they were stored");
    let activity = world.store.activity(alice.account, None, 10).expect("reads").data;
    assert_eq!(activity.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [-300, -200, -100, 100_000]);
    assert_eq!(world.store.queries(alice.account, None, 10).expect("reads").data.len(), 4);
}

#[test]
fn events_of_one_type_are_found_among_many_others() {
    let world = World::with_rules(&rules_with(&[("look_only_run_max", "1000")]));
    let alice = world.shopper("13800000001", 100_000);
    let (oldest, refunded) = (world.pay(alice, 1), world.pay(alice, 2));
    world.refund(refunded.id, None);
    for _ in 0..220 {
        world.pay(alice, 1);
    }
    let refunds = world.store.events(MERCHANT, Some(EventType::PaymentRefunded), None, 10).expect("reads");
    assert_eq!((refunds.data.len(), refunds.has_more), (1, false));
    let paid = |after, limit| world.store.events(MERCHANT, Some(EventType::PaymentPaid), after, limit).expect("reads");
    let older = paid(Some(refunds.data[0].id), 1);
    assert_eq!((older.data.len(), older.has_more), (1, true));
    let rest = paid(Some(older.data[0].id), 10);
    let of = |event: &wire::merchant::Event| event.data.payment.as_ref().map(|payment| payment.id);
    assert_eq!((rest.data.iter().map(of).collect::<Vec<_>>(), rest.has_more), (vec![Some(oldest.id)], false));
    // What is past its time is gone from the end.
    world.wait_ms(91 * 86_400_000);
    world.pay(alice, 1);
    world.store.tidy_events(world.now()).expect("tidies");
    assert_eq!(paid(None, 100).data.len(), 1);
}

#[test]
fn a_part_that_is_undone_is_in_no_list() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let paid = world.pay(alice, 400);
    // The refusal of the second refund undoes its part of the transaction.
    assert_eq!(world.refund(paid.id, Some(300)).status, 201);
    assert_eq!(code(&world.refund(paid.id, Some(101))), Code::RefundExceedsPayment);
    assert_eq!(world.refund(paid.id, Some(100)).status, 201);
    let activity = world.store.activity(alice.account, None, 10).expect("reads").data;
    assert_eq!(activity.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [100, 300, -400, 1_000]);
}
