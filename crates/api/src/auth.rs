//! Who is asking: a terminal or a merchant's server with its key, a signed-in shopper, or the wallet page before anybody has
//! signed in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use base::id::{AccountId, ApiKeyId, MerchantId};
use store::setup::Terminal;
use store::shop::staff::Signed;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::api_key;
use crate::app::{SharedApp, random};
use crate::clerk_auth::Clerk;
use crate::problem::{Answer, Refused};
use crate::staff_auth::Member;
use crate::token_sha256;

/// The session's cookie.
pub const SESSION_COOKIE: &str = "handsel_session";
/// The header that a page of another origin cannot send.
pub const WALLET_HEADER: &str = "x-handsel-wallet";
/// How long a session lasts, in milliseconds: a working day's visit to the wallet, a shift at the console or the desk; not a month on
/// a shared device.
pub const SESSION_MS: u64 = 12 * 60 * 60 * 1000;

/// Who is asking, as the layer in front of the handler found out.
#[derive(Clone, Debug)]
pub enum Principal {
    /// The wallet page; nobody has signed in.
    Page,
    /// A shopper, and the SHA-256 of the session's token.
    Wallet(AccountId, [u8; 32]),
    /// A terminal.
    Terminal(Arc<Terminal>),
    /// A merchant's server.
    Key(KeyHolder),
    /// A member of a merchant's staff, in the console.
    Staff(Member),
    /// Somebody of customer service, at the desk.
    Clerk(Clerk),
}

/// A merchant's server, as its API key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key.
    pub key: ApiKeyId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// What it opens.
    pub mode: Mode,
}

impl Principal {
    /// In whose name idempotency keys are kept.
    pub fn scope(&self) -> String {
        match self {
            Self::Page => "page".into(),
            Self::Wallet(account, _) => account.to_string(),
            Self::Terminal(terminal) => terminal.details.id.to_string(),
            // All keys of a merchant are one: it may change them between two tries.
            Self::Key(holder) => holder.merchant.to_string(),
            Self::Staff(member) => member.id().to_string(),
            Self::Clerk(clerk) => clerk.id.to_string(),
        }
    }
}

/// The layer of [`crate::routes::table::Access::Terminal`].
pub async fn terminal(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let principal = terminal_of(&app, request.headers()).await?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// The layer of [`crate::routes::table::Access::Key`].
pub async fn key(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let principal = key_of(&app, request.headers()).await?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// The layer of [`crate::routes::table::Access::Payee`].
pub async fn payee(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let headers = request.headers();
    let principal = if bearer(headers, "sk_").is_some() { key_of(&app, headers).await? } else { terminal_of(&app, headers).await? };
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// The layers of endpoints whose handlers do all they do by [`crate::app::App::write_for`]: a till that was asked for before is
/// not asked for again here, because the write itself does, in its own transaction.
pub async fn known_terminal(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let principal = known_terminal_of(&app, request.headers()).await?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// The same for a terminal or its merchant's server.
pub async fn known_payee(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let headers = request.headers();
    let principal = if bearer(headers, "sk_").is_some() { key_of(&app, headers).await? } else { known_terminal_of(&app, headers).await? };
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// Tills that have asked before, by their token's SHA-256.
#[derive(Default)]
pub struct KnownTills(Mutex<HashMap<[u8; 32], Arc<Terminal>>>);

/// Tills that are known at most; with one more all are asked for anew.
const KNOWN_TILLS_MAX: usize = 10_000;

impl KnownTills {
    fn get(&self, token_sha256: &[u8; 32]) -> Option<Arc<Terminal>> {
        self.0.lock().expect("nobody panics while holding this lock").get(token_sha256).cloned()
    }

    fn put(&self, terminal: Arc<Terminal>) {
        let mut known = self.0.lock().expect("nobody panics while holding this lock");
        if known.len() >= KNOWN_TILLS_MAX {
            known.clear();
        }
        known.insert(terminal.token_sha256, terminal);
    }

    /// Its token is not, or no longer, its own.
    pub fn forget(&self, terminal: &Terminal) {
        self.0.lock().expect("nobody panics while holding this lock").remove(&terminal.token_sha256);
    }
}

async fn known_terminal_of(app: &SharedApp, headers: &HeaderMap) -> Answer<Principal> {
    let token_sha256 = token_sha256(bearer(headers, "tk_").ok_or(Code::Unauthenticated)?);
    match app.known_tills.get(&token_sha256) {
        Some(terminal) => Ok(Principal::Terminal(terminal)),
        None => terminal_of(app, headers).await,
    }
}

async fn terminal_of(app: &SharedApp, headers: &HeaderMap) -> Answer<Principal> {
    let token_sha256 = token_sha256(bearer(headers, "tk_").ok_or(Code::Unauthenticated)?);
    let terminal = app.with_store(move |store| store.terminal_by_token(&token_sha256)).await?.ok_or(Code::Unauthenticated)?;
    let terminal = Arc::new(terminal);
    app.known_tills.put(terminal.clone());
    Ok(Principal::Terminal(terminal))
}

async fn key_of(app: &SharedApp, headers: &HeaderMap) -> Answer<Principal> {
    let key = bearer(headers, "sk_").ok_or(Code::Unauthenticated)?;
    let mode = api_key::mode_of(key).ok_or(Code::Unauthenticated)?;
    let (secret_sha256, now) = (token_sha256(key), app.now());
    let owner = app.with_store_of(mode, move |store| store.api_key_by_secret(&secret_sha256, now)).await?.ok_or(Code::Unauthenticated)?;
    let holder = KeyHolder { key: owner.key, merchant: owner.merchant, mode };
    api_key::note_use(app, holder).await;
    Ok(Principal::Key(holder))
}

/// The layer of [`crate::routes::table::Access::Wallet`].
pub async fn wallet(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let token_sha256 = session(request.headers()).ok_or(Code::Unauthenticated)?;
    let now = app.now();
    let account = app.with_store(move |store| store.session_account(&token_sha256, now)).await?.ok_or(Code::Unauthenticated)?;
    check_page(&request, WALLET_HEADER)?;
    request.extensions_mut().insert(Principal::Wallet(account, token_sha256));
    Ok(next.run(request).await)
}

/// The layer of [`crate::routes::table::Access::Page`].
pub async fn page(mut request: Request, next: Next) -> Result<Response, Refused> {
    check_page(&request, WALLET_HEADER)?;
    request.extensions_mut().insert(Principal::Page);
    Ok(next.run(request).await)
}

/// A write must come from our own page: browsers send the header only from our origin, and `Origin` as it is.
pub(crate) fn check_page(request: &Request, own_header: &str) -> Answer<()> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let headers = request.headers();
    let own_header = headers.get(own_header).is_some_and(|value| value == "1");
    let own_origin = match headers.get(ORIGIN).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(origin)) => headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .is_some_and(|host| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)),
        Some(Err(_)) => false,
    };
    if own_header && own_origin { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// The bearer token that begins with `kind`.
fn bearer<'a>(headers: &'a HeaderMap, kind: &str) -> Option<&'a str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").filter(|key| key.starts_with(kind))
}

fn session(headers: &HeaderMap) -> Option<[u8; 32]> {
    cookie(headers, SESSION_COOKIE).map(token_sha256)
}

/// The value of the cookie of this name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    cookies.filter_map(|cookie| cookie.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A new session's token: its SHA-256 for the store, and the cookie of this name for the browser. The cookie has no `Secure`,
/// because the platform speaks plain HTTP on loopback; whoever puts it behind TLS adds it there.
pub fn new_session(cookie: &str) -> ([u8; 32], HeaderValue) {
    let token = base::hash::hex(&random::<32>());
    (token_sha256(&token), cookie_of(cookie, &token, SESSION_MS / 1000))
}

/// Takes the session's cookie of this name back.
pub fn expired_cookie(cookie: &str) -> HeaderValue {
    cookie_of(cookie, "", 0)
}

fn cookie_of(name: &str, value: &str, max_age_s: u64) -> HeaderValue {
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age_s}");
    HeaderValue::from_str(&cookie).expect("names and hexadecimal digits are ASCII")
}

/// Adds the session's cookie to `response`.
pub fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// The terminal that asks.
pub struct Till(pub Arc<Terminal>);

impl<S: Sync> FromRequestParts<S> for Till {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Terminal(terminal)) => Ok(Self(terminal.clone())),
            _ => Err(Code::Forbidden.into()),
        }
    }
}

/// The merchant that asks: its server, or somebody of its staff.
pub struct Merchant(pub MerchantSide);

/// In whose name a merchant's things are read and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MerchantSide {
    /// The merchant.
    pub merchant: MerchantId,
    /// Which store.
    pub mode: Mode,
}

impl<S: Sync> FromRequestParts<S> for Merchant {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Key(holder)) => Ok(Self(MerchantSide { merchant: holder.merchant, mode: holder.mode })),
            Some(Principal::Staff(member)) => Ok(Self(MerchantSide { merchant: member.merchant(), mode: member.mode })),
            _ => Err(Code::Forbidden.into()),
        }
    }
}

/// The payee who asks: where its payments are, and in whose name.
pub struct Payee {
    /// Which store.
    pub mode: Mode,
    /// A terminal, or its merchant's server.
    pub by: store::setup::Payee,
    /// The terminal, if it is one.
    pub till: Option<Arc<Terminal>>,
    /// The member of the merchant's staff, if it is one.
    pub staff: Option<Signed>,
}

impl<S: Sync> FromRequestParts<S> for Payee {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Terminal(terminal)) => Ok(Self {
                mode: Mode::Live,
                by: store::setup::Payee::Terminal(terminal.details.id),
                till: Some(terminal.clone()),
                staff: None,
            }),
            Some(Principal::Key(holder)) => {
                Ok(Self { mode: holder.mode, by: store::setup::Payee::Merchant(holder.merchant), till: None, staff: None })
            }
            Some(Principal::Staff(member)) => Ok(Self {
                mode: member.mode,
                by: store::setup::Payee::Merchant(member.merchant()),
                till: None,
                staff: Some(member.signed.clone()),
            }),
            _ => Err(Code::Forbidden.into()),
        }
    }
}

/// The shopper who asks.
pub struct Shopper {
    /// The account.
    pub account: AccountId,
    /// SHA-256 of the session's token.
    pub session: [u8; 32],
}

impl<S: Sync> FromRequestParts<S> for Shopper {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Wallet(account, session)) => Ok(Self { account: *account, session: *session }),
            _ => Err(Code::Forbidden.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn a_write_must_come_from_our_own_page() {
        let check = |method: &str, headers: &[(&str, &str)]| {
            let request =
                headers.iter().fold(axum::http::Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
            check_page(&request.body(Body::empty()).expect("a sound request"), WALLET_HEADER).is_ok()
        };
        let host = ("host", "127.0.0.1:7000");
        for (what, method, headers, allowed) in [
            ("reading", "GET", vec![host], true),
            ("our page", "POST", vec![host, ("x-handsel-wallet", "1"), ("origin", "http://127.0.0.1:7000")], true),
            ("no browser", "POST", vec![host, ("x-handsel-wallet", "1")], true),
            ("a form elsewhere", "POST", vec![host, ("origin", "http://127.0.0.1:7000")], false),
            ("another origin", "DELETE", vec![host, ("x-handsel-wallet", "1"), ("origin", "http://127.0.0.1:7001")], false),
            ("an opaque origin", "POST", vec![host, ("x-handsel-wallet", "1"), ("origin", "null")], false),
        ] {
            assert_eq!(check(method, &headers), allowed, "{what}");
        }
    }
}
