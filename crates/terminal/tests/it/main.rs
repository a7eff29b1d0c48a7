//! The agent over HTTP with real models, and no platform behind it: who may talk to it, and what it says when the
//! platform is gone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use base::id::{PaymentId, TerminalId};
use reqwest::header::{HOST, ORIGIN};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response};
use serde_json::{Value, json};
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

/// What the terminal's credentials open at the platform is more than a till page needs: only these requests go on.
#[tokio::test]
async fn nothing_is_passed_on_but_payments() {
    let Some(agent) = TestAgent::start().await else { return };
    let payment = PaymentId::from_bits(1);
    // Method, path, code. `platform_unreachable` is the platform that is not there: the request was passed on.
    let rows = [
        ("GET", "/till/payments".to_owned(), "platform_unreachable"),
        ("GET", format!("/till/payments?limit=5&starting_after={payment}"), "platform_unreachable"),
        ("POST", "/till/payments".to_owned(), "platform_unreachable"),
        ("GET", format!("/till/payments/{payment}"), "platform_unreachable"),
        ("POST", format!("/till/payments/{payment}/challenge"), "platform_unreachable"),
        ("POST", format!("/till/payments/{payment}/passcode"), "platform_unreachable"),
        ("POST", format!("/till/payments/{payment}/cancel"), "platform_unreachable"),
        ("POST", format!("/till/payments/{payment}/refunds"), "platform_unreachable"),
        ("GET", "/till/payments/%2e%2e/terminal".to_owned(), "not_found"),
        ("GET", "/till/payments/../terminal".to_owned(), "not_found"),
        ("GET", "/till/payments/%2e%2e%2fterminal".to_owned(), "not_found"),
        ("POST", format!("/till/payments/{payment}/%2e%2e"), "not_found"),
        ("POST", format!("/till/payments/{payment}/probe"), "not_found"),
        ("POST", format!("/till/payments/{payment}%2fprobe/cancel"), "not_found"),
        ("GET", "/till/payments/acc_00000000000000000000000001".to_owned(), "not_found"),
        ("GET", "/till/payments/%3f".to_owned(), "not_found"),
        ("GET", "/till/terminal".to_owned(), "not_found"),
        ("DELETE", format!("/till/payments/{payment}"), "not_found"),
        ("GET", format!("/till/payments/{payment}/cancel"), "not_found"),
        ("GET", "/till/payments?limit=many".to_owned(), "invalid_request"),
        ("GET", "/till/payments?limit=5%26account=1".to_owned(), "invalid_request"),
        ("GET", "/till/payments?account=1".to_owned(), "invalid_request"),
    ];
    for (method, path, expected) in rows {
        assert_eq!(agent.raw(method, &path, "").await, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn other_sites_may_not_even_fetch() {
    let Some(agent) = TestAgent::start().await else { return };
    for (site, path, expected) in [
        ("cross-site", "/till/config", "forbidden"),
        ("same-site", "/till/payments", "forbidden"),
        ("same-origin", "/till/config", "platform_unreachable"),
        ("none", "/till/payments", "platform_unreachable"),
    ] {
        assert_eq!(agent.raw("GET", path, &format!("sec-fetch-site: {site}\r\n")).await, expected, "{site} {path}");
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
    let response = agent.client.post(agent.url("/till/look")).body(portrait).send().await.expect("answers");
    assert_eq!(advice_of(response).await, json!({"good": true}), "a till does not say how live it looked");
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

    /// The problem code of the answer to a request whose path goes over the wire as it stands here; `header` is a line.
    async fn raw(&self, method: &str, path: &str, header: &str) -> String {
        let host = self.address;
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n{header}\r\n");
        let exchange = move || {
            let mut stream = TcpStream::connect(host)?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        let answer = tokio::task::spawn_blocking(exchange).await.expect("no panic").expect("the agent answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(head.contains("application/problem+json"), "{method} {path}: {head}");
        let problem: Value = serde_json::from_str(body).expect("a problem document");
        problem["code"].as_str().expect("a code").to_owned()
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
