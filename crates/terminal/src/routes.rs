//! The agent's own HTTP routes, on loopback: the till page, its look, and the platform's payment routes passed through
//! with the terminal's credentials.
//!
//! | route | for |
//! |---|---|
//! | `GET /till/config` | the till page: payee, currency, languages |
//! | `GET /till/up` | whether the platform answers at the moment |
//! | `GET, POST /till/vouchers` | passed on to `/v1/terminal/vouchers`: what an outage needs, and what it brought |
//! | `GET, POST /till/payments`, `GET /till/payments/{id}` | passed on to `/v1/…` |
//! | `POST /till/payments/{id}/challenge`, `passcode`, `cancel`, `refunds` | passed on to `/v1/…` |
//! | `POST /till/payments/{id}/look` | a burst of frames for a payment that is `challenged` |
//! | `POST /till/look`, `POST /capture/look` | advice on one frame; nothing is kept |
//! | `POST /capture/enrolments/{id}` | frames for an enrolment that the wallet began |
//!
//! Whatever is passed on is put together here from an identifier and a step that were understood; no address of a
//! request reaches the platform as it came, because the terminal's credentials open more there than a till page needs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base::id::{EnrolmentId, PaymentId};
use rand_core::UnwrapErr;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tower_http::services::ServeDir;
use wire::api::{Challenge, LookAdvice, Payment, PaymentStatus, Terminal};
use wire::probe::{ProbeContext, Purpose};
use wire::problem::{Code, Problem};

use crate::agent::Agent;
use crate::door::only_our_pages;
use crate::look::{Burst, Frames, PICTURE_LEN_MAX};
use crate::platform::Answer;
use crate::upload;

/// A burst is at most this many bytes: five pictures of the largest size, and the form around them.
const BURST_LEN_MAX: usize = 5 * PICTURE_LEN_MAX + (1 << 20);

/// How live a burst looked, 0.00 to 1.00: told with archive photographs, where it is measured and not enforced, and
/// never at a till, which only says whether it was enough.
const LIVENESS_HEADER: &str = "x-handsel-liveness";

pub(crate) fn router(agent: Arc<Agent>) -> Router {
    let pages = ServeDir::new(agent.web.join("till")).append_index_html_on_directories(true);
    Router::new()
        .route("/till/config", get(till_config))
        .route("/till/up", get(up))
        .route("/till/vouchers", get(read_vouchers).post(take_voucher))
        .route("/till/look", post(advice))
        .route("/till/payments/{id}/look", post(look_for_payment))
        .route("/till/payments", get(list_payments).post(begin_payment))
        .route("/till/payments/{id}", get(read_payment))
        .route("/till/payments/{id}/{step}", post(step_of_payment))
        .route("/till/{*unknown}", any(nothing_here))
        .route("/capture/look", post(advice))
        .route("/capture/enrolments/{id}", post(look_for_enrolment))
        .route("/healthz", get(|| async { "ok" }))
        .fallback_service(pages)
        .method_not_allowed_fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BURST_LEN_MAX))
        .layer(from_fn_with_state(agent.clone(), only_our_pages))
        .with_state(agent)
}

async fn till_config(State(agent): State<Arc<Agent>>) -> Response {
    match agent.platform.get::<Terminal>("/v1/terminal").await {
        Ok(terminal) => Json(terminal).into_response(),
        Err(code) => refuse(code),
    }
}

/// 204 if the platform answers, whatever it says; `platform_unreachable` if not.
async fn up(State(agent): State<Arc<Agent>>) -> Response {
    if agent.platform.is_up().await { StatusCode::NO_CONTENT.into_response() } else { refuse(Code::PlatformUnreachable) }
}

async fn read_vouchers(State(agent): State<Arc<Agent>>) -> Response {
    agent.pass_on(Method::GET, "/v1/terminal/vouchers", &HeaderMap::new(), Bytes::new()).await
}

async fn take_voucher(State(agent): State<Arc<Agent>>, headers: HeaderMap, body: Bytes) -> Response {
    agent.pass_on(Method::POST, "/v1/terminal/vouchers", &headers, body).await
}

/// Which part of the list of payments is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
    starting_after: Option<PaymentId>,
}

async fn list_payments(State(agent): State<Arc<Agent>>, page: Result<Query<Page>, QueryRejection>) -> Response {
    let Ok(Query(page)) = page else { return refuse(Code::InvalidRequest) };
    let limit = page.limit.map(|limit| format!("limit={limit}"));
    let after = page.starting_after.map(|payment| format!("starting_after={payment}"));
    let query: Vec<String> = limit.into_iter().chain(after).collect();
    let question = if query.is_empty() { "" } else { "?" };
    agent.pass_on(Method::GET, &format!("/v1/payments{question}{}", query.join("&")), &HeaderMap::new(), Bytes::new()).await
}

async fn begin_payment(State(agent): State<Arc<Agent>>, headers: HeaderMap, body: Bytes) -> Response {
    agent.pass_on(Method::POST, "/v1/payments", &headers, body).await
}

async fn read_payment(State(agent): State<Arc<Agent>>, Named(id): Named<PaymentId>) -> Response {
    agent.pass_on(Method::GET, &format!("/v1/payments/{id}"), &HeaderMap::new(), Bytes::new()).await
}

async fn step_of_payment(
    State(agent): State<Arc<Agent>>,
    Named((id, step)): Named<(PaymentId, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match step.as_str() {
        "challenge" | "passcode" | "cancel" | "refunds" => {
            agent.pass_on(Method::POST, &format!("/v1/payments/{id}/{step}"), &headers, body).await
        }
        _ => refuse(Code::NotFound),
    }
}

async fn nothing_here() -> Response {
    refuse(Code::NotFound)
}

/// What stands in a path, such as an identifier; what cannot be read names nothing that exists.
struct Named<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        Path::from_request_parts(parts, state).await.map(|Path(named)| Self(named)).map_err(|_| refuse(Code::NotFound))
    }
}

async fn advice(State(agent): State<Arc<Agent>>, request: Request) -> Response {
    let advice = match upload::read_picture(request.into_body()).await {
        Ok(picture) => run_blocking(move || agent.eye.advise(&picture)).await,
        Err(code) => Err(code),
    };
    match advice {
        Ok(advice) => Json::<LookAdvice>(advice).into_response(),
        Err(code) => refuse(code),
    }
}

async fn look_for_payment(State(agent): State<Arc<Agent>>, Named(id): Named<PaymentId>, request: Request) -> Response {
    let (frames, _) = match upload::read_burst(request).await {
        Ok(burst) => burst,
        Err(code) => return refuse(code),
    };
    let payment = match agent.platform.get::<Payment>(&format!("/v1/payments/{id}")).await {
        Ok(payment) => payment,
        Err(code) => return refuse(code),
    };
    let Some(challenge) = payment.challenge.filter(|_| payment.status == PaymentStatus::Challenged) else {
        return refuse(Code::StateConflict);
    };
    let context = ProbeContext {
        payee: payment.merchant.to_string(),
        amount_minor: payment.amount_minor,
        currency: payment.currency.code().into(),
        ..context(&agent, Purpose::Pay, id.to_string(), challenge)
    };
    look_and_send(agent, frames, context, format!("/v1/payments/{id}/probe")).await
}

async fn look_for_enrolment(State(agent): State<Arc<Agent>>, Named(id): Named<EnrolmentId>, request: Request) -> Response {
    let (frames, challenge) = match upload::read_burst(request).await {
        Ok((frames, Some(challenge))) => (frames, challenge),
        Ok((_, None)) => return Problem::of(Code::InvalidRequest).with_field("challenge").into_answer(),
        Err(code) => return refuse(code),
    };
    let context = context(&agent, Purpose::Enrol, id.to_string(), challenge);
    look_and_send(agent, frames, context, format!("/v1/enrolments/{id}/template")).await
}

/// What a probe of this terminal is bound to. The counter is set when the look is done.
fn context(agent: &Agent, purpose: Purpose, reference: String, challenge: Challenge) -> ProbeContext {
    ProbeContext {
        purpose,
        reference,
        payee: String::new(),
        amount_minor: 0,
        currency: String::new(),
        nonce: challenge.nonce,
        issued_at: challenge.issued_at,
        expires_at: challenge.expires_at,
        terminal: agent.terminal,
        counter: 0,
        partition: challenge.partition,
        templates: 0,
        dimensions: 0,
    }
}

/// What is told of a look beside the platform's answer: how long it took and, in archive mode, how live it looked.
struct LookReport {
    capture_took: Duration,
    seal_took: Duration,
    liveness: Option<f32>,
}

/// Frames → template → sealed probe → platform. The times of both steps go in front of the platform's own.
async fn look_and_send(agent: Arc<Agent>, frames: Frames, context: ProbeContext, path: String) -> Response {
    let eye = agent.clone();
    let probe = run_blocking(move || {
        let Burst { template, capture_took, liveness_reported } = eye.eye.look(&frames, context.purpose)?;
        let (probe, seal_took) = eye.seal(&template, context)?;
        let report = LookReport { capture_took, seal_took, liveness: liveness_reported };
        Ok((serde_json::to_vec(&probe).expect("a probe is plain data"), report))
    })
    .await;
    let (probe, report) = match probe {
        Ok(done) => done,
        Err(code) => return refuse(code),
    };
    let key = HeaderValue::from_str(&base::hash::hex(&base::hash::hash_parts("handsel/probe-key/v1", &[&probe])))
        .expect("hexadecimal digits make a header");
    match agent.platform.send(Method::POST, &path, Some(&key), probe.into()).await {
        Ok(answer) => with_report(answer, &report),
        Err(code) => refuse(code),
    }
}

impl Agent {
    /// The platform's answer to the same request with the terminal's credentials.
    async fn pass_on(&self, method: Method, path: &str, headers: &HeaderMap, body: Bytes) -> Response {
        match self.platform.send(method, path, headers.get("idempotency-key"), body).await {
            Ok(answer) => answer.into_response(),
            Err(code) => refuse(code),
        }
    }

    fn seal(&self, template: &capture::face::Template, mut context: ProbeContext) -> Result<(wire::probe::SealedProbe, Duration), Code> {
        let started = crate::look::stopwatch();
        context.counter = self.counter.lock().expect("no holder of the counter panics").take().map_err(|error| {
            tracing::error!(%error, "the probe counter cannot be stored");
            Code::StorageFull
        })?;
        let mut rng = UnwrapErr(getrandom::SysRng);
        let probe =
            crate::probe::build(&[template.values()], context, &self.sealing_keys, &self.device_key, &mut rng).map_err(|error| {
                tracing::error!(%error, "no probe could be made");
                Code::Internal
            })?;
        Ok((probe, started.elapsed()))
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Code> + Send + 'static) -> Result<T, Code> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        tracing::error!("a look ended in a panic");
        Err(Code::Internal)
    })
}

fn with_report(answer: Answer, report: &LookReport) -> Response {
    let millis = |took: Duration| took.as_secs_f64() * 1e3;
    let own = format!("capture;dur={:.3}, seal;dur={:.3}", millis(report.capture_took), millis(report.seal_took));
    let platform = answer.server_timing.as_ref().and_then(|value| value.to_str().ok()).map_or(String::new(), |text| format!(", {text}"));
    let mut response = answer.into_response();
    let liveness = report.liveness.map(|liveness| format!("{liveness:.2}"));
    for (name, text) in [("server-timing", Some(own + &platform)), (LIVENESS_HEADER, liveness)] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The problem document of `code`.
pub(crate) fn refuse(code: Code) -> Response {
    Problem::of(code).into_answer()
}

trait IntoAnswer {
    fn into_answer(self) -> Response;
}

impl IntoAnswer for Problem {
    fn into_answer(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("every code has a valid HTTP status");
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        match self.content_type {
            Some(kind) => response.headers_mut().insert(header::CONTENT_TYPE, kind),
            None => response.headers_mut().remove(header::CONTENT_TYPE),
        };
        response
    }
}
