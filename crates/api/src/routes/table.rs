//! What an endpoint is: who may call it, what it takes and what it answers. The router, `openapi/api.json` and the test
//! of authorisation are all made from the same rows, so that none of them can forget one.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use wire::problem::Code;
use wire::shop::Action;

use crate::app::SharedApp;
use crate::body::BODY_LEN_MAX;
use crate::{auth, clerk_auth, limits, staff_auth};

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
    /// A merchant's server with an API key.
    Key,
    /// A terminal, or its merchant's server.
    Payee,
    /// The merchant console before anybody has signed in.
    ShopPage,
    /// A signed-in member of a merchant's staff whose role may do the row's action.
    Staff,
    /// Customer service's page before anybody has signed in.
    ServicePage,
    /// Somebody of customer service who is signed in.
    Clerk,
}

/// What is public about an endpoint.
pub struct Row {
    /// The method.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// One sentence.
    pub summary: &'static str,
    /// Whether its handler takes [`crate::once::Once`], and thus an `Idempotency-Key`.
    pub idempotent: bool,
    /// Whether its handler does all it does by [`crate::app::App::write_for`], which asks for the till itself.
    pub asks_for_till: bool,
    /// Its largest body, in bytes.
    pub body_len_max: usize,
    /// The schema of its body in `openapi/api.json`.
    pub takes: Option<&'static str>,
    /// The schema of its answer; without, the answer has no body.
    pub answers: Option<&'static str>,
    /// For a list: the kinds of identifiers that `starting_after` takes, such as `pay`.
    pub cursor: Option<&'static str>,
    /// For a list: query parameters that pick rows, each with the schema of what it takes.
    pub filters: &'static [(&'static str, &'static str)],
    /// What a member of the merchant's staff must be allowed to do: also where it is there for keys or tills. Nobody of them
    /// may call those without it.
    pub staff: Option<Action>,
    /// For what holds identifiers: those that `expand[]` replaces by what they stand for.
    pub expands: &'static [&'static str],
    /// Whether the answer is a stream of server-sent events.
    pub streams: bool,
    /// The status of success.
    pub status: u16,
    /// Refusals of its own, besides those of reading, signing in and repeating.
    pub refusals: &'static [Code],
}

/// One endpoint: its row and what it does.
pub struct Endpoint {
    /// What is public about it.
    pub row: Row,
    /// What it does.
    pub handler: MethodRouter<SharedApp>,
}

impl Row {
    /// A row with a POST under an idempotency key, or with anything else without.
    pub fn new(method: Method, path: &'static str, access: Access, summary: &'static str) -> Self {
        let idempotent = method == Method::POST;
        Self {
            method,
            path,
            access,
            summary,
            idempotent,
            asks_for_till: false,
            body_len_max: BODY_LEN_MAX,
            takes: None,
            answers: None,
            cursor: None,
            filters: &[],
            staff: None,
            expands: &[],
            streams: false,
            status: 200,
            refusals: &[],
        }
    }

    /// A POST without an idempotency key.
    pub fn without_key(mut self) -> Self {
        self.idempotent = false;
        self
    }

    /// With a handler that does all it does by [`crate::app::App::write_for`].
    pub fn asks_for_till(mut self) -> Self {
        self.asks_for_till = true;
        self
    }

    /// With room for more than an ordinary body.
    pub fn body_len_max(mut self, bytes: usize) -> Self {
        self.body_len_max = bytes;
        self
    }

    /// With the schema of its body.
    pub fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some(schema);
        self
    }

    /// With the status and the schema of its success.
    pub fn answers(mut self, status: u16, schema: &'static str) -> Self {
        self.status = status;
        self.answers = Some(schema);
        self
    }

    /// As a list in pages of `schema`; `cursor` are the kinds of identifiers that it goes on from, such as `pay|re`.
    pub fn lists(mut self, schema: &'static str, cursor: &'static str) -> Self {
        self.cursor = Some(cursor);
        self.answers(200, schema)
    }

    /// With query parameters that pick rows.
    pub fn filters(mut self, filters: &'static [(&'static str, &'static str)]) -> Self {
        self.filters = filters;
        self
    }

    /// For those of the merchant's staff who may do `action`.
    pub fn for_staff(mut self, action: Action) -> Self {
        self.staff = Some(action);
        self
    }

    /// With identifiers that `expand[]` replaces.
    pub fn expands(mut self, names: &'static [&'static str]) -> Self {
        self.expands = names;
        self
    }

    /// As a stream of server-sent events, each with a `schema`.
    pub fn streams(mut self, schema: &'static str) -> Self {
        self.streams = true;
        self.answers(200, schema)
    }

    /// With refusals of its own.
    pub fn refuses(mut self, refusals: &'static [Code]) -> Self {
        self.refusals = refusals;
        self
    }

    /// The endpoint that does `handler`.
    pub fn by<H: Handler<T, SharedApp>, T: 'static>(self, handler: H) -> Endpoint {
        let filter = MethodFilter::try_from(self.method.clone()).expect("the table has ordinary methods only");
        Endpoint { row: self, handler: on(filter, handler) }
    }

    /// Every refusal it can answer with, its own and those of what stands before its handler.
    pub fn all_refusals(&self) -> Vec<Code> {
        let mut codes = Vec::new();
        if self.takes.is_some() {
            codes.extend([Code::InvalidRequest, Code::MediaTypeUnsupported, Code::BodyTooLarge]);
        }
        if self.cursor.is_some() {
            codes.extend([Code::InvalidRequest, Code::CursorUnknown]);
        }
        if !self.expands.is_empty() {
            codes.push(Code::InvalidRequest);
        }
        if self.path.starts_with("/v1/") {
            codes.push(Code::ApiVersionUnknown);
        }
        codes.push(Code::RateLimited);
        if self.path.contains('{') {
            codes.push(Code::NotFound);
        }
        match self.access {
            Access::Anybody => {}
            Access::Page | Access::ShopPage | Access::ServicePage => codes.push(Code::Forbidden),
            Access::Staff | Access::Clerk | Access::Wallet => codes.extend([Code::Unauthenticated, Code::Forbidden]),
            Access::Terminal | Access::Key | Access::Payee => codes.push(Code::Unauthenticated),
        }
        if self.staff.is_some() {
            codes.push(Code::Forbidden);
        }
        if self.idempotent {
            codes.extend([Code::IdempotencyKeyMissing, Code::IdempotencyKeyReused, Code::RequestInFlight]);
        }
        // Reading too: it waits until the file has what was answered, for which there may be no room.
        codes.push(Code::StorageFull);
        codes.extend(self.refusals);
        codes.push(Code::Internal);
        codes.sort_by_key(|code| Code::ALL.iter().position(|other| other == code));
        codes.dedup();
        codes
    }
}

/// The router of `endpoints`: who may call and what was called before is settled here, before any handler.
pub fn router(app: &SharedApp, endpoints: Vec<Endpoint>) -> Router<SharedApp> {
    endpoints.into_iter().fold(Router::new(), |router, endpoint| {
        let mut handler = endpoint.handler;
        handler = handler.route_layer(DefaultBodyLimit::max(endpoint.row.body_len_max));
        handler = handler.route_layer(from_fn_with_state(app.clone(), limits::layer));
        handler = match (endpoint.row.access, endpoint.row.staff) {
            (Access::Key, Some(action)) => handler.route_layer(from_fn_with_state((app.clone(), action), staff_auth::key)),
            (Access::Payee, Some(action)) => {
                handler.route_layer(from_fn_with_state((app.clone(), action, endpoint.row.asks_for_till), staff_auth::payee))
            }
            (access, staff) => guard(app, handler, access, endpoint.row.asks_for_till, staff),
        };
        handler = handler.route_layer(from_fn_with_state(
            (app.clone(), matches!(endpoint.row.access, Access::Page | Access::ShopPage | Access::ServicePage)),
            limits::failures,
        ));
        router.route(endpoint.row.path, handler)
    })
}

/// What stands before the handlers that are there for one kind of asker.
fn guard(
    app: &SharedApp,
    handler: MethodRouter<SharedApp>,
    access: Access,
    asks_for_till: bool,
    staff: Option<Action>,
) -> MethodRouter<SharedApp> {
    match access {
        Access::Terminal if asks_for_till => handler.route_layer(from_fn_with_state(app.clone(), auth::known_terminal)),
        Access::Payee if asks_for_till => handler.route_layer(from_fn_with_state(app.clone(), auth::known_payee)),
        Access::Anybody => handler,
        Access::Page => handler.route_layer(from_fn_with_state(app.clone(), auth::page)),
        Access::Wallet => handler.route_layer(from_fn_with_state(app.clone(), auth::wallet)),
        Access::Terminal => handler.route_layer(from_fn_with_state(app.clone(), auth::terminal)),
        Access::Key => handler.route_layer(from_fn_with_state(app.clone(), auth::key)),
        Access::Payee => handler.route_layer(from_fn_with_state(app.clone(), auth::payee)),
        Access::ServicePage => handler.route_layer(from_fn_with_state(app.clone(), clerk_auth::page)),
        Access::Clerk => handler.route_layer(from_fn_with_state(app.clone(), clerk_auth::clerk)),
        Access::ShopPage => handler.route_layer(from_fn_with_state(app.clone(), staff_auth::page)),
        Access::Staff => handler.route_layer(from_fn_with_state((app.clone(), staff), staff_auth::staff)),
    }
}
