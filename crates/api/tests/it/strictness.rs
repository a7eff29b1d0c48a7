//! Requests that cannot be read, are misaddressed or too large: each is a problem document.

use reqwest::Method;
use serde_json::json;
use wire::problem::Code;

use crate::world::http::Reply;
use crate::world::shopper::{PASSCODE, Person};
use crate::world::till::{Till, fresh_key};
use crate::world::{TILL, World};

/// What is tried: method, path, media type, body; and what comes of it: code and field.
type Attempt<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, Vec<u8>, Code, Option<&'a str>);

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_reason() {
    let world = World::new().await;
    let key = format!("Bearer {}", Till::token(TILL));
    let json_kind = Some("application/json");
    let sound = br#"{"amount_minor":3650,"currency":"CNY"}"#.to_vec();
    let rows: Vec<Attempt> = vec![
        ("an unknown page", "GET", "/v1/nothing", None, vec![], Code::NotFound, None),
        ("an unknown page, written", "POST", "/v1/nothing", json_kind, b"{}".to_vec(), Code::NotFound, None),
        ("another method", "DELETE", "/v1/payments", None, vec![], Code::MethodNotAllowed, None),
        ("another method of one", "PUT", "/v1/payments/pay_00000000000000000000000001", None, vec![], Code::MethodNotAllowed, None),
        ("no identifier", "GET", "/v1/payments/17", None, vec![], Code::NotFound, None),
        ("another kind of identifier", "GET", "/v1/payments/re_00000000000000000000000001", None, vec![], Code::NotFound, None),
        ("nobody's identifier", "GET", "/v1/payments/pay_00000000000000000000000001", None, vec![], Code::NotFound, None),
        ("another media type", "POST", "/v1/payments", Some("text/plain"), sound.clone(), Code::MediaTypeUnsupported, None),
        ("no JSON", "POST", "/v1/payments", json_kind, b"amount=1".to_vec(), Code::InvalidRequest, None),
        ("a list", "POST", "/v1/payments", json_kind, b"[]".to_vec(), Code::InvalidRequest, None),
        (
            "a missing field",
            "POST",
            "/v1/payments",
            json_kind,
            br#"{"currency":"CNY"}"#.to_vec(),
            Code::InvalidRequest,
            Some("amount_minor"),
        ),
        ("an unknown field", "POST", "/v1/payments", json_kind, br#"{"tip":1}"#.to_vec(), Code::InvalidRequest, Some("tip")),
        ("a fraction", "POST", "/v1/payments", json_kind, br#"{"amount_minor":1.5,"currency":"CNY"}"#.to_vec(), Code::InvalidRequest, None),
        (
            "another currency",
            "POST",
            "/v1/payments",
            json_kind,
            br#"{"amount_minor":1,"currency":"EUR"}"#.to_vec(),
            Code::InvalidRequest,
            None,
        ),
        ("too long", "POST", "/v1/payments", json_kind, vec![b' '; 300 << 10], Code::BodyTooLarge, None),
        ("page size 0", "GET", "/v1/payments?limit=0", None, vec![], Code::InvalidRequest, Some("limit")),
        ("page size no number", "GET", "/v1/payments?limit=many", None, vec![], Code::InvalidRequest, None),
        ("an unknown parameter", "GET", "/v1/payments?sort=up", None, vec![], Code::InvalidRequest, None),
        ("a strange row to go on from", "GET", "/v1/payments?starting_after=1", None, vec![], Code::InvalidRequest, Some("starting_after")),
    ];
    for (what, method, path, kind, body, code, field) in rows {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = world.http.request(method, path, &[("authorization", &key), ("idempotency-key", &fresh_key())]).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.code(), code, "{what}");
        assert_eq!(reply.json()["field"].as_str(), field, "{what}");
        assert_eq!(reply.json()["request_id"], reply.header("x-request-id"), "{what}");
    }
}

#[tokio::test]
async fn a_refusal_never_repeats_what_was_sent() {
    let world = World::new().await;
    let shopper = world.shopper(0).await;
    for body in
        [json!({"phone": 13800001000_u64, "passcode": "493817"}), json!({"phone": "13800001000", "passcode": 493817}), json!(["493817"])]
    {
        let reply = shopper.post("/v1/sessions", body).await;
        assert_eq!(reply.code(), Code::InvalidRequest);
        assert!(!reply.text().contains("493817") && !reply.text().contains("13800001000"), "{}", reply.text());
    }
}

#[tokio::test]
async fn a_key_is_needed_and_names_one_request() {
    let world = World::new().await;
    let till = world.till(TILL);
    let bearer = format!("Bearer {}", Till::token(TILL));
    let body = json!({"amount_minor": 3650, "currency": "CNY"});
    let without = world.http.post("/v1/payments", &[("authorization", &bearer)], body.to_string().into_bytes()).await;
    assert_eq!(without.code(), Code::IdempotencyKeyMissing);
    let long = "k".repeat(256);
    assert_eq!(till.post_with_key("/v1/payments", &body, &long).await.json()["field"], "idempotency-key");

    let first = till.post_with_key("/v1/payments", &body, "one").await;
    let again = till.post_with_key("/v1/payments", &body, "one").await;
    assert_eq!((first.status, &first.body, first.is_replayed()), (201, &again.body, false));
    assert!(again.is_replayed());
    assert_eq!(again.status, 201);
    let other = json!({"amount_minor": 3651, "currency": "CNY"});
    assert_eq!(till.post_with_key("/v1/payments", &other, "one").await.code(), Code::IdempotencyKeyReused);
    // Keys of different terminals have nothing to do with each other.
    let elsewhere = world.till(crate::world::SECOND_TILL).post_with_key("/v1/payments", &other, "one").await;
    assert_eq!((elsewhere.status, elsewhere.is_replayed()), (201, false));
}

#[tokio::test]
async fn the_same_request_twice_at_once_is_done_once() {
    let world = World::new().await;
    let till = world.till(TILL);
    let body = json!({"amount_minor": 3650, "currency": "CNY"});
    let replies: Vec<Reply> = {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (till, body) = (till.clone(), body.clone());
                tokio::spawn(async move { till.post_with_key("/v1/payments", &body, "both").await })
            })
            .collect();
        let mut replies = Vec::new();
        for task in tasks {
            replies.push(task.await.expect("no panic"));
        }
        replies
    };
    let done: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(done.iter().filter(|reply| !reply.is_replayed()).count(), 1);
    assert!(done.iter().all(|reply| reply.body == done[0].body));
    assert!(replies.iter().filter(|reply| reply.status != 201).all(|reply| reply.code() == Code::RequestInFlight));
    assert_eq!(till.get("/v1/payments").await.json()["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_wallet_is_as_strict() {
    let world = World::new().await;
    let shopper = world.shopper(0).await;
    for (path, field) in [
        ("/v1/activity?starting_after=17", Some("starting_after")),
        ("/v1/queries?starting_after=17", Some("starting_after")),
        ("/v1/activity?limit=101", Some("limit")),
        ("/v1/queries?limit=-1", None),
        ("/v1/consent-texts", None),
        ("/v1/consent-texts?locale=de", Some("locale")),
    ] {
        let reply = shopper.get(path).await;
        assert_eq!((reply.code(), reply.json()["field"].as_str()), (Code::InvalidRequest, field), "{path}");
    }
    for amount in [json!(0), json!(-1), json!(500_001), json!("5"), json!(1e30), json!(null)] {
        let reply = shopper.post("/v1/top-ups", json!({"amount_minor": amount})).await;
        assert_eq!(reply.code(), Code::InvalidRequest, "{amount}");
    }
    assert_eq!(shopper.me().await.balance_minor, 0);
}

#[tokio::test]
async fn a_probe_may_hold_nothing_else() {
    let world = World::new().await;
    let till = world.till(TILL);
    let payment = till.challenged(3_650).await;
    let probe = till.look(&payment, &crate::world::shopper::Person::new());
    for pointer in ["", "/context", "/sealed/1"] {
        let mut json = serde_json::to_value(&probe).expect("plain data");
        json.pointer_mut(pointer).expect("is there")["template"] = json!([1, 2, 3]);
        let reply = till.post(&format!("/v1/payments/{}/probe", payment.id), &json).await;
        assert_eq!((reply.code(), reply.json()["field"].as_str()), (Code::InvalidRequest, Some("template")), "{pointer}");
    }
}

#[tokio::test]
async fn a_flood_of_sign_ins_holds_up_no_payment_and_each_gets_an_answer() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    let payment = till.pay(30_000, &person).await;
    let mut flood = tokio::task::JoinSet::new();
    for at in 0..60 {
        let http = world.http.clone();
        flood.spawn(async move {
            let body = json!({"phone": format!("137{at:08}"), "passcode": PASSCODE}).to_string();
            http.post("/v1/sessions", &[("x-handsel-wallet", "1")], body.into_bytes()).await.code()
        });
    }
    assert_eq!(till.passcode(payment.id, PASSCODE).await.json()["status"], "paid");
    while let Some(code) = flood.join_next().await {
        let code = code.expect("an answer");
        assert!(matches!(code, Code::SignInFailed | Code::RequestInFlight), "{}", code.name());
    }
}
