//! `/v1/me/vouchers`: what a shopper's phone keeps for tills without network; `/v1/terminal/vouchers`: what such a till knows and
//! hands in.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use base::hash::hex;
use base::money::Money;
use payments::voucher;
use payments::voucher::issue::{Taken, VoucherState};
use wire::problem::Code;
use wire::voucher::{NewVouchers, TakenVoucher, VoucherKit, Vouchers};

use crate::app::{App, SharedApp, rng};
use crate::auth::{Shopper, Till};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::table::{Access, Endpoint, Row};
use crate::routes::{get, json, passkeys, post};

/// Reading them.
pub fn list() -> Endpoint {
    get("/v1/me/vouchers", Access::Wallet, "Where the shopper pays without network, and the vouchers for it")
        .answers(200, "Vouchers")
        .by(handle_list)
}

/// Switching on, and getting more.
pub fn issue() -> Endpoint {
    post("/v1/me/vouchers", Access::Wallet, "Keep vouchers for a store on the device that approves this; sums are set aside")
        .takes("NewVouchers")
        .answers(200, "Vouchers")
        .refuses(&[
            Code::NotFound,
            Code::AccountClosed,
            Code::AccountFrozen,
            Code::AccountPaused,
            Code::NotRecognised,
            Code::LimitExceeded,
            Code::InsufficientBalance,
            Code::PasskeyInvalid,
            Code::PasskeyOrigin,
            Code::PasskeyUnknown,
            Code::ApprovalRequired,
            Code::ApprovalUsed,
            Code::ApprovalExpired,
            Code::ApprovalMismatch,
            Code::DeviceMissing,
        ])
        .by(handle_issue)
}

/// Switching off.
pub fn stop() -> Endpoint {
    Row::new(Method::DELETE, "/v1/me/vouchers", Access::Wallet, "Stop all vouchers; what is set aside is released")
        .answers(200, "Vouchers")
        .by(handle_stop)
}

/// What a till must know before the network is down.
pub fn kit() -> Endpoint {
    get("/v1/terminal/vouchers", Access::Terminal, "What this till needs to take vouchers while it has no network")
        .answers(200, "VoucherKit")
        .by(handle_kit)
}

/// What it took meanwhile.
pub fn take() -> Endpoint {
    post("/v1/terminal/vouchers", Access::Terminal, "Hand in a voucher that this till took while it had no network")
        .takes("TakenVoucher")
        .answers(201, "Payment")
        .refuses(&[Code::VoucherInvalid, Code::VoucherExceeded, Code::VoucherExpired, Code::VoucherStopped, Code::VoucherUsed])
        .by(handle_take)
}

async fn handle_list(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.vouchers(shopper.account, now)).await?))
}

async fn handle_issue(State(app): State<SharedApp>, shopper: Shopper, once: Once<NewVouchers>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let request = idempotency.clone();
    let earlier = app.with_store(move |store| store.replay(&request)).await?;
    let mut answer = match earlier {
        // The same request of the same device, whose answer was lost.
        Some(earlier) => earlier,
        None => {
            let approval = passkeys::approval(&app, Some(body.approval)).await?.ok_or(Code::ApprovalRequired)?;
            let (now, account) = (app.now(), shopper.account);
            let work = move |store: &store::Store| store.issue_vouchers(&idempotency, account, body.store, &approval, &mut rng(), now);
            app.with_store(work).await?
        }
    };
    // No database holds the texts: only the device that approved gets them.
    if let Some(vouchers) = answer.resource::<Vouchers>() {
        answer.body = serde_json::to_vec(&app.with_texts(vouchers)).expect("vouchers are plain data");
    }
    Ok(respond(answer))
}

async fn handle_stop(State(app): State<SharedApp>, shopper: Shopper) -> Answer<Response> {
    let now = app.now();
    Ok(json(app.with_store(move |store| store.stop_vouchers(shopper.account, now)).await?))
}

async fn handle_kit(State(app): State<SharedApp>, Till(till): Till) -> Answer<Response> {
    let (now, store) = (app.now(), till.details.store);
    let (stopped, rules) =
        app.with_store(move |platform| Ok((platform.stopped_vouchers(store, now)?, platform.rules(now)?.offline.clone()))).await?;
    Ok(json(VoucherKit {
        store,
        public_key: hex(app.voucher_key.public().as_bytes()),
        voucher_max_minor: rules.voucher_max_minor,
        day_max_minor: rules.day_max_minor,
        list_age_max_s: rules.list_age_max_s,
        stopped,
        at: now,
    }))
}

async fn handle_take(State(app): State<SharedApp>, Till(till): Till, once: Once<TakenVoucher>) -> Answer<Response> {
    let Once { idempotency, body, turn: _turn } = once;
    let voucher = voucher::read(&body.text, &app.voucher_key.public()).map_err(|_| Code::VoucherInvalid)?;
    let (now, terminal) = (app.now(), till.details.id);
    let taken = Taken { amount_minor: body.amount_minor, at: body.taken_at };
    let work = move |store: &store::Store| store.take_voucher(&idempotency, terminal, &voucher, &taken, &mut rng(), now);
    let answer = app.with_store(work).await?;
    app.settled(&answer);
    Ok(respond(answer))
}

impl App {
    /// With what is shown at a till, for those that are good.
    fn with_texts(&self, mut vouchers: Vouchers) -> Vouchers {
        for voucher in vouchers.vouchers.iter_mut().filter(|voucher| voucher.state == VoucherState::Open.name()) {
            let wire::voucher::Voucher { id, store, most_minor, currency, expires_at, .. } = *voucher;
            let most = Money { minor: most_minor, currency };
            voucher.text = Some(self.voucher_key.sign(&voucher::Voucher { id, store, most, expires_at }));
        }
        vouchers
    }
}
