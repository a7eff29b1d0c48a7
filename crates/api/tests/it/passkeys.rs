//! Devices over HTTP: who is asked, what is refused, and that an approval counts once, for what was shown.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;
use wire::api::{Asks, PaymentStatus};
use wire::problem::Code;

use crate::world::http::{Http, Reply};
use crate::world::phone::Phone;
use crate::world::shopper::{PASSCODE, Person, Shopper, cookie_of};
use crate::world::till::fresh_key;
use crate::world::{TILL, World};

const LARGE: i64 = 30_000;
const DAY_MS: u64 = 86_400_000;

async fn page(http: &Http, path: &str, body: Value) -> Reply {
    http.post(path, &[("x-handsel-wallet", "1"), ("idempotency-key", &fresh_key())], body.to_string().into_bytes()).await
}

async fn sign_in(world: &World, shopper: &Shopper) -> Reply {
    let asked = page(&world.http, "/v1/passkeys/request", json!({})).await.json();
    let assertion = shopper.device.lock().await.answer(&asked["public_key"]).await;
    page(&world.http, "/v1/sessions/passkey", json!({"assertion": assertion})).await
}

async fn by_passcode(world: &World, shopper: &Shopper) -> Shopper {
    let reply = page(&world.http, "/v1/sessions", json!({"phone": shopper.phone, "passcode": PASSCODE})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    Shopper { cookie: cookie_of(&reply), ..shopper.clone() }
}

#[tokio::test]
async fn a_bound_phone_signs_in_until_it_is_frozen() {
    let world = World::new().await;
    let shopper = world.shopper(0).await;
    let reply = sign_in(&world, &shopper).await;
    assert_eq!((reply.status, reply.json()["devices"][0]["name"].as_str()), (200, Some("Phone")), "{}", reply.text());
    let signed_in = Shopper { cookie: cookie_of(&reply), ..shopper.clone() };
    assert_eq!(signed_in.me().await.id, shopper.me().await.id);

    // What was answered once does not sign in again, and neither does what was asked for something else.
    let asked = page(&world.http, "/v1/passkeys/request", json!({})).await.json();
    let assertion = shopper.device.lock().await.answer(&asked["public_key"]).await;
    let body = json!({"assertion": assertion});
    assert_eq!(page(&world.http, "/v1/sessions/passkey", body.clone()).await.status, 200);
    assert_eq!(page(&world.http, "/v1/sessions/passkey", body).await.code(), Code::PasskeyInvalid, "its counter did not go on");
    let approval = shopper.approval(json!({"for": "enrolment"})).await;
    assert_eq!(page(&world.http, "/v1/sessions/passkey", json!({"assertion": approval})).await.code(), Code::ApprovalMismatch);

    shopper.device.lock().await.origin = "http://localhost:1".parse().expect("an origin");
    assert_eq!(sign_in(&world, &shopper).await.code(), Code::PasskeyOrigin);
    shopper.device.lock().await.origin = "http://localhost:7400".parse().expect("an origin");

    let frozen = shopper.post("/v1/me/approvals/freeze", json!({})).await.json();
    assert_eq!((&frozen["approvals_frozen"], &frozen["notices"][0]["kind"]), (&json!(true), &json!("approvals_frozen")));
    assert_eq!(sign_in(&world, &shopper).await.code(), Code::PasskeyUnknown);
    let owner = by_passcode(&world, &shopper).await;
    assert_eq!(owner.post("/v1/me/approvals/thaw", json!({"passcode": "705284"})).await.code(), Code::PasscodeWrong);
    assert_eq!(owner.post("/v1/me/approvals/thaw", json!({"passcode": PASSCODE})).await.status, 200);
    assert_eq!(sign_in(&world, &shopper).await.status, 200);
    let device = &shopper.me().await.devices[0];
    let path = format!("/v1/me/passkeys/{}/remove", device.id);
    assert_eq!(owner.post(&path, json!({"passcode": PASSCODE})).await.json()["devices"], json!([]));
    assert_eq!(sign_in(&world, &shopper).await.code(), Code::PasskeyUnknown, "revoked");
}

#[tokio::test]
async fn a_face_is_enrolled_with_a_fresh_approval_only() {
    let world = World::new().await;
    let (alice, bob) = (world.shopper(0).await, world.shopper(0).await);
    let begin = async |shopper: &Shopper, approval: Value| shopper.post("/v1/enrolments", json!({"approval": approval})).await;
    assert_eq!(alice.post("/v1/enrolments", json!({})).await.code(), Code::ApprovalRequired);
    let wanted = json!({"for": "enrolment"});
    let of_bob = bob.approval(wanted.clone()).await;
    assert_eq!(begin(&alice, of_bob).await.code(), Code::PasskeyUnknown, "another account's device");
    let for_closing = alice.approval(json!({"for": "close"})).await;
    assert_eq!(begin(&alice, for_closing).await.code(), Code::ApprovalMismatch, "another action");
    let late = alice.approval(wanted.clone()).await;
    world.clock.put_forward(120_000);
    assert_eq!(begin(&alice, late).await.code(), Code::ApprovalExpired);
    alice.device.lock().await.verifies = false;
    let unverified = alice.approval(wanted.clone()).await;
    assert_eq!(begin(&alice, unverified).await.code(), Code::PasskeyInvalid, "nobody's finger");
    alice.device.lock().await.verifies = true;
    let good = alice.approval(wanted.clone()).await;
    let (body, key) = (json!({"approval": good}), fresh_key());
    let first = alice.post_with_key("/v1/enrolments", body.clone(), &key).await;
    let again = alice.post_with_key("/v1/enrolments", body.clone(), &key).await;
    assert_eq!((first.status, &again.body), (201, &first.body), "{}", first.text());
    assert_ne!(alice.post("/v1/enrolments", body).await.status, 201, "an approval counts once");
    assert_eq!(alice.me().await.notices.iter().filter(|notice| notice.kind == wire::passkey::NoticeKind::EnrolmentApproved).count(), 1);
    bob.consent(false).await;
    assert_eq!(bob.post("/v1/me/approvals/request", wanted).await.code(), Code::ConsentMissing, "what was not read is not approved");
}

#[tokio::test]
async fn a_second_device_needs_the_first_and_a_lost_one_the_passcode_and_time() {
    let world = World::with_rules(&[("cooling_off_s", "86_400")]).await;
    let shopper = world.shopper(100_000).await;
    let thief = Shopper { device: Arc::new(Mutex::new(Phone::new())), ..shopper.clone() };
    assert_eq!(thief.bind(json!({})).await.code(), Code::ApprovalRequired);
    assert_eq!(thief.bind(json!({"passcode": PASSCODE})).await.code(), Code::ApprovalRequired, "the first one is there to approve");
    // The second device, approved by the first for this very challenge.
    let mut tablet = Phone::new();
    let asked = shopper.post("/v1/me/passkeys/request", json!({})).await.json();
    let attestation = tablet.register(&asked["public_key"]).await;
    let approve = async |challenge: &str| shopper.approval(json!({"for": "device", "challenge": challenge})).await;
    let body = |approval| json!({"name": "Tablet", "attestation": attestation, "approval": approval});
    let other = approve(&"00".repeat(16)).await;
    assert_eq!(shopper.post("/v1/me/passkeys", body(other)).await.code(), Code::ApprovalMismatch, "another device");
    let own = approve(&hex_of(asked["public_key"]["challenge"].as_str().expect("a text"))).await;
    let reply = shopper.post("/v1/me/passkeys", body(own)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(shopper.me().await.devices.len(), 2);
    // Both are lost.
    world.clock.put_forward(2 * DAY_MS);
    let owner = by_passcode(&world, &shopper).await;
    owner.post("/v1/me/approvals/freeze", json!({})).await;
    assert_eq!(owner.post("/v1/me/approvals/request", json!({"for": "close"})).await.status, 200);
    *owner.device.lock().await = Phone::new();
    assert_eq!(owner.bind(json!({"passcode": "705284"})).await.code(), Code::PasscodeWrong);
    assert_eq!(owner.bind(json!({"passcode": PASSCODE})).await.status, 201);
    let me = owner.me().await;
    assert_eq!((me.devices.len(), me.approvals_frozen), (1, false));
    assert!(me.halved_until.is_some() && me.cooling_off_until == Some(me.devices[0].approves_from));
    let approval = owner.approval(json!({"for": "enrolment"})).await;
    assert_eq!(owner.post("/v1/enrolments", json!({"approval": approval})).await.code(), Code::DeviceMissing, "its first day");
    world.clock.put_forward(DAY_MS);
    let owner = by_passcode(&world, &owner).await;
    owner.begin_enrolment().await;
}

fn hex_of(base64url: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = base64url.chars().map(|letter| format!("{:06b}", LETTERS.find(letter).expect("base64url"))).collect();
    (0..16).map(|at| format!("{:02x}", u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).expect("bits"))).collect()
}

#[tokio::test]
async fn what_the_owner_declines_on_the_phone_nobody_pays() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let alice = world.enrolled(&person, 500_000).await;
    let bob = world.enrolled(&Person::new(), 0).await;
    let payment = till.pay(LARGE, &person).await;
    let path = format!("/v1/me/payments/{}/decline", payment.id);
    assert_eq!(bob.post(&path, json!({})).await.code(), Code::NotFound);
    let (key, approval) = (fresh_key(), alice.approval(json!({"for": "payment", "payment": payment.id})).await);
    let first = alice.post_with_key(&path, json!({}), &key).await;
    assert_eq!((first.status, first.json()["refusal"].as_str()), (200, Some("declined_by_payer")), "{}", first.text());
    assert_eq!(alice.post_with_key(&path, json!({}), &key).await.body, first.body);
    assert_eq!(till.payment(payment.id).await.refusal, Some(Code::DeclinedByPayer));
    // Neither what was approved before nor the passcode at the till pays it any more, and it is declined once.
    assert_eq!(
        alice.post(&format!("/v1/me/payments/{}/approve", payment.id), json!({"approval": approval})).await.code(),
        Code::StateConflict
    );
    assert_eq!(till.passcode(payment.id, PASSCODE).await.code(), Code::StateConflict);
    assert_eq!(alice.post(&path, json!({})).await.code(), Code::StateConflict);
    assert_eq!((alice.me().await.balance_minor, alice.get("/v1/me/payments/waiting").await.json()), (500_000, json!([])));
}

#[tokio::test]
async fn a_payment_is_approved_on_the_phone_exactly_once() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let alice = world.enrolled(&person, 500_000).await;
    for _ in 0..3 {
        alice.top_up(500_000).await;
    }
    let bob = world.enrolled(&Person::new(), 0).await;
    let payment = till.pay(LARGE, &person).await;
    assert_eq!((payment.status, payment.asks), (PaymentStatus::AwaitingPasscode, Some(Asks::PasscodeOrPhone)));
    let waiting = alice.get("/v1/me/payments/waiting").await.json();
    assert_eq!(
        (&waiting[0]["id"], &waiting[0]["amount_minor"], &waiting[0]["merchant_name"]),
        (&json!(payment.id), &json!(LARGE), &json!("Merchant 1"))
    );
    assert_eq!(bob.get("/v1/me/payments/waiting").await.json(), json!([]));
    let wanted = json!({"for": "payment", "payment": payment.id});
    assert_eq!(bob.post("/v1/me/approvals/request", wanted.clone()).await.code(), Code::NotFound);
    let path = format!("/v1/me/payments/{}/approve", payment.id);
    let approval = alice.approval(wanted.clone()).await;
    assert_eq!(bob.post(&path, json!({"approval": approval})).await.code(), Code::NotFound);
    let (body, key) = (json!({"approval": approval}), fresh_key());
    let first = alice.post_with_key(&path, body.clone(), &key).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (200, Some("paid")), "{}", first.text());
    assert_eq!(alice.post_with_key(&path, body.clone(), &key).await.body, first.body);
    assert!(alice.post(&path, body).await.status >= 400, "once");
    assert_eq!(till.passcode(payment.id, PASSCODE).await.code(), Code::StateConflict, "it is paid");
    assert_eq!(alice.me().await.balance_minor, 2_000_000 - LARGE);
    assert_eq!(alice.get("/v1/activity").await.json()["data"][0]["verified_by"], "look_and_phone");

    // An approval of one payment is none of another, nor of the same sum at another time.
    let (one, two) = (till.pay(LARGE, &person).await, till.pay(LARGE, &person).await);
    let of_one = alice.approval(json!({"for": "payment", "payment": one.id})).await;
    let reply = alice.post(&format!("/v1/me/payments/{}/approve", two.id), json!({"approval": of_one})).await;
    assert_eq!(reply.code(), Code::ApprovalMismatch);
    // The passcode came first.
    let of_two = alice.approval(json!({"for": "payment", "payment": two.id})).await;
    assert_eq!(till.passcode(two.id, PASSCODE).await.json()["status"], "paid");
    let reply = alice.post(&format!("/v1/me/payments/{}/approve", two.id), json!({"approval": of_two})).await;
    assert_eq!(reply.code(), Code::StateConflict);
    assert_eq!(alice.me().await.balance_minor, 2_000_000 - 2 * LARGE);
    // More than the passcode may pay in a day: the phone alone.
    let large = till.pay(600_000, &person).await;
    assert_eq!(large.asks, Some(Asks::Phone));
    let approval = alice.approval(json!({"for": "payment", "payment": large.id})).await;
    let reply = alice.post(&format!("/v1/me/payments/{}/approve", large.id), json!({"approval": approval})).await;
    assert_eq!(reply.json()["status"], "paid", "{}", reply.text());
    // What the rules refuse, they refuse here too, and say so to both.
    let poor = till.pay(1_340_001, &person).await;
    assert_eq!(poor.refusal, Some(Code::InsufficientBalance));
    let frozen = till.pay(LARGE, &person).await;
    let approval = alice.approval(json!({"for": "payment", "payment": frozen.id})).await;
    alice.post("/v1/me/freeze", json!({})).await;
    let reply = alice.post(&format!("/v1/me/payments/{}/approve", frozen.id), json!({"approval": approval})).await;
    assert_eq!((reply.json()["status"].as_str(), reply.json()["refusal"].as_str()), (Some("refused"), Some("account_frozen")));
    assert_eq!(till.payment(frozen.id).await.refusal, Some(Code::AccountFrozen));
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
}

#[tokio::test]
async fn limits_are_raised_and_the_account_is_closed_with_an_approval() {
    let world = World::new().await;
    let shopper = world.shopper(0).await;
    let set =
        async |limits: Value, approval: Option<Value>| shopper.post("/v1/me/limits", json!({"limits": limits, "approval": approval})).await;
    let (low, high) = (json!({"payment_max_minor": 1_000}), json!({"payment_max_minor": 2_000}));
    assert_eq!(set(low, None).await.status, 200, "lower ones need nobody");
    assert_eq!(set(high.clone(), None).await.code(), Code::ApprovalRequired);
    let other = shopper.approval(json!({"for": "limits", "limits": {"payment_max_minor": 1_999}})).await;
    assert_eq!(set(high.clone(), Some(other)).await.code(), Code::ApprovalMismatch);
    let own = shopper.approval(json!({"for": "limits", "limits": high})).await;
    assert_eq!(set(high, Some(own)).await.json()["next"]["payment_max_minor"], 2_000);
    assert_eq!(shopper.post("/v1/me/close", json!({"passcode": PASSCODE})).await.code(), Code::ApprovalRequired);
    let approval = shopper.approval(json!({"for": "close"})).await;
    let reply = shopper.post("/v1/me/close", json!({"passcode": PASSCODE, "approval": approval})).await;
    assert_eq!(reply.json()["closed"], true, "{}", reply.text());
}
