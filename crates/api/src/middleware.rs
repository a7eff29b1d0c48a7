//! What happens to every request and every answer: an identifier, one log line, security headers, problem documents.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base::id::RequestId;
use tracing::Instrument;

use crate::app::SharedApp;
use crate::problem::settle;
use crate::version;

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer: gives the request its identifier, logs method, route and status, writes refusals as problem documents and
/// sets the headers of everything that is no page. One layer does all of it, because each costs a payment some microseconds.
pub async fn edge(State(app): State<SharedApp>, mut request: Request, next: Next) -> Response {
    let id = app.new_id(RequestId::new);
    request.extensions_mut().insert(id);
    let method = request.method().clone();
    // The path is logged by its pattern when it has one: identifiers are in the handlers' own lines.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!("request", %id);
    let (started, begun) = (app.now(), tokio::time::Instant::now());
    let mut response = version::of(request, next).instrument(span.clone()).await;
    api_headers(response.headers_mut());
    let mut response = settle(response, id);
    let status = response.status().as_u16();
    let millis = app.now().millis_since(started);
    app.metrics.answered(method.as_str(), route, status, begun.elapsed().as_secs_f64());
    span.in_scope(|| tracing::info!(%method, route, status, millis, "answered"));
    response.headers_mut().insert(REQUEST_ID, HeaderValue::try_from(id.to_string()).expect("an identifier is ASCII"));
    response
}

/// Headers of everything that is no page: nobody may keep it, frame it or guess its type.
fn api_headers(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    common_headers(headers);
}

/// Headers of the wallet's pages. Scripts and styles come from files of our own only; nothing is inline.
pub async fn page_headers(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = format!(
        "default-src 'self'; connect-src 'self' {}; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        app.capture_agent_url
    );
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).expect("the URL was checked at the start"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static("camera=(self), microphone=(), geolocation=()"));
    response
}

/// Sends a wallet that was opened at `127.0.0.1` to `localhost` where the capture agent is there too: to a browser these are
/// two origins, and the agent takes pictures from one only.
pub async fn one_origin(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match elsewhere(&app.capture_agent_url, host, request.uri().path()) {
        Some(address) => Redirect::temporary(&address).into_response(),
        None => next.run(request).await,
    }
}

fn elsewhere(capture_agent_url: &str, host: &str, path: &str) -> Option<String> {
    let (agent, _) = capture_agent_url.strip_prefix("http://")?.rsplit_once(':')?;
    let (name, port) = host.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (agent == "localhost" && name == "127.0.0.1" && is_port).then(|| format!("http://localhost:{port}{path}"))
}

fn common_headers(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wallet_is_at_the_capture_agents_host() {
        let localhost = "http://localhost:7410";
        for (agent, host, expected) in [
            (localhost, "127.0.0.1:7400", Some("http://localhost:7400/wallet/")),
            (localhost, "localhost:7400", None),
            (localhost, "wallet.example:7400", None),
            (localhost, "127.0.0.1", None),
            (localhost, "127.0.0.1:", None),
            (localhost, "127.0.0.1:7400@elsewhere.example", None),
            ("http://127.0.0.1:7410", "127.0.0.1:7400", None),
            ("https://till.example", "127.0.0.1:7400", None),
        ] {
            assert_eq!(elsewhere(agent, host, "/wallet/").as_deref(), expected, "{host} with the agent at {agent}");
        }
    }
}
