//! How often somebody may ask. Each principal has a bucket (generic cell rate algorithm, ITU-T I.371): `burst` requests at
//! once, and `per_s` every second from then on.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::time::Timestamp;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Principal;
use crate::problem::Refused;

/// What is left now (draft-ietf-httpapi-ratelimit-headers-10).
const LEFT: HeaderName = HeaderName::from_static("ratelimit");
/// What is allowed.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Buckets that are kept at most; full ones are forgotten first.
const BUCKETS_MAX: usize = 100_000;

/// How much one principal may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run; at least 1.
    pub per_s: u32,
    /// Requests at once; at least 1.
    pub burst: u32,
}

/// How much each kind of principal may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// A till.
    pub terminal: Rate,
    /// A merchant's API keys of one mode, together.
    pub key: Rate,
    /// A signed-in shopper, a member of a merchant's staff, or somebody of customer service.
    pub wallet: Rate,
    /// An address from which nobody has signed in.
    pub address: Rate,
    /// Credentials from one address that were not right.
    pub failure: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            terminal: Rate { per_s: 50, burst: 200 },
            key: Rate { per_s: 100, burst: 400 },
            wallet: Rate { per_s: 10, burst: 100 },
            address: Rate { per_s: 20, burst: 200 },
            failure: Rate { per_s: 1, burst: 30 },
        }
    }
}

impl Rates {
    /// For measuring: as good as none.
    pub const UNLIMITED: Self = {
        let rate = Rate { per_s: 1_000_000, burst: 1_000_000 };
        Self { terminal: rate, key: rate, wallet: rate, address: rate, failure: rate }
    };
}

/// The buckets.
#[derive(Default)]
pub struct Limits {
    /// When each bucket would be full again, in microseconds since 1970.
    full_at_us: Mutex<HashMap<String, u64>>,
}

/// What a bucket says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Requests that are left at once.
    pub left: u32,
    /// Milliseconds until one more is left.
    pub wait_ms: u64,
}

impl Limits {
    /// Whether `who` has nothing left at `now`; takes nothing.
    fn is_empty(&self, who: &str, rate: Rate, now: Timestamp) -> bool {
        let step_us = 1_000_000 / u64::from(rate.per_s);
        let full_at_us = self.full_at_us.lock().expect("nobody panics while holding this lock").get(who).copied().unwrap_or(0);
        full_at_us.saturating_sub(now.millis() * 1_000) + step_us > step_us * u64::from(rate.burst)
    }

    /// Takes one request of `who` at `now` from its bucket.
    pub fn take(&self, who: &str, rate: Rate, now: Timestamp) -> Verdict {
        let now_us = now.millis() * 1_000;
        let step_us = 1_000_000 / u64::from(rate.per_s);
        let whole_us = step_us * u64::from(rate.burst);
        let mut buckets = self.full_at_us.lock().expect("nobody panics while holding this lock");
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, full_at_us| *full_at_us > now_us);
        }
        let bucket = buckets.get_mut(who);
        let full_at = bucket.as_deref().copied().unwrap_or(now_us).max(now_us);
        let after = full_at + step_us;
        let allowed = after - now_us <= whole_us;
        let used_us = if allowed { after - now_us } else { full_at - now_us };
        match bucket {
            Some(bucket) if allowed => *bucket = after,
            None if allowed => drop(buckets.insert(who.to_owned(), after)),
            _ => {}
        }
        let left = ((whole_us - used_us) / step_us) as u32;
        let wait_us = if left > 0 { 0 } else { used_us + step_us - whole_us };
        Verdict { allowed, left, wait_ms: wait_us.div_ceil(1_000) }
    }
}

/// The layer of every endpoint behind its authentication: too many are `rate_limited`, and every answer says what is left.
pub async fn layer(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let (who, name, rate) = bucket_of(&app.rates, &request);
    let verdict = app.limits.take(&who, rate, app.now());
    let mut response = if verdict.allowed {
        next.run(request).await
    } else {
        app.metrics.rate_limited(name);
        Refused::from(Code::RateLimited).into_response()
    };
    let wait_s = verdict.wait_ms.div_ceil(1_000);
    let headers = response.headers_mut();
    let text = |text: String| HeaderValue::try_from(text).expect("names and numbers are ASCII");
    headers.insert(POLICY, text(format!("\"{name}\";q={};w={}", rate.burst, rate.burst.div_ceil(rate.per_s))));
    headers.insert(LEFT, text(format!("\"{name}\";r={};t={wait_s}", verdict.left)));
    if !verdict.allowed {
        headers.insert(axum::http::header::RETRY_AFTER, HeaderValue::from(wait_s.max(1)));
    }
    response
}

/// The layer in front of every authentication: an address that failed too often is `rate_limited`. Where somebody signs in it
/// is so before anything is tried; elsewhere right credentials still get in, so that a till with an old key does not shut out
/// the others behind its address.
pub async fn failures(State((app, signs_in)): State<(SharedApp, bool)>, request: Request, next: Next) -> Response {
    let (who, rate) = (format!("{} failed", address_of(&request)), app.rates.failure);
    let is_empty = app.limits.is_empty(&who, rate, app.now());
    if signs_in && is_empty {
        return too_many_failures(&app);
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    app.limits.take(&who, rate, app.now());
    if is_empty { too_many_failures(&app) } else { response }
}

fn too_many_failures(app: &SharedApp) -> Response {
    app.metrics.rate_limited("failure");
    let mut response = Refused::from(Code::RateLimited).into_response();
    response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(1));
    response
}

fn bucket_of(rates: &Rates, request: &Request) -> (String, &'static str, Rate) {
    match request.extensions().get::<Principal>() {
        Some(principal @ Principal::Terminal(_)) => (principal.scope(), "terminal", rates.terminal),
        Some(principal @ Principal::Key(owner)) => (format!("{} {:?}", principal.scope(), owner.mode), "key", rates.key),
        Some(principal @ Principal::Wallet(..)) => (principal.scope(), "wallet", rates.wallet),
        Some(principal @ (Principal::Staff(_) | Principal::Clerk(_))) => (principal.scope(), "wallet", rates.wallet),
        Some(Principal::Page) | None => (address_of(request), "address", rates.address),
    }
}

fn address_of(request: &Request) -> String {
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    peer.map_or_else(|| "unknown".to_owned(), |ConnectInfo(address)| address.ip().to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_s: 10, burst: 3 };

    /// Each row: when, in milliseconds, and what is left; `None`: refused.
    #[test]
    fn a_burst_and_then_one_after_the_other() {
        let limits = Limits::default();
        for (at_ms, left) in [
            (0, Some(2)),
            (0, Some(1)),
            (0, Some(0)),
            (0, None),
            (99, None),
            (100, Some(0)),
            (100, None),
            (250, Some(0)),
            (299, None),
            (300, Some(0)),
            (10_000, Some(2)),
        ] {
            let verdict = limits.take("till", RATE, Timestamp::from_millis(1_000_000 + at_ms));
            assert_eq!(verdict.allowed.then_some(verdict.left), left, "at {at_ms}");
        }
        // Others have their own.
        assert!(limits.take("another till", RATE, Timestamp::from_millis(1_000_000)).allowed);
    }

    #[test]
    fn whoever_waits_as_long_as_told_may_ask_again() {
        let limits = Limits::default();
        let mut now = Timestamp::from_millis(5_000);
        for _ in 0..RATE.burst {
            assert!(limits.take("till", RATE, now).allowed);
        }
        for _ in 0..20 {
            let refused = limits.take("till", RATE, now);
            assert!(!refused.allowed);
            assert!((1..=100).contains(&refused.wait_ms), "{refused:?}");
            assert!(!limits.take("till", RATE, now.plus_millis(refused.wait_ms - 1)).allowed);
            now = now.plus_millis(refused.wait_ms);
            assert!(limits.take("till", RATE, now).allowed);
        }
    }

    #[test]
    fn an_empty_bucket_is_seen_without_taking() {
        let limits = Limits::default();
        let now = Timestamp::from_millis(5_000);
        for _ in 0..RATE.burst {
            assert!(!limits.is_empty("address", RATE, now));
            assert!(limits.take("address", RATE, now).allowed);
        }
        assert!(limits.is_empty("address", RATE, now) && limits.is_empty("address", RATE, now.plus_millis(99)));
        assert!(!limits.is_empty("address", RATE, now.plus_millis(100)));
    }

    #[test]
    fn what_is_full_is_forgotten() {
        let limits = Limits::default();
        for number in 0..BUCKETS_MAX {
            limits.take(&number.to_string(), RATE, Timestamp::from_millis(0));
        }
        limits.take("one more", RATE, Timestamp::from_millis(60_000));
        assert_eq!(limits.full_at_us.lock().expect("sound").len(), 1);
    }
}
