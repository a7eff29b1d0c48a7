//! T31: signs of laundering are told to staff once, for each day that is over.

use store::alert::{Kind, MerchantKind};

use crate::world::*;

const DAY_MS: u64 = 86_400_000;

/// A world at noon of a local day, with rules whose caps are out of the way.
fn world() -> World {
    let world = World::with_rules(&rules_with(&[
        ("look_only_payment_max_minor", "100_000_000"),
        ("look_only_day_max_minor", "200_000_000"),
        ("two_factor_day_max_minor", "200_000_000"),
        ("look_only_run_max", "1000"),
        ("class_2_year_max_minor", "400_000_000"),
        ("class_3_year_max_minor", "400_000_000"),
        ("night_max_minor", "400_000_000"),
        ("person_day_minor", "2_000_000"),
        ("organisation_day_minor", "2_500_000"),
    ]));
    let local_ms = (world.now().millis() + 8 * 3_600_000) % DAY_MS;
    world.wait_ms(DAY_MS + 12 * 3_600_000 - local_ms);
    world
}

fn kinds(world: &World, of: Shopper) -> Vec<Kind> {
    let alerts = world.store.alerts(None, 100).expect("reads");
    alerts.into_iter().filter(|alert| alert.account == of.account).map(|alert| alert.kind).collect()
}

#[test]
fn t31_signs_of_laundering_are_told_to_staff() {
    let world = world();
    // Tops up often just below the largest, passes it on to one payee, and moves more than a person may unreported.
    let mule = world.shopper("13800000001", 450_000);
    for _ in 0..3 {
        world.top_up(mule.account, 450_000);
    }
    world.top_up(mule.account, 200_000);
    world.pay(mule, 2_000_000);
    // Like everybody: some came, some stays.
    let other = world.shopper("13800000002", 400_000);
    world.pay(other, 200_000);
    // Makes the day one of 25,000.00 for the merchant.
    let rich = world.shopper("13800000003", 300_000);
    world.wait_ms(1);
    world.pay(rich, 299_999);
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 0, "yesterday was quiet");
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 0, "today is not over");
    world.wait_ms(DAY_MS);
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 3, "three signs of one wallet");
    assert_eq!(kinds(&world, mule), [Kind::PassThrough, Kind::Structuring, Kind::LargeAmount]);
    assert_eq!((kinds(&world, other), kinds(&world, rich)), (vec![], vec![]));
    assert!(world.store.merchant_alerts(None, 9).expect("reads").is_empty(), "a fen below the organisation's sum");
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 0, "once");
    // A platform that was away for days looks through each of them, in turn.
    world.pay(other, 1);
    world.pay(rich, 1);
    world.top_up(rich.account, 500_000);
    for _ in 0..5 {
        world.top_up(mule.account, 500_000);
    }
    world.pay(mule, 2_499_998);
    world.wait_ms(3 * DAY_MS);
    let found: Vec<usize> = (0..4).map(|_| world.store.watch_day(world.now()).expect("watches")).collect();
    assert_eq!(found, [4, 0, 0, 0]);
    let merchants = world.store.merchant_alerts(None, 9).expect("reads");
    assert_eq!(merchants.iter().map(|alert| (alert.kind, alert.merchant)).collect::<Vec<_>>(), [(MerchantKind::LargeAmount, MERCHANT)]);
}

#[test]
fn t31_a_dormant_account_that_wakes_is_told() {
    let world = world();
    let alice = world.shopper("13800000001", 400_000);
    world.wait_ms(181 * DAY_MS);
    world.pay(alice, 200_000);
    world.wait_ms(DAY_MS);
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 1);
    assert_eq!(kinds(&world, alice), [Kind::DormantWoke]);
}

#[test]
fn alerts_are_read_in_pages() {
    let world = world();
    let shoppers = ["13800000001", "13800000002", "13800000003"].map(|phone| world.shopper(phone, 500_000));
    for shopper in shoppers {
        world.pay(shopper, 500_000);
    }
    world.wait_ms(DAY_MS);
    assert_eq!(world.store.watch_day(world.now()).expect("watches"), 3);
    let all = world.store.alerts(None, 100).expect("reads");
    let mut paged = Vec::new();
    while paged.len() < 9 {
        let page = world.store.alerts(paged.last().map(|alert: &store::alert::Alert| alert.sequence), 2).expect("reads");
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!((paged.len(), paged), (3, all));
}
