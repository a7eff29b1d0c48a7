//! Requests that carry an `Idempotency-Key`: the store does their work once and remembers the first answer
//! (draft-ietf-httpapi-idempotency-key-header).

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;
use store::idempotency::Idempotency;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Principal;
use crate::body;
use crate::labels::request_fingerprint;
use crate::problem::{Answer, Refused};

/// Says that an answer is the stored one of an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY: &str = "idempotency-key";
/// Room for the headers that the layers add.
const HEADERS: usize = 16;
/// As long as other payment APIs take.
const KEY_LEN_MAX: usize = 255;

/// A request with its key: the body and what makes the request the same as another. While it lives, another one with
/// the same key is told to wait.
pub struct Once<T> {
    /// What makes two requests the same.
    pub idempotency: Idempotency,
    /// The body.
    pub body: T,
    /// Lets the next one in.
    pub turn: Turn,
}

/// The turn of one key; dropping it lets the next request with that key in.
pub struct Turn {
    app: SharedApp,
    name: (String, String),
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.in_flight.lock().expect("nobody panics while holding this lock").remove(&self.name);
    }
}

impl<T: DeserializeOwned> FromRequest<SharedApp> for Once<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &SharedApp) -> Answer<Self> {
        let principal = request.extensions().get::<Principal>().ok_or(Code::Forbidden)?;
        let method = request.method().as_str().to_owned();
        let path = request.uri().path().to_owned();
        let scope = format!("{} {method} {path}", principal.scope());
        let key = key_of(&request)?;
        let turn = Turn::take(app, (scope.clone(), key.clone()))?;
        let is_json = body::is_json(&request);
        let bytes = body::read(request).await?;
        if !is_json && !bytes.is_empty() {
            return Err(Code::MediaTypeUnsupported.into());
        }
        let request_digest = request_fingerprint(&app.label_secret, &method, &path, &body::canonical(&bytes));
        let body = body::parse(&bytes)?;
        Ok(Self { idempotency: Idempotency { scope, key, request_digest }, body, turn })
    }
}

impl Turn {
    fn take(app: &SharedApp, name: (String, String)) -> Answer<Self> {
        let is_first = app.in_flight.lock().expect("nobody panics while holding this lock").insert(name.clone());
        if is_first { Ok(Self { app: app.clone(), name }) } else { Err(Code::RequestInFlight.into()) }
    }
}

fn key_of(request: &Request) -> Answer<String> {
    let value = request.headers().get(KEY).ok_or(Code::IdempotencyKeyMissing)?;
    let key = value.to_str().map_err(|_| Refused::at(Code::InvalidRequest, KEY))?;
    if key.is_empty() {
        return Err(Code::IdempotencyKeyMissing.into());
    }
    if key.len() > KEY_LEN_MAX {
        return Err(Refused::at(Code::InvalidRequest, KEY));
    }
    Ok(key.to_owned())
}

/// The answer that this request got before, if it did: for requests with a device's answer, which verifies once only.
///
/// # Errors
/// As [`crate::app::App::with_store`]; `idempotency_key_reused`.
pub async fn replayed(app: &SharedApp, idempotency: &Idempotency) -> Answer<Option<Response>> {
    let idempotency = idempotency.clone();
    Ok(app.with_store(move |store| store.replay(&idempotency)).await?.map(respond))
}

/// The store's answer as the response, byte for byte.
pub fn respond(answer: store::idempotency::Answer) -> Response {
    let kind = if answer.status < 400 { "application/json" } else { "application/problem+json" };
    let mut response = Response::new(Body::from(answer.body));
    response.headers_mut().reserve(HEADERS);
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("the store answers with valid HTTP statuses");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if answer.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
