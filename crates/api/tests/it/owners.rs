//! Holds, and what owners may do with their accounts and payments, over HTTP.

use serde_json::json;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::shopper::{PASSCODE, Person};
use crate::world::till::{SMALL, fresh_key};
use crate::world::{OTHER_PAYEES_TILL, SECOND_TILL, TILL, World};

#[tokio::test]
async fn a_hold_is_captured_in_part_by_another_till_of_the_payee() {
    let world = World::new().await;
    let (person, till, second) = (Person::new(), world.till(TILL), world.till(SECOND_TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let new = json!({"amount_minor": SMALL, "currency": "CNY", "capture": "manual"});
    let begun: Payment = till.post("/v1/payments", &new).await.read();
    let challenged: Payment = till.post(&format!("/v1/payments/{}/challenge", begun.id), &json!({})).await.read();
    let held: Payment = till.probe(begun.id, &till.look(&challenged, &person)).await.read();
    assert_eq!((held.status, held.captured_minor, held.paid_at), (PaymentStatus::Authorised, 0, None));
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
    let capture = format!("/v1/payments/{}/capture", begun.id);
    let stranger = world.till(OTHER_PAYEES_TILL).post(&capture, &json!({})).await;
    assert_eq!(stranger.code(), Code::NotFound);
    assert_eq!(second.post(&capture, &json!({"amount_minor": SMALL + 1})).await.code(), Code::CaptureExceedsAuthorisation);
    let key = fresh_key();
    let first = second.post_with_key(&capture, &json!({"amount_minor": 100}), &key).await;
    let paid: Payment = first.read();
    assert_eq!((paid.status, paid.captured_minor), (PaymentStatus::Paid, 100));
    let again = second.post_with_key(&capture, &json!({"amount_minor": 100}), &key).await;
    assert_eq!((again.is_replayed(), again.body), (true, first.body));
    assert_eq!(till.post(&format!("/v1/payments/{}/void", begun.id), &json!({})).await.code(), Code::StateConflict);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - 100);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn whoever_says_not_me_is_credited_and_sees_the_evidence() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let (shopper, other) = (world.enrolled(&person, 100_000).await, world.shopper(0).await);
    let fund = base::id::TransferId::from_bits(1);
    world.store().fund_compensation(fund, 1_000_000, base::time::Timestamp::from_millis(1)).expect("funds");
    let paid = till.pay(SMALL, &person).await;
    let new = json!({"payment": paid.id, "cause": "not_there", "freeze": true});
    assert_eq!(other.post("/v1/disputes", new.clone()).await.code(), Code::NotFound);
    let opened = shopper.post("/v1/disputes", new.clone()).await;
    assert_eq!((opened.status, &opened.json()["credited_minor"]), (201, &json!(SMALL)));
    let me = shopper.me().await;
    assert_eq!((me.balance_minor, me.frozen), (100_000, true));
    assert_eq!(shopper.post("/v1/disputes", new).await.code(), Code::DisputeExists);
    let id = opened.json()["id"].as_str().expect("an identifier").to_owned();
    // The payee is told that there is one, and not why.
    let path = format!("/v1/payments/{}", paid.id);
    assert_eq!(till.get(&path).await.json()["dispute"], json!(id));
    for (path, at) in [(path.clone(), ""), ("/v1/payments".to_owned(), "/data/0")] {
        let shown = till.get(&format!("{path}?expand[]=dispute")).await.json();
        let dispute = shown.pointer(&format!("{at}/dispute")).expect("there");
        assert_eq!((&dispute["id"], &dispute["status"], &dispute["amount_minor"]), (&json!(id), &json!("open"), &json!(SMALL)));
        assert!(dispute.get("cause").is_none() && dispute.get("evidence").is_none());
    }
    assert_eq!(till.get(&format!("{path}?expand[]=payer")).await.code(), Code::InvalidRequest);
    let seen = shopper.get(&format!("/v1/disputes/{id}")).await.json();
    assert_eq!(seen["evidence"]["terms_sha256"], json!(paid.terms_sha256));
    assert_eq!(other.get(&format!("/v1/disputes/{id}")).await.code(), Code::NotFound);
    assert_eq!(till.post(&format!("/v1/payments/{}/refunds", paid.id), &json!({})).await.code(), Code::PaymentDisputed);
    assert_eq!(till.pay(SMALL, &person).await.refusal, Some(Code::AccountFrozen));
    let thaw = |passcode: &'static str| shopper.post("/v1/me/thaw", json!({"passcode": passcode}));
    assert_eq!(thaw("705284").await.code(), Code::PasscodeWrong);
    assert_eq!(thaw(PASSCODE).await.json()["frozen"], false);
    let withdrawn = shopper.post(&format!("/v1/disputes/{id}/withdraw"), json!({})).await;
    assert_eq!((&withdrawn.json()["status"], &withdrawn.json()["credited_minor"]), (&json!("withdrawn"), &json!(0)));
    // Everybody may count, and read the terms that stand on the payment.
    let statistics = till.get("/v1/statistics/disputes").await.json();
    assert_eq!((&statistics["payments"], &statistics["compensated_minor"]), (&json!(1), &json!(0)));
    let terms = till.get("/v1/terms?locale=zh").await.json();
    assert_eq!(terms["terms_sha256"], json!(paid.terms_sha256));
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn owners_set_limits_undo_and_close() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, SMALL).await;
    let limits = shopper.post("/v1/me/limits", json!({"limits": {"payment_max_minor": SMALL - 1}})).await.json();
    assert_eq!(limits, json!({"standing": {"payment_max_minor": SMALL - 1}}));
    assert_eq!(till.pay(SMALL, &person).await.refusal, Some(Code::LimitExceeded));
    assert_eq!(shopper.post("/v1/me/limits", json!({"limits": {"payment_max_minor": -1}})).await.code(), Code::InvalidRequest);
    let paid = till.pay(SMALL - 1, &person).await;
    let undone = shopper.post(&format!("/v1/me/payments/{}/undo", paid.id), json!({})).await;
    assert_eq!((undone.status, &undone.json()["amount_minor"]), (201, &json!(SMALL - 1)));
    assert_eq!(till.payment(paid.id).await.status, PaymentStatus::Undone);
    let duress = shopper.post("/v1/me/duress-passcode", json!({"passcode": PASSCODE, "duress_passcode": "860597"})).await;
    assert_eq!((duress.status, duress.text().as_str()), (204, ""));
    let close = async || {
        let approval = shopper.approval(json!({"for": "close"})).await;
        shopper.post("/v1/me/close", json!({"passcode": PASSCODE, "approval": approval})).await
    };
    assert_eq!(close().await.code(), Code::BalanceRemains);
    assert_eq!(till.pay(SMALL - 1, &person).await.status, PaymentStatus::Paid);
    assert_eq!(till.pay(1, &person).await.status, PaymentStatus::Paid);
    assert_eq!(close().await.json()["closed"], true);
    assert!(shopper.me().await.enrolment.is_none_or(|enrolment| enrolment.status != wire::api::EnrolmentStatus::Enrolled));
}

/// adyen-commercetools issue 1305: a key made from fields that change from try to try let a payment be made twice. Here the
/// client's key counts, and what the request means: not its blanks or the order of its fields.
#[tokio::test]
async fn adyen_commercetools_1305_the_same_request_in_other_bytes_is_the_same_request() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let (key, bearer) = (fresh_key(), format!("Bearer {}", crate::world::till::Till::token(TILL)));
    let headers = [("authorization", &*bearer), ("idempotency-key", &*key)];
    let send = async |body: &str| world.http.post("/v1/payments", &headers, body.as_bytes().to_vec()).await;
    let first = send(r#"{"amount_minor":500,"currency":"CNY","merchant_reference":"a"}"#).await;
    let second = send("{ \"merchant_reference\": \"a\",\n \"currency\": \"CNY\", \"amount_minor\": 500 }").await;
    assert_eq!((first.status, second.is_replayed()), (201, true));
    assert_eq!(first.body, second.body, "one payment, whose answer is the same to the last byte");
    assert_eq!(send(r#"{"amount_minor":501,"currency":"CNY","merchant_reference":"a"}"#).await.code(), Code::IdempotencyKeyReused);
    assert_eq!(till.get("/v1/payments").await.json()["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(shopper.me().await.balance_minor, 100_000);
}
