//! Somebody of customer service at the desk.

use base::id::ClerkId;
use base::time::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use super::http::{Http, Reply};
use super::phone::Phone;
use super::shopper::cookie_of;
use super::till::fresh_key;

const PAGE: (&str, &str) = ("x-handsel-service", "1");

pub struct Desk {
    http: Http,
    pub clerk: ClerkId,
    pub cookie: String,
    pub phone: Phone,
}

impl Desk {
    /// Somebody whom the platform's operator invited.
    pub async fn join(world: &World, name: &str) -> Self {
        let (clerk, code) = Self::invite(world, name);
        let mut phone = Phone::new();
        let reply = Self::redeem(world, &code, &mut phone).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        Self { http: world.http.clone(), clerk, cookie: cookie_of(&reply), phone }
    }

    pub fn invite(world: &World, name: &str) -> (ClerkId, String) {
        let (code, sha256) = api::one_time_code::fresh();
        let invited = world.store().invite_clerk(name, &sha256, &mut api::app::rng(), world.clock.now());
        (invited.expect("invites").id, code)
    }

    pub async fn redeem(world: &World, code: &str, phone: &mut Phone) -> Reply {
        let asked = page(world, "/v1/service/invitation", json!({"code": code})).await;
        if asked.status != 200 {
            return asked;
        }
        let attestation = phone.register(&asked.json()["public_key"]).await;
        page(world, "/v1/service/session", json!({"code": code, "attestation": attestation})).await
    }

    /// Signs in again with the phone that is bound.
    pub async fn sign_in(world: &World, phone: &mut Phone) -> Reply {
        let asked = page(world, "/v1/service/session/request", json!({})).await;
        let assertion = phone.answer(&asked.json()["public_key"]).await;
        page(world, "/v1/service/session/passkey", json!({"assertion": assertion})).await
    }

    pub async fn look_up(&self, reference: &str) -> Reply {
        self.post("/v1/service/look-ups", json!({"reference": reference}), &fresh_key()).await
    }

    pub async fn freeze(&self, look_up: &str, reason: &str, key: &str) -> Reply {
        self.post(&format!("/v1/service/look-ups/{look_up}/freeze"), json!({"reason": reason}), key).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.http.get(path, &[("cookie", &self.cookie)]).await
    }

    pub async fn post(&self, path: &str, body: Value, key: &str) -> Reply {
        let headers = [("cookie", &*self.cookie), PAGE, ("idempotency-key", key)];
        self.http.post(path, &headers, body.to_string().into_bytes()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.http.request(Method::DELETE, path, &[("cookie", &self.cookie), PAGE])).await
    }
}

/// A POST of the desk's page before anybody has signed in.
async fn page(world: &World, path: &str, body: Value) -> Reply {
    world.http.post(path, &[PAGE], body.to_string().into_bytes()).await
}
