//! Paying merchants out: what, when, to whom, once a day; and what stops it.

use base::id::{MerchantId, PayoutId};
use payments::settlement::Step;
use store::alert::MerchantKind;
use store::bank_account::Decision;
use wire::merchant::EventType;
use wire::problem::Code;
use wire::settlement::{BankAccount, BankAccountStatus, HoldReason, Payout, PayoutStatus};

use crate::world::*;

const DAY_MS: u64 = 86_400_000;
const RIVAL: MerchantId = MerchantId::from_bits(2);

fn payout(world: &World, id: PayoutId) -> Payout {
    world.store.payout(MERCHANT, id).expect("the merchant's own")
}

/// The one payout that is made now.
fn settled(world: &World) -> Payout {
    let made = world.store.settle(world.now()).expect("settles");
    assert_eq!(made.len(), 1);
    payout(world, made[0])
}

fn totals(world: &World) -> (i64, i64, i64, i64) {
    let totals = world.store.books().expect("agree");
    assert!(totals.balanced(), "{totals:?}");
    (totals.customer_minor, totals.merchant_minor, totals.transit_minor, totals.reserve_minor)
}

fn told(world: &World) -> Vec<EventType> {
    let events = world.store.events(MERCHANT, None, None, 100).expect("reads").data;
    events.into_iter().map(|event| event.kind).filter(|kind| !kind.name().starts_with("payment.")).collect()
}

fn alerts(world: &World) -> Vec<MerchantKind> {
    world.store.merchant_alerts(None, 100).expect("reads").into_iter().map(|alert| alert.kind).collect()
}

#[test]
fn what_was_paid_until_midnight_is_paid_out_once() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let account = world.bank_account("6222021001112223");
    let first = world.pay(alice, 1_000);
    assert!(world.store.settle(world.now()).expect("settles").is_empty(), "nothing is a day old, and the account is not in force");
    world.wait_ms(DAY_MS);
    let second = world.pay(alice, 500); // of today: waits
    world.refund(first.id, Some(100));
    world.refund(second.id, Some(200));
    let sent = settled(&world);
    assert_eq!((sent.amount_minor, sent.status, sent.bank_account), (900, PayoutStatus::InTransit, account.id));
    assert_eq!(totals(&world), (8_800, 300, 900, 10_000));
    for _ in 0..3 {
        world.wait_ms(60_000);
        assert!(world.store.settle(world.now()).expect("settles").is_empty(), "a second run on the same day moves nothing");
    }
    assert_eq!(totals(&world), (8_800, 300, 900, 10_000));
    // The bank has it: it leaves the reserve, once.
    let arrived = world.store.move_payout(sent.id, Step::Arrive, "bank file", world.now()).expect("was on its way");
    assert_eq!((arrived.status, arrived.ended_at), (PayoutStatus::Arrived, Some(world.now())));
    assert_eq!(totals(&world), (8_800, 300, 0, 9_100));
    for step in Step::ALL {
        assert_eq!(world.store.move_payout(sent.id, step, "bank file", world.now()).expect_err("it is over").code(), Code::StateConflict);
    }
    world.wait_ms(DAY_MS);
    assert_eq!(settled(&world).amount_minor, 300);
    assert_eq!(told(&world)[..3], [EventType::PayoutSent, EventType::PayoutArrived, EventType::PayoutSent]);
    let list = world.store.payouts(MERCHANT, None, 1).expect("reads");
    assert_eq!((list.data[0].amount_minor, list.has_more), (300, true));
    assert_eq!(world.store.payouts(MERCHANT, Some(list.data[0].id), 5).expect("reads").data[0].id, sent.id);
    assert_eq!(world.store.payout(RIVAL, sent.id).expect_err("another's").code(), Code::NotFound);
}

#[test]
fn too_little_waits_for_more() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    world.bank_account("6222021001112223");
    world.pay(alice, 99);
    world.wait_ms(DAY_MS);
    assert!(world.store.settle(world.now()).expect("settles").is_empty());
    world.pay(alice, 1);
    world.wait_ms(DAY_MS);
    assert_eq!(settled(&world).amount_minor, 100);
}

#[test]
fn what_comes_back_is_the_merchants_again_and_the_next_one_waits_for_staff() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    world.bank_account("6222021001112223");
    world.pay(alice, 1_000);
    world.wait_ms(DAY_MS);
    let sent = settled(&world);
    world.store.move_payout(sent.id, Step::Return, "bank file", world.now()).expect("was on its way");
    assert_eq!(totals(&world), (9_000, 1_000, 0, 10_000));
    assert!(world.store.settle(world.now()).expect("settles").is_empty(), "not again today");
    world.wait_ms(DAY_MS);
    let held = settled(&world);
    assert_eq!((held.status, held.hold_reason, held.sent_at), (PayoutStatus::Held, Some(HoldReason::ReturnedBefore), None));
    assert_eq!(totals(&world), (9_000, 1_000, 0, 10_000), "what is held stays where it was");
    world.wait_ms(DAY_MS);
    assert!(world.store.settle(world.now()).expect("settles").is_empty(), "nothing new while one is held");
    let released = world.store.move_payout(held.id, Step::Release, "Chen", world.now()).expect("was held");
    assert_eq!((released.status, released.sent_at), (PayoutStatus::InTransit, Some(world.now())));
    assert_eq!(totals(&world), (9_000, 0, 1_000, 10_000));
    assert_eq!(alerts(&world)[..2], [MerchantKind::PayoutHeld, MerchantKind::PayoutReturned]);
}

/// T30: cash-out. Twenty payments of whole hundreds are held for staff, who give the payout up.
#[test]
fn t30_a_payout_that_looks_like_cash_out_is_held() {
    let world = World::with_rules(&rules_with(&[("look_only_run_max", "100")]));
    world.bank_account("6222021001112223");
    for number in 0..20 {
        let payer = world.shopper(&format!("138000001{number:02}"), 10_000);
        world.pay(payer, if number < 13 { 10_000 } else { 9_999 });
    }
    world.wait_ms(DAY_MS);
    let held = settled(&world);
    assert_eq!((held.status, held.hold_reason), (PayoutStatus::Held, Some(HoldReason::RoundSums)));
    let cancelled = world.store.move_payout(held.id, Step::Cancel, "Chen", world.now()).expect("was held");
    assert_eq!(cancelled.status, PayoutStatus::Cancelled);
    assert_eq!(totals(&world).1, held.amount_minor, "the money stayed");
    assert_eq!(told(&world)[..2], [EventType::PayoutCancelled, EventType::PayoutHeld]);
}

/// T30: by night, and by one payer, in the jurisdiction's hours.
#[test]
fn t30_the_night_and_the_one_payer_are_counted() {
    for (payers, hour, expected) in [(20, 12, None), (20, 2, Some(HoldReason::Night)), (1, 12, Some(HoldReason::OnePayer))] {
        let world = World::with_rules(&rules_with(&[("look_only_run_max", "100")]));
        world.bank_account("6222021001112223");
        let local_ms = (world.now().millis() + 8 * 3_600_000) % DAY_MS;
        world.wait_ms(DAY_MS - local_ms + hour * 3_600_000);
        let shoppers: Vec<_> = (0..payers).map(|number| world.shopper(&format!("138000001{number:02}"), 50_000)).collect();
        for number in 0..20 {
            world.pay(shoppers[number % shoppers.len()], 1_001);
        }
        world.wait_ms(DAY_MS);
        assert_eq!(settled(&world).hold_reason, expected, "{payers} payers at {hour}");
    }
}

/// T36: whoever changes the bank account cannot be paid at once, and the merchant hears of it first.
#[test]
fn t36_a_changed_bank_account_waits_for_approval_and_a_day() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let old = world.bank_account("6222021001112223");
    world.pay(alice, 1_000);
    world.wait_ms(DAY_MS);
    let asked: BankAccount = resource(&world.request_bank_account(MERCHANT, "6222021009998887"));
    assert_eq!((asked.status, asked.account_last4.as_str(), asked.effective_at), (BankAccountStatus::Waiting, "8887", None));
    assert_eq!(code(&world.request_bank_account(MERCHANT, "6222021009998880")), Code::TooMany, "one at a time");
    assert_eq!(settled(&world).bank_account, old.id);
    world.pay(alice, 1_000);
    world.wait_ms(DAY_MS);
    assert_eq!(settled(&world).bank_account, old.id, "time alone approves nothing");
    world.pay(alice, 1_000);
    world.wait_ms(DAY_MS);
    let approved = world.store.decide_bank_account(asked.id, Decision::Approve, "Chen", "asked back by phone", world.now()).expect("waits");
    assert_eq!(approved.effective_at, Some(world.now().plus_millis(DAY_MS)));
    assert_eq!(settled(&world).bank_account, old.id, "not on the day of the approval");
    world.pay(alice, 1_000);
    world.wait_ms(DAY_MS);
    assert_eq!(settled(&world).bank_account, asked.id);
    let withdrawn = world.store.withdraw_bank_account(&world.fresh(), MERCHANT, asked.id, world.now()).expect("answers");
    assert_eq!(code(&withdrawn), Code::StateConflict, "it is in force");
    let notices: Vec<_> = told(&world).into_iter().filter(|kind| kind.name().starts_with("bank_account")).collect();
    use EventType::{BankAccountApproved, BankAccountRequested};
    assert_eq!(notices, [BankAccountApproved, BankAccountRequested, BankAccountApproved, BankAccountRequested]);
    assert_eq!(alerts(&world).iter().filter(|kind| **kind == MerchantKind::BankAccountRequested).count(), 2);
    // What is kept of the number never comes out whole.
    let all = world.store.bank_accounts(MERCHANT, None, 10).expect("reads").data;
    assert!(!serde_json::to_string(&all).expect("plain").contains("6222021009998887"));
}

/// T36: the merchant never asked; it takes the change back before anything is sent.
#[test]
fn t36_the_merchant_stops_a_change_it_never_asked_for() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let old = world.bank_account("6222021001112223");
    world.wait_ms(DAY_MS);
    let forged = world.bank_account("6222021009998887");
    let withdraw = |merchant| world.store.withdraw_bank_account(&world.fresh(), merchant, forged.id, world.now()).expect("answers");
    assert_eq!(code(&withdraw(RIVAL)), Code::NotFound);
    assert_eq!(resource::<BankAccount>(&withdraw(MERCHANT)).status, BankAccountStatus::Withdrawn);
    world.pay(alice, 1_000);
    world.wait_ms(2 * DAY_MS);
    assert_eq!(settled(&world).bank_account, old.id);
    // Staff who asks back and hears no rejects it, with a reason that the merchant reads.
    let asked: BankAccount = resource(&world.request_bank_account(MERCHANT, "6222021009998886"));
    let rejected = world.store.decide_bank_account(asked.id, Decision::Reject, "Chen", "The merchant knows nothing of it.", world.now());
    assert_eq!(rejected.expect("it waits").reason.as_deref(), Some("The merchant knows nothing of it."));
    let again = world.store.decide_bank_account(asked.id, Decision::Approve, "Chen", "", world.now());
    assert_eq!(again.expect_err("decided").code(), Code::StateConflict);
}

/// T32: one bank account behind several merchants is what an unlicensed sub-acquirer looks like.
#[test]
fn t32_a_bank_account_of_two_merchants_is_told_to_staff() {
    let world = World::new();
    world.request_bank_account(MERCHANT, "6222021001112223");
    assert!(!alerts(&world).contains(&MerchantKind::BankAccountShared));
    world.request_bank_account(RIVAL, "6222021001112224");
    assert!(!alerts(&world).contains(&MerchantKind::BankAccountShared));
    world.wait_ms(1);
    let of_rival = world.store.bank_accounts(RIVAL, None, 1).expect("reads").data[0].id;
    world.store.withdraw_bank_account(&world.fresh(), RIVAL, of_rival, world.now()).expect("answers");
    assert_eq!(world.request_bank_account(RIVAL, "6222021001112223").status, 201, "it is staff that decides");
    assert!(alerts(&world).contains(&MerchantKind::BankAccountShared));
}
