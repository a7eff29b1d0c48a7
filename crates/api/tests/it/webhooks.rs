//! Webhooks: real receivers on loopback, verified by libraries of others that run as processes of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use api::config::Timing;
use payments::webhook::reach::Reach;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use wire::api::Payment;
use wire::merchant::{Mode, WebhookEndpoint};
use wire::problem::Code;

use crate::world::World;
use crate::world::receiver::{Received, Receiver};
use crate::world::server::Server;
use crate::world::till::SMALL;

/// Looks often for what is due, and is patient for a moment only.
const QUICK: Timing = Timing {
    answer_after_ms: 2_000,
    reach_parties_ms: 8_000,
    identify_ms: 10_000,
    apply_ms: 60_000,
    expiry_interval_ms: 100,
    gallery_interval_ms: 1_000,
    webhook_interval_ms: 20,
    webhook_timeout_ms: 500,
    heartbeat_ms: 15_000,
    settle_ms: 2_000,
    seal_again_ms: 60_000,
};

async fn until_received(world: &World, receiver: &Receiver, count: usize) -> Vec<Received> {
    world.until("webhooks", async || receiver.received().len() >= count).await;
    receiver.received()
}

async fn until_delivery(world: &World, server: &Server, endpoint: &WebhookEndpoint, status: &str) -> Value {
    let path = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
    world.until(status, async || server.get(&path).await.json()["data"][0]["status"] == status).await;
    server.get(&path).await.json()["data"][0].clone()
}

#[tokio::test]
async fn two_libraries_of_others_verify_what_a_receiver_gets() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    let payment = server.paid(SMALL).await;
    let received = &until_received(&world, &receiver, 1).await[0];
    let body = received.json();
    assert_eq!((&body["type"], &body["data"]["payment"]["id"]), (&json!("payment.paid"), &json!(payment.id.to_string())));
    assert_eq!(received.header("webhook-id"), body["id"].as_str().expect("an identifier"));
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(server.get(&format!("/v1/events/{}", body["id"].as_str().expect("text"))).await.json(), body);

    let keys = server.get(&format!("/v1/webhook-endpoints/{}/keys", endpoint.id)).await.json()["keys"].clone();
    let given = json!({
        "secret": keys[0]["secret"],
        "public_key": keys[0]["public_key"],
        "body": String::from_utf8(received.body.clone()).expect("text"),
        "headers": {
            "webhook-id": received.header("webhook-id"),
            "webhook-timestamp": received.header("webhook-timestamp"),
            "webhook-signature": received.header("webhook-signature"),
        },
    });
    let expected = "right payment.paid\naltered: refused\n";
    if let Some(said) = by_python(&given).await {
        assert_eq!(said, expected);
    }
    if let Some(said) = by_node(&given).await {
        assert_eq!(said, format!("{expected}ed25519 true false\n"));
    }
    // And neither takes the signature of another endpoint.
    let other = server.endpoint(&receiver.url()).await;
    let keys = server.get(&format!("/v1/webhook-endpoints/{}/keys", other.id)).await.json()["keys"].clone();
    let mut foreign = given;
    foreign["secret"] = keys[0]["secret"].clone();
    foreign["public_key"] = keys[0]["public_key"].clone();
    for said in [by_python(&foreign).await, by_node(&foreign).await].into_iter().flatten() {
        assert!(!said.contains("right"), "{said}");
    }
}

#[tokio::test]
async fn while_keys_change_the_old_ones_verify_too() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    let path = format!("/v1/webhook-endpoints/{}", endpoint.id);
    let signatures = |received: &Received| received.header("webhook-signature").split(' ').map(str::to_owned).collect::<Vec<_>>();
    let rotated = server.post(&format!("{path}/rotate"), json!({"overlap_s": 3_600})).await;
    assert_eq!((rotated.status, &rotated.json()["key_generation"]), (200, &json!(2)));
    let keys = server.get(&format!("{path}/keys")).await.json()["keys"].clone();
    assert_eq!((&keys[0]["generation"], &keys[1]["generation"], keys.as_array().map(Vec::len)), (&json!(2), &json!(1), Some(2)));
    server.paid(SMALL).await;
    let received = until_received(&world, &receiver, 1).await[0].clone();
    assert_eq!(signatures(&received).len(), 4);
    // Whoever still has the old secret verifies it.
    let given = json!({
        "secret": keys[1]["secret"],
        "public_key": keys[1]["public_key"],
        "body": String::from_utf8(received.body.clone()).expect("text"),
        "headers": {
            "webhook-id": received.header("webhook-id"),
            "webhook-timestamp": received.header("webhook-timestamp"),
            "webhook-signature": received.header("webhook-signature"),
        },
    });
    if let Some(said) = by_python(&given).await {
        assert!(said.starts_with("right"), "{said}");
    }
    world.clock.put_forward(3_601_000);
    server.post(&format!("{path}/ping"), json!({})).await;
    assert_eq!(signatures(&until_received(&world, &receiver, 2).await[1]).len(), 2);
    assert_eq!(server.get(&format!("{path}/keys")).await.json()["keys"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_and_each_attempt_is_on_record() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[500, 302, 0, 200]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    server.paid(SMALL).await;
    // 5 seconds, 5 minutes, half an hour, each up to a tenth longer.
    for (attempt, wait_ms) in [5_500, 330_000, 1_980_000].into_iter().enumerate() {
        until_received(&world, &receiver, attempt + 1).await;
        let path = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
        world.until("noted", async || server.get(&path).await.json()["data"][0]["attempts"] == attempt + 1).await;
        let before = receiver.received().len();
        world.clock.put_forward(wait_ms / 2);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(receiver.received().len(), before, "not before its time");
        world.clock.put_forward(wait_ms / 2);
    }
    let delivery = until_delivery(&world, &server, &endpoint, "delivered").await;
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|one| one.header("webhook-id") == received[0].header("webhook-id") && one.body == received[0].body));
    assert!(received.iter().all(|one| one.path == "/hooks"), "no redirect is followed");
    let log: Vec<_> =
        delivery["log"].as_array().expect("a log").iter().map(|one| (one["status"].as_u64(), one["failure"].as_str())).collect();
    assert_eq!(log, [(Some(200), None), (None, Some("timeout")), (Some(302), None), (Some(500), None)]);
}

#[tokio::test]
async fn after_ten_attempts_it_is_dead_and_a_replay_brings_it() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[503; 10]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    server.paid(SMALL).await;
    for attempt in 1..=10 {
        until_received(&world, &receiver, attempt).await;
        let path = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
        world.until("noted", async || server.get(&path).await.json()["data"][0]["attempts"] == attempt).await;
        world.clock.put_forward(96_000_000);
    }
    let dead = until_delivery(&world, &server, &endpoint, "dead").await;
    assert_eq!((&dead["attempts"], dead.get("next_attempt_at")), (&json!(10), None));
    let dead_letters = server.get(&format!("/v1/webhook-endpoints/{}/deliveries?status=dead&expand[]=event", endpoint.id)).await.json();
    assert_eq!(dead_letters["data"][0]["event"]["type"], "payment.paid");
    let replay = server.post(&format!("/v1/deliveries/{}/replay", dead["id"].as_str().expect("text")), json!({})).await;
    assert_eq!((replay.status, &replay.json()["status"]), (200, &json!("pending")), "{}", replay.text());
    until_delivery(&world, &server, &endpoint, "delivered").await;
    assert_eq!(receiver.received().len(), 11);
}

#[tokio::test]
async fn a_receiver_that_is_gone_hears_nothing_more() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[410]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    let path = format!("/v1/webhook-endpoints/{}", endpoint.id);
    server.paid(SMALL).await;
    until_delivery(&world, &server, &endpoint, "dead").await;
    let now = server.get(&path).await.json();
    assert_eq!((&now["enabled"], &now["disabled_because"]), (&json!(false), &json!("gone")));
    server.paid(SMALL).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), 1);
    // Its owner switches it on again.
    let on = server.post(&path, json!({"enabled": true})).await.json();
    assert_eq!((&on["enabled"], on.get("disabled_because")), (&json!(true), None));
    server.paid(SMALL).await;
    until_received(&world, &receiver, 2).await;
}

#[tokio::test]
async fn an_endpoint_hears_what_it_asked_for() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[]).await);
    let reply = server.post("/v1/webhook-endpoints", json!({"url": receiver.url(), "event_types": ["payment.refunded"]})).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let paid = server.paid(SMALL).await;
    let refused = server.begin(SMALL).await;
    assert_eq!(server.look(&refused, "stranger").await.json()["refusal"], "not_recognised");
    let refund = server.post(&format!("/v1/payments/{}/refunds", paid.id), json!({"amount_minor": 50})).await;
    assert_eq!(refund.status, 201, "{}", refund.text());
    let received = until_received(&world, &receiver, 1).await;
    assert_eq!(received[0].json()["data"]["payment"]["refunded_minor"], 50);
    // The other events are on record all the same.
    let types = |query: &'static str| {
        let server = server.clone();
        async move {
            let list = server.get(&format!("/v1/events{query}")).await.json();
            let data = list["data"].as_array().expect("a list").clone();
            data.iter().map(|event| event["type"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(types("").await, ["payment.refunded", "payment.refused", "payment.paid"]);
    assert_eq!(types("?type=payment.paid").await, ["payment.paid"]);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn what_was_recorded_before_a_stop_is_delivered_after_it() {
    let mut world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[0]).await);
    server.endpoint(&receiver.url()).await;
    server.paid(SMALL).await;
    // The receiver has it and has not answered when the platform stops: it comes again.
    until_received(&world, &receiver, 1).await;
    world.stop_platform().await;
    world.start_platform().await;
    world.clock.put_forward(60_000);
    let received = until_received(&world, &receiver, 2).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
}

#[tokio::test]
async fn nothing_of_the_platforms_own_network_is_reached() {
    let mut world = World::with_timing(QUICK).await;
    let receiver = Receiver::answering(&[]).await;
    let by_name = format!("https://localhost:{}/hooks", receiver.port());
    for mode in [Mode::Live, Mode::Test] {
        if mode == Mode::Test {
            // Test mode too, where its operator does not allow loopback.
            world.stop_platform().await;
            world.test_webhook_reach = Reach::Public;
            world.start_platform().await;
        }
        let server = world.server(1, mode);
        for url in
            [&receiver.url(), "https://10.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "http://shop.example/", "ftp://x/", "x"]
        {
            let reply = server.post("/v1/webhook-endpoints", json!({"url": url})).await;
            assert_eq!((reply.code(), &reply.json()["field"]), (Code::UrlForbidden, &json!("url")), "{url}");
        }
        // A name says what it stands for only when it is looked up, and then the address decides.
        let endpoint = server.endpoint(&by_name).await;
        server.post(&format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
        world.until("attempted", async || server.get(&path).await.json()["data"][0]["attempts"] == 1).await;
        assert_eq!(server.get(&path).await.json()["data"][0]["log"][0]["failure"], "address_forbidden");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_webhook_stays_below_twenty_thousand_bytes() {
    let world = World::with_timing(QUICK).await;
    let (server, receiver) = (world.server(1, Mode::Test), Receiver::answering(&[]).await);
    server.endpoint(&receiver.url()).await;
    let payment: Payment = server.paid(SMALL).await;
    for refund in 0..50 {
        let reply = server.post(&format!("/v1/payments/{}/refunds", payment.id), json!({"amount_minor": 1})).await;
        assert_eq!(reply.status, 201, "refund {refund}: {}", reply.text());
    }
    let received = until_received(&world, &receiver, 51).await;
    let longest = received.iter().map(|one| one.body.len()).max().expect("some");
    assert!((1_000..20_000).contains(&longest), "{longest} bytes");
}

#[tokio::test]
async fn nothing_of_one_merchant_is_anothers() {
    let world = World::with_timing(QUICK).await;
    let (server, rival, receiver) = (world.server(1, Mode::Test), world.server(2, Mode::Test), Receiver::answering(&[]).await);
    let endpoint = server.endpoint(&receiver.url()).await;
    let payment = server.paid(SMALL).await;
    let delivery = until_delivery(&world, &server, &endpoint, "delivered").await;
    let (id, event) = (delivery["id"].as_str().expect("text"), delivery["event"].as_str().expect("text"));
    let key = server.get("/v1/api-keys").await.json()["data"][0]["id"].as_str().expect("text").to_owned();
    let own = [
        ("GET", format!("/v1/payments/{}", payment.id)),
        ("GET", format!("/v1/payments/{}/events", payment.id)),
        ("GET", format!("/v1/events/{event}")),
        ("GET", format!("/v1/webhook-endpoints/{}", endpoint.id)),
        ("GET", format!("/v1/webhook-endpoints/{}/keys", endpoint.id)),
        ("GET", format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id)),
        ("GET", format!("/v1/deliveries/{id}")),
    ];
    for (_, path) in &own {
        assert_eq!(server.get(path).await.status, 200, "{path}");
        assert_eq!(rival.get(path).await.code(), Code::NotFound, "{path}");
        // A live key does not open what is of test mode, though it is the same merchant's.
        assert_eq!(world.server(1, Mode::Live).get(path).await.code(), Code::NotFound, "{path}");
    }
    for (path, body) in [
        (format!("/v1/payments/{}/cancel", payment.id), json!({})),
        (format!("/v1/payments/{}/refunds", payment.id), json!({})),
        (format!("/v1/test/payments/{}/look", payment.id), json!({"shopper": "funded"})),
        (format!("/v1/webhook-endpoints/{}", endpoint.id), json!({"enabled": false})),
        (format!("/v1/webhook-endpoints/{}/rotate", endpoint.id), json!({})),
        (format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({})),
        (format!("/v1/deliveries/{id}/replay"), json!({})),
    ] {
        assert_eq!(rival.post(&path, body).await.code(), Code::NotFound, "{path}");
    }
    assert_eq!(rival.delete(&format!("/v1/webhook-endpoints/{}", endpoint.id)).await.code(), Code::NotFound);
    assert_eq!(rival.delete(&format!("/v1/api-keys/{key}")).await.code(), Code::NotFound);
    for list in ["/v1/payments", "/v1/events", "/v1/webhook-endpoints"] {
        assert_eq!(rival.get(list).await.json()["data"], json!([]), "{list}");
    }
    assert_eq!(server.delete(&format!("/v1/webhook-endpoints/{}", endpoint.id)).await.status, 204);
    assert_eq!(server.get(&format!("/v1/webhook-endpoints/{}", endpoint.id)).await.code(), Code::NotFound);
}

#[tokio::test]
async fn a_receivers_certificate_must_be_trusted_and_its_own() {
    let mut world = World::with_timing(QUICK).await;
    let folder = tempfile::tempdir().expect("a folder");
    let roots = folder.path().join("roots.pem");
    let (own, address) = Secure::start("localhost").await;
    let (foreign, foreign_address) = Secure::start("shop.example").await;
    std::fs::write(&roots, own.certificate_pem.clone() + &foreign.certificate_pem).expect("a file");
    for (trusted, port, expected) in [
        (false, address.port(), json!({"failure": "tls"})),
        (true, address.port(), json!({"status": 200})),
        // Trusted, and somebody else's.
        (true, foreign_address.port(), json!({"failure": "tls"})),
    ] {
        world.stop_platform().await;
        world.webhook_roots = trusted.then(|| roots.clone());
        world.start_platform().await;
        let server = world.server(1, Mode::Test);
        let endpoint = server.endpoint(&format!("https://localhost:{port}/hooks")).await;
        server.post(&format!("/v1/webhook-endpoints/{}/ping", endpoint.id), json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}/deliveries", endpoint.id);
        world.until("attempted", async || server.get(&path).await.json()["data"][0]["attempts"] == 1).await;
        let log = server.get(&path).await.json()["data"][0]["log"][0].clone();
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&log[name], value, "trusted: {trusted}, port {port}: {log}");
        }
    }
}

/// A receiver behind TLS that answers 200 to whatever comes.
struct Secure {
    certificate_pem: String,
    task: tokio::task::JoinHandle<()>,
}

impl Secure {
    async fn start(name: &str) -> (Self, std::net::SocketAddr) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a sound certificate");
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = [0; 4_096];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
        (Self { certificate_pem: made.cert.pem(), task }, address)
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

async fn by_python(given: &Value) -> Option<String> {
    let python = root().join("var/venv-api/bin/python");
    if !present(&python) {
        return None;
    }
    Some(said(Command::new(python).arg("tests/it/peers/verify.py"), given).await)
}

async fn by_node(given: &Value) -> Option<String> {
    let modules = root().join("var/npm-api");
    if !present(&modules) {
        return None;
    }
    Some(said(Command::new("node").arg("tests/it/peers/verify.mjs").env("NODE_PEERS", modules), given).await)
}

/// Whether a library of others is installed; a run that needs it says so.
fn present(path: &Path) -> bool {
    let present = path.exists();
    assert!(
        present || std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(),
        "{} is missing: run scripts/setup-api-peers",
        path.display()
    );
    present
}

async fn said(command: &mut Command, given: &Value) -> String {
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(given.to_string().as_bytes()).await.expect("it reads");
    drop(stdin);
    String::from_utf8(child.wait_with_output().await.expect("it ends").stdout).expect("text")
}
