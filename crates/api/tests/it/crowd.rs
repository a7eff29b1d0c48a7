//! A crowd, and what a large gallery asks for.

use serde_json::json;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::parties::LOOKS_PER_MINUTE;
use crate::world::shopper::{PASSCODE, Person, Shopper};
use crate::world::till::SMALL;
use crate::world::{ENROLLER, SECOND_TILL, TILL, World};

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
async fn crowds_are_for_demonstrations_only() {
    let mut world = World::new().await;
    world.stop_platform().await;
    world.demo = false;
    world.start_platform().await;
    let reply = world.till(ENROLLER).crowd(5).await;
    assert_eq!((reply.status, reply.code()), (404, Code::NotFound));
    assert_eq!(world.store().gallery_len(None).expect("reads"), 0);
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

#[tokio::test]
async fn a_gallery_that_is_too_large_asks_for_the_phone_and_then_for_the_passcode() {
    // One person may be searched without asking for more.
    let world =
        World::with_rules(&[("false_match_rate_ppb", "1_000"), ("false_match_budget_ppm", "1"), ("narrow_match_budget_ppm", "1")]).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    let neighbour = Shopper::open(world.http.clone(), &format!("1391234{}", &shopper.phone[7..])).await;
    let payment = till.begin(SMALL).await;
    let path = format!("/v1/payments/{}/challenge", payment.id);

    world.enrolled(&Person::new(), 0).await;
    assert_eq!(till.post(&path, &json!({})).await.code(), Code::PhoneSuffixRequired);
    let suffix = json!({"phone_suffix": &shopper.phone[7..]});
    let challenged: Payment = till.post(&path, &suffix).await.read();
    let paid: Payment = till.probe(payment.id, &till.look(&challenged, &person)).await.read();
    assert_eq!(paid.status, PaymentStatus::Paid);

    // Two people whose phones end alike: the part is too large for a look alone.
    neighbour.consent(true).await;
    world.enrol(&neighbour, &Person::new()).await;
    let payment = till.begin(SMALL).await;
    let challenged: Payment = till.post(&format!("/v1/payments/{}/challenge", payment.id), &suffix).await.read();
    let known: Payment = till.probe(payment.id, &till.look(&challenged, &person)).await.read();
    assert_eq!(known.status, PaymentStatus::AwaitingPasscode);
    assert_eq!(till.passcode(payment.id, PASSCODE).await.json()["status"], "paid");
    assert_eq!(shopper.me().await.balance_minor, 100_000 - 3 * SMALL);
}

#[tokio::test]
async fn a_till_that_asks_too_often_waits() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let stranger = Person::new();
    for look in 0..LOOKS_PER_MINUTE {
        assert_eq!(till.pay(SMALL, &stranger).await.refusal, Some(Code::NotRecognised), "look {look}");
    }
    let refused = till.pay(SMALL, &person).await;
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::BudgetExhausted)));
    // Another till has its own budget, and this one has a new one in a minute.
    assert_eq!(world.till(SECOND_TILL).pay(SMALL, &person).await.status, PaymentStatus::Paid);
    world.clock.put_forward(61_000);
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - 2 * SMALL);
}
