//! Whoever fails to say who they are, again and again.

use api::limits::{Rate, Rates};
use serde_json::json;
use wire::merchant::Mode;
use wire::problem::Code;

use crate::world::http::Reply;
use crate::world::shopper::PASSCODE;
use crate::world::till::fresh_key;
use crate::world::{TILL, World};

#[tokio::test]
async fn an_address_that_fails_too_often_is_held_back() {
    let mut world = World::new().await;
    world.stop_platform().await;
    world.rates = Rates { failure: Rate { per_s: 1, burst: 3 }, ..Rates::default() };
    world.start_platform().await;
    let open = json!({"name": "A", "phone": "13900000007", "passcode": PASSCODE}).to_string().into_bytes();
    let headers = [("x-handsel-wallet", "1"), ("content-type", "application/json"), ("idempotency-key", &*fresh_key())];
    assert_eq!(world.http.post("/v1/accounts", &headers, open).await.status, 201);
    let sign_in = async |passcode: &str| -> Reply {
        let body = json!({"phone": "13900000007", "passcode": passcode}).to_string().into_bytes();
        world.http.post("/v1/sessions", &[("x-handsel-wallet", "1"), ("content-type", "application/json")], body).await
    };
    assert_eq!(sign_in("705284").await.code(), Code::SignInFailed);
    assert_eq!(world.http.get("/v1/events", &[("authorization", "Bearer sk_test_wrong")]).await.code(), Code::Unauthenticated);
    assert_eq!(world.http.get("/v1/terminal", &[("authorization", "Bearer tk_wrong")]).await.code(), Code::Unauthenticated);
    // All of them count together, and a fourth is told nothing more.
    let held = world.http.get("/v1/me", &[("cookie", "handsel_session=00ff")]).await;
    assert_eq!((held.code(), held.header("retry-after")), (Code::RateLimited, "1"));
    // Whoever has the right key is not shut out with them; nobody signs in from there, not even rightly.
    assert_eq!(world.server(1, Mode::Test).get("/v1/events").await.status, 200);
    assert_eq!(world.till(TILL).get("/v1/terminal").await.status, 200);
    assert_eq!(sign_in(PASSCODE).await.code(), Code::RateLimited);
    world.clock.put_forward(2_100);
    assert!(sign_in(PASSCODE).await.status < 300);
}
