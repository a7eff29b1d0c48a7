//! "Not me": who may, what is credited when, who decides, and that nobody is paid twice.

use base::id::{PaymentId, TransferId};
use store::alert::Kind;
use store::dispute::Decision;
use store::idempotency::Answer;
use wire::api::{self, ActivityKind, PaymentStatus};
use wire::dispute::{Dispute, DisputeCause, DisputeStatus, NewDispute};
use wire::problem::Code;

use crate::world::*;

const DAY_MS: u64 = 86_400_000;

fn world_with_fund(minor: i64) -> World {
    let world = World::new();
    world.store.fund_compensation(TransferId::from_bits(1), minor, world.now()).expect("funds");
    world
}

fn dispute(world: &World, shopper: Shopper, payment: PaymentId, freeze: bool) -> Answer {
    let new = NewDispute { payment, cause: DisputeCause::NotThere, freeze };
    world.store.open_dispute(&world.fresh(), shopper.account, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
}

fn compensated(world: &World) -> i64 {
    world.store.dispute_statistics().expect("reads").compensated_minor
}

/// Pays more than a look alone may.
fn pay_much(world: &World, shopper: Shopper, amount_minor: i64) -> api::Payment {
    let asked = world.pay(shopper, amount_minor);
    assert_eq!(asked.status, PaymentStatus::AwaitingPasscode);
    resource(&world.passcode(asked.id, PASSCODE))
}

#[test]
fn a_small_sum_is_credited_at_once_and_the_account_frozen() {
    let world = world_with_fund(100_000);
    let (alice, bob) = (world.shopper("13800000001", 10_000), world.shopper("13800000002", 10_000));
    let paid = world.pay(alice, 1_500);
    assert_eq!(code(&dispute(&world, bob, paid.id, false)), Code::NotFound, "only whoever was charged");
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, true));
    assert_eq!((opened.status, opened.amount_minor, opened.credited_minor), (DisputeStatus::Open, 1_500, 1_500));
    assert_eq!(opened.decide_by.millis_since(world.now()), 15 * DAY_MS);
    let me = world.me(alice.account);
    assert_eq!((me.balance_minor, me.frozen), (10_000, true));
    // A look at a till is recognised and refused.
    assert_eq!(world.pay(alice, 100).refusal, Some(Code::AccountFrozen));
    // What the evidence says of the ledger is what the ledger says.
    let head = world.store.ledger_head().expect("reads");
    assert_eq!(opened.evidence.ledger_sequence, head.sequence - 1, "the credit came after it");
    assert_eq!((opened.evidence.terms_sha256, opened.evidence.verified_by.as_deref()), (paid.terms_sha256, Some("look")));
    assert!(paid.terms_sha256.is_some());
    assert_eq!(code(&dispute(&world, alice, paid.id, false)), Code::DisputeExists);
    let rows = world.store.activity(alice.account, None, 1).expect("reads").data;
    assert_eq!((rows[0].kind, rows[0].amount_minor, rows[0].payment), (ActivityKind::Compensation, 1_500, Some(paid.id)));
    assert_eq!(world.store.alerts(None, 10).expect("reads").iter().map(|alert| alert.kind).collect::<Vec<_>>(), [Kind::NotMe]);
    assert!(world.store.books().expect("agree").balanced());
}

#[test]
fn a_large_sum_is_credited_within_a_day_and_an_undecided_dispute_is_the_payers() {
    let world = world_with_fund(1_000_000);
    let alice = world.shopper("13800000001", 300_000);
    let paid = pay_much(&world, alice, 100_000);
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
    assert_eq!((opened.credited_minor, opened.credit_due_at.millis_since(world.now())), (0, DAY_MS));
    world.wait_ms(DAY_MS - 1);
    assert!(world.store.tend_disputes(world.now()).expect("runs").is_empty());
    world.wait_ms(1);
    assert_eq!(world.store.tend_disputes(world.now()).expect("runs"), [opened.id]);
    assert_eq!(world.me(alice.account).balance_minor, 300_000);
    world.wait_ms(14 * DAY_MS);
    assert_eq!(world.store.tend_disputes(world.now()).expect("runs"), [opened.id]);
    let upheld = world.store.dispute(alice.account, opened.id, world.now()).expect("reads");
    assert_eq!((upheld.status, upheld.credited_minor, upheld.decided_at), (DisputeStatus::Upheld, 100_000, Some(world.now())));
    assert!(world.store.tend_disputes(world.now()).expect("runs").is_empty(), "nothing is due twice");
    assert_eq!((world.me(alice.account).balance_minor, compensated(&world)), (300_000, 100_000));
}

#[test]
fn a_rejected_credit_is_taken_back_as_far_as_it_is_there() {
    let world = world_with_fund(100_000);
    let alice = world.shopper("13800000001", 2_000);
    let paid = world.pay(alice, 1_500);
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
    world.pay(alice, 1_200); // of 2,000; 800 are left
    let rejected = world.store.decide_dispute(opened.id, Decision::Reject, "The passcode was given.", world.now()).expect("decides");
    assert_eq!((rejected.status, rejected.credited_minor), (DisputeStatus::Rejected, 0));
    assert_eq!(rejected.reason.as_deref(), Some("The passcode was given."));
    assert_eq!(world.me(alice.account).balance_minor, 0);
    assert_eq!(compensated(&world), 700, "what could not be taken back is the fund's loss");
    let again = world.store.decide_dispute(opened.id, Decision::Uphold, "Really?", world.now());
    assert_eq!(again.expect_err("decided").code(), Code::StateConflict);
    assert!(world.store.books().expect("agree").balanced());
}

/// T29: refunded by the merchant and compensated by the fund.
#[test]
fn t29_a_disputed_payment_is_not_also_refunded_or_undone() {
    let world = world_with_fund(100_000);
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_500);
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
    assert_eq!(code(&world.refund(paid.id, None)), Code::PaymentDisputed);
    let undone = world.store.undo_payment(&world.fresh(), alice.account, paid.id, world.now()).expect("answers");
    assert_eq!(code(&undone), Code::PaymentDisputed);
    assert_eq!(world.me(alice.account).balance_minor, 10_000);
    // Taken back by the payer, the credit goes back, and the merchant may refund again.
    let withdrawn = world.store.withdraw_dispute(&world.fresh(), alice.account, opened.id, world.now()).expect("answers");
    assert_eq!(resource::<Dispute>(&withdrawn).status, DisputeStatus::Withdrawn);
    assert_eq!((world.me(alice.account).balance_minor, compensated(&world)), (8_500, 0));
    assert_eq!(world.refund(paid.id, None).status, 201);
    assert_eq!(world.me(alice.account).balance_minor, 10_000);
    // And the other way round: what was refunded whole cannot be disputed, what was refunded in part only for the rest.
    assert_eq!(code(&dispute(&world, alice, paid.id, false)), Code::StateConflict);
    let part = world.pay(alice, 1_000);
    assert_eq!(world.refund(part.id, Some(400)).status, 201);
    assert_eq!(resource::<Dispute>(&dispute(&world, alice, part.id, false)).amount_minor, 600);
}

#[test]
fn an_empty_fund_delays_the_credit_and_says_so() {
    let world = world_with_fund(1_000);
    let alice = world.shopper("13800000001", 10_000);
    let paid = world.pay(alice, 1_500);
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
    assert_eq!(opened.credited_minor, 0);
    assert!(world.store.alerts(None, 10).expect("reads").iter().any(|alert| alert.kind == Kind::FundEmpty));
    world.store.fund_compensation(TransferId::from_bits(2), 500, world.now()).expect("funds");
    assert_eq!(world.store.tend_disputes(world.now()).expect("runs"), [opened.id]);
    assert_eq!(world.me(alice.account).balance_minor, 10_000);
    // The same funding again is done once.
    world.store.fund_compensation(TransferId::from_bits(2), 500, world.now()).expect("again");
    assert_eq!(world.store.books().expect("agree").earmarked_minor, 0);
}

#[test]
fn everybody_may_count_disputes() {
    let world = world_with_fund(100_000);
    let alice = world.shopper("13800000001", 10_000);
    for (minor, decision) in [(100, Some(Decision::Uphold)), (200, Some(Decision::Uphold)), (300, None)] {
        let paid = world.pay(alice, minor);
        let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
        if let Some(decision) = decision {
            world.store.decide_dispute(opened.id, decision, "So it is.", world.now()).expect("decides");
        }
    }
    let statistics = world.store.dispute_statistics().expect("reads");
    assert_eq!((statistics.payments, statistics.compensated_minor), (3, 600));
    let counts: Vec<_> = statistics.disputes.iter().map(|count| (count.status, count.count, count.amount_minor)).collect();
    assert_eq!(counts, [(DisputeStatus::Open, 1, 300), (DisputeStatus::Upheld, 2, 300)]);
}

#[test]
fn an_appeal_that_is_right_gives_what_was_taken_back() {
    let world = world_with_fund(100_000);
    let (alice, bob) = (world.shopper("13800000001", 2_000), world.shopper("13800000002", 0));
    let paid = world.pay(alice, 1_500);
    let opened: Dispute = resource(&dispute(&world, alice, paid.id, false));
    world.pay(alice, 1_200); // of 2,000; 800 are left
    world.store.decide_dispute(opened.id, Decision::Reject, "The passcode was given.", world.now()).expect("decides");
    assert_eq!(world.me(alice.account).balance_minor, 0);
    let appeal = |shopper: Shopper| world.store.appeal_dispute(&world.fresh(), shopper.account, opened.id, world.now()).expect("answers");
    assert_eq!(code(&appeal(bob)), Code::NotFound);
    let appealed: Dispute = resource(&appeal(alice));
    assert_eq!((appealed.status, appealed.appealed_at, appealed.credited_minor), (DisputeStatus::Open, Some(world.now()), 0));
    assert_eq!(code(&appeal(alice)), Code::StateConflict);
    assert_eq!(code(&world.refund(paid.id, None)), Code::PaymentDisputed, "the institution decides, as before");
    assert!(world.store.alerts(None, 1).expect("reads")[0].kind == Kind::Appeal);
    world.wait_ms(15 * DAY_MS);
    assert_eq!(world.store.tend_disputes(world.now()).expect("runs"), [opened.id]);
    let upheld = world.store.dispute(alice.account, opened.id, world.now()).expect("reads");
    assert_eq!((upheld.status, upheld.credited_minor), (DisputeStatus::Upheld, 1_500));
    // 700 of the first credit were never taken back.
    assert_eq!((world.me(alice.account).balance_minor, compensated(&world)), (800, 1_500));
    let rows = world.store.activity(alice.account, None, 10).expect("reads").data;
    let credits: Vec<_> = rows.iter().filter(|row| row.payment == Some(paid.id)).map(|row| (row.kind, row.amount_minor)).collect();
    use ActivityKind::{Compensation, CompensationTakenBack};
    assert_eq!(credits, [(Compensation, 800), (CompensationTakenBack, -800), (Compensation, 1_500)]);
    // Each row goes on from its own identifier.
    let mut pages = Vec::new();
    while let Some(row) = world.store.activity(alice.account, pages.last().map(|row: &api::Activity| row.id.as_str()), 1).expect("reads").data.pop() {
        pages.push(row);
    }
    assert_eq!(pages, rows);
    assert!(world.store.books().expect("agree").balanced());
}

#[test]
fn disputes_are_listed_in_pages() {
    let world = world_with_fund(100_000);
    let alice = world.shopper("13800000001", 10_000);
    let mut opened = Vec::new();
    for minor in [100, 200, 300] {
        world.wait_ms(1);
        let paid = world.pay(alice, minor);
        opened.push(resource::<Dispute>(&dispute(&world, alice, paid.id, false)).id);
    }
    let page = |after, limit| world.store.disputes(alice.account, after, limit, world.now()).expect("reads");
    let ids = |list: &api::List<Dispute>| list.data.iter().map(|dispute| dispute.id).collect::<Vec<_>>();
    let first = page(None, 2);
    assert_eq!((ids(&first), first.has_more), (vec![opened[2], opened[1]], true));
    let rest = page(Some(opened[1]), 2);
    assert_eq!((ids(&rest), rest.has_more), (vec![opened[0]], false));
}
