//! Offline vouchers in the store, on both databases: set aside once, used once, and the books right whatever happens to them.

use std::cell::Cell;

use base::id::StoreId;
use base::money::Money;
use base::time::Timestamp;
use payments::voucher::Voucher as Signed;
use payments::voucher::issue::Taken;
use proptest::prelude::*;
use store::device::Proof;
use store::idempotency::Answer;
use wire::api::{self, PaymentStatus};
use wire::passkey::{Approvable, NoticeKind};
use wire::problem::Code;
use wire::voucher::{Voucher, Vouchers};

use crate::devices::Asking;
use crate::world::*;

const SHOP: StoreId = StoreId::from_bits(MERCHANT.bits());
const DAY_MS: u64 = 86_400_000;
const GRACE_MS: u64 = 21_600_000;

/// A regular of the shop with a bound phone, who has paid there once: ¥1.
struct Regular<'w> {
    world: &'w World,
    asking: Asking<'w>,
    shopper: Shopper,
}

impl<'w> Regular<'w> {
    fn new(world: &'w World, balance_minor: i64) -> Self {
        let shopper = world.shopper("13800000001", balance_minor);
        let asking = Asking { world, next: Cell::new(0) };
        assert_eq!(asking.bind(shopper.account, "phone", &Proof::New).status, 201);
        assert_eq!(world.pay(shopper, 100).status, PaymentStatus::Paid);
        let rng = &mut *world.rng.borrow_mut();
        world.store.set_regular(shopper.account, SHOP, part_of("regulars"), rng, world.now()).expect("has paid there");
        Self { world, asking, shopper }
    }

    fn issue(&self) -> Answer {
        let account = self.shopper.account;
        let approval = self.asking.approval("phone", account, &Approvable::Vouchers { store: SHOP });
        let rng = &mut *self.world.rng.borrow_mut();
        self.world.store.issue_vouchers(&self.world.fresh(), account, SHOP, &approval, rng, self.world.now()).expect("answers")
    }

    fn seen(&self) -> Vouchers {
        self.world.store.vouchers(self.shopper.account, self.world.now()).expect("reads")
    }

    fn states(&self) -> Vec<String> {
        self.seen().vouchers.into_iter().rev().map(|voucher| voucher.state).collect()
    }

    fn take(&self, terminal: base::id::TerminalId, voucher: &Voucher, amount_minor: i64) -> Answer {
        self.take_at(terminal, voucher, amount_minor, self.world.now())
    }

    fn take_at(&self, terminal: base::id::TerminalId, voucher: &Voucher, amount_minor: i64, at: Timestamp) -> Answer {
        let Voucher { id, store, most_minor, currency, expires_at, .. } = *voucher;
        let signed = Signed { id, store, most: Money { minor: most_minor, currency }, expires_at };
        let rng = &mut *self.world.rng.borrow_mut();
        let taken = Taken { amount_minor, at };
        self.world.store.take_voucher(&self.world.fresh(), terminal, &signed, &taken, rng, self.world.now()).expect("answers")
    }
}

#[test]
fn a_voucher_is_set_aside_taken_in_part_and_the_rest_released() {
    let world = World::new();
    let regular = Regular::new(&world, 20_100);
    let before = world.me(regular.shopper.account);
    let issued: Vouchers = resource(&regular.issue());
    assert_eq!(issued.vouchers.iter().map(|voucher| voucher.most_minor).collect::<Vec<_>>(), [5_000; 3]);
    assert_eq!((issued.set_aside_minor, issued.more_from), (15_000, Some(world.now().plus_millis(DAY_MS))));
    let me = world.me(regular.shopper.account);
    assert_eq!((me.balance_minor, me.set_aside_minor), (5_000, 15_000));
    assert_eq!(me.class_remaining_minor, before.class_remaining_minor - 15_000, "what is set aside counts towards limits");
    // Nothing more is given while there is no room.
    assert_eq!(resource::<Vouchers>(&regular.issue()).vouchers.len(), 3);

    let first = &issued.vouchers[0];
    let taken_at = world.now();
    world.wait_ms(3_600_000);
    let paid: api::Payment = resource(&regular.take_at(TILL, first, 1_250, taken_at));
    assert_eq!((paid.status, paid.captured_minor), (PaymentStatus::Paid, 1_250));
    assert_eq!(paid.voucher, Some(api::PaidVoucher { id: first.id, taken_at }));
    assert_eq!(world.store.payment(TILL, paid.id, world.now()).expect("reads").voucher, paid.voucher);
    let me = world.me(regular.shopper.account);
    assert_eq!((me.balance_minor, me.set_aside_minor), (8_750, 10_000));
    assert_eq!(me.class_remaining_minor, before.class_remaining_minor - 11_250);
    assert_eq!(me.notices[0].kind, NoticeKind::VoucherUsed);
    let rows = world.store.activity(regular.shopper.account, None, 1).expect("reads").data;
    assert_eq!((rows[0].amount_minor, rows[0].verified_by.as_deref()), (-1_250, Some("voucher")));
    world.check_books(18_750, 1_350);
    // An ordinary payment: it is refunded like any.
    assert_eq!(world.refund(paid.id, None).status, 201);
    world.check_books(20_000, 100);
}

#[test]
fn the_first_till_is_paid_and_every_other_hears_why_not() {
    let world = World::new();
    let regular = Regular::new(&world, 20_100);
    let issued: Vouchers = resource(&regular.issue());
    let [first, second, third] = &issued.vouchers[..] else { panic!("three vouchers") };
    assert_eq!(code(&regular.take(RIVAL_TILL, first, 100)), Code::VoucherInvalid);
    assert_eq!(code(&regular.take(TILL, first, 5_001)), Code::VoucherExceeded);
    assert_eq!(code(&regular.take(TILL, first, 0)), Code::InvalidRequest);
    assert_eq!(code(&regular.take(TILL, first, -5)), Code::InvalidRequest);
    assert_eq!(code(&regular.take_at(TILL, first, 100, first.expires_at)), Code::VoucherExpired);
    assert_eq!(regular.take(TILL, first, 700).status, 201);
    assert_eq!(code(&regular.take(OTHER_TILL, first, 700)), Code::VoucherUsed);
    assert_eq!(world.store.stopped_vouchers(SHOP, world.now()).expect("reads"), [first.id]);

    world.store.freeze(&world.fresh(), regular.shopper.account, world.now()).expect("freezes");
    assert_eq!(code(&regular.take(TILL, second, 100)), Code::VoucherStopped);
    let mut stopped = vec![first.id, second.id, third.id];
    stopped.sort();
    assert_eq!(world.store.stopped_vouchers(SHOP, world.now()).expect("reads"), stopped);
    assert_eq!(world.store.stopped_vouchers(StoreId::from_bits(2), world.now()).expect("reads"), []);
    assert_eq!(world.me(regular.shopper.account).set_aside_minor, 0);
    assert_eq!(regular.seen().on, None);
    world.wait_ms(DAY_MS);
    assert_eq!(world.store.stopped_vouchers(SHOP, world.now()).expect("reads"), [], "what has expired needs no list");
    world.check_books(19_300, 800);
}

#[test]
fn what_a_till_took_in_time_is_good_until_its_grace_is_over() {
    let world = World::new();
    let regular = Regular::new(&world, 20_100);
    let issued: Vouchers = resource(&regular.issue());
    let [first, second, _] = &issued.vouchers[..] else { panic!("three vouchers") };
    let in_time = Timestamp::from_millis(first.expires_at.millis() - 1);
    world.wait_ms(DAY_MS + GRACE_MS - 1);
    world.store.expire_payments(world.now()).expect("runs");
    assert_eq!(regular.take_at(TILL, first, 5_000, in_time).status, 201);
    world.wait_ms(1);
    assert_eq!(code(&regular.take_at(TILL, second, 5_000, in_time)), Code::VoucherExpired, "also before anybody has tidied up");
    world.store.expire_payments(world.now()).expect("runs");
    assert_eq!(regular.states(), ["expired", "expired", "used"]);
    assert_eq!(world.me(regular.shopper.account).set_aside_minor, 0);
    world.check_books(15_000, 5_100);
}

/// Whoever switches off and on again gets no second set for the day: a till without network may have taken the first.
#[test]
fn no_more_is_signed_in_a_day_than_the_rules_say() {
    let world = World::new();
    let regular = Regular::new(&world, 40_000);
    assert_eq!(resource::<Vouchers>(&regular.issue()).vouchers.len(), 3);
    for _ in 0..3 {
        let off = world.store.stop_vouchers(regular.shopper.account, world.now()).expect("stops");
        assert_eq!((off.on, off.set_aside_minor), (None, 0));
        assert_eq!(resource::<Vouchers>(&regular.issue()).vouchers.len(), 3);
    }
    world.wait_ms(DAY_MS);
    let next_day: Vouchers = resource(&regular.issue());
    assert_eq!((next_day.vouchers.len(), next_day.set_aside_minor), (6, 15_000));
    world.check_books(39_900, 100);
}

#[test]
fn whoever_may_not_pay_gets_none_and_whatever_stops_paying_stops_them() {
    let world = World::new();
    let regular = Regular::new(&world, 7_100);
    let account = regular.shopper.account;
    let issued: Vouchers = resource(&regular.issue());
    let mut sums: Vec<_> = issued.vouchers.iter().map(|voucher| voucher.most_minor).collect();
    sums.sort();
    assert_eq!(sums, [2_000, 5_000], "no more than there is");
    world.store.set_paused(&world.fresh(), account, true, world.now()).expect("pauses");
    assert_eq!(regular.states(), ["stopped", "stopped"]);
    assert_eq!(code(&regular.issue()), Code::AccountPaused);
    world.store.set_paused(&world.fresh(), account, false, world.now()).expect("resumes");
    world.wait_ms(DAY_MS);
    type Stop<'s> = Box<dyn Fn() + 's>;
    let stops: [(&str, Stop); 3] = [
        (
            "the approvals are frozen",
            Box::new(|| drop(world.store.freeze_approvals(&world.fresh(), account, world.now()).expect("freezes"))),
        ),
        (
            "no regular any more",
            Box::new(|| drop(world.store.unset_regular(account, SHOP, &mut *world.rng.borrow_mut(), world.now()).expect("ends"))),
        ),
        (
            "the face is deleted",
            Box::new(|| drop(world.store.delete_enrolment(account, regular.shopper.enrolment, world.now()).expect("deletes"))),
        ),
    ];
    for (what, stop) in stops {
        world.wait_ms(DAY_MS);
        if what == "no regular any more" {
            world.store.thaw_approvals(&world.fresh(), account, &secret(PASSCODE), world.now()).expect("thaws");
        }
        if what == "the face is deleted" {
            assert_eq!(code(&regular.issue()), Code::NotFound, "only a regular gets any");
            let rng = &mut *world.rng.borrow_mut();
            world.store.set_regular(account, SHOP, part_of("regulars"), rng, world.now()).expect("has paid there");
        }
        assert_eq!(regular.issue().status, 200, "{what}");
        assert_eq!(world.me(account).set_aside_minor, 7_000, "{what}");
        stop();
        assert_eq!(world.me(account).set_aside_minor, 0, "{what}");
        world.check_books(7_000, 100);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Issue,
    Take { which: usize, other_till: bool, amount_minor: i64 },
    Stop,
    Wait { hours: u64 },
    PayByLook { amount_minor: i64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Issue),
        6 => (0..9_usize, any::<bool>(), -10..6_000_i64).prop_map(|(which, other_till, amount_minor)| Act::Take { which, other_till, amount_minor }),
        1 => Just(Act::Stop),
        2 => (1..32_u64).prop_map(|hours| Act::Wait { hours }),
        1 => (1..9_000_i64).prop_map(|amount_minor| Act::PayByLook { amount_minor }),
    ];
    prop::collection::vec(act, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked in whatever order: the books balance, what is set aside is what the good vouchers are worth, each voucher
    /// pays once, and no more than a day's vouchers are good at a time.
    #[test]
    fn the_books_hold_whatever_becomes_of_vouchers(acts in acts()) {
        let world = World::new();
        let regular = Regular::new(&world, 30_000);
        let mut paid_minor = 100;
        for act in acts {
            match act {
                Act::Issue => drop(regular.issue()),
                Act::Take { which, other_till, amount_minor } => {
                    if let Some(voucher) = regular.seen().vouchers.get(which) {
                        let till = if other_till { OTHER_TILL } else { TILL };
                        let answer = regular.take(till, voucher, amount_minor);
                        let good = voucher.state == "open" && (1..=voucher.most_minor).contains(&amount_minor) && world.now() < voucher.expires_at;
                        prop_assert_eq!(answer.status == 201, good);
                        paid_minor += if good { amount_minor } else { 0 };
                    }
                }
                Act::Stop => drop(world.store.stop_vouchers(regular.shopper.account, world.now()).expect("stops")),
                Act::Wait { hours } => {
                    world.wait_ms(hours * 3_600_000);
                    world.store.expire_payments(world.now()).expect("runs");
                }
                Act::PayByLook { amount_minor } => {
                    let payment = world.pay(regular.shopper, amount_minor);
                    if payment.status == PaymentStatus::Paid {
                        paid_minor += amount_minor;
                    }
                }
            }
            let (seen, me) = (regular.seen(), world.me(regular.shopper.account));
            let good = |voucher: &&Voucher| voucher.state == "open";
            prop_assert_eq!(seen.set_aside_minor, seen.vouchers.iter().filter(good).map(|voucher| voucher.most_minor).sum::<i64>());
            let running = seen.vouchers.iter().filter(|voucher| voucher.expires_at > world.now());
            prop_assert!(running.map(|voucher| voucher.most_minor).sum::<i64>() <= seen.day_max_minor);
            prop_assert_eq!(me.balance_minor + me.set_aside_minor, 30_000 - paid_minor);
            world.check_books(30_000 - paid_minor, paid_minor);
        }
    }
}
