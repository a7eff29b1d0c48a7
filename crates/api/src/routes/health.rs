//! Whether the platform runs, whether a payment could be made now, whether the books balance, and where the capture
//! agent is.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base::party::PartyId;
use serde::Serialize;
use wire::party::PartyStatus;

use crate::app::SharedApp;
use crate::auth::Till;
use crate::gallery::diverged;
use crate::identification::common_sequence;
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint};
use crate::routes::{get, json};

/// Whether the process runs.
pub fn up() -> Endpoint {
    get("/healthz", Access::Anybody, "Whether the process runs").answers(200, "Health").by(handle_up)
}

/// Whether a payment could be made now; 503 with the same body if not.
pub fn ready() -> Endpoint {
    get("/readyz", Access::Anybody, "Whether the parties are connected and in step; 503 with the same body if not")
        .answers(200, "Readiness")
        .by(handle_ready)
}

/// Whether the books balance.
pub fn books() -> Endpoint {
    get("/v1/books", Access::Terminal, "Whether debits equal credits over all accounts and postings").answers(200, "Books").by(handle_books)
}

/// Where the capture agent is.
pub fn capture_agent() -> Endpoint {
    get("/v1/capture-agent", Access::Anybody, "Where the shopper's browser finds the capture agent")
        .answers(200, "CaptureAgent")
        .by(handle_capture_agent)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    gallery_sequence: u64,
    galleries_equal: bool,
    parties: Vec<PartyReadiness>,
}

#[derive(Serialize)]
struct PartyReadiness {
    party: PartyId,
    connected: bool,
    peers_connected: bool,
    gallery_sequence: Option<u64>,
    records: Option<u64>,
    in_step: bool,
    diverged: bool,
}

#[derive(Serialize)]
struct Books {
    balanced: bool,
}

#[derive(Serialize)]
struct CaptureAgent {
    url: String,
}

async fn handle_up() -> Response {
    json(Health { status: "up" })
}

async fn handle_ready(State(app): State<SharedApp>) -> Answer<Response> {
    let queued = app.with_store(|store| store.gallery_sequence()).await?.queued;
    let status = app.resolver.status().await;
    let galleries_equal = common_sequence(&status).is_some();
    let apart = diverged(&status);
    let of = |(party, status): (PartyId, &Option<PartyStatus>)| party_readiness(party, status.as_ref(), queued, apart.contains(&party));
    let parties: Vec<_> = PartyId::ALL.into_iter().zip(&status).map(of).collect();
    let ready = galleries_equal && parties.iter().all(|party| party.in_step);
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((code, axum::Json(Readiness { ready, gallery_sequence: queued, galleries_equal, parties })).into_response())
}

fn party_readiness(party: PartyId, status: Option<&PartyStatus>, queued: u64, diverged: bool) -> PartyReadiness {
    PartyReadiness {
        party,
        connected: status.is_some(),
        peers_connected: status.is_some_and(|status| status.peers_connected),
        gallery_sequence: status.map(|status| status.gallery_sequence),
        records: status.map(|status| status.records),
        in_step: status.is_some_and(|status| status.gallery_sequence == queued),
        diverged,
    }
}

async fn handle_books(State(app): State<SharedApp>, _: Till) -> Answer<Response> {
    let balanced = app.with_store(|store| store.books()).await?.balanced();
    Ok(json(Books { balanced }))
}

async fn handle_capture_agent(State(app): State<SharedApp>) -> Response {
    json(CaptureAgent { url: app.capture_agent_url.clone() })
}
