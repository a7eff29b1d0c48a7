//! schemathesis, which nobody here wrote, attacks the served description with a till's key and a shopper's session: whatever
//! the description allows and forbids is sent, and every answer must be one that it announces.
//!
//! A run takes a fixed seed and few examples. For a long one: `HANDSEL_SCHEMATHESIS_EXAMPLES=500 HANDSEL_SCHEMATHESIS_SEED=7
//! cargo test -p api --test it schemathesis -- --nocapture`.

use std::path::{Path, PathBuf};

use api::limits::Rates;
use serde_json::json;
use tokio::process::Command;
use wire::merchant::Mode;

use crate::world::server::Server;
use crate::world::shopper::Shopper;
use crate::world::till::{SMALL, Till};
use crate::world::{TILL, World};

/// These end the session or the keys that the other requests need, so they are attacked by themselves.
const ENDING: &str =
    "^(delete_sessions_current|delete_one_api_keys|post_api_keys_rotate|delete_one_webhook_endpoints|delete_one_enrolments)$";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_failure_on_the_served_description() {
    let Some(program) = installed() else { return };
    let mut world = World::new().await;
    // The attack asks more often than anybody may; how that is refused is tested elsewhere.
    world.stop_platform().await;
    world.rates = Rates::UNLIMITED;
    world.start_platform().await;
    world.until_ready().await;
    let shopper = world.shopper(500_000).await;
    let leaving = world.shopper(0).await;
    attack(&program, &world, &shopper, &["--exclude-operation-id-regex", ENDING]).await;
    attack(&program, &world, &leaving, &["--include-operation-id-regex", ENDING]).await;
}

/// Identifiers of things that are there, so that requests get past *not found*: part of the operation's name, and what stands
/// in its path.
async fn identifiers(world: &World, shopper: &Shopper) -> Vec<(&'static str, String)> {
    let (server, till) = (world.server(1, Mode::Test), world.till(TILL));
    let text = |value: &serde_json::Value| value["id"].as_str().expect("an identifier").to_owned();
    let paid = server.paid(SMALL).await.id.to_string();
    let endpoint = text(&server.post("/v1/webhook-endpoints", json!({"url": "https://localhost:1/hooks"})).await.json());
    let delivery = text(&server.post(&format!("/v1/webhook-endpoints/{endpoint}/ping"), json!({})).await.json());
    let event = text(&server.get("/v1/events").await.json()["data"][0]);
    let key = text(&server.post("/v1/api-keys", json!({"name": "attacked"})).await.json());
    let challenged = till.challenged(SMALL).await.id.to_string();
    vec![
        ("/v1/payments/{id}", paid.clone()),
        ("/v1/payments/{id}/events", paid.clone()),
        ("/v1/payments/{id}/refunds", paid),
        ("/v1/payments/{id}/cancel", server.begin(SMALL).await.id.to_string()),
        ("/v1/test/payments/{id}/look", server.begin(SMALL).await.id.to_string()),
        ("/v1/payments/{id}/challenge", challenged.clone()),
        ("/v1/payments/{id}/probe", challenged.clone()),
        ("/v1/payments/{id}/passcode", challenged),
        ("/v1/events/{id}", event),
        ("/v1/api-keys/{id}", key.clone()),
        ("/v1/api-keys/{id}/rotate", key),
        ("/v1/webhook-endpoints/{id}", endpoint.clone()),
        ("/v1/webhook-endpoints/{id}/keys", endpoint.clone()),
        ("/v1/webhook-endpoints/{id}/rotate", endpoint.clone()),
        ("/v1/webhook-endpoints/{id}/ping", endpoint.clone()),
        ("/v1/webhook-endpoints/{id}/deliveries", endpoint),
        ("/v1/deliveries/{id}", delivery.clone()),
        ("/v1/deliveries/{id}/replay", delivery),
        ("/v1/enrolments/{id}", shopper.begin_enrolment().await.id.to_string()),
    ]
}

/// The program, or `None` where it may be missing.
fn installed() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../var/venv-api/bin/schemathesis");
    if program.is_file() {
        return Some(program);
    }
    assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "schemathesis is missing: run scripts/setup-api-peers");
    eprintln!("left out: schemathesis is missing; scripts/setup-api-peers installs it");
    None
}

async fn attack(program: &Path, world: &World, shopper: &Shopper, which: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let session = shopper.cookie.split_once('=').expect("a cookie").1;
    let (terminal, key) = (Till::token(TILL), Server::key(1, Mode::Test));
    let config = format!(
        r#"
        [auth.openapi]
        terminal = {{ bearer = "{terminal}" }}
        key = {{ bearer = "{key}" }}
        wallet = {{ api_key = "{session}" }}
        # 400 is for what breaks the description, and nothing else. What fits it may still be refused: 402 is the payer's
        # refusal, 422 what makes no sense to the rules.
        [checks.positive_data_acceptance]
        expected-statuses = ["2xx", 401, 402, 403, 404, 409, 422, 429, 503]
        "#
    );
    let rows = identifiers(world, shopper).await;
    let rows = rows.iter().map(|(path, id)| format!("[[operations]]\ninclude-path = \"{path}\"\nparameters = {{ id = \"{id}\" }}\n"));
    let config = config + &rows.collect::<String>();
    let path = folder.path().join("schemathesis.toml");
    std::fs::write(&path, config).expect("a file");
    let number = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let output = Command::new(program)
        .current_dir(folder.path())
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("{}/openapi.json", world.http.base_url))
        .args(["--max-examples", &number("HANDSEL_SCHEMATHESIS_EXAMPLES", "15")])
        .args(["--seed", &number("HANDSEL_SCHEMATHESIS_SEED", "20261101")])
        .args(["--checks", "all", "--continue-on-failure", "--no-color", "--output-sanitize", "false"])
        .args(which)
        .output()
        .await
        .expect("schemathesis starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "schemathesis found failures:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
