//! `POST /v1/demo/crowd`: made-up shoppers, for demonstrations and measurements. The route exists only where the
//! configuration says so.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Till;
use crate::body::{CROWD_BODY_LEN_MAX, Json};
use crate::crowd;
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// The endpoint.
pub fn crowd() -> Endpoint {
    post("/v1/demo/crowd", Access::Terminal, "Enrol made-up shoppers with funded accounts; demonstrations only")
        .without_key()
        .body_len_max(CROWD_BODY_LEN_MAX)
        .takes("Crowd")
        .answers(202, "CrowdQueued")
        // `not_found` where demonstrations are off.
        .refuses(&[Code::NotFound, Code::ProbeInvalid, Code::ProbeMismatch, Code::ProbeReplayed, Code::ChallengeExpired])
        .by(handle)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crowd {
    probe: SealedProbe,
    count: u32,
}

#[derive(Serialize)]
struct CrowdQueued {
    sequence: u64,
    count: u32,
}

async fn handle(State(app): State<SharedApp>, Till(till): Till, Json(body): Json<Crowd>) -> Answer<Response> {
    let sequence = crowd::enrol(&app, &till, body.probe, body.count).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(CrowdQueued { sequence, count: body.count })).into_response())
}
