//! `GET /v1/terminal`: who a till is.

use axum::response::Response;

use crate::auth::Till;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json};

/// The endpoint.
pub fn read() -> Endpoint {
    get("/v1/terminal", Access::Terminal, "Who this terminal is, and for whom it takes payments").answers(200, "Terminal").by(handle)
}

async fn handle(Till(till): Till) -> Response {
    json(&till.details)
}
