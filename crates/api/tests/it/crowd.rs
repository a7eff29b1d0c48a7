//! A crowd, and what a large gallery asks for.

use serde_json::json;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::shopper::Person;
use crate::world::till::SMALL;
use crate::world::{ENROLLER, TILL, World};

#[tokio::test]
async fn a_crowd_is_searched_and_nobody_of_it_pays_for_others() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let reply = world.till(ENROLLER).crowd(500).await;
    assert_eq!((reply.status, &reply.json()["count"]), (202, &json!(500)), "{}", reply.text());
    world.until("in step", async || world.http.get("/readyz", &[]).await.json()["parties"][2]["records"] == 501).await;
    world.until_ready().await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(till.pay(SMALL, &Person::new()).await.refusal, Some(Code::NotRecognised));
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn a_named_part_of_the_gallery_is_searched_alone() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let suffix = &shopper.phone[7..];
    for (digits, outcome) in [(suffix, PaymentStatus::Paid), ("0007", PaymentStatus::Refused)] {
        let payment = till.begin(SMALL).await;
        let path = format!("/v1/payments/{}/challenge", payment.id);
        let challenged: Payment = till.post(&path, &json!({"phone_suffix": digits})).await.read();
        assert!(challenged.challenge.as_ref().is_some_and(|challenge| challenge.partition.is_some()));
        let done: Payment = till.probe(payment.id, &till.look(&challenged, &person)).await.read();
        assert_eq!(done.status, outcome, "{digits}");
    }
    let payment = till.begin(SMALL).await;
    for wrong in ["123", "12345", "12a4", "１２３４"] {
        let reply = till.post(&format!("/v1/payments/{}/challenge", payment.id), &json!({"phone_suffix": wrong})).await;
        assert_eq!((reply.code(), &reply.json()["field"]), (Code::InvalidRequest, &json!("phone_suffix")));
    }
}
