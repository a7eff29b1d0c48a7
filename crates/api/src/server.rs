//! Starting and stopping the platform.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{any, get};
use base::party::PartyId;
use ed25519_dalek::VerifyingKey;
use payments::rules::RuleBook;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::{Notify, RwLock, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tower_http::services::ServeDir;
use wire::problem::Code;

use crate::app::{App, SharedApp};
use crate::config::PlatformConfig;
use crate::error::Error;
use crate::hashing::Hashing;
use crate::problem::Refused;
use crate::resolver::Resolver;
use crate::routes::{endpoints, table};
use crate::{gallery, macs, middleware};

/// Between two times that the store deletes what is past its time.
const TIDY_MS: u64 = 5 * 60 * 1000;

/// A platform that runs. Dropping it stops it at once.
pub struct Running {
    local_addr: SocketAddr,
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
    let store = Arc::new(open_store(&config)?);
    let now = config.clock.now();
    let left_over = store.recover(now).map_err(|error| unusable(&config.store_path, &error))?;
    if !left_over.is_empty() {
        tracing::warn!(payments = left_over.len(), "refused looks that were with the parties when the platform stopped");
    }
    let mut tasks = JoinSet::new();
    let resolver = Resolver::new(&config, &mut tasks)?;
    let app = Arc::new(App {
        store: store.clone(),
        resolver,
        confirmation_keys: confirmation_keys(&config)?,
        capture_agent_url: origin(&config.capture_agent_url)?,
        label_secret: config.label_secret,
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
    tasks.spawn(gallery::keep_in_step(app.clone()));
    tasks.spawn(macs::keep_made(app.clone()));
    tasks.spawn(expire_payments(app.clone()));
    tasks.spawn(tidy(app.clone()));
    let router = router(&app, config.web_dir.as_deref(), config.demo);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        if let Err(error) = graceful.await {
            tracing::error!(%error, "the server ended");
        }
    });
    tracing::info!(address = %local_addr, "the platform listens");
    Ok(Running { local_addr, store, stop: Some(stop), server, tasks, app })
}

/// Everything the platform answers.
pub fn router(app: &SharedApp, web_dir: Option<&Path>, demo: bool) -> Router {
    let mut all = table::router(app, endpoints(demo));
    if let Some(web_dir) = web_dir {
        all = all.merge(pages(app, web_dir));
    }
    all.fallback(async || Refused::from(Code::NotFound))
        .method_not_allowed_fallback(async || Refused::from(Code::MethodNotAllowed))
        .layer(from_fn(middleware::api_headers))
        .layer(from_fn_with_state(app.clone(), middleware::trace))
        .with_state(app.clone())
}

fn pages(app: &SharedApp, web_dir: &Path) -> Router<SharedApp> {
    let missing = any(async || Refused::from(Code::NotFound)).with_state(());
    let files = ServeDir::new(web_dir).fallback(missing).call_fallback_on_method_not_allowed(true);
    Router::new()
        .route("/wallet", get(async || Redirect::permanent("/wallet/")))
        .route_service("/wallet/", files.clone())
        .route_service("/wallet/{*file}", files)
        .layer(from_fn_with_state(app.clone(), middleware::one_origin))
        .layer(from_fn_with_state(app.clone(), middleware::page_headers))
}

async fn tidy(app: SharedApp) {
    loop {
        let now = app.now();
        // What went wrong is logged where it happened; the next time may be better.
        let _ = app.with_store(move |store| store.tidy(now)).await;
        tokio::time::sleep(Duration::from_millis(TIDY_MS)).await;
    }
}

async fn expire_payments(app: SharedApp) {
    loop {
        tokio::time::sleep(Duration::from_millis(app.timing.expiry_interval_ms)).await;
        let now = app.now();
        if let Ok(expired) = app.with_store(move |store| store.expire_payments(now)).await
            && !expired.is_empty()
        {
            tracing::info!(payments = expired.len(), "expired");
        }
    }
}

fn open_store(config: &PlatformConfig) -> Result<Store, Error> {
    let rules = |reason: String| Error::Rules { path: config.rules_path.clone(), reason };
    let text = std::fs::read_to_string(&config.rules_path).map_err(|error| rules(error.to_string()))?;
    let book = RuleBook::parse(&text).map_err(|error| rules(error.to_string()))?;
    book.in_force(config.clock.now()).map_err(|error| rules(error.to_string()))?;
    Store::open(&config.store_path, book, config.passcode_pepper.clone()).map_err(|error| unusable(&config.store_path, &error))
}

fn unusable(path: &Path, error: &store::error::StoreError) -> Error {
    Error::Store { path: path.to_owned(), reason: error.to_string() }
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
