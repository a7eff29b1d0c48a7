//! `GET /openapi.json`: what this platform answers, as OpenAPI 3.1.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::app::SharedApp;
use crate::routes::get;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn read() -> Endpoint {
    get("/openapi.json", Access::Anybody, "This description").answers(200, "ApiDescription").by(handle)
}

async fn handle(State(app): State<SharedApp>) -> Response {
    ([(CONTENT_TYPE, "application/json")], app.document.clone()).into_response()
}
