//! The wallet: accounts, consents, enrolling a face and deleting it.

use serde_json::json;
use wire::api::{EnrolmentStatus, PaymentStatus};
use wire::problem::Code;
use wire::receipt::DeletionReceipt;

use crate::world::shopper::{NAME, PASSCODE, Person, cookie_of};
use crate::world::till::{SMALL, fresh_key};
use crate::world::{ENROLLER, TILL, World};

#[tokio::test]
async fn an_account_is_opened_once_and_signed_in_to() {
    let world = World::new().await;
    let shopper = world.shopper(0).await;
    let me = shopper.me().await;
    assert_eq!((me.name.as_str(), me.balance_minor), (NAME, 0));
    assert!(me.phone_masked.ends_with(&shopper.phone[7..]) && !me.phone_masked.contains(&shopper.phone[..7]));

    let open = async |phone: &str, passcode: &str| {
        let key = fresh_key();
        let headers = [("x-handsel-wallet", "1"), ("idempotency-key", &*key)];
        world
            .http
            .post("/v1/accounts", &headers, json!({"name": NAME, "phone": phone, "passcode": passcode}).to_string().into_bytes())
            .await
    };
    for (phone, passcode, code) in [
        (shopper.phone.as_str(), PASSCODE, Code::PhoneTaken),
        ("13900000001", "123456", Code::PasscodeWeak),
        ("13900000001", "888888", Code::PasscodeWeak),
        ("1390000", PASSCODE, Code::InvalidRequest),
        ("", PASSCODE, Code::InvalidRequest),
        ("1390000000一", PASSCODE, Code::InvalidRequest),
    ] {
        assert_eq!(open(phone, passcode).await.code(), code, "{phone} {passcode}");
    }

    let sign_in = async |passcode: &str| {
        let body = json!({"phone": shopper.phone, "passcode": passcode}).to_string().into_bytes();
        world.http.post("/v1/sessions", &[("x-handsel-wallet", "1")], body).await
    };
    assert_eq!(sign_in("000000").await.code(), Code::SignInFailed);
    let signed_in = sign_in(PASSCODE).await;
    let cookie = cookie_of(&signed_in);
    assert_eq!(signed_in.json()["id"], json!(me.id));
    let headers = [("cookie", cookie.as_str()), ("x-handsel-wallet", "1")];
    assert_eq!(world.http.get("/v1/me", &headers).await.json()["id"], json!(me.id));
    let out = crate::world::http::Reply::of(world.http.request(reqwest::Method::DELETE, "/v1/sessions/current", &headers)).await;
    assert_eq!(out.status, 204);
    assert_eq!(world.http.get("/v1/me", &headers).await.code(), Code::Unauthenticated);
    world.clock.put_forward(api::auth::SESSION_MS);
    assert_eq!(shopper.get("/v1/me").await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_repeated_sign_up_signs_nobody_in() {
    let world = World::new().await;
    let key = fresh_key();
    let body = json!({"name": NAME, "phone": "13700000001", "passcode": PASSCODE}).to_string().into_bytes();
    let headers = [("x-handsel-wallet", "1"), ("idempotency-key", &*key)];
    let first = world.http.post("/v1/accounts", &headers, body.clone()).await;
    let again = world.http.post("/v1/accounts", &headers, body).await;
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    assert!(again.is_replayed());
    assert_eq!((first.header("set-cookie").is_empty(), again.header("set-cookie")), (false, ""));
}

#[tokio::test]
async fn a_face_is_enrolled_with_consent_used_and_deleted_with_three_confirmations() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.shopper(100_000).await;
    shopper.consent(false).await;
    assert_eq!(shopper.post("/v1/enrolments", json!({})).await.code(), Code::ConsentMissing);
    let old = json!({"purpose": "payment", "text_sha256": "00".repeat(32), "granted": true});
    assert_eq!(shopper.post("/v1/consents", old).await.code(), Code::ConsentOutdated);
    shopper.consent(true).await;
    world.enrol(&shopper, &person).await;
    let approval = shopper.approval(json!({"for": "enrolment"})).await;
    assert_eq!(shopper.post("/v1/enrolments", json!({"approval": approval})).await.code(), Code::EnrolmentExists);
    let enrolment = shopper.me().await.enrolment.expect("enrolled");
    assert_eq!((enrolment.status, enrolment.deletions.len()), (EnrolmentStatus::Enrolled, 0));
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);

    let path = format!("/v1/enrolments/{}", enrolment.id);
    let stranger = world.shopper(0).await;
    assert_eq!(stranger.get(&path).await.code(), Code::NotFound);
    assert_eq!(stranger.delete(&path).await.code(), Code::NotFound);
    let receipt_path = format!("{path}/receipt");
    assert_eq!(shopper.get(&receipt_path).await.code(), Code::StateConflict, "nothing is deleted yet");
    assert_eq!(shopper.delete(&path).await.json()["status"], "deleting");
    let refused = till.pay(SMALL, &person).await;
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::NotRecognised)));
    world.until("deleted", async || shopper.get(&path).await.json()["status"] == "deleted").await;
    let deleted = shopper.get(&path).await.json();
    let parties: Vec<_> = deleted["deletions"].as_array().expect("confirmations").iter().map(|one| one["party"].clone()).collect();
    assert_eq!(parties, [1, 2, 3]);
    assert_eq!(stranger.get(&receipt_path).await.code(), Code::NotFound);
    let receipt: DeletionReceipt = serde_json::from_value(shopper.get(&receipt_path).await.json()).expect("a receipt");
    assert_eq!(receipt.verify(None).expect("three signatures").len(), 1);
    assert_eq!(shopper.last_query().await["kind"], "deletion");

    // And again from the beginning.
    world.enrol(&shopper, &person).await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    shopper.consent(false).await;
    world.until("deleted by withdrawal", async || shopper.me().await.enrolment.is_none()).await;
    assert_eq!(till.pay(SMALL, &person).await.refusal, Some(Code::NotRecognised));
}

#[tokio::test]
async fn a_template_is_taken_once_from_the_right_device_in_time() {
    let world = World::new().await;
    let (shopper, other) = (world.shopper(0).await, world.shopper(0).await);
    let enroller = world.till(ENROLLER);
    let enrolment = shopper.begin_enrolment().await;
    let others = other.begin_enrolment().await;

    let mut crossed = enrolment.clone();
    crossed.id = others.id;
    assert_eq!(enroller.hand_in(&crossed, &Person::new()).await.code(), Code::ProbeMismatch);
    assert_eq!(enroller.hand_in(&enrolment, &Person::new()).await.status, 202);
    let again = enroller.hand_in(&enrolment, &Person::new()).await;
    assert!(matches!(again.code(), Code::ProbeReplayed | Code::StateConflict));
    world.clock.put_forward(301_000);
    assert_eq!(enroller.hand_in(&others, &Person::new()).await.code(), Code::ChallengeExpired);
}
