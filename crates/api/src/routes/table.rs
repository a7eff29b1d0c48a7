//! What an endpoint is: who may call it, what it takes and what it answers. The router, `openapi/api.json` and the test
//! of authorisation are all made from the same rows, so that none of them can forget one.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::{auth, idempotency};

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// The wallet page before anybody has signed in.
    Page,
    /// A signed-in shopper.
    Wallet,
    /// A terminal with its key.
    Terminal,
}

/// One endpoint.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    /// Its largest body, in bytes.
    pub body_len_max: usize,
    /// The schema of its body in `openapi/api.json`.
    pub takes: Option<&'static str>,
    /// The schema of its answer; without, the answer has no body.
    pub answers: Option<&'static str>,
    /// The status of success.
    pub status: u16,
    /// One sentence.
    pub summary: &'static str,
    /// Refusals of its own, besides those of reading, signing in and repeating.
    pub refusals: &'static [Code],
    /// The handler.
    pub handler: MethodRouter<SharedApp>,
}

/// The router of `endpoints`: who may call and what was called before is settled here, before any handler.
pub fn router(app: &SharedApp, endpoints: Vec<Endpoint>) -> Router<SharedApp> {
    endpoints.into_iter().fold(Router::new(), |router, endpoint| {
        let mut handler = endpoint.handler;
        if endpoint.idempotent {
            handler = handler.route_layer(from_fn_with_state((app.clone(), endpoint.body_len_max), idempotency::repeat));
        }
        handler = handler.route_layer(DefaultBodyLimit::max(endpoint.body_len_max));
        handler = match endpoint.access {
            Access::Anybody => handler,
            Access::Page => handler.route_layer(from_fn_with_state(app.clone(), auth::page)),
            Access::Wallet => handler.route_layer(from_fn_with_state(app.clone(), auth::wallet)),
            Access::Terminal => handler.route_layer(from_fn_with_state(app.clone(), auth::terminal)),
        };
        router.route(endpoint.path, handler)
    })
}

impl Endpoint {
    /// Every refusal it can answer with, its own and those of what stands before its handler.
    pub fn all_refusals(&self) -> Vec<Code> {
        let mut codes = Vec::new();
        if self.takes.is_some() {
            codes.extend([Code::InvalidRequest, Code::MediaTypeUnsupported, Code::BodyTooLarge]);
        }
        if self.path.contains('{') {
            codes.push(Code::NotFound);
        }
        match self.access {
            Access::Anybody => {}
            Access::Page => codes.push(Code::Forbidden),
            Access::Wallet => codes.extend([Code::Unauthenticated, Code::Forbidden]),
            Access::Terminal => codes.push(Code::Unauthenticated),
        }
        if self.idempotent {
            codes.extend([Code::IdempotencyKeyMissing, Code::IdempotencyKeyReused, Code::RequestInFlight]);
        }
        if self.method != Method::GET {
            codes.push(Code::StorageFull);
        }
        codes.extend(self.refusals);
        codes.push(Code::Internal);
        codes.sort_by_key(|code| Code::ALL.iter().position(|other| other == code));
        codes.dedup();
        codes
    }
}
