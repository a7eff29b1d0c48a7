//! No room on the platform's disk, or on a party's: refused by name, nothing lost, and it goes on when there is room.

use api::config::Timing;
use base::party::PartyId;
use serde_json::json;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::parties::LOOKS_PER_MINUTE;
use crate::world::shopper::Person;
use crate::world::till::{SMALL, fresh_key};
use crate::world::{ENROLLER, TILL, World};

const ROOM: u32 = 100_000;

#[tokio::test]
async fn the_platforms_disk_is_full() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let waiting = till.challenged(SMALL).await;
    let (look, look_key) = (till.look(&waiting, &person), fresh_key());
    let path = format!("/v1/payments/{}/probe", waiting.id);

    world.store().limit_growth(0).expect("is set");
    let new = json!({"amount_minor": 1, "currency": "CNY", "merchant_reference": "x".repeat(64)});
    let mut begun = 1;
    let (refused, refused_key) = loop {
        let key = fresh_key();
        let reply = till.post_with_key("/v1/payments", &new, &key).await;
        if reply.status != 201 {
            break (reply, key);
        }
        begun += 1;
        assert!(begun < 200, "the last page is soon full");
    };
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (503, Code::StorageFull, "1"));
    // What is there is read as before, and nothing is half there.
    let listed = till.get("/v1/payments?limit=100").await.json();
    assert_eq!(listed["data"].as_array().expect("rows").len(), begun.min(100));
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
    // A look now is paid or refused for want of room; charged is what was paid.
    let reply = till.post_with_key(&path, &look, &look_key).await;
    assert!(reply.status == 200 || reply.status == 202 || reply.code() == Code::StorageFull, "{}", reply.text());

    world.store().limit_growth(ROOM).expect("is set");
    // The same requests again: now they are done, and once.
    assert_eq!(till.post_with_key("/v1/payments", &new, &refused_key).await.status, 201);
    assert!(till.post_with_key(&path, &look, &look_key).await.status < 300);
    world.until("paid", async || till.payment(waiting.id).await.status == PaymentStatus::Paid).await;
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn a_partys_disk_is_full() {
    // The other two wait for the one that refuses; the outcome is waited for.
    let world = World::with_timing(Timing { answer_after_ms: 10_000, ..Timing::default() }).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    world.parties.limit_disk(PartyId::P2, 0);
    // Each look uses its nonce up on disk before anything is computed.
    let stranger = Person::new();
    let mut looks = 0;
    let refused: Payment = loop {
        looks += 1;
        assert!(looks < 300, "the last page is soon full");
        if looks % LOOKS_PER_MINUTE == 0 {
            world.clock.put_forward(61_000);
        }
        let payment = till.pay(SMALL, &stranger).await;
        if payment.refusal != Some(Code::NotRecognised) {
            break payment;
        }
    };
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::PartiesUnavailable)));
    world.clock.put_forward(61_000);
    assert_eq!(till.pay(SMALL, &person).await.refusal, Some(Code::PartiesUnavailable));
    assert_eq!(shopper.me().await.balance_minor, 100_000);

    world.parties.limit_disk(PartyId::P2, ROOM);
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
}

#[tokio::test]
async fn a_party_without_room_for_an_enrolment_takes_it_later() {
    let world = World::new().await;
    let (person, next) = (Person::new(), Person::new());
    world.enrolled(&person, 100_000).await;
    world.parties.limit_disk(PartyId::P3, 0);
    assert_eq!(world.till(ENROLLER).crowd(100).await.status, 202);
    world
        .until("refused", async || {
            let ready = world.http.get("/readyz", &[]).await.json();
            ready["parties"][0]["records"] == 101 && ready["parties"][2]["records"] == 1
        })
        .await;
    world.parties.limit_disk(PartyId::P3, ROOM);
    world.until_ready().await;
    world.enrolled(&next, 100_000).await;
    for person in [&person, &next] {
        assert_eq!(world.till(TILL).pay(SMALL, person).await.status, PaymentStatus::Paid);
    }
}
