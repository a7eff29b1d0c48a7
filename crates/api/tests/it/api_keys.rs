//! API keys: shown once, kept as hashes, changed without a gap, test and live apart.

use serde_json::json;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::world::server::Server;
use crate::world::till::{SMALL, fresh_key};
use crate::world::{SECOND_TILL, TILL, World};

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let (server, key) = (world.server(1, Mode::Test), fresh_key());
    let body = json!({"name": "cash desk"});
    let first = server.post_with_key("/v1/api-keys", body.clone(), &key).await;
    let secret = first.json()["secret"].as_str().expect("shown").to_owned();
    assert!(secret.starts_with("sk_test_") && secret.len() == "sk_test_".len() + 64);
    assert_eq!(first.json()["hint"], secret[secret.len() - 4..]);
    let again = server.post_with_key("/v1/api-keys", body, &key).await;
    assert!(again.is_replayed());
    assert_eq!((again.json()["id"].clone(), again.json().get("secret")), (first.json()["id"].clone(), None));
    let list = server.get("/v1/api-keys").await.json();
    assert!(list["data"].as_array().expect("a list").iter().all(|key| key.get("secret").is_none()));

    // It works, and its use is on record.
    let fresh = Server::new(world.http.clone(), secret.clone());
    assert_eq!(fresh.get("/v1/events").await.status, 200);
    let used = fresh.get("/v1/api-keys").await.json()["data"][0].clone();
    assert_eq!((used["id"].clone(), used["last_used_at"].is_u64()), (first.json()["id"].clone(), true));

    // No file of the platform holds it.
    for file in ["handsel-test.sqlite", "handsel-test.sqlite-wal"] {
        let path = world.store_path().with_file_name(file);
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn a_key_is_changed_without_a_gap_and_revoked_at_once() {
    let world = World::new().await;
    let old = world.server(1, Mode::Live);
    let id = old.get("/v1/api-keys").await.json()["data"][0]["id"].as_str().expect("text").to_owned();
    let rotated = old.post(&format!("/v1/api-keys/{id}/rotate"), json!({"overlap_s": 600})).await;
    assert_eq!((rotated.status, &rotated.json()["name"]), (201, &json!("first")), "{}", rotated.text());
    let new = Server::new(world.http.clone(), rotated.json()["secret"].as_str().expect("shown").to_owned());
    assert!(new.key.starts_with("sk_live_"));
    assert_eq!((old.get("/v1/events").await.status, new.get("/v1/events").await.status), (200, 200));
    world.clock.put_forward(601_000);
    assert_eq!(old.get("/v1/events").await.code(), Code::Unauthenticated);
    assert_eq!(new.get("/v1/events").await.status, 200);
    // What has ended cannot be changed again.
    assert_eq!(new.post(&format!("/v1/api-keys/{id}/rotate"), json!({})).await.code(), Code::NotFound);
    let id = rotated.json()["id"].as_str().expect("text").to_owned();
    assert_eq!(new.delete(&format!("/v1/api-keys/{id}")).await.status, 200);
    assert_eq!(new.get("/v1/events").await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn test_and_live_see_nothing_of_each_other() {
    let world = World::new().await;
    let (test, live) = (world.server(1, Mode::Test), world.server(1, Mode::Live));
    // A key of one mode with the other's prefix opens nothing.
    let made = live.post("/v1/api-keys", json!({"name": "live only"})).await.json();
    let as_test = made["secret"].as_str().expect("shown").replace("sk_live_", "sk_test_");
    assert_eq!(Server::new(world.http.clone(), as_test).get("/v1/events").await.code(), Code::Unauthenticated);

    let paid = test.paid(SMALL).await;
    assert_eq!(test.get(&format!("/v1/payments/{}", paid.id)).await.json()["status"], "paid");
    assert_eq!(live.get(&format!("/v1/payments/{}", paid.id)).await.code(), Code::NotFound);
    assert_eq!(live.get("/v1/events").await.json()["data"], json!([]));
    assert_eq!(world.till(TILL).get(&format!("/v1/payments/{}", paid.id)).await.code(), Code::NotFound);

    // Made-up shoppers pay in test mode only.
    let real =
        live.post("/v1/payments", json!({"amount_minor": SMALL, "currency": "CNY", "terminal": "ter_00000000000000000000000001"})).await;
    let path = format!("/v1/test/payments/{}/look", real.json()["id"].as_str().expect("text"));
    assert_eq!(live.post(&path, json!({"shopper": "funded"})).await.code(), Code::TestModeOnly);
    assert!(world.store().books().expect("reads").balanced());
}

#[tokio::test]
async fn a_merchants_server_begins_payments_at_its_tills() {
    let world = World::new().await;
    let live = world.server(1, Mode::Live);
    let at = |terminal: Option<u128>| {
        let mut body = json!({"amount_minor": SMALL, "currency": "CNY"});
        if let Some(number) = terminal {
            body["terminal"] = json!(base::id::TerminalId::from_bits(number).to_string());
        }
        body
    };
    assert_eq!(live.post("/v1/payments", at(None)).await.code(), Code::TerminalRequired);
    assert_eq!(live.post("/v1/payments", at(Some(crate::world::OTHER_PAYEES_TILL))).await.code(), Code::NotFound);
    let begun = live.post("/v1/payments", at(Some(SECOND_TILL))).await.json();
    let path = format!("/v1/payments/{}", begun["id"].as_str().expect("text"));
    // The till it began at goes on with it; another one of the payee may look only.
    assert_eq!(world.till(TILL).post(&format!("{path}/challenge"), &json!({})).await.code(), Code::Forbidden);
    assert_eq!(world.till(SECOND_TILL).post(&format!("{path}/challenge"), &json!({})).await.status, 200);
    assert_eq!(live.post(&format!("{path}/cancel"), json!({})).await.json()["status"], "cancelled");
    // A till takes payments for itself.
    assert_eq!(world.till(TILL).post("/v1/payments", &at(Some(SECOND_TILL))).await.code(), Code::Forbidden);
    assert_eq!(world.till(TILL).post("/v1/payments", &at(Some(TILL))).await.status, 201);
}

#[tokio::test]
async fn made_up_shoppers_do_what_their_names_say() {
    let world = World::new().await;
    let server = world.server(1, Mode::Test);
    for (shopper, status, refusal) in [
        ("funded", "paid", json!(null)),
        ("penniless", "refused", json!("insufficient_balance")),
        ("stranger", "refused", json!("not_recognised")),
        ("twin", "refused", json!("ambiguous")),
    ] {
        let payment = server.begin(SMALL).await;
        let looked = server.look(&payment, shopper).await.json();
        assert_eq!((&looked["status"], &looked["refusal"]), (&json!(status), &refusal), "{shopper}");
        assert_eq!(server.look(&payment, shopper).await.code(), Code::StateConflict, "{shopper} twice");
    }
    let refund = server.post(&format!("/v1/payments/{}/refunds", server.paid(SMALL).await.id), json!({})).await;
    assert_eq!((refund.status, &refund.json()["refunded_minor"]), (201, &json!(SMALL)));
}
