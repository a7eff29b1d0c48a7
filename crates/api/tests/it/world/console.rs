//! A member of a merchant's staff in the console.

use base::id::MerchantId;
use base::time::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use super::http::{Http, Reply};
use super::till::fresh_key;

pub struct Console {
    http: Http,
    pub cookie: String,
}

impl Console {
    /// An owner of a merchant, whom the platform's operator invited.
    pub async fn owner(world: &World, merchant: u128) -> Self {
        let (code, sha256) = api::one_time_code::fresh();
        let invited = world.store().invite_owner(MerchantId::from_bits(merchant), "Chen", &sha256, &mut api::app::rng(), world.clock.now());
        invited.expect("invites");
        Self::redeem(world, &code).await
    }

    /// Whoever holds this invitation.
    pub async fn redeem(world: &World, code: &str) -> Self {
        let reply = Self::try_redeem(world, code).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let cookie = reply.header("set-cookie");
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        Self { http: world.http.clone(), cookie: cookie.split(';').next().expect("a cookie").to_owned() }
    }

    pub async fn try_redeem(world: &World, code: &str) -> Reply {
        world.http.post("/v1/shop/session", &[("x-handsel-shop", "1")], json!({"code": code}).to_string().into_bytes()).await
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
