//! Payments from the amount to the receipt and back.

use serde_json::json;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::shopper::{PASSCODE, Person};
use crate::world::till::{SMALL, fresh_key};
use crate::world::{OTHER_PAYEES_TILL, SECOND_TILL, TILL, World};

#[tokio::test]
async fn a_look_pays_exactly_once_and_both_sides_see_it() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    world.enrolled(&Person::new(), 100_000).await;

    let payment = till.challenged(SMALL).await;
    assert_eq!(payment.status, PaymentStatus::Challenged);
    let (probe, path, key) = (till.look(&payment, &person), format!("/v1/payments/{}/probe", payment.id), fresh_key());
    let first = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (200, Some("paid")), "{}", first.text());
    for stage in ["receive", "reach", "open", "agree", "scan", "compare", "select", "identify", "resolve", "commit"] {
        assert!(first.header("server-timing").contains(&format!("{stage};dur=")), "{stage}: {}", first.header("server-timing"));
    }

    // Again: the same bytes, and nothing is charged.
    let again = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(again.is_replayed());
    assert!(!first.is_replayed());
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);

    let activity = shopper.get("/v1/activity").await.json();
    assert_eq!((&activity["data"][0]["id"], &activity["data"][0]["amount_minor"]), (&json!(payment.id), &json!(-SMALL)));
    assert_eq!((&activity["data"][0]["verified_by"], &activity["data"][0]["counterparty"]), (&json!("look"), &json!("Merchant 1")));
    let query = shopper.last_query().await;
    assert_eq!((&query["kind"], &query["outcome"], &query["amount_minor"]), (&json!("identification"), &json!("paid"), &json!(SMALL)));
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn refusals_of_the_payer_charge_nothing() {
    let world = World::new().await;
    let till = world.till(TILL);
    let (poor, pausing, deleting, rich) = (Person::new(), Person::new(), Person::new(), Person::new());
    let twins = (Person::new(), ());
    let poor_shopper = world.enrolled(&poor, SMALL - 1).await;
    let pausing_shopper = world.enrolled(&pausing, 100_000).await;
    let deleting_shopper = world.enrolled(&deleting, 100_000).await;
    world.enrolled(&rich, 100_000).await;
    world.enrolled(&twins.0, 100_000).await;
    world.enrolled(&twins.0.twin(), 100_000).await;
    assert_eq!(pausing_shopper.post("/v1/me/pause", json!({})).await.json()["paused"], true);
    deleting_shopper.delete(&format!("/v1/enrolments/{}", deleting_shopper.enrolment().await)).await;

    for (what, person, code) in [
        ("too little money", &poor, Code::InsufficientBalance),
        ("paused", &pausing, Code::AccountPaused),
        ("a deleted face", &deleting, Code::NotRecognised),
        ("a stranger", &Person::new(), Code::NotRecognised),
        ("one of twins", &twins.0, Code::Ambiguous),
    ] {
        let payment = till.pay(SMALL, person).await;
        assert_eq!((payment.status, payment.refusal), (PaymentStatus::Refused, Some(code)), "{what}");
    }
    assert_eq!(till.pay(SMALL, &rich).await.status, PaymentStatus::Paid);
    assert_eq!(poor_shopper.me().await.balance_minor, SMALL - 1);
    assert_eq!(pausing_shopper.last_query().await["outcome"], "account_paused");
    assert_eq!(pausing_shopper.post("/v1/me/resume", json!({})).await.json()["paused"], false);
    assert_eq!(till.pay(SMALL, &pausing).await.status, PaymentStatus::Paid);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn a_large_amount_asks_for_the_passcode_and_five_wrong_ones_lock() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 400_000).await;

    let payment = till.pay(30_000, &person).await;
    assert_eq!((payment.status, payment.attempts_left), (PaymentStatus::AwaitingPasscode, Some(5)));
    let wrong = till.passcode(payment.id, "000000").await;
    assert_eq!((wrong.code(), &wrong.json()["attempts_left"]), (Code::PasscodeWrong, &json!(4)));
    let key = fresh_key();
    let path = format!("/v1/payments/{}/passcode", payment.id);
    let paid = till.post_with_key(&path, &json!({"passcode": PASSCODE}), &key).await;
    assert_eq!((paid.status, paid.json()["status"].as_str()), (200, Some("paid")), "{}", paid.text());
    assert_eq!(till.post_with_key(&path, &json!({"passcode": PASSCODE}), &key).await.body, paid.body);

    let payment = till.pay(30_000, &person).await;
    for left in [4, 3, 2, 1] {
        let wrong = till.passcode(payment.id, "000000").await;
        assert_eq!((wrong.code(), &wrong.json()["attempts_left"]), (Code::PasscodeWrong, &json!(left)));
    }
    let last = till.passcode(payment.id, "000000").await.json();
    assert_eq!((&last["status"], &last["refusal"]), (&json!("refused"), &json!("passcode_locked")));
    let locked = till.payment(payment.id).await;
    assert_eq!((locked.status, locked.refusal), (PaymentStatus::Refused, Some(Code::PasscodeLocked)));
    // The right one does not help now, nor does another payment where no phone is left to approve it.
    assert_eq!(till.pay(30_000, &person).await.asks, Some(wire::api::Asks::Phone));
    shopper.post("/v1/me/approvals/freeze", json!({})).await;
    let late = till.passcode(payment.id, PASSCODE).await;
    assert!(late.status >= 400, "{}", late.text());
    let next = till.pay(30_000, &person).await;
    assert_eq!((next.status, next.refusal), (PaymentStatus::Refused, Some(Code::PasscodeLocked)));
    assert_eq!(shopper.me().await.balance_minor, 370_000);
}

#[tokio::test]
async fn a_payment_that_stands_is_never_answered_with_a_failure() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    // From now on the outcome cannot be remembered in place of *being checked*, though everything else can be written.
    let database = rusqlite::Connection::open(world.store_path()).expect("the platform's database");
    let accident = "CREATE TRIGGER accident BEFORE UPDATE ON stored_answers BEGIN SELECT RAISE(ABORT, 'no room'); END";
    database.execute_batch(accident).expect("the trigger");
    let payment = till.challenged(SMALL).await;
    let (probe, path, key) = (till.look(&payment, &person), format!("/v1/payments/{}/probe", payment.id), fresh_key());
    let first = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (200, Some("paid")), "{}", first.text());
    // The same again is told to ask, and whoever asks learns that it is paid; it is charged once.
    let again = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((again.status, again.json()["status"].as_str()), (202, Some("being_checked")));
    assert_eq!(till.payment(payment.id).await.status, PaymentStatus::Paid);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
}

#[tokio::test]
async fn whoever_deletes_the_face_between_look_and_passcode_does_not_pay() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let payment = till.pay(30_000, &person).await;
    assert_eq!(payment.status, PaymentStatus::AwaitingPasscode);
    shopper.delete(&format!("/v1/enrolments/{}", shopper.enrolment().await)).await;
    let refused: Payment = till.passcode(payment.id, PASSCODE).await.read();
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::NotRecognised)));
    assert_eq!(shopper.me().await.balance_minor, 100_000);
}

#[tokio::test]
async fn looks_at_one_till_at_once_all_pay() {
    let world = World::new().await;
    let till = world.till(TILL);
    let people = [(); 4].map(|()| Person::new());
    for person in &people {
        world.enrolled(person, 100_000).await;
    }
    // The look that was made first comes last.
    let (older, newer) = (till.challenged(SMALL).await, till.challenged(SMALL).await);
    let (older_look, newer_look) = (till.look(&older, &people[0]), till.look(&newer, &people[1]));
    for (payment, look) in [(newer, newer_look), (older, older_look)] {
        let paid: Payment = till.probe(payment.id, &look).await.read();
        assert_eq!((paid.status, paid.refusal), (PaymentStatus::Paid, None));
    }
    for _ in 0..3 {
        let [one, two, three, four] = &people;
        let pay = |person| till.pay(SMALL, person);
        let paid: [Payment; 4] = tokio::join!(pay(one), pay(two), pay(three), pay(four)).into();
        assert_eq!(paid.map(|payment| (payment.status, payment.refusal)), [(PaymentStatus::Paid, None); 4]);
    }
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn refunds_go_back_in_parts_and_never_beyond() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 10_000).await;
    let payment = till.pay(5_000, &person).await;
    let path = format!("/v1/payments/{}/refunds", payment.id);

    let key = fresh_key();
    let first = till.post_with_key(&path, &json!({"amount_minor": 1_500}), &key).await;
    assert_eq!((first.status, &first.json()["refunded_minor"]), (201, &json!(1_500)), "{}", first.text());
    assert_eq!(till.post_with_key(&path, &json!({"amount_minor": 1_500}), &key).await.body, first.body);
    assert_eq!(till.post(&path, &json!({"amount_minor": 3_501})).await.code(), Code::RefundExceedsPayment);
    assert_eq!(till.post(&path, &json!({"amount_minor": 0})).await.code(), Code::InvalidRequest);
    // Another till of the same payee may; what is left goes back without an amount.
    let rest: Payment = world.till(SECOND_TILL).post(&path, &json!({})).await.read();
    assert_eq!((rest.refunded_minor, rest.refunds.len()), (5_000, 2));
    assert_eq!(till.post(&path, &json!({})).await.code(), Code::RefundExceedsPayment);
    assert_eq!(shopper.me().await.balance_minor, 10_000);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn a_payment_belongs_to_its_payee() {
    let world = World::new().await;
    let (till, other) = (world.till(TILL), world.till(OTHER_PAYEES_TILL));
    let payment = till.challenged(SMALL).await;
    let probe = till.look(&payment, &Person::new());
    let path = format!("/v1/payments/{}", payment.id);
    assert_eq!(other.get(&path).await.code(), Code::NotFound);
    assert_eq!(other.post(&format!("{path}/challenge"), &json!({})).await.code(), Code::NotFound);
    assert_eq!(other.post(&format!("{path}/probe"), &probe).await.code(), Code::NotFound);
    assert_eq!(other.post(&format!("{path}/passcode"), &json!({"passcode": PASSCODE})).await.code(), Code::NotFound);
    assert_eq!(other.post(&format!("{path}/cancel"), &json!({})).await.code(), Code::NotFound);
    assert_eq!(other.post(&format!("{path}/refunds"), &json!({})).await.code(), Code::NotFound);
    assert_eq!(other.get("/v1/payments").await.json()["data"], json!([]));
    assert_eq!(world.till(SECOND_TILL).get(&path).await.json()["id"], json!(payment.id));
}

#[tokio::test]
async fn what_is_given_up_or_forgotten_charges_nothing() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    let cancelled = till.challenged(SMALL).await;
    let reply = till.post(&format!("/v1/payments/{}/cancel", cancelled.id), &json!({})).await;
    assert_eq!((reply.status, reply.json()["status"].as_str()), (200, Some("cancelled")));
    let late = till.probe(cancelled.id, &till.look(&cancelled, &person)).await;
    assert!(late.status == 409, "{}", late.text());

    let forgotten = till.pay(30_000, &person).await;
    assert_eq!(forgotten.status, PaymentStatus::AwaitingPasscode);
    world.clock.put_forward(301_000);
    world.until("expired", async || till.payment(forgotten.id).await.status == PaymentStatus::Expired).await;
    assert!(till.passcode(forgotten.id, PASSCODE).await.status == 409);
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let world = World::new().await;
    let till = world.till(TILL);
    let mut made = Vec::new();
    for amount in 1..=5 {
        made.push(till.begin(amount).await.id.to_string());
    }
    // Newest first, also of those of one millisecond.
    made.reverse();
    let (mut found, mut path) = (Vec::new(), "/v1/payments?limit=2".to_owned());
    loop {
        let page = till.get(&path).await.json();
        found.extend(page["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/payments?limit=2&starting_after={}", found.last().expect("a row"));
    }
    assert_eq!(found, made);
}
