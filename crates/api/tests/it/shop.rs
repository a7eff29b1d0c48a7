//! The merchant console: who may do what, tills on their way to work, refunds that wait, and nothing that links a shopper.

use std::collections::BTreeSet;

use api::limits::Rates;
use api::routes::endpoints;
use api::routes::table::Access;
use base::id::{MerchantId, TerminalId};
use base::time::Clock;
use ed25519_dalek::{Signer, SigningKey};
use payments::staff::may;
use serde_json::{Value, json};
use store::bank_account::Decision;
use wire::problem::Code;
use wire::shop::{Role, attestation};

use crate::world::console::Console;
use crate::world::phone::Phone;
use crate::world::shopper::Person;
use crate::world::till::{SMALL, fresh_key};
use crate::world::{OTHER_PAYEES_TILL, TILL, World};

const PLACE: &str = r#"{"city":"Shanghai","address":"Nanjing Road 1","latitude_e6":31230400,"longitude_e6":121473700}"#;

/// Every endpoint that staff may call, by every role: forbidden exactly where the table of roles says so.
#[tokio::test]
async fn every_role_may_call_exactly_what_the_table_says() {
    let mut world = World::new().await;
    // What too many failures lead to is tested elsewhere.
    world.stop_platform().await;
    world.rates = Rates::UNLIMITED;
    world.start_platform().await;
    let owner = Console::owner(&world, 1).await;
    let rows: Vec<_> = endpoints(false).into_iter().map(|endpoint| endpoint.row).filter(|row| row.staff.is_some()).collect();
    assert!(rows.len() > 40, "{}", rows.len());
    for (role, name) in [(Role::Owner, "owner"), (Role::Manager, "manager"), (Role::Cashier, "cashier"), (Role::Accountant, "accountant")] {
        let member = owner.invite(&world, name).await;
        assert_eq!(member.get("/v1/shop").await.json()["me"]["role"], name);
        for row in &rows {
            let action = row.staff.expect("filtered");
            let path = row.path.replace("{id}", "none");
            let reply = match row.method.as_str() {
                "GET" => member.get(&path).await,
                "DELETE" => member.delete(&path).await,
                _ => member.post(&path, json!({"unknown": 1})).await,
            };
            let is_forbidden = reply.status == 403 && reply.code() == Code::Forbidden;
            assert_eq!(is_forbidden, !may(role, action), "{role:?} {} {path}: {} {}", row.method, reply.status, reply.text());
        }
        // What is there for tills and servers alone stays closed.
        for row in endpoints(false).into_iter().map(|endpoint| endpoint.row).filter(|row| row.staff.is_none()) {
            if matches!(row.access, Access::Terminal | Access::Key | Access::Payee | Access::Wallet) && row.method == "GET" {
                assert_eq!(member.get(&row.path.replace("{id}", "none")).await.code(), Code::Unauthenticated, "{}", row.path);
            }
        }
    }
}

#[tokio::test]
async fn an_invitation_counts_once_for_three_days_and_ends_with_whoever_left() {
    let world = World::new().await;
    let owner = Console::owner(&world, 1).await;
    let invite = |name: &'static str| owner.post("/v1/shop/staff", json!({"name": name, "role": "cashier"}));
    let first = invite("Wang").await.json();
    let (id, code) = (first["id"].as_str().expect("text").to_owned(), first["invitation"].as_str().expect("shown").to_owned());
    let mut cashier = Console::redeem(&world, &code.to_lowercase().replace('-', " ")).await;
    assert_eq!(Console::try_redeem(&world, &code, &mut Phone::new()).await.code(), Code::CodeInvalid, "used");
    assert_eq!(Console::try_redeem(&world, "7Q4M-0XKD-R2TN-9WVA", &mut Phone::new()).await.code(), Code::CodeInvalid, "unknown");
    assert!(owner.get("/v1/shop/staff").await.json()["data"].as_array().expect("a list").iter().all(|row| row.get("invitation").is_none()));
    // A lost device: sessions end, and a new code comes.
    let again = owner.post(&format!("/v1/shop/staff/{id}/invitation"), json!({})).await.json();
    assert_eq!(cashier.get("/v1/shop").await.code(), Code::Unauthenticated);
    assert_eq!(Console::sign_in(&world, &mut cashier.phone).await.code(), Code::PasskeyUnknown, "the lost device");
    let mut back = Console::redeem(&world, again["invitation"].as_str().expect("shown")).await;
    // Another role counts at once; leaving too.
    assert_eq!(back.get("/v1/shop/figures").await.code(), Code::Forbidden);
    owner.post(&format!("/v1/shop/staff/{id}"), json!({"role": "manager"})).await;
    assert_eq!(back.get("/v1/shop/figures").await.status, 200);
    assert_eq!(owner.delete(&format!("/v1/shop/staff/{id}")).await.status, 204);
    assert_eq!(back.get("/v1/shop").await.code(), Code::Unauthenticated);
    assert_eq!(Console::sign_in(&world, &mut back.phone).await.code(), Code::PasskeyUnknown);
    // The only owner stays.
    let me = owner.get("/v1/shop").await.json()["me"]["id"].as_str().expect("text").to_owned();
    assert_eq!(owner.delete(&format!("/v1/shop/staff/{me}")).await.code(), Code::LastOwner);
    assert_eq!(owner.post(&format!("/v1/shop/staff/{me}"), json!({"role": "cashier"})).await.code(), Code::LastOwner);
    // Signing out ends the session; another merchant's owner reaches none of these people.
    let late = invite("Zhao").await.json();
    let rival = Console::owner(&world, 2).await;
    let path = format!("/v1/shop/staff/{}", late["id"].as_str().expect("text"));
    assert_eq!(rival.post(&path, json!({"role": "owner"})).await.code(), Code::NotFound);
    assert_eq!(rival.delete(&path).await.code(), Code::NotFound);
    world.clock.put_forward(3 * 86_400_000);
    assert_eq!(
        Console::try_redeem(&world, late["invitation"].as_str().expect("shown"), &mut Phone::new()).await.code(),
        Code::CodeInvalid,
        "too late"
    );
    assert_eq!(rival.get("/v1/shop").await.code(), Code::Unauthenticated, "sessions end");
}

#[tokio::test]
async fn a_session_needs_the_consoles_own_page_and_ends() {
    let world = World::new().await;
    let mut owner = Console::owner(&world, 1).await;
    let key = fresh_key();
    let cookie = ("cookie", &*owner.cookie);
    for headers in [
        vec![cookie, ("idempotency-key", &*key)],
        vec![cookie, ("idempotency-key", &*key), ("x-handsel-wallet", "1")],
        vec![cookie, ("idempotency-key", &*key), ("x-handsel-shop", "1"), ("origin", "http://evil.example")],
    ] {
        for path in ["/v1/shop/staff", "/v1/api-keys", "/v1/payments/none/refunds"] {
            assert_eq!(world.http.post(path, &headers, b"{}".to_vec()).await.code(), Code::Forbidden, "{path} {headers:?}");
        }
    }
    // The session opens no wallet, and a wallet's none of this.
    assert_eq!(world.http.get("/v1/me", &[cookie]).await.code(), Code::Unauthenticated);
    let shopper = world.shopper(0).await;
    assert_eq!(shopper.get("/v1/shop").await.code(), Code::Unauthenticated);
    assert_eq!(owner.delete("/v1/shop/session").await.status, 204);
    assert_eq!(owner.get("/v1/shop").await.code(), Code::Unauthenticated);
    // The passkey comes in again, as often as its owner likes.
    for _ in 0..2 {
        assert_eq!(Console::sign_in(&world, &mut owner.phone).await.json()["me"]["role"], "owner");
    }
}

/// A merchant that has all five elements.
async fn onboarded(world: &World, owner: &Console) -> String {
    let office = json!({"legal_name": "Lotus Ltd", "credit_code": "91350100M000100Y43", "refund_payment_max_minor": 1_000});
    assert_eq!(owner.post("/v1/shop/head-office", office).await.status, 200);
    let account = json!({"holder_name": "Lotus Ltd", "bank_code": "102100099996", "account_number": "6222021001112223"});
    let asked = owner.post("/v1/bank-accounts", account).await.json();
    let id = asked["id"].as_str().expect("text").parse().expect("an identifier");
    world.store().decide_bank_account(id, Decision::Approve, "Li", "asked back", world.clock.now()).expect("waits");
    let place: Value = serde_json::from_str(PLACE).expect("JSON");
    let opened = owner.post("/v1/shop/stores", json!({"name": "Store 2", "place": place})).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    opened.json()["id"].as_str().expect("text").to_owned()
}

fn device(code: &str, serial: &str) -> Value {
    let key = SigningKey::from_bytes(&[42; 32]);
    json!({
        "code": code, "serial": serial, "public_key": base::hash::hex(key.verifying_key().as_bytes()),
        "token_sha256": base::hash::hex(&api::token_sha256("tk_new")), "latitude_e6": 31_230_500, "longitude_e6": 121_473_700,
    })
}

#[tokio::test]
async fn j12_a_till_is_bound_tried_and_active_and_stopped_at_once() {
    let world = World::new().await;
    let owner = Console::owner(&world, 1).await;
    let old = owner.get("/v1/shop/stores").await.json()["data"][0]["id"].clone();
    let begin = |store: Value| owner.post("/v1/shop/activations", json!({"store": store}));
    let lacks = begin(old).await;
    assert_eq!((lacks.code(), &lacks.json()["field"]), (Code::OnboardingIncomplete, &json!("credit_code")));
    assert_eq!(owner.get("/v1/shop").await.json()["missing"], json!(["credit_code", "settlement_account"]));
    let store = onboarded(&world, &owner).await;
    assert_eq!(owner.get("/v1/shop").await.json()["missing"], json!([]));
    let begun = begin(json!(store)).await.json();
    let code = begun["code"].as_str().expect("shown").to_owned();
    let post = |path: &'static str, body: Value| world.http.post(path, &[], body.to_string().into_bytes());
    let redeem = |body: Value| async move { post("/v1/activations/redeem", body).await };

    let elsewhere = json!({"latitude_e6": 31_300_000});
    let mut far = device(&code, "SN-0001");
    far["latitude_e6"] = elsewhere["latitude_e6"].clone();
    assert_eq!(redeem(far).await.code(), Code::TerminalElsewhere);
    assert_eq!(redeem(device("7Q4M-0XKD-R2TN-9WVA", "SN-0001")).await.code(), Code::CodeInvalid);
    let attested = redeem(device(&code, "SN-0001")).await.json();
    assert_eq!(redeem(device(&code, "SN-0001")).await.code(), Code::CodeInvalid, "used");
    let bound = owner.get("/v1/shop/activations").await.json()["data"][0].clone();
    assert_eq!((&bound["status"], bound.get("code")), (&json!("attested"), None));
    let elements = bound["bound"].as_object().expect("bound").clone();
    for (element, value) in [
        ("serial", "SN-0001"),
        ("acquirer_code", "00000001"),
        ("credit_code", "91350100M000100Y43"),
        ("address", "Nanjing Road 1, Shanghai"),
    ] {
        assert_eq!(elements[element], json!(value));
    }
    assert_eq!(elements["merchant"], json!(MerchantId::from_bits(1)));

    // Not before it has proved its key and paid its cent.
    let token = [("authorization", "Bearer tk_new")];
    assert_eq!(world.http.get("/v1/terminal", &token).await.code(), Code::Unauthenticated);
    let terminal: TerminalId = attested["terminal"].as_str().expect("text").parse().expect("an identifier");
    let nonce: [u8; 32] = base::hash::unhex(attested["nonce"].as_str().expect("text")).expect("hexadecimal").try_into().expect("32 bytes");
    let signed = |with: [u8; 32]| base::hash::hex(&SigningKey::from_bytes(&with).sign(&attestation(terminal, &nonce)).to_bytes());
    let test = |token: &str, signature: String| post("/v1/activations/test", json!({"token": token, "signature": signature}));
    assert_eq!(test("tk_new", signed([43; 32])).await.code(), Code::ProbeInvalid);
    assert_eq!(test("tk_other", signed([42; 32])).await.code(), Code::CodeInvalid);
    let active = test("tk_new", signed([42; 32])).await;
    assert_eq!((active.status, &active.json()["status"]), (200, &json!("active")), "{}", active.text());
    assert_eq!(world.http.get("/v1/terminal", &token).await.json()["store_name"], "Store 2");
    // The cent and its refund are in the books of test mode, and nothing of it in those of money.
    let tried = world.server(1, wire::merchant::Mode::Test).get("/v1/payments").await.json();
    assert_eq!((&tried["data"][0]["amount_minor"], &tried["data"][0]["refunded_minor"]), (&json!(1), &json!(1)));
    assert_eq!(tried["data"][0]["terminal"], json!(terminal));
    assert_eq!(owner.get("/v1/payments").await.json()["data"], json!([]));

    // T09: one serial number is one till; what it is bound to stays when the head office says otherwise.
    let second = begin(json!(store)).await.json()["code"].as_str().expect("shown").to_owned();
    assert_eq!(redeem(device(&second, "SN-0001")).await.code(), Code::SerialTaken);
    let other = json!({"legal_name": "Lotus Ltd", "credit_code": "91110000802100433B"});
    assert_eq!(owner.post("/v1/shop/head-office", other).await.status, 200);
    let all = owner.get("/v1/shop/activations").await.json();
    let kept = all["data"].as_array().expect("a list").iter().find(|row| row["id"] == begun["id"]).expect("listed");
    assert_eq!(kept["bound"], Value::Object(elements));

    // Stopped: its token opens nothing any more, at once; another merchant cannot stop it.
    let stop = format!("/v1/shop/activations/{}/stop", begun["id"].as_str().expect("text"));
    let rival = Console::owner(&world, 2).await;
    assert_eq!(rival.post(&stop, json!({})).await.code(), Code::NotFound);
    assert_eq!(owner.post(&stop, json!({})).await.json()["status"], "stopped");
    let new = json!({"amount_minor": SMALL, "currency": "CNY"}).to_string().into_bytes();
    let headers = [token[0], ("idempotency-key", "first")];
    assert_eq!(world.http.post("/v1/payments", &headers, new).await.code(), Code::Unauthenticated);
    assert_eq!(owner.post(&stop, json!({})).await.code(), Code::StateConflict);
    // A code that nobody entered in time is worth nothing.
    world.clock.put_forward(30 * 60_000);
    assert_eq!(redeem(device(&second, "SN-0002")).await.code(), Code::CodeInvalid);
}

#[tokio::test]
async fn t29_above_the_limit_another_person_approves() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let owner = Console::owner(&world, 1).await;
    onboarded(&world, &owner).await;
    let (cashier, manager) = (owner.invite(&world, "cashier").await, owner.invite(&world, "manager").await);
    let paid = till.pay(SMALL, &person).await;
    let refunds = format!("/v1/payments/{}/refunds", paid.id);
    // ¥10 of one payment alone, in whatever pieces, in the console and at the till.
    assert_eq!(cashier.post(&refunds, json!({"amount_minor": 600})).await.status, 201);
    assert_eq!(cashier.post(&refunds, json!({"amount_minor": 401})).await.code(), Code::RefundNeedsApproval);
    assert_eq!(till.post(&refunds, &json!({"amount_minor": 401})).await.code(), Code::RefundNeedsApproval);
    let ask = json!({"payment": paid.id, "amount_minor": 500, "reason": "broken cup"});
    let asked = cashier.post("/v1/shop/refund-requests", ask.clone()).await.json();
    assert_eq!((&asked["status"], &asked["asked_by_name"]), (&json!("waiting"), &json!("cashier")));
    let path = |step: &str| format!("/v1/shop/refund-requests/{}/{step}", asked["id"].as_str().expect("text"));
    assert_eq!(cashier.post(&path("approve"), json!({})).await.code(), Code::Forbidden);
    let own = manager.post("/v1/shop/refund-requests", ask.clone()).await.json();
    let own_path = format!("/v1/shop/refund-requests/{}/approve", own["id"].as_str().expect("text"));
    assert_eq!(manager.post(&own_path, json!({})).await.code(), Code::ApprovalByAsker);
    let rival = Console::owner(&world, 2).await;
    assert_eq!(rival.post(&path("approve"), json!({})).await.code(), Code::NotFound);
    assert_eq!(rival.post("/v1/shop/refund-requests", ask).await.code(), Code::NotFound);
    let approved = manager.post(&path("approve"), json!({})).await.json();
    assert_eq!((&approved["status"], &approved["decided_by_name"]), (&json!("approved"), &json!("manager")));
    assert_eq!(manager.post(&path("reject"), json!({})).await.code(), Code::StateConflict);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL + 600 + 500);
    // A manager refunds alone; what is over is over.
    assert_eq!(manager.post(&refunds, json!({"amount_minor": SMALL})).await.code(), Code::RefundExceedsPayment);
    assert_eq!(manager.post(&refunds, json!({})).await.status, 201);
    assert_eq!(shopper.me().await.balance_minor, 100_000);
    assert_eq!(till.get("/v1/books").await.json(), json!({"balanced": true}));
    let list = owner.get("/v1/shop/refund-requests").await.json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn orders_are_picked_and_a_day_has_its_figures() {
    let world = World::new().await;
    let (person, stranger, till) = (Person::new(), Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    let owner = Console::owner(&world, 1).await;
    let mut paid = Vec::new();
    for _ in 0..3 {
        paid.push(till.pay(SMALL, &person).await);
        world.clock.put_forward(1_000);
    }
    let refused = till.pay(SMALL, &stranger).await;
    assert_eq!(refused.refusal, Some(Code::NotRecognised));
    let ids = |reply: Value| -> Vec<Value> { reply["data"].as_array().expect("a list").iter().map(|row| row["id"].clone()).collect() };
    let picked = |query: String| {
        let owner = &owner;
        async move { owner.get(&format!("/v1/payments?{query}")).await.json() }
    };
    let first = picked("status=paid&limit=2".into()).await;
    assert_eq!((ids(first.clone()), &first["has_more"]), (vec![json!(paid[2].id), json!(paid[1].id)], &json!(true)));
    let next = picked(format!("status=paid&limit=2&starting_after={}", paid[1].id)).await;
    assert_eq!((ids(next.clone()), &next["has_more"]), (vec![json!(paid[0].id)], &json!(false)));
    assert_eq!(ids(picked("status=refused".into()).await), [json!(refused.id)]);
    let between = format!("from={}&until={}", paid[1].created_at.millis(), paid[2].created_at.millis());
    assert_eq!(ids(picked(between).await), [json!(paid[1].id)]);
    assert_eq!(owner.get("/v1/payments?status=lost").await.code(), Code::InvalidRequest);
    let figures = owner.get("/v1/shop/figures").await.json();
    assert_eq!((&figures["begun"], &figures["paid"], &figures["paid_minor"]), (&json!(4), &json!(3), &json!(3 * SMALL)));
    assert_eq!(figures["refusals"], json!([{"code": "not_recognised", "count": 1}]));
    let before = figures["from"].as_u64().expect("a time") - 1;
    assert_eq!(owner.get(&format!("/v1/shop/figures?day={before}")).await.json()["begun"], 0);
    let rival = Console::owner(&world, 2).await;
    assert_eq!(rival.get("/v1/shop/figures").await.json()["begun"], 0);
}

/// One shopper at two merchants: whatever the two consoles show, put side by side, has no text in common by which the shopper
/// could be found again.
#[tokio::test]
async fn two_merchants_together_cannot_tell_that_a_shopper_is_the_same() {
    let world = World::new().await;
    let person = Person::new();
    let shopper = world.enrolled(&person, 100_000).await;
    world.store().fund_compensation(base::id::TransferId::from_bits(1), 1_000_000, world.clock.now()).expect("funds");
    let mut shown = Vec::new();
    for (merchant, till) in [(1, TILL), (2, OTHER_PAYEES_TILL)] {
        let till = world.till(till);
        let (refunded, disputed) = (till.pay(SMALL, &person).await, till.pay(SMALL + merchant as i64, &person).await);
        let owner = Console::owner(&world, merchant).await;
        owner.post(&format!("/v1/payments/{}/refunds", refunded.id), json!({"amount_minor": 100})).await;
        let opened = shopper.post("/v1/disputes", json!({"payment": disputed.id, "cause": "not_there", "freeze": false})).await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        let id = opened.json()["id"].as_str().expect("text").to_owned();
        let stated = owner.post(&format!("/v1/shop/disputes/{id}/statement"), json!({"statement": "A cup of tea, on camera."})).await;
        assert_eq!(stated.status, 200, "{}", stated.text());
        assert_eq!(
            owner.post(&format!("/v1/shop/disputes/{id}/statement"), json!({"statement": "More."})).await.code(),
            Code::StateConflict
        );
        let seen = shopper.get(&format!("/v1/disputes/{id}")).await.json();
        assert_eq!(seen["evidence"]["payee_statement"], "A cup of tea, on camera.");
        let mut texts = BTreeSet::new();
        for path in [
            "/v1/payments?expand[]=dispute",
            "/v1/events",
            "/v1/shop/disputes",
            "/v1/shop/figures",
            "/v1/shop/refund-requests",
            "/v1/payouts",
            &format!("/v1/payments/{}?expand[]=dispute", disputed.id),
        ] {
            let reply = owner.get(path).await;
            assert_eq!(reply.status, 200, "{path}");
            collect(&reply.json(), "", &mut texts);
        }
        assert!(texts.iter().any(|text| text.contains("pay_")) && texts.iter().any(|text| text.contains("dp_")));
        shown.push(texts);
    }
    let common: Vec<_> = shown[0].intersection(&shown[1]).collect();
    assert!(common.is_empty(), "{common:?}");
    // Nothing of the shopper's own stands there either.
    let me = shopper.me().await;
    for texts in &shown {
        assert!(texts.iter().all(|text| !text.contains(&me.id.to_string()) && !text.contains(&shopper.phone)));
    }
}

/// Every text and every number of four digits or more, but for what belongs to the platform or to the field's vocabulary.
fn collect(value: &Value, field: &str, texts: &mut BTreeSet<String>) {
    /// The same for everybody: rules, terms, currency, states, the till's own sums.
    const VOCABULARY: [&str; 14] = [
        "rules_version",
        "terms_sha256",
        "currency",
        "status",
        "capture",
        "refusal",
        "code",
        "type",
        "store_name",
        "statement",
        "amount_minor",
        "captured_minor",
        "refunded_minor",
        "paid_minor",
    ];
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, name, texts)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, field, texts)),
        // Times are the platform's clock, which stands still in this test.
        _ if VOCABULARY.contains(&field) || field.ends_with("_at") || field.ends_with("_by") || ["from", "until"].contains(&field) => {}
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Number(number) if number.as_i64().is_some_and(|number| number >= 1_000) => drop(texts.insert(number.to_string())),
        _ => {}
    }
}
