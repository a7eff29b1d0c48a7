//! The agent's side of the platform's HTTP API.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, StatusCode, header};
use base::secret::Secret;
use reqwest::Client;
use serde::de::DeserializeOwned;
use wire::problem::{Code, Problem};

/// Longer than the platform ever holds a look back before it answers *being checked*.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A till asks again and again, with 0.4 s between: a loss is seen within two seconds.
const HEARTBEAT: Duration = Duration::from_millis(900);

/// A connection to the platform with this terminal's credentials.
pub(crate) struct Platform {
    client: Client,
    base_url: String,
    token: Secret<String>,
}

/// An answer of the platform, to be passed on as it is.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) server_timing: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

impl Platform {
    pub(crate) fn new(base_url: &str, token: Secret<String>) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(TIMEOUT).connect_timeout(Duration::from_secs(2)).build()?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned(), token })
    }

    /// Sends one request. No answer is [`Code::PlatformUnreachable`]: the outcome is then unknown.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Answer, Code> {
        let mut request = self.client.request(method, format!("{}{path}", self.base_url)).bearer_auth(self.token.expose());
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let unreachable = |error: reqwest::Error| {
            tracing::warn!(path, reason = %error.without_url(), "the platform did not answer");
            Code::PlatformUnreachable
        };
        let response = request.send().await.map_err(unreachable)?;
        Ok(Answer {
            status: response.status(),
            content_type: response.headers().get(header::CONTENT_TYPE).cloned(),
            server_timing: response.headers().get("server-timing").cloned(),
            body: response.bytes().await.map_err(unreachable)?,
        })
    }

    /// Whether it answers at all, in time for a till to say so within two seconds.
    pub(crate) async fn is_up(&self) -> bool {
        self.client.get(format!("{}/healthz", self.base_url)).timeout(HEARTBEAT).send().await.is_ok()
    }

    /// Reads one resource; a problem document comes back as its code.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Code> {
        let answer = self.send(Method::GET, path, None, Bytes::new()).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|_| Code::Internal);
        }
        Err(serde_json::from_slice::<Problem>(&answer.body).map_or(Code::Internal, |problem| problem.code))
    }
}
