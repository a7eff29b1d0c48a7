//! Who may call what: one row for each endpoint, so that a new one without a row fails.

use api::limits::Rates;
use api::routes::endpoints;
use api::routes::table::Access;
use base::id::{StoreId, TerminalId};
use base::time::Clock;
use reqwest::Method;
use serde_json::json;
use store::setup::NewTerminal;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::world::console::Console;
use crate::world::desk::Desk;
use crate::world::http::Reply;
use crate::world::server::Server;
use crate::world::till::{SMALL, Till, fresh_key};
use crate::world::{SECOND_TILL, TILL, World};

const PAYMENT: &str = "pay_00000000000000000000000001";
const ENROLMENT: &str = "enr_00000000000000000000000001";

/// Method, path, who may.
const TABLE: [(&str, &str, Access); 137] = [
    ("GET", "/v1/terminal", Access::Terminal),
    ("GET", "/v1/terminal/vouchers", Access::Terminal),
    ("POST", "/v1/terminal/vouchers", Access::Terminal),
    ("POST", "/v1/payments", Access::Payee),
    ("GET", "/v1/payments", Access::Payee),
    ("GET", "/v1/payments/{id}", Access::Payee),
    ("GET", "/v1/payments/{id}/events", Access::Payee),
    ("POST", "/v1/payments/{id}/challenge", Access::Terminal),
    ("POST", "/v1/payments/{id}/probe", Access::Terminal),
    ("POST", "/v1/payments/{id}/passcode", Access::Terminal),
    ("POST", "/v1/payments/{id}/cancel", Access::Payee),
    ("POST", "/v1/payments/{id}/capture", Access::Payee),
    ("POST", "/v1/payments/{id}/void", Access::Payee),
    ("POST", "/v1/payments/{id}/refunds", Access::Payee),
    ("POST", "/v1/enrolments/{id}/template", Access::Terminal),
    ("GET", "/v1/books", Access::Terminal),
    ("POST", "/v1/demo/crowd", Access::Terminal),
    ("GET", "/v1/api-keys", Access::Key),
    ("POST", "/v1/api-keys", Access::Key),
    ("POST", "/v1/api-keys/{id}/rotate", Access::Key),
    ("DELETE", "/v1/api-keys/{id}", Access::Key),
    ("GET", "/v1/events", Access::Key),
    ("GET", "/v1/events/{id}", Access::Key),
    ("GET", "/v1/webhook-endpoints", Access::Key),
    ("POST", "/v1/webhook-endpoints", Access::Key),
    ("GET", "/v1/webhook-endpoints/{id}", Access::Key),
    ("POST", "/v1/webhook-endpoints/{id}", Access::Key),
    ("DELETE", "/v1/webhook-endpoints/{id}", Access::Key),
    ("GET", "/v1/webhook-endpoints/{id}/keys", Access::Key),
    ("POST", "/v1/webhook-endpoints/{id}/rotate", Access::Key),
    ("POST", "/v1/webhook-endpoints/{id}/ping", Access::Key),
    ("GET", "/v1/webhook-endpoints/{id}/deliveries", Access::Key),
    ("GET", "/v1/deliveries/{id}", Access::Key),
    ("POST", "/v1/deliveries/{id}/replay", Access::Key),
    ("GET", "/v1/bank-accounts", Access::Key),
    ("POST", "/v1/bank-accounts", Access::Key),
    ("GET", "/v1/bank-accounts/{id}", Access::Key),
    ("POST", "/v1/bank-accounts/{id}/withdraw", Access::Key),
    ("GET", "/v1/payouts", Access::Key),
    ("GET", "/v1/payouts/{id}", Access::Key),
    ("POST", "/v1/test/payments/{id}/look", Access::Key),
    ("POST", "/v1/accounts", Access::Page),
    ("POST", "/v1/sessions", Access::Page),
    ("DELETE", "/v1/sessions/current", Access::Wallet),
    ("GET", "/v1/me", Access::Wallet),
    ("POST", "/v1/me/pause", Access::Wallet),
    ("POST", "/v1/me/resume", Access::Wallet),
    ("GET", "/v1/me/limits", Access::Wallet),
    ("POST", "/v1/me/limits", Access::Wallet),
    ("POST", "/v1/me/freeze", Access::Wallet),
    ("POST", "/v1/me/thaw", Access::Wallet),
    ("POST", "/v1/me/close", Access::Wallet),
    ("POST", "/v1/me/duress-passcode", Access::Wallet),
    ("POST", "/v1/me/payments/{id}/undo", Access::Wallet),
    ("GET", "/v1/me/helpers", Access::Wallet),
    ("POST", "/v1/me/helpers", Access::Wallet),
    ("GET", "/v1/me/helpers/{id}", Access::Wallet),
    ("POST", "/v1/me/helpers/{id}/accept", Access::Wallet),
    ("POST", "/v1/me/helpers/{id}/end", Access::Wallet),
    ("POST", "/v1/me/helpers/{id}/freeze", Access::Wallet),
    ("GET", "/v1/me/places", Access::Wallet),
    ("PUT", "/v1/me/city", Access::Wallet),
    ("DELETE", "/v1/me/city", Access::Wallet),
    ("PUT", "/v1/me/regulars/{id}", Access::Wallet),
    ("DELETE", "/v1/me/regulars/{id}", Access::Wallet),
    ("GET", "/v1/me/vouchers", Access::Wallet),
    ("POST", "/v1/me/vouchers", Access::Wallet),
    ("DELETE", "/v1/me/vouchers", Access::Wallet),
    ("POST", "/v1/passkeys/request", Access::Page),
    ("POST", "/v1/sessions/passkey", Access::Page),
    ("POST", "/v1/me/passkeys/request", Access::Wallet),
    ("POST", "/v1/me/passkeys", Access::Wallet),
    ("POST", "/v1/me/passkeys/{id}/remove", Access::Wallet),
    ("POST", "/v1/me/approvals/freeze", Access::Wallet),
    ("POST", "/v1/me/approvals/thaw", Access::Wallet),
    ("POST", "/v1/me/approvals/request", Access::Wallet),
    ("GET", "/v1/me/payments/waiting", Access::Wallet),
    ("POST", "/v1/me/payments/{id}/approve", Access::Wallet),
    ("POST", "/v1/me/payments/{id}/decline", Access::Wallet),
    ("GET", "/v1/disputes", Access::Wallet),
    ("POST", "/v1/disputes", Access::Wallet),
    ("GET", "/v1/disputes/{id}", Access::Wallet),
    ("POST", "/v1/disputes/{id}/appeal", Access::Wallet),
    ("POST", "/v1/disputes/{id}/withdraw", Access::Wallet),
    ("GET", "/v1/consent-texts", Access::Wallet),
    ("GET", "/v1/consent-texts/{id}", Access::Wallet),
    ("GET", "/v1/consents", Access::Wallet),
    ("POST", "/v1/consents", Access::Wallet),
    ("POST", "/v1/enrolments", Access::Wallet),
    ("GET", "/v1/enrolments/{id}", Access::Wallet),
    ("DELETE", "/v1/enrolments/{id}", Access::Wallet),
    ("GET", "/v1/enrolments/{id}/receipt", Access::Wallet),
    ("POST", "/v1/top-ups", Access::Wallet),
    ("GET", "/v1/activity", Access::Wallet),
    ("GET", "/v1/queries", Access::Wallet),
    ("POST", "/v1/shop/invitation", Access::ShopPage),
    ("POST", "/v1/shop/session", Access::ShopPage),
    ("POST", "/v1/shop/session/request", Access::ShopPage),
    ("POST", "/v1/shop/session/passkey", Access::ShopPage),
    ("DELETE", "/v1/shop/session", Access::Staff),
    ("GET", "/v1/shop", Access::Staff),
    ("POST", "/v1/shop/head-office", Access::Staff),
    ("GET", "/v1/shop/stores", Access::Staff),
    ("POST", "/v1/shop/stores", Access::Staff),
    ("POST", "/v1/shop/stores/{id}", Access::Staff),
    ("GET", "/v1/shop/figures", Access::Staff),
    ("GET", "/v1/shop/staff", Access::Staff),
    ("POST", "/v1/shop/staff", Access::Staff),
    ("POST", "/v1/shop/staff/{id}", Access::Staff),
    ("POST", "/v1/shop/staff/{id}/invitation", Access::Staff),
    ("DELETE", "/v1/shop/staff/{id}", Access::Staff),
    ("GET", "/v1/shop/activations", Access::Staff),
    ("POST", "/v1/shop/activations", Access::Staff),
    ("POST", "/v1/shop/activations/{id}/stop", Access::Staff),
    ("GET", "/v1/shop/refund-requests", Access::Staff),
    ("POST", "/v1/shop/refund-requests", Access::Staff),
    ("POST", "/v1/shop/refund-requests/{id}/approve", Access::Staff),
    ("POST", "/v1/shop/refund-requests/{id}/reject", Access::Staff),
    ("GET", "/v1/shop/disputes", Access::Staff),
    ("POST", "/v1/shop/disputes/{id}/statement", Access::Staff),
    ("POST", "/v1/service/invitation", Access::ServicePage),
    ("POST", "/v1/service/session", Access::ServicePage),
    ("POST", "/v1/service/session/request", Access::ServicePage),
    ("POST", "/v1/service/session/passkey", Access::ServicePage),
    ("DELETE", "/v1/service/session", Access::Clerk),
    ("GET", "/v1/service", Access::Clerk),
    ("POST", "/v1/service/look-ups", Access::Clerk),
    ("POST", "/v1/service/look-ups/{id}/freeze", Access::Clerk),
    ("GET", "/v1/me/service-log", Access::Wallet),
    ("POST", "/v1/activations/redeem", Access::Anybody),
    ("POST", "/v1/activations/test", Access::Anybody),
    ("GET", "/v1/capture-agent", Access::Anybody),
    ("GET", "/v1/statistics/disputes", Access::Anybody),
    ("GET", "/v1/terms", Access::Anybody),
    ("GET", "/openapi.json", Access::Anybody),
    ("GET", "/healthz", Access::Anybody),
    ("GET", "/readyz", Access::Anybody),
];

/// What is tried, with which headers, and what comes of it.
type Attempt<'a> = (&'a str, Vec<(&'a str, &'a str)>, Code);

#[tokio::test]
async fn nobody_gets_in_without_the_right_credentials() {
    let mut announced: Vec<_> =
        endpoints(true).into_iter().map(|endpoint| (endpoint.row.method.to_string(), endpoint.row.path, endpoint.row.access)).collect();
    let mut tested: Vec<_> = TABLE.iter().map(|(method, path, access)| ((*method).to_owned(), *path, *access)).collect();
    let order = |row: &(String, &str, Access)| (row.1.to_owned(), row.0.clone());
    announced.sort_by_key(order);
    tested.sort_by_key(order);
    assert_eq!(announced, tested, "every endpoint needs a row here, and every row an endpoint");

    let mut world = World::new().await;
    // What too many failures lead to is tested elsewhere.
    world.stop_platform().await;
    world.rates = Rates { failure: Rates::UNLIMITED.failure, ..Rates::default() };
    world.start_platform().await;
    let shopper = world.shopper(0).await;
    let key = format!("Bearer {}", Till::token(TILL));
    let altered = format!("Bearer {}0", Server::key(1, Mode::Live));
    let owner = Console::owner(&world, 1).await;
    let (terminal, wallet, page) = (("authorization", &*key), ("cookie", &*shopper.cookie), ("x-handsel-wallet", "1"));
    let staff = ("cookie", &*owner.cookie);
    let desk = Desk::join(&world, "Sun").await;
    let clerk = ("cookie", &*desk.cookie);
    for (method, path, access) in TABLE {
        let write = method != "GET";
        let rows: Vec<Attempt> = match access {
            Access::Anybody => vec![],
            Access::Page => vec![
                ("no page", vec![], Code::Forbidden),
                ("another origin", vec![page, ("origin", "http://evil.example")], Code::Forbidden),
            ],
            Access::ShopPage => vec![
                ("no page", vec![], Code::Forbidden),
                ("the wallet's page", vec![page], Code::Forbidden),
                ("another origin", vec![("x-handsel-shop", "1"), ("origin", "http://evil.example")], Code::Forbidden),
            ],
            Access::ServicePage => vec![
                ("no page", vec![], Code::Forbidden),
                ("the console's page", vec![("x-handsel-shop", "1")], Code::Forbidden),
                ("another origin", vec![("x-handsel-service", "1"), ("origin", "http://evil.example")], Code::Forbidden),
            ],
            Access::Clerk => {
                let own = ("x-handsel-service", "1");
                let mut rows = vec![
                    ("nothing", vec![own], Code::Unauthenticated),
                    ("an unknown session", vec![("cookie", "handsel_service_session=00ff"), own], Code::Unauthenticated),
                    ("a shopper", vec![wallet, own], Code::Unauthenticated),
                    ("a merchant's owner", vec![staff, own], Code::Unauthenticated),
                    ("a terminal", vec![terminal, own], Code::Unauthenticated),
                ];
                if write {
                    rows.push(("no page", vec![clerk], Code::Forbidden));
                    rows.push(("the console's page", vec![clerk, ("x-handsel-shop", "1")], Code::Forbidden));
                    rows.push(("another origin", vec![clerk, own, ("origin", "null")], Code::Forbidden));
                }
                rows
            }
            Access::Staff => {
                let own = ("x-handsel-shop", "1");
                let mut rows = vec![
                    ("nothing", vec![own], Code::Unauthenticated),
                    ("an unknown session", vec![("cookie", "handsel_shop_session=00ff"), own], Code::Unauthenticated),
                    ("a shopper", vec![wallet, own], Code::Unauthenticated),
                    ("customer service", vec![clerk, own], Code::Unauthenticated),
                    ("a terminal", vec![terminal, own], Code::Unauthenticated),
                ];
                if write {
                    rows.push(("no page", vec![staff], Code::Forbidden));
                    rows.push(("the wallet's page", vec![staff, page], Code::Forbidden));
                    rows.push(("another origin", vec![staff, own, ("origin", "null")], Code::Forbidden));
                }
                rows
            }
            Access::Terminal => vec![
                ("nothing", vec![], Code::Unauthenticated),
                ("an unknown key", vec![("authorization", "Bearer tk_unknown")], Code::Unauthenticated),
                ("no key", vec![("authorization", "Basic dGs6dGs=")], Code::Unauthenticated),
                ("a shopper", vec![wallet, page], Code::Unauthenticated),
            ],
            Access::Key | Access::Payee => {
                let mut rows = vec![
                    ("nothing", vec![], Code::Unauthenticated),
                    ("an unknown key", vec![("authorization", "Bearer sk_live_unknown")], Code::Unauthenticated),
                    ("an altered key", vec![("authorization", &*altered)], Code::Unauthenticated),
                    ("a key without its mode", vec![("authorization", "Bearer sk_0000")], Code::Unauthenticated),
                    ("a shopper", vec![wallet, page], Code::Unauthenticated),
                ];
                if access == Access::Key {
                    rows.push(("a terminal", vec![terminal], Code::Unauthenticated));
                }
                rows
            }
            Access::Wallet => vec![
                ("nothing", vec![page], Code::Unauthenticated),
                ("an unknown session", vec![("cookie", "handsel_session=00ff"), page], Code::Unauthenticated),
                ("a terminal", vec![terminal, page], Code::Unauthenticated),
                ("customer service", vec![clerk, page], Code::Unauthenticated),
                ("no page", vec![wallet], if write { Code::Forbidden } else { Code::Internal }),
                ("another origin", vec![wallet, page, ("origin", "null")], if write { Code::Forbidden } else { Code::Internal }),
            ],
        };
        for (what, headers, code) in rows {
            if code == Code::Internal {
                continue; // Reading needs no more than the session.
            }
            assert_eq!(call(&world, method, path, &headers).await.code(), code, "{method} {path} with {what}");
        }
    }
}

async fn call(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let id = if path.contains("enrolments") { ENROLMENT } else { PAYMENT };
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = world.http.request(method, &path.replace("{id}", id), headers).header("idempotency-key", fresh_key());
    Reply::of(request.header("content-type", "application/json").body("{}")).await
}

/// A till that the platform knows from before is believed no longer than its key holds, whoever takes the key from it.
#[tokio::test]
async fn a_till_that_was_set_up_anew_is_refused_with_its_old_key_at_once() {
    let world = World::new().await;
    for (number, by_another_program) in [(TILL, false), (SECOND_TILL, true)] {
        let till = world.till(number);
        let (known, asked_for) = (till.begin(SMALL).await, till.begin(SMALL).await);
        let (id, token_sha256) = (TerminalId::from_bits(number), [number as u8; 32]);
        if by_another_program {
            let file = rusqlite::Connection::open(world.store_path()).expect("opens");
            let sql = "UPDATE terminals SET token_sha256 = ?2 WHERE id = ?1";
            assert_eq!(file.execute(sql, (id.bits().to_be_bytes(), token_sha256)).expect("writes"), 1);
        } else {
            let public_key = Till::key_pair(number).verifying_key();
            let anew = NewTerminal { id, store: StoreId::from_bits(1), token_sha256, public_key };
            world.store().register_terminal(&anew, world.clock.now()).expect("registers");
        }
        for (path, body) in [
            ("/v1/payments".to_owned(), json!({"amount_minor": SMALL, "currency": "CNY"})),
            (format!("/v1/payments/{}/challenge", known.id), json!({})),
            (format!("/v1/payments/{}/cancel", asked_for.id), json!({})),
            (format!("/v1/payments/{}/refunds", known.id), json!({})),
        ] {
            assert_eq!(till.post(&path, &body).await.code(), Code::Unauthenticated, "{path}");
        }
        assert_eq!(till.get("/v1/terminal").await.code(), Code::Unauthenticated);
    }
}
