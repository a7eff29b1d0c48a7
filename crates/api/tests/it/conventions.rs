//! What holds for every endpoint: versions, repetitions, rates, expansions, metrics.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use api::limits::{Rate, Rates};
use api::routes::endpoints;
use base::id::StoreId;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::vouchers;
use crate::world::console::Console;
use crate::world::desk::Desk;
use crate::world::http::Reply;
use crate::world::receiver::Receiver;
use crate::world::shopper::PASSCODE;
use crate::world::till::{SMALL, Till, fresh_key};
use crate::world::{TILL, World};

/// POSTs that take no key, and why the same again does no harm.
const WITHOUT_KEY: [(&str, &str); 17] = [
    ("/v1/sessions", "signing in twice makes two sessions; a remembered answer would hold the cookie"),
    ("/v1/demo/crowd", "its probe's nonce is taken once"),
    ("/v1/sessions/passkey", "a device's answer counts once"),
    ("/v1/passkeys/request", "asking changes nothing"),
    ("/v1/me/passkeys/request", "asking changes nothing"),
    ("/v1/me/approvals/request", "asking changes nothing"),
    ("/v1/shop/invitation", "another challenge, of which one is answered"),
    ("/v1/shop/session", "an invitation counts once; a remembered answer would hold the cookie"),
    ("/v1/shop/session/request", "another challenge, of which one is answered"),
    ("/v1/shop/session/passkey", "a challenge is answered once"),
    ("/v1/service/invitation", "another challenge, of which one is answered"),
    ("/v1/service/session", "an invitation counts once; a remembered answer would hold the cookie"),
    ("/v1/service/session/request", "another challenge, of which one is answered"),
    ("/v1/service/session/passkey", "a challenge is answered once"),
    ("/v1/service/look-ups", "it only reads, and each reading stands in the log"),
    ("/v1/activations/redeem", "a code counts once"),
    ("/v1/activations/test", "a till becomes active once; its cent has a key of its own"),
];

/// What is shown in the first answer only.
const SHOWN_ONCE: [&str; 5] =
    ["/v1/api-keys", "/v1/api-keys/{id}/rotate", "/v1/shop/staff", "/v1/shop/staff/{id}/invitation", "/v1/shop/activations"];

#[tokio::test]
async fn every_post_is_done_once_and_answered_twice() {
    let world = World::new().await;
    let (shopper, till, server) = (world.shopper(0).await, world.till(TILL), world.server(1, Mode::Test));
    let receiver = Receiver::answering(&[]).await;
    let owner = Console::owner(&world, 1).await;
    let desk = Desk::join(&world, "Sun").await;
    let member = owner.post("/v1/shop/staff", json!({"name": "Wang", "role": "cashier"})).await.json();
    let member = format!("/v1/shop/staff/{}", member["id"].as_str().expect("text"));
    let place = json!({"city": "Shanghai", "address": "Nanjing Road 1", "latitude_e6": 31_230_400, "longitude_e6": 121_473_700});
    let store = |name: &str| json!({"name": name, "place": place});
    let office = |name: &str| json!({"legal_name": name, "credit_code": "91350100M000100Y43"});
    let waits = |step: &str| format!("/v1/shop/refund-requests/rr_00000000000000000000000001/{step}");
    let (payment, test_payment) = (till.begin(SMALL).await, server.begin(SMALL).await);
    let paid = server.paid(SMALL).await;
    let endpoint = server.endpoint(&receiver.url()).await;
    let ping = server.post(&format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({})).await.json();
    let delivery = ping["id"].as_str().expect("text");
    let key = server.post("/v1/api-keys", json!({"name": "other"})).await.json()["id"].as_str().expect("text").to_owned();
    let consent = shopper.get("/v1/consent-texts?locale=en").await.json()["data"][1]["text_sha256"].clone();
    let begun = till.challenged(SMALL).await;
    let probe = serde_json::to_value(till.look(&begun, &crate::world::shopper::Person::new())).expect("plain data");
    let enrolment = "enr_00000000000000000000000001";
    let person = json!({"name": "A", "phone": "13900000007", "passcode": PASSCODE});
    let asked = shopper.post("/v1/me/passkeys/request", json!({})).await.json();
    let attestation = crate::world::phone::Phone::new().register(&asked["public_key"]).await;
    let approval = shopper.approval(json!({"for": "enrolment"})).await;
    let device = shopper.me().await.devices[0].id;
    let (id, test_id, paid_id, begun_id) = (payment.id, test_payment.id, paid.id, begun.id);
    let voucher_text = vouchers::text(&world).await;
    let voucher = |amount_minor: i64| json!({"text": voucher_text, "amount_minor": amount_minor, "taken_at": 0});
    // Pattern, path, body, another body of the same kind.
    let rows: Vec<(&str, String, Value, Value)> = vec![
        (
            "/v1/payments",
            "/v1/payments".into(),
            json!({"amount_minor": 5, "currency": "CNY"}),
            json!({"amount_minor": 6, "currency": "CNY"}),
        ),
        (
            "/v1/me/vouchers",
            "/v1/me/vouchers".into(),
            json!({"store": vouchers::SHOP, "approval": approval}),
            json!({"store": StoreId::from_bits(2), "approval": approval}),
        ),
        ("/v1/terminal/vouchers", "/v1/terminal/vouchers".into(), voucher(1), voucher(2)),
        ("/v1/payments/{id}/challenge", format!("/v1/payments/{id}/challenge"), json!({}), json!({"phone_suffix": "1234"})),
        ("/v1/payments/{id}/probe", format!("/v1/payments/{begun_id}/probe"), probe.clone(), json!({})),
        ("/v1/payments/{id}/passcode", format!("/v1/payments/{id}/passcode"), json!({"passcode": PASSCODE}), json!({"passcode": "705284"})),
        ("/v1/payments/{id}/cancel", format!("/v1/payments/{id}/cancel"), json!({}), Value::Null),
        ("/v1/payments/{id}/refunds", format!("/v1/payments/{paid_id}/refunds"), json!({"amount_minor": 1}), json!({"amount_minor": 2})),
        ("/v1/payments/{id}/capture", format!("/v1/payments/{id}/capture"), json!({"amount_minor": 1}), json!({"amount_minor": 2})),
        ("/v1/payments/{id}/void", format!("/v1/payments/{id}/void"), json!({}), Value::Null),
        ("/v1/enrolments/{id}/template", format!("/v1/enrolments/{enrolment}/template"), probe, json!({})),
        ("/v1/accounts", "/v1/accounts".into(), person, json!({"name": "B", "phone": "13900000008", "passcode": PASSCODE})),
        ("/v1/me/pause", "/v1/me/pause".into(), json!({}), Value::Null),
        ("/v1/me/resume", "/v1/me/resume".into(), json!({}), Value::Null),
        ("/v1/me/limits", "/v1/me/limits".into(), json!({"limits": {"day_max_minor": 5}}), json!({"limits": {"day_max_minor": 6}})),
        ("/v1/me/freeze", "/v1/me/freeze".into(), json!({}), Value::Null),
        ("/v1/me/thaw", "/v1/me/thaw".into(), json!({"passcode": PASSCODE}), json!({"passcode": "705284"})),
        (
            "/v1/me/duress-passcode",
            "/v1/me/duress-passcode".into(),
            json!({"passcode": PASSCODE, "duress_passcode": "860597"}),
            json!({"passcode": PASSCODE}),
        ),
        (
            "/v1/me/helpers",
            "/v1/me/helpers".into(),
            json!({"phone": "13900000007", "passcode": PASSCODE}),
            json!({"phone": "13900000006", "passcode": PASSCODE}),
        ),
        ("/v1/me/helpers/{id}/accept", "/v1/me/helpers/hlp_00000000000000000000000001/accept".into(), json!({}), Value::Null),
        ("/v1/me/helpers/{id}/end", "/v1/me/helpers/hlp_00000000000000000000000001/end".into(), json!({}), Value::Null),
        ("/v1/me/helpers/{id}/freeze", "/v1/me/helpers/hlp_00000000000000000000000001/freeze".into(), json!({}), Value::Null),
        ("/v1/me/payments/{id}/decline", format!("/v1/me/payments/{id}/decline"), json!({}), Value::Null),
        ("/v1/me/payments/{id}/undo", format!("/v1/me/payments/{id}/undo"), json!({}), Value::Null),
        (
            "/v1/disputes",
            "/v1/disputes".into(),
            json!({"payment": id, "cause": "other", "freeze": false}),
            json!({"payment": id, "cause": "forced", "freeze": false}),
        ),
        (
            "/v1/bank-accounts",
            "/v1/bank-accounts".into(),
            json!({"holder_name": "Noodle House", "bank_code": "102100099996", "account_number": "6222021001112223"}),
            json!({"holder_name": "Noodle House", "bank_code": "102100099996", "account_number": "6222021001112224"}),
        ),
        ("/v1/bank-accounts/{id}/withdraw", "/v1/bank-accounts/ba_00000000000000000000000001/withdraw".into(), json!({}), Value::Null),
        ("/v1/disputes/{id}/appeal", "/v1/disputes/dp_00000000000000000000000001/appeal".into(), json!({}), Value::Null),
        ("/v1/disputes/{id}/withdraw", "/v1/disputes/dp_00000000000000000000000001/withdraw".into(), json!({}), Value::Null),
        (
            "/v1/consents",
            "/v1/consents".into(),
            json!({"purpose": "membership", "text_sha256": consent, "granted": true}),
            json!({"purpose": "membership", "text_sha256": consent, "granted": false}),
        ),
        ("/v1/enrolments", "/v1/enrolments".into(), json!({}), Value::Null),
        (
            "/v1/me/passkeys",
            "/v1/me/passkeys".into(),
            json!({"name": "a", "attestation": attestation}),
            json!({"name": "b", "attestation": attestation}),
        ),
        (
            "/v1/me/payments/{id}/approve",
            format!("/v1/me/payments/{id}/approve"),
            json!({"approval": approval}),
            json!({"approval": {"credential_id": "a", "client_data_json": "a", "authenticator_data": "a", "signature": "a"}}),
        ),
        (
            "/v1/me/passkeys/{id}/remove",
            format!("/v1/me/passkeys/{device}/remove"),
            json!({"passcode": PASSCODE}),
            json!({"passcode": "705284"}),
        ),
        ("/v1/me/approvals/freeze", "/v1/me/approvals/freeze".into(), json!({}), Value::Null),
        ("/v1/me/approvals/thaw", "/v1/me/approvals/thaw".into(), json!({"passcode": PASSCODE}), json!({"passcode": "705284"})),
        ("/v1/top-ups", "/v1/top-ups".into(), json!({"amount_minor": 5}), json!({"amount_minor": 6})),
        ("/v1/me/close", "/v1/me/close".into(), json!({"passcode": PASSCODE}), json!({"passcode": "705284"})),
        ("/v1/api-keys", "/v1/api-keys".into(), json!({"name": "a"}), json!({"name": "b"})),
        ("/v1/api-keys/{id}/rotate", format!("/v1/api-keys/{key}/rotate"), json!({"overlap_s": 5}), json!({"overlap_s": 6})),
        ("/v1/webhook-endpoints", "/v1/webhook-endpoints".into(), json!({"url": receiver.url()}), json!({"url": "https://shop.example/"})),
        (
            "/v1/webhook-endpoints/{id}",
            format!("/v1/webhook-endpoints/{}", endpoint.id),
            json!({"enabled": true}),
            json!({"enabled": false}),
        ),
        (
            "/v1/webhook-endpoints/{id}/rotate",
            format!("/v1/webhook-endpoints/{}/rotate", endpoint.id),
            json!({"overlap_s": 5}),
            json!({"overlap_s": 6}),
        ),
        ("/v1/webhook-endpoints/{id}/ping", format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({}), Value::Null),
        ("/v1/deliveries/{id}/replay", format!("/v1/deliveries/{delivery}/replay"), json!({}), Value::Null),
        (
            "/v1/test/payments/{id}/look",
            format!("/v1/test/payments/{test_id}/look"),
            json!({"shopper": "funded"}),
            json!({"shopper": "stranger"}),
        ),
        (
            "/v1/service/look-ups/{id}/freeze",
            "/v1/service/look-ups/svc_00000000000000000000000001/freeze".into(),
            json!({"reason": "phone_lost"}),
            json!({"reason": "caller_asked"}),
        ),
        ("/v1/shop/head-office", "/v1/shop/head-office".into(), office("A"), office("B")),
        ("/v1/shop/staff", "/v1/shop/staff".into(), json!({"name": "A", "role": "owner"}), json!({"name": "B", "role": "owner"})),
        ("/v1/shop/staff/{id}", member.clone(), json!({"role": "manager"}), json!({"role": "owner"})),
        ("/v1/shop/staff/{id}/invitation", format!("{member}/invitation"), json!({}), Value::Null),
        ("/v1/shop/stores", "/v1/shop/stores".into(), store("A"), store("B")),
        ("/v1/shop/stores/{id}", "/v1/shop/stores/sto_00000000000000000000000001".into(), store("A"), store("B")),
        (
            "/v1/shop/activations",
            "/v1/shop/activations".into(),
            json!({"store": "sto_00000000000000000000000001"}),
            json!({"store": "sto_00000000000000000000000002"}),
        ),
        ("/v1/shop/activations/{id}/stop", "/v1/shop/activations/act_00000000000000000000000001/stop".into(), json!({}), Value::Null),
        (
            "/v1/shop/refund-requests",
            "/v1/shop/refund-requests".into(),
            json!({"payment": id, "amount_minor": 1, "reason": "broken"}),
            json!({"payment": id, "amount_minor": 2, "reason": "broken"}),
        ),
        ("/v1/shop/refund-requests/{id}/approve", waits("approve"), json!({}), Value::Null),
        ("/v1/shop/refund-requests/{id}/reject", waits("reject"), json!({}), Value::Null),
        (
            "/v1/shop/disputes/{id}/statement",
            "/v1/shop/disputes/dp_00000000000000000000000001/statement".into(),
            json!({"statement": "tea"}),
            json!({"statement": "coffee"}),
        ),
    ];
    let mut untested: BTreeMap<&str, _> = endpoints(true)
        .into_iter()
        .filter(|endpoint| endpoint.row.method == Method::POST)
        .map(|endpoint| (endpoint.row.path, endpoint.row))
        .collect();
    for (path, why) in WITHOUT_KEY {
        assert!(!untested.remove(path).expect("it is there").idempotent, "{path}: {why}");
    }
    for (pattern, path, body, other) in rows {
        let row = untested.remove(pattern).expect(pattern);
        assert!(row.idempotent, "{pattern} takes no key");
        let key = fresh_key();
        let is_test = path.contains(&paid_id.to_string());
        let send = async |body: &Value, key: Option<&str>| {
            let mut request = world.http.request(Method::POST, &path, &[("content-type", "application/json")]);
            request = match row.access {
                api::routes::table::Access::Key => request.header("authorization", format!("Bearer {}", server.key)),
                api::routes::table::Access::Payee if is_test => request.header("authorization", format!("Bearer {}", server.key)),
                api::routes::table::Access::Payee | api::routes::table::Access::Terminal => {
                    request.header("authorization", format!("Bearer {}", Till::token(TILL)))
                }
                api::routes::table::Access::Clerk => request.header("cookie", &desk.cookie).header("x-handsel-service", "1"),
                api::routes::table::Access::Staff => request.header("cookie", &owner.cookie).header("x-handsel-shop", "1"),
                _ => request.header("cookie", &shopper.cookie).header("x-handsel-wallet", "1"),
            };
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            Reply::of(request.body(body.to_string())).await
        };
        assert_eq!(send(&body, None).await.code(), Code::IdempotencyKeyMissing, "{pattern}");
        let first = send(&body, Some(&key)).await;
        assert!(first.status < 500 && first.status != 400 && !first.is_replayed(), "{pattern}: {} {}", first.status, first.text());
        let again = send(&body, Some(&key)).await;
        assert!(again.is_replayed(), "{pattern}: {}", again.text());
        assert_eq!(again.status, first.status, "{pattern}");
        if !SHOWN_ONCE.contains(&pattern) {
            assert_eq!(again.body, first.body, "{pattern}: byte for byte");
        }
        if !other.is_null() && other != json!({}) {
            assert_eq!(send(&other, Some(&key)).await.code(), Code::IdempotencyKeyReused, "{pattern}");
        }
    }
    assert!(untested.is_empty(), "every POST needs a row here: {:?}", untested.keys());
}

#[tokio::test]
async fn a_version_that_does_not_exist_is_refused() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.server(1, Mode::Test).key);
    for (version, status) in [(None, 200), (Some("2026-11-01"), 200), (Some("2026-11-02"), 400), (Some("1"), 400), (Some(""), 400)] {
        let mut headers = vec![("authorization", &*bearer)];
        headers.extend(version.map(|version| ("handsel-version", version)));
        let reply = world.http.get("/v1/events", &headers).await;
        assert_eq!((reply.status, reply.header("handsel-version")), (status, "2026-11-01"), "{version:?}");
        if status == 400 {
            assert_eq!((reply.code(), &reply.json()["field"]), (Code::ApiVersionUnknown, &json!("handsel-version")));
        }
    }
    assert_eq!(world.http.get("/healthz", &[("handsel-version", "none")]).await.status, 200);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_how_long_to_wait() {
    let mut world = World::new().await;
    world.stop_platform().await;
    world.rates = Rates { key: Rate { per_s: 1, burst: 3 }, ..Rates::default() };
    world.start_platform().await;
    let (server, rival) = (world.server(1, Mode::Test), world.server(2, Mode::Test));
    for left in [2, 1, 0] {
        let reply = server.get("/v1/events").await;
        assert_eq!((reply.status, reply.header("ratelimit-policy")), (200, "\"key\";q=3;w=3"));
        assert!(reply.header("ratelimit").starts_with(&format!("\"key\";r={left};t=")), "{}", reply.header("ratelimit"));
    }
    let refused = server.get("/v1/events").await;
    assert_eq!((refused.code(), refused.header("retry-after")), (Code::RateLimited, "1"));
    // The others have their own: another merchant, the same merchant's live mode, its till.
    assert_eq!(rival.get("/v1/events").await.status, 200);
    assert_eq!(world.server(1, Mode::Live).get("/v1/events").await.status, 200);
    assert_eq!(world.till(TILL).get("/v1/terminal").await.status, 200);
    // A refused request was not begun: it may come again under its key.
    let key = fresh_key();
    let body = json!({"amount_minor": 5, "currency": "CNY"});
    assert_eq!(server.post_with_key("/v1/payments", body.clone(), &key).await.code(), Code::RateLimited);
    world.clock.put_forward(1_100);
    assert_eq!(server.post_with_key("/v1/payments", body, &key).await.status, 201);
}

#[tokio::test]
async fn an_identifier_is_answered_with_what_it_stands_for_where_asked() {
    let world = World::new().await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    let ping = server.post(&format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({})).await.json();
    let path = format!("/v1/deliveries/{}", ping["id"].as_str().expect("text"));
    let list = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
    assert!(server.get(&path).await.json()["event"].is_string());
    for query in ["?expand[]=event", "?expand%5B%5D=event", "?expand[]=event&expand[]=event"] {
        assert_eq!(server.get(&format!("{path}{query}")).await.json()["event"]["type"], "webhook_endpoint.ping", "{query}");
        assert_eq!(server.get(&format!("{list}{query}&limit=1")).await.json()["data"][0]["event"]["type"], "webhook_endpoint.ping");
    }
    for query in ["?expand[]=endpoint", "?expand[]=", "?expand=event"] {
        assert_eq!(server.get(&format!("{path}{query}")).await.code(), Code::InvalidRequest, "{query}");
    }
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let world = World::new().await;
    let server = world.server(1, Mode::Test);
    for _ in 0..5 {
        server.paid(SMALL).await;
        server.post("/v1/api-keys", json!({"name": "k"})).await;
        server.endpoint("https://shop.example/hooks").await;
    }
    for path in ["/v1/payments", "/v1/events", "/v1/api-keys", "/v1/webhook-endpoints"] {
        let whole: Vec<Value> = server.get(&format!("{path}?limit=100")).await.json()["data"].as_array().expect("a list").clone();
        assert!(whole.len() >= 5, "{path}");
        let mut pages = vec![];
        loop {
            let after = pages.last().map_or(String::new(), |row: &Value| format!("&starting_after={}", row["id"].as_str().expect("text")));
            let page = server.get(&format!("{path}?limit=2{after}")).await.json();
            pages.extend(page["data"].as_array().expect("a list").clone());
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(
            pages.iter().map(|row| &row["id"]).collect::<Vec<_>>(),
            whole.iter().map(|row| &row["id"]).collect::<Vec<_>>(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn prometheus_reads_the_metrics_and_they_name_nobody() {
    let world = World::new().await;
    let server = world.server(1, Mode::Test);
    let payment = server.paid(SMALL).await;
    assert_eq!(server.get(&format!("/v1/payments/{}", payment.id)).await.status, 200);
    let page = reqwest::get(world.metrics_url()).await.expect("answers").text().await.expect("text");
    for expected in [
        r#"handsel_http_requests_total{method="GET",route="/v1/payments/{id}",status="200"} 1"#,
        r#"handsel_payments_total{status="paid"} 1"#,
        "handsel_parties_connected 3",
        "handsel_ready 1",
    ] {
        assert!(page.lines().any(|line| line == expected), "{expected} is not in\n{page}");
    }
    for prefix in ["pay_", "mer_", "ter_", "acc_", "sk_", "tk_", "127.0.0.1"] {
        assert!(!page.contains(prefix), "{prefix} is in the metrics");
    }
    // Not where the public asks.
    assert_eq!(world.http.get("/metrics", &[]).await.code(), Code::NotFound);
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../var/venv-api/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "prometheus-client is missing: run scripts/setup-api-peers");
        return;
    }
    let parse = "import sys; from prometheus_client.parser import text_string_to_metric_families as parse; print(len(list(parse(sys.stdin.read()))))";
    let mut child =
        tokio::process::Command::new(python).args(["-c", parse]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(page.as_bytes()).await.expect("it reads");
    drop(stdin);
    let families = String::from_utf8(child.wait_with_output().await.expect("it ends").stdout).expect("text");
    assert_eq!(families.trim(), "8");
}
