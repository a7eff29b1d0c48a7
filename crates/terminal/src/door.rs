//! Who may talk to the agent: the till page that it serves, and the wallet's pages for a capture.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wire::problem::Code;

use crate::agent::Agent;
use crate::routes::refuse;

/// What the till page may do: talk to this agent, show the camera's stream to itself, nothing else.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses every other web page that the same browser may show, and names that were pointed at this machine; answers the
/// wallet's cross-origin questions for `/capture/`.
///
/// A browser names the asking page in `Origin` where it could do harm, and says in `Sec-Fetch-Site` (W3C, Fetch Metadata
/// Request Headers) how near it is even where it sends no `Origin`, such as for a picture's address.
pub(crate) async fn only_our_pages(State(agent): State<Arc<Agent>>, request: Request, next: Next) -> Response {
    let port = agent.own_port;
    let own_hosts = [format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    let host = text_of(request.headers(), &header::HOST);
    if !host.is_some_and(|host| own_hosts.iter().any(|own| own == host)) {
        return refuse(Code::Forbidden);
    }
    let path = request.uri().path();
    if path.starts_with("/till/") && text_of(request.headers(), &SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return refuse(Code::Forbidden);
    }
    let for_wallet = path.starts_with("/capture/");
    let origin = text_of(request.headers(), &header::ORIGIN).map(str::to_owned);
    let from_wallet = for_wallet && origin.as_deref() == Some(agent.wallet_origin.as_str());
    let from_till = origin.as_deref().is_none_or(|origin| own_hosts.iter().any(|own| origin == format!("http://{own}")));
    if !from_wallet && !from_till {
        return refuse(Code::Forbidden);
    }
    let preflight = from_wallet && request.method() == Method::OPTIONS;
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if let (true, Some(origin)) = (from_wallet, origin.and_then(|origin| HeaderValue::from_str(&origin).ok())) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
