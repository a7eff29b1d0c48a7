//! Starting and stopping the platform.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use base::party::PartyId;
use base::secret::Secret;
use ed25519_dalek::VerifyingKey;
use payments::rules::RuleBook;
use payments::voucher::VoucherKey;
use store::{Location, Store};
use tokio::net::TcpListener;
use tokio::sync::{Notify, RwLock, broadcast, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tower_http::services::ServeDir;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::app::{App, SharedApp};
use crate::auth::KnownTills;
use crate::config::PlatformConfig;
use crate::error::Error;
use crate::hashing::Hashing;
use crate::identification::common_sequence;
use crate::limits::Limits;
use crate::metrics::{Gauges, Metrics};
use crate::passkey::ceremony::RelyingParty;
use crate::problem::Refused;
use crate::resolver::Resolver;
use crate::routes::{endpoints, table};
use crate::webhooks::sender::Sender;
use crate::{deputy, errors_page, gallery, labels, macs, middleware, openapi, webhooks};

/// Between two times that the store deletes what is past its time.
const TIDY_MS: u64 = 5 * 60 * 1000;
/// Changes of payments that a slow watcher may be behind; whoever is further behind reads the payment again.
const WATCHED_MAX: usize = 1_024;

/// A platform that runs. Dropping it stops it at once.
pub struct Running {
    local_addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    store: Arc<Store>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    // Connections to the parties and what goes on in the background.
    tasks: JoinSet<()>,
    app: SharedApp,
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where the metrics are.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// The store of test mode, for setting up payees and their keys beside the API.
    pub fn test_store(&self) -> &Arc<Store> {
        &self.app.test_store
    }

    /// The store, for setting up payees and tills beside the API.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Answers what was asked, then stops. Looks that are still with the parties are refused at the next start.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        let _ = (&mut self.server).await;
        self.app.checks.lock().await.shutdown().await;
        self.tasks.shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Opens the store, settles what was left over, connects to the parties and serves the API.
///
/// # Errors
/// [`Error`]; a party that is down is no error.
pub async fn serve(config: PlatformConfig) -> Result<Running, Error> {
    let (store, test_store) = open_stores(&config).await?;
    let now = config.clock.now();
    let left_over = store.recover(now).map_err(|error| unusable(&config.store, &error))?;
    test_store.recover(now).map_err(|error| unusable(&config.test_store, &error))?;
    if !left_over.is_empty() {
        tracing::warn!(payments = left_over.len(), "refused looks that were with the parties when the platform stopped");
    }
    let mut tasks = JoinSet::new();
    let resolver = Resolver::new(&config, &mut tasks)?;
    let app = Arc::new(App {
        store: store.clone(),
        test_store,
        webhook_secret: webhooks::master_secret(&config.label_secret),
        voucher_key: VoucherKey::derive(&Secret::new(labels::derived(&config.label_secret, b"vouchers"))),
        relying_party: RelyingParty::new(&config.passkeys.domain, config.passkeys.origins.clone())?,
        sender: sender(&config)?,
        test_webhook_reach: config.test_webhook_reach,
        events_recorded: Notify::new(),
        payment_changed: broadcast::Sender::new(WATCHED_MAX),
        rates: config.rates,
        limits: Limits::default(),
        metrics: Metrics::default(),
        known_tills: KnownTills::default(),
        keys_noted: Mutex::default(),
        resolver,
        confirmation_keys: confirmation_keys(&config)?,
        acquirer_code: config.acquirer_code,
        capture_agent_url: origin(&config.capture_agent_url)?,
        label_secret: config.label_secret,
        document: document(config.demo),
        timing: config.timing,
        clock: config.clock,
        gallery_changed: Notify::new(),
        gallery_gate: RwLock::new(()),
        hashing: Hashing::new(),
        in_flight: Mutex::new(HashSet::new()),
        checks: tokio::sync::Mutex::new(JoinSet::new()),
    });
    let listen = |error: std::io::Error| Error::Listen { address: config.listen, reason: error.to_string() };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let local_addr = listener.local_addr().map_err(listen)?;
    let metrics_addr = match config.metrics_listen {
        Some(address) => Some(serve_metrics(address, &app, &mut tasks).await?),
        None => None,
    };
    for mode in [Mode::Live, Mode::Test] {
        tasks.spawn(deputy::work(app.store_of(mode).clone()));
        tasks.spawn(webhooks::deliver(app.clone(), mode));
        tasks.spawn(expire_payments(app.clone(), mode));
        tasks.spawn(tidy(app.clone(), mode));
    }
    tasks.spawn(gallery::keep_in_step(app.clone()));
    tasks.spawn(macs::keep_made(app.clone()));
    let router = router(&app, config.web_dir.as_deref(), config.demo, config.bench);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let graceful =
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(async move {
                let _ = stopped.await;
            });
        if let Err(error) = graceful.await {
            tracing::error!(%error, "the server ended");
        }
    });
    tracing::info!(address = %local_addr, "the platform listens");
    Ok(Running { local_addr, metrics_addr, store, stop: Some(stop), server, tasks, app })
}

/// Everything the platform answers.
pub fn router(app: &SharedApp, web_dir: Option<&Path>, demo: bool, bench: bool) -> Router {
    let mut all = table::router(app, endpoints(demo));
    if let Some(web_dir) = web_dir {
        all = all.merge(pages(app, web_dir));
    }
    if bench {
        all = all.merge(crate::bench::router(app));
    }
    all.route("/docs/errors", get(errors_page))
        .fallback(async || Refused::from(Code::NotFound))
        .method_not_allowed_fallback(async || Refused::from(Code::MethodNotAllowed))
        .layer(from_fn_with_state(app.clone(), middleware::edge))
        .with_state(app.clone())
}

/// What the `type` of a problem document points to.
async fn errors_page() -> Response {
    ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], errors_page::markdown()).into_response()
}

fn pages(app: &SharedApp, web_dir: &Path) -> Router<SharedApp> {
    let missing = any(async || Refused::from(Code::NotFound)).with_state(());
    let files = ServeDir::new(web_dir).fallback(missing).call_fallback_on_method_not_allowed(true);
    Router::new()
        .route("/wallet", get(async || Redirect::permanent("/wallet/")))
        .route_service("/wallet/", files.clone())
        .route_service("/wallet/{*file}", files.clone())
        .route("/shop", get(async || Redirect::permanent("/shop/")))
        .route_service("/shop/", files.clone())
        .route_service("/shop/{*file}", files.clone())
        .route("/service", get(async || Redirect::permanent("/service/")))
        .route_service("/service/", files.clone())
        .route_service("/service/{*file}", files)
        .layer(from_fn_with_state(app.clone(), middleware::one_origin))
        .layer(from_fn_with_state(app.clone(), middleware::page_headers))
}

async fn tidy(app: SharedApp, mode: Mode) {
    loop {
        let now = app.now();
        // What went wrong is logged where it happened; the next time may be better.
        let _ = app.with_store_of(mode, move |store| store.tidy(now)).await;
        let _ = app.with_store_of(mode, move |store| store.tidy_events(now)).await;
        let _ = app.with_store_of(mode, move |store| store.watch_day(now)).await;
        let _ = app.with_store_of(mode, move |store| store.tend_disputes(now)).await;
        if let Ok(payouts) = app.with_store_of(mode, move |store| store.settle(now)).await
            && !payouts.is_empty()
        {
            tracing::info!(payouts = payouts.len(), "paid out");
            app.events_recorded.notify_waiters();
        }
        tokio::time::sleep(Duration::from_millis(TIDY_MS)).await;
    }
}

async fn expire_payments(app: SharedApp, mode: Mode) {
    loop {
        tokio::time::sleep(Duration::from_millis(app.timing.expiry_interval_ms)).await;
        let now = app.now();
        if let Ok(expired) = app.with_store_of(mode, move |store| store.expire_payments(now)).await
            && !expired.is_empty()
        {
            tracing::info!(payments = expired.len(), "expired");
            for payment in expired {
                app.metrics.payment("expired");
                app.payment_may_have_changed(payment, true);
            }
        }
    }
}

/// `GET /metrics` on a listener of its own, away from the public.
async fn serve_metrics(address: SocketAddr, app: &SharedApp, tasks: &mut JoinSet<()>) -> Result<SocketAddr, Error> {
    let listen = |error: std::io::Error| Error::Listen { address, reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let local_addr = listener.local_addr().map_err(listen)?;
    let router = Router::new().route("/metrics", get(metrics_page)).with_state(app.clone());
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the metrics' server ended");
        }
    });
    Ok(local_addr)
}

async fn metrics_page(State(app): State<SharedApp>) -> Response {
    let status = app.resolver.status().await;
    let gauges = Gauges {
        parties_connected: status.iter().flatten().count(),
        ready: common_sequence(&status).is_some(),
        looks_under_way: app.checks.lock().await.len(),
    };
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.page(gauges)).into_response()
}

fn sender(config: &PlatformConfig) -> Result<Sender, Error> {
    let timeout = Duration::from_millis(config.timing.webhook_timeout_ms);
    Sender::new(timeout, config.webhook_roots.as_deref()).map_err(|reason| Error::WebhookRoots { reason })
}

/// Both stores, opened away from the tasks that serve sockets: a server's turn to write may have to be waited for.
async fn open_stores(config: &PlatformConfig) -> Result<(Arc<Store>, Arc<Store>), Error> {
    let mut opened = Vec::new();
    for location in [&config.store, &config.test_store] {
        let (rules, pepper, place) = (rule_book(config)?, config.passcode_pepper.clone(), location.clone());
        let store = tokio::task::spawn_blocking(move || Store::open(&place, rules, pepper)).await;
        let store = store.map_err(|error| unusable(location, &error))?.map_err(|error| unusable(location, &error))?;
        opened.push(Arc::new(store));
    }
    let test_store = opened.pop().expect("two were opened");
    Ok((opened.pop().expect("two were opened"), test_store))
}

fn rule_book(config: &PlatformConfig) -> Result<RuleBook, Error> {
    let rules = |reason: String| Error::Rules { path: config.rules_path.clone(), reason };
    let text = std::fs::read_to_string(&config.rules_path).map_err(|error| rules(error.to_string()))?;
    let book = RuleBook::parse(&text).map_err(|error| rules(error.to_string()))?;
    book.in_force(config.clock.now()).map_err(|error| rules(error.to_string()))?;
    Ok(book)
}

fn document(demo: bool) -> Bytes {
    let rows: Vec<_> = endpoints(demo).into_iter().map(|endpoint| endpoint.row).collect();
    serde_json::to_vec(&openapi::document(&rows)).expect("plain data").into()
}

fn unusable(location: &Location, error: &impl std::fmt::Display) -> Error {
    Error::Store { location: location.to_string(), reason: error.to_string() }
}

fn confirmation_keys(config: &PlatformConfig) -> Result<[VerifyingKey; 3], Error> {
    let key = |party: PartyId| {
        VerifyingKey::from_bytes(&config.parties[party.index()].confirmation_key.0).map_err(|_| Error::ConfirmationKey { party })
    };
    Ok([key(PartyId::P1)?, key(PartyId::P2)?, key(PartyId::P3)?])
}

/// `url` if it is a plain origin; it goes into a header as it is.
fn origin(url: &str) -> Result<String, Error> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or(Error::CaptureAgentUrl)?;
    let plain = !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter));
    if plain { Ok(url.to_owned()) } else { Err(Error::CaptureAgentUrl) }
}
