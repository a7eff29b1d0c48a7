//! Server-sent events: a till is told as a payment changes.

use std::time::Duration;

use reqwest::Method;
use wire::api::Payment;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::world::shopper::Person;
use crate::world::till::{SMALL, Till};
use crate::world::{OTHER_PAYEES_TILL, TILL, World};

/// Reads the stream of a payment until it ends: the statuses that it told.
async fn statuses(world: &World, authorization: String, payment: Payment) -> Vec<String> {
    let path = format!("/v1/payments/{}/events", payment.id);
    let request = world.http.request(Method::GET, &path, &[("authorization", &authorization)]);
    let text = tokio::time::timeout(Duration::from_secs(20), async { request.send().await.expect("answers").text().await.expect("ends") });
    let text = text.await.expect("the stream ends when the payment is settled");
    let told = text.split("\n\n").filter(|event| event.starts_with("event: payment\n"));
    told.map(|event| {
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
        let payment: serde_json::Value = serde_json::from_str(data).expect("JSON");
        payment["status"].as_str().expect("a status").to_owned()
    })
    .collect()
}

#[tokio::test]
async fn a_till_is_told_every_step_without_asking() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    let payment = till.begin(SMALL).await;
    let bearer = format!("Bearer {}", Till::token(TILL));
    let pays = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let path = format!("/v1/payments/{}/challenge", payment.id);
        let challenged: Payment = till.post(&path, &serde_json::json!({})).await.read();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(till.probe(payment.id, &till.look(&challenged, &person)).await.status, 200);
    };
    let (told, ()) = tokio::join!(statuses(&world, bearer, payment.clone()), pays);
    // The look may be over before the stream was told that it began.
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|status| *status != "being_checked").collect();
    assert_eq!(told, ["created", "challenged", "paid"]);
}

#[tokio::test]
async fn a_settled_payment_is_told_once_and_others_are_not() {
    let world = World::new().await;
    let server = world.server(1, Mode::Test);
    let paid = server.paid(SMALL).await;
    assert_eq!(statuses(&world, format!("Bearer {}", server.key), paid).await, ["paid"]);
    let payment = world.till(TILL).begin(SMALL).await;
    let path = format!("/v1/payments/{}/events", payment.id);
    assert_eq!(world.till(OTHER_PAYEES_TILL).get(&path).await.code(), Code::NotFound);
    // Its time being over is told too, though nobody asked for anything.
    let bearer = format!("Bearer {}", Till::token(TILL));
    let told = async { statuses(&world, bearer, payment).await };
    let time = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.clock.put_forward(600_000);
    };
    assert_eq!(tokio::join!(told, time).0, ["created", "expired"]);
}
