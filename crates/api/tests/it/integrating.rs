//! docs/integrating.md: its commands are run as they stand there, against a real platform.

use std::path::Path;

use base::time::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::process::Command;
use wire::merchant::Mode;

use crate::world::World;
use crate::world::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_payment_goes_as_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("var/venv-api/bin");
    if !python.is_dir() {
        assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "standardwebhooks is missing: run scripts/setup-api-peers");
        eprintln!("left out: standardwebhooks is missing; scripts/setup-api-peers installs it");
        return;
    }
    let world = World::new().await;
    // The receiver's library compares times with the machine's clock.
    world.clock.put_forward(SystemClock.now().millis_since(world.clock.now()));
    let page = std::fs::read_to_string(root.join("docs/integrating.md")).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("var/handsel/merchant");
    std::fs::create_dir_all(&keys).expect("a folder");
    let text = format!("test_key = \"{}\"\nlive_key = \"{}\"\n", Server::key(1, Mode::Test), Server::key(1, Mode::Live));
    std::fs::write(keys.join("keys.toml"), text).expect("a file");
    let free = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port").local_addr().expect("bound").port().to_string();
    let here = |text: String| text.replace("http://localhost:7400", &world.http.base_url).replace("9000", &free);
    std::fs::write(folder.path().join("receiver.py"), here(blocks(&page, "python").concat())).expect("a file");
    let script = here(format!("set -euo pipefail\n{}", blocks(&page, "sh").concat()));

    let path = format!("{}:{}", python.display(), std::env::var("PATH").expect("a path"));
    let output =
        Command::new("bash").current_dir(folder.path()).env("PATH", path).arg("-c").arg(script).output().await.expect("bash starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        r#""status":"created""#,
        r#""merchant_reference":"order 1001""#,
        r#""status":"paid""#,
        r#""refunded_minor":650"#,
        r#""type":"payment.refunded""#,
        r#""type":"payment.paid""#,
        "received webhook_endpoint.ping",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    let payments = world.server(1, Mode::Test).get("/v1/payments").await.json();
    assert_eq!(payments["data"].as_array().map(Vec::len), Some(1), "begun once");
}

/// The contents of the page's blocks in `language`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().expect("a part").to_owned()).collect()
}
