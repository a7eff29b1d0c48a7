//! A merchant's own server, which has an API key.

use reqwest::Method;
use serde_json::{Value, json};
use wire::api::Payment;
use wire::merchant::{Mode, WebhookEndpoint};

use super::http::{Http, Reply};
use super::till::fresh_key;

#[derive(Clone)]
pub struct Server {
    http: Http,
    pub key: String,
}

impl Server {
    pub fn new(http: Http, key: String) -> Self {
        Self { http, key }
    }

    /// The first key of a merchant in a world.
    pub fn key(merchant: u128, mode: Mode) -> String {
        format!("{}{merchant:064x}", api::api_key::prefix(mode))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.http.get(path, &[("authorization", &self.bearer())]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_with_key(path, body, &fresh_key()).await
    }

    pub async fn post_with_key(&self, path: &str, body: Value, key: &str) -> Reply {
        let headers = [("authorization", &*self.bearer()), ("idempotency-key", key)];
        self.http.post(path, &headers, body.to_string().into_bytes()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.http.request(Method::DELETE, path, &[("authorization", &self.bearer())])).await
    }

    /// A payment that was begun at the merchant's only till.
    pub async fn begin(&self, amount_minor: i64) -> Payment {
        let reply = self.post("/v1/payments", json!({"amount_minor": amount_minor, "currency": "CNY"})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.read()
    }

    /// Lets a made-up shopper look.
    pub async fn look(&self, payment: &Payment, shopper: &str) -> Reply {
        self.post(&format!("/v1/test/payments/{}/look", payment.id), json!({"shopper": shopper})).await
    }

    /// A test payment that is paid.
    pub async fn paid(&self, amount_minor: i64) -> Payment {
        let payment = self.begin(amount_minor).await;
        let reply = self.look(&payment, "funded").await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("paid")), "{}", reply.text());
        reply.read()
    }

    /// An endpoint that hears everything.
    pub async fn endpoint(&self, url: &str) -> WebhookEndpoint {
        let reply = self.post("/v1/webhook-endpoints", json!({"url": url})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.read()
    }
}
