//! A member of a merchant's staff in the console.

use base::id::MerchantId;
use base::time::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use super::http::{Http, Reply};
use super::phone::Phone;
use super::shopper::cookie_of;
use super::till::fresh_key;

pub struct Console {
    http: Http,
    pub cookie: String,
    pub phone: Phone,
}

impl Console {
    /// An owner of a merchant, whom the platform's operator invited.
    pub async fn owner(world: &World, merchant: u128) -> Self {
        let (code, sha256) = api::one_time_code::fresh();
        let invited = world.store().invite_owner(MerchantId::from_bits(merchant), "Chen", &sha256, &mut api::app::rng(), world.clock.now());
        invited.expect("invites");
        Self::redeem(world, &code).await
    }

    /// Whoever holds this invitation, with a new phone.
    pub async fn redeem(world: &World, code: &str) -> Self {
        let mut phone = Phone::new();
        let reply = Self::try_redeem(world, code, &mut phone).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        Self { http: world.http.clone(), cookie: cookie_of(&reply), phone }
    }

    pub async fn try_redeem(world: &World, code: &str, phone: &mut Phone) -> Reply {
        let asked = page(world, "/v1/shop/invitation", json!({"code": code})).await;
        if asked.status != 200 {
            return asked;
        }
        let attestation = phone.register(&asked.json()["public_key"]).await;
        page(world, "/v1/shop/session", json!({"code": code, "attestation": attestation})).await
    }

    /// Signs in again with the phone that is bound.
    pub async fn sign_in(world: &World, phone: &mut Phone) -> Reply {
        let asked = page(world, "/v1/shop/session/request", json!({})).await;
        let assertion = phone.answer(&asked.json()["public_key"]).await;
        page(world, "/v1/shop/session/passkey", json!({"assertion": assertion})).await
    }

    /// A new member in this role.
    pub async fn invite(&self, world: &World, role: &str) -> Self {
        let invited = self.post("/v1/shop/staff", json!({"name": role, "role": role})).await.json();
        Self::redeem(world, invited["invitation"].as_str().expect("shown once")).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.http.get(path, &[("cookie", &self.cookie)]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let key = fresh_key();
        let headers = [("cookie", &*self.cookie), ("x-handsel-shop", "1"), ("idempotency-key", &*key)];
        self.http.post(path, &headers, body.to_string().into_bytes()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.http.request(Method::DELETE, path, &[("cookie", &self.cookie), ("x-handsel-shop", "1")])).await
    }
}

/// A POST of the console's page before anybody has signed in.
async fn page(world: &World, path: &str, body: Value) -> Reply {
    world.http.post(path, &[("x-handsel-shop", "1")], body.to_string().into_bytes()).await
}
