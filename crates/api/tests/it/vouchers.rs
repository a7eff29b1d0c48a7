//! Offline vouchers over HTTP: from the phone's approval to a till that hands one in, with every refusal on the way.

use base::id::StoreId;
use serde_json::{Value, json};
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;
use wire::voucher::{VoucherKit, Vouchers};

use crate::world::shopper::{Person, Shopper};
use crate::world::till::{SMALL, fresh_key};
use crate::world::{OTHER_PAYEES_TILL, SECOND_TILL, TILL, World};

pub const SHOP: StoreId = StoreId::from_bits(1);

/// A regular of the shop who may have vouchers there, with ¥200.
async fn regular(world: &World) -> Shopper {
    let person = Person::new();
    let shopper = world.enrolled(&person, 20_000).await;
    assert_eq!(world.till(TILL).pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(shopper.put(&format!("/v1/me/regulars/{SHOP}"), json!({})).await.status, 200);
    shopper
}

/// The text of a voucher for the shop.
pub async fn text(world: &World) -> String {
    let shopper = regular(world).await;
    let issued: Vouchers = shopper.post("/v1/me/vouchers", body(&shopper).await).await.read();
    issued.vouchers[0].text.clone().expect("for the device that approved")
}

async fn body(shopper: &Shopper) -> Value {
    json!({"store": SHOP, "approval": shopper.approval(json!({"for": "vouchers", "store": SHOP})).await})
}

#[tokio::test]
async fn a_phone_gets_vouchers_once_and_a_till_is_paid_once() {
    let world = World::new().await;
    let shopper = regular(&world).await;
    let (till, second) = (world.till(TILL), world.till(SECOND_TILL));
    let approved = body(&shopper).await;
    let mut elsewhere = approved.clone();
    elsewhere["store"] = json!(StoreId::from_bits(2));
    assert_eq!(shopper.post("/v1/me/vouchers", elsewhere).await.code(), Code::NotFound, "no regular there");
    let key = fresh_key();
    let first = shopper.post_with_key("/v1/me/vouchers", approved.clone(), &key).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let issued: Vouchers = first.read();
    let texts: Vec<String> = issued.vouchers.iter().map(|voucher| voucher.text.clone().expect("for the device that approved")).collect();
    assert_eq!((texts.len(), issued.set_aside_minor), (3, 15_000));
    // The answer was lost: the same request again, with the same texts and no further sum.
    let again = shopper.post_with_key("/v1/me/vouchers", approved, &key).await;
    assert_eq!(again.read::<Vouchers>(), issued);
    let listed: Vouchers = shopper.get("/v1/me/vouchers").await.read();
    assert!(listed.vouchers.iter().all(|voucher| voucher.text.is_none()), "nobody else reads them");
    assert_eq!(shopper.me().await.set_aside_minor, 15_000);

    let kit: VoucherKit = till.get("/v1/terminal/vouchers").await.read();
    assert_eq!((kit.store, kit.stopped.len(), kit.voucher_max_minor), (SHOP, 0, 5_000));
    let taken = |text: &str, amount_minor: i64| json!({"text": text, "amount_minor": amount_minor, "taken_at": kit.at});
    let path = "/v1/terminal/vouchers";
    assert_eq!(till.post(path, &taken(&texts[0].replacen("01", "02", 1), 100)).await.code(), Code::VoucherInvalid);
    assert_eq!(till.post(path, &taken("", 100)).await.code(), Code::VoucherInvalid);
    assert_eq!(world.till(OTHER_PAYEES_TILL).post(path, &taken(&texts[0], 100)).await.code(), Code::VoucherInvalid);
    assert_eq!(till.post(path, &taken(&texts[0], 5_001)).await.code(), Code::VoucherExceeded);
    for amount_minor in [0, -1, i64::MIN] {
        assert_eq!(till.post(path, &taken(&texts[0], amount_minor)).await.code(), Code::InvalidRequest, "{amount_minor}");
    }
    assert_eq!(till.post(path, &json!({"text": texts[0], "amount_minor": 1, "taken_at": u64::MAX})).await.code(), Code::VoucherExpired);
    let key = fresh_key();
    let done = till.post_with_key(path, &taken(&texts[0], 1_250), &key).await;
    assert_eq!(done.status, 201, "{}", done.text());
    let paid: Payment = done.read();
    assert_eq!(
        (paid.status, paid.captured_minor, paid.voucher.map(|voucher| voucher.id)),
        (PaymentStatus::Paid, 1_250, Some(issued.vouchers[0].id))
    );
    assert_eq!(till.post_with_key(path, &taken(&texts[0], 1_250), &key).await.read::<Payment>().id, paid.id);
    assert_eq!(second.post(path, &taken(&texts[0], 1_250)).await.code(), Code::VoucherUsed);
    assert_eq!(till.payment(paid.id).await.voucher, paid.voucher);

    let off: Vouchers = shopper.delete("/v1/me/vouchers").await.read();
    assert_eq!((off.on, off.set_aside_minor), (None, 0));
    assert_eq!(second.post(path, &taken(&texts[1], 100)).await.code(), Code::VoucherStopped);
    assert_eq!(second.get(path).await.read::<VoucherKit>().stopped.len(), 3);
    assert_eq!(shopper.me().await.balance_minor, 20_000 - SMALL - 1_250);
}

#[tokio::test]
async fn vouchers_need_the_phones_approval_of_this_store() {
    let world = World::new().await;
    let shopper = regular(&world).await;
    let other = shopper.approval(json!({"for": "vouchers", "store": StoreId::from_bits(2)})).await;
    let reply = shopper.post("/v1/me/vouchers", json!({"store": SHOP, "approval": other})).await;
    assert_eq!(reply.code(), Code::ApprovalMismatch);
    let approved = body(&shopper).await;
    assert_eq!(shopper.post("/v1/me/vouchers", approved.clone()).await.status, 200);
    let reply = shopper.post("/v1/me/vouchers", approved).await;
    assert!([Code::ApprovalUsed, Code::PasskeyInvalid].contains(&reply.code()), "{}", reply.text());
    assert_eq!(shopper.post("/v1/me/vouchers", json!({"store": SHOP})).await.code(), Code::InvalidRequest);
}
