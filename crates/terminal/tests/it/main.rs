//! The agent over HTTP with real models, and no platform behind it: who may talk to it, and what it says when the
//! platform is gone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base::id::{PaymentId, TerminalId};
use reqwest::header::{HOST, ORIGIN};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response};
use serde_json::Value;
use terminal::config::TerminalConfig;

const WALLET: &str = "http://localhost:7400";

#[tokio::test]
async fn only_our_own_pages_may_talk_to_the_agent() {
    let Some(agent) = TestAgent::start().await else { return };
    let own_port = agent.address.port();
    let own = format!("http://localhost:{own_port}");
    // Path, Host, Origin → status. 503 is the platform that is not there: the request was let through.
    let rows: [(&str, &str, Option<&str>, u16); 8] = [
        ("/till/config", &format!("localhost:{own_port}"), None, 503),
        ("/till/config", &format!("127.0.0.1:{own_port}"), Some(&own), 503),
        ("/till/config", "evil.example", None, 403),
        ("/till/config", &format!("localhost:{own_port}"), Some("https://evil.example"), 403),
        ("/till/config", &format!("localhost:{own_port}"), Some("null"), 403),
        ("/till/config", &format!("localhost:{own_port}"), Some(WALLET), 403),
        ("/till/payments?limit=20", &format!("localhost:{own_port}"), Some(&own), 503),
        ("/healthz", &format!("localhost:{own_port}"), None, 200),
    ];
    for (path, host, origin, status) in rows {
        let mut request = agent.client.get(agent.url(path)).header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let response = request.send().await.expect("the agent answers");
        assert_eq!(response.status().as_u16(), status, "{path} {host} {origin:?}");
    }
}

#[tokio::test]
async fn the_wallet_may_ask_for_captures_only() {
    let Some(agent) = TestAgent::start().await else { return };
    let response = agent.client.post(agent.url("/capture/look")).header(ORIGIN, WALLET).body("no picture").send().await.expect("answers");
    assert_eq!(response.headers()["access-control-allow-origin"], WALLET);
    assert_eq!(advice_of(response).await["reason"], "picture_unreadable");
}

#[tokio::test]
async fn advice_names_what_is_wrong_with_a_frame() {
    let Some(agent) = TestAgent::start().await else { return };
    let pictures = root().join("var/test-pictures");
    let portrait = std::fs::read(pictures.join("obama.jpg")).expect("a picture");
    let mut cut = portrait.clone();
    cut.truncate(portrait.len() / 2);
    for (frame, reason) in [(Vec::new(), "picture_unreadable"), (vec![0xff; 1_000], "picture_unreadable"), (cut, "picture_unreadable")] {
        let response = agent.client.post(agent.url("/till/look")).body(frame).send().await.expect("answers");
        assert_eq!(advice_of(response).await["reason"], reason);
    }
}

#[tokio::test]
async fn without_a_platform_the_outcome_is_unknown_and_said_so() {
    let Some(agent) = TestAgent::start().await else { return };
    let form = Form::new().part("frame", Part::bytes(vec![0_u8; 10]).file_name("frame.jpg"));
    let path = format!("/till/payments/{}/look", PaymentId::from_bits(1));
    let response = agent.client.post(agent.url(&path)).multipart(form).send().await.expect("answers");
    assert_eq!(response.status().as_u16(), 503);
    let problem: Value = serde_json::from_str(&response.text().await.expect("text")).expect("a problem document");
    assert_eq!(problem["code"], "platform_unreachable");
    assert!(problem["remedy"].as_str().is_some_and(|remedy| remedy.contains("do not pay again")));
}

#[tokio::test]
async fn an_agent_that_would_leave_loopback_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config("0.0.0.0:0", folder.path());
    let error = terminal::agent::start(config).await.err().expect("refused");
    assert!(error.to_string().contains("loopback"), "{error}");
}

struct TestAgent {
    address: SocketAddr,
    client: Client,
    _folder: tempfile::TempDir,
}

impl TestAgent {
    /// An agent on a free port, or `None` after saying that the test skips.
    async fn start() -> Option<Self> {
        for needed in ["var/models/recogniser.onnx", "var/test-pictures/obama.jpg"] {
            if !root().join(needed).exists() {
                assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "{needed} must be there");
                println!("skipped: {needed} is not there; `make models test-data` brings it");
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (address, server) = terminal::agent::start(config("127.0.0.1:0", folder.path())).await.expect("starts");
        tokio::spawn(server);
        Some(Self { address, client: Client::new(), _folder: folder })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn config(listen: &str, folder: &Path) -> TerminalConfig {
    // Port 9 is discard: nothing listens there.
    let text = format!(
        "listen = \"{listen}\"\nterminal = \"{}\"\ntoken = \"tk_test\"\ndevice_key = \"{}\"\nplatform = \"http://127.0.0.1:9\"\n\
         wallet_origin = \"{WALLET}\"\nweb = \"{}\"\nmodels = \"{}\"\ncounter = \"{}\"\nsealing_keys = [\"00\", \"00\", \"00\"]\n",
        TerminalId::from_bits(1),
        "07".repeat(32),
        folder.display(),
        root().join("var/models").display(),
        folder.join("counter").display(),
    );
    toml::from_str(&text).expect("a configuration")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

async fn advice_of(response: Response) -> Value {
    assert_eq!(response.status().as_u16(), 200);
    serde_json::from_str(&response.text().await.expect("text")).expect("advice")
}
