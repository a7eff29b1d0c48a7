//! The agent's own HTTP routes, on loopback: the till page, its look, and the platform's payment routes passed through
//! with the terminal's credentials.
//!
//! | route | for |
//! |---|---|
//! | `GET /till/config`, `* /till/payments…` | the till page; passed on to `/v1/…` |
//! | `POST /till/look`, `POST /capture/look` | advice on one frame; nothing is kept |
//! | `POST /till/payments/{id}/look` | a burst of frames for a payment that is `challenged` |
//! | `POST /capture/enrolments/{id}` | frames for an enrolment that the wallet began |

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, OriginalUri, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base::id::{EnrolmentId, PaymentId};
use rand_core::UnwrapErr;
use tower_http::services::ServeDir;
use wire::api::{Challenge, LookAdvice, Payment, PaymentStatus, Terminal};
use wire::probe::{ProbeContext, Purpose};
use wire::problem::{Code, Problem};
use zeroize::Zeroizing;

use crate::agent::Agent;
use crate::look::{Burst, Frames};
use crate::platform::Answer;

/// A burst is at most this many bytes: eight camera frames with room to spare.
const BURST_LEN_MAX: usize = 32 << 20;

/// How live a burst looked, 0.00 to 1.00: told with archive photographs, where it is measured and not enforced, and
/// never at a till, which only says whether it was enough.
const LIVENESS_HEADER: &str = "x-handsel-liveness";

/// What the till page may do: talk to this agent, show the camera's stream to itself, nothing else.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(crate) fn router(agent: Arc<Agent>) -> Router {
    let pages = ServeDir::new(agent.web.join("till")).append_index_html_on_directories(true);
    Router::new()
        .route("/till/config", get(till_config))
        .route("/till/look", post(advice))
        .route("/till/payments/{id}/look", post(look_for_payment))
        .route("/till/payments", any(pass_on))
        .route("/till/payments/{id}", any(pass_on))
        .route("/till/payments/{id}/{step}", any(pass_on))
        .route("/capture/look", post(advice))
        .route("/capture/enrolments/{id}", post(look_for_enrolment))
        .route("/healthz", get(|| async { "ok" }))
        .fallback_service(pages)
        .layer(DefaultBodyLimit::max(BURST_LEN_MAX))
        .layer(from_fn_with_state(agent.clone(), only_our_pages))
        .with_state(agent)
}

/// Refuses every other web page that the same browser may show, and names that were pointed at this machine; answers the
/// wallet's cross-origin questions for `/capture/`.
async fn only_our_pages(State(agent): State<Arc<Agent>>, request: Request, next: Next) -> Response {
    let port = agent.own_port;
    let own_hosts = [format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    let host = text_of(request.headers(), &header::HOST);
    if !host.is_some_and(|host| own_hosts.iter().any(|own| own == host)) {
        return refuse(Code::Forbidden);
    }
    let for_wallet = request.uri().path().starts_with("/capture/");
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

async fn till_config(State(agent): State<Arc<Agent>>) -> Response {
    match agent.platform.get::<Terminal>("/v1/terminal").await {
        Ok(terminal) => Json(terminal).into_response(),
        Err(code) => refuse(code),
    }
}

/// Passes a request of the till page on to the platform: `/till/payments…` becomes `/v1/payments…`.
async fn pass_on(
    State(agent): State<Arc<Agent>>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path_and_query = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    let path = path_and_query.replacen("/till/", "/v1/", 1);
    match agent.platform.send(method, &path, headers.get("idempotency-key"), body).await {
        Ok(answer) => answer.into_response(),
        Err(code) => refuse(code),
    }
}

async fn advice(State(agent): State<Arc<Agent>>, body: Bytes) -> Response {
    let picture = Zeroizing::new(body.to_vec());
    let advice = run_blocking(move || agent.eye.advise(&picture)).await;
    match advice {
        Ok(advice) => Json::<LookAdvice>(advice).into_response(),
        Err(code) => refuse(code),
    }
}

async fn look_for_payment(State(agent): State<Arc<Agent>>, Path(id): Path<PaymentId>, request: Request) -> Response {
    let (frames, _) = match read_burst(request).await {
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

async fn look_for_enrolment(State(agent): State<Arc<Agent>>, Path(id): Path<EnrolmentId>, request: Request) -> Response {
    let (frames, challenge) = match read_burst(request).await {
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

/// The `frame` parts in order, and the `challenge` part where there is one.
async fn read_burst(request: Request) -> Result<(Frames, Option<Challenge>), Code> {
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|_| Code::InvalidRequest)?;
    let mut frames = Vec::new();
    let mut challenge = None;
    while let Some(field) = multipart.next_field().await.map_err(|_| Code::PictureTooLarge)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|_| Code::PictureTooLarge)?;
        match name.as_str() {
            "frame" => frames.push(Zeroizing::new(bytes.to_vec())),
            "challenge" => challenge = Some(serde_json::from_slice(&bytes).map_err(|_| Code::InvalidRequest)?),
            _ => return Err(Code::InvalidRequest),
        }
    }
    Ok((Frames(frames), challenge))
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Code> + Send + 'static) -> Result<T, Code> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        tracing::error!("a look ended in a panic");
        Err(Code::Internal)
    })
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
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

fn refuse(code: Code) -> Response {
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
