//! Which version of the API a request speaks. There is one so far; a later one is added beside it, and what it changes is
//! translated at this edge.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wire::problem::Code;

use crate::problem::Refused;

/// The header of requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("handsel-version");
/// All versions, the newest first: the day from which each holds.
pub const ALL: [&str; 1] = ["2026-11-01"];

/// What stands in front of everything under `/v1`: a version that does not exist is refused, so that nobody believes to have
/// pinned one; without the header the newest holds.
pub async fn of(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/v1/") {
        return next.run(request).await;
    }
    let wanted = request.headers().get(&HEADER).map(HeaderValue::as_bytes);
    let mut response = match wanted {
        Some(wanted) if !ALL.iter().any(|version| version.as_bytes() == wanted) => {
            Refused::at(Code::ApiVersionUnknown, HEADER.as_str()).into_response()
        }
        _ => next.run(request).await,
    };
    response.headers_mut().insert(HEADER, HeaderValue::from_static(ALL[0]));
    response
}
