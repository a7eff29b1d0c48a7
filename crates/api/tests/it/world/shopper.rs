//! A shopper: a face made of random numbers, and a wallet.

use std::sync::Arc;

use base::id::EnrolmentId;
use rand_core::{Rng, UnwrapErr};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use wire::api::{Enrolment, Me};

use super::http::{Http, Reply};
use super::phone::Phone;
use super::till::fresh_key;

/// A face.
#[derive(Clone)]
pub struct Person {
    direction: Vec<f64>,
}

impl Person {
    pub fn new() -> Self {
        Self { direction: unit((0..128).map(|_| gaussian()).collect()) }
    }

    /// A template of this face: cosine about 0.9 with any other of the same.
    pub fn template(&self) -> Vec<i16> {
        let noisy = self.direction.iter().map(|feature| feature + 0.028 * gaussian()).collect();
        unit(noisy).iter().map(|feature| (127.0 * feature).round() as i16).collect()
    }

    /// Somebody whose face is as near as a twin's: cosine 0.8.
    pub fn twin(&self) -> Self {
        let stranger = Self::new();
        let along: f64 = self.direction.iter().zip(&stranger.direction).map(|(own, other)| own * other).sum();
        let across = unit(self.direction.iter().zip(&stranger.direction).map(|(own, other)| other - along * own).collect());
        Self { direction: self.direction.iter().zip(&across).map(|(own, across)| 0.8 * own + 0.6 * across).collect() }
    }
}

fn gaussian() -> f64 {
    let uniform = || (f64::from(UnwrapErr(getrandom::SysRng).next_u32()) + 1.0) / (f64::from(u32::MAX) + 2.0);
    (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
}

fn unit(features: Vec<f64>) -> Vec<f64> {
    let norm = features.iter().map(|feature| feature * feature).sum::<f64>().sqrt();
    features.iter().map(|feature| feature / norm).collect()
}

/// Somebody signed in to the wallet.
#[derive(Clone)]
pub struct Shopper {
    pub http: Http,
    pub cookie: String,
    pub phone: String,
    pub device: Arc<Mutex<Phone>>,
}

pub const PASSCODE: &str = "493817";
pub const NAME: &str = "Wei Zhang";

impl Shopper {
    pub async fn open(http: Http, phone: &str) -> Self {
        let body = json!({"name": NAME, "phone": phone, "passcode": PASSCODE});
        let headers = [("x-handsel-wallet", "1"), ("idempotency-key", &*fresh_key())];
        let reply = http.post("/v1/accounts", &headers, body.to_string().into_bytes()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let cookie = cookie_of(&reply);
        let shopper = Self { http, cookie, phone: phone.to_owned(), device: Arc::new(Mutex::new(Phone::new())) };
        let reply = shopper.bind(json!({})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        shopper
    }

    /// Binds the device with this proof.
    pub async fn bind(&self, proof: Value) -> Reply {
        let asked = self.post("/v1/me/passkeys/request", json!({})).await.json();
        let attestation = self.device.lock().await.register(&asked["public_key"]).await;
        let mut body = json!({"name": "Phone", "attestation": attestation});
        body.as_object_mut().expect("an object").extend(proof.as_object().expect("an object").clone());
        self.post("/v1/me/passkeys", body).await
    }

    /// The device's approval of something.
    pub async fn approval(&self, wanted: Value) -> Value {
        let reply = self.post("/v1/me/approvals/request", wanted).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let assertion = self.device.lock().await.answer(&reply.json()["public_key"]).await;
        serde_json::to_value(assertion).expect("plain data")
    }

    /// The same person where the platform is now.
    pub fn at(&self, http: Http) -> Self {
        Self { http, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.http.get(path, &[("cookie", &self.cookie)]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_with_key(path, body, &fresh_key()).await
    }

    pub async fn post_with_key(&self, path: &str, body: Value, key: &str) -> Reply {
        let headers = [("cookie", &*self.cookie), ("x-handsel-wallet", "1"), ("idempotency-key", key)];
        self.http.post(path, &headers, body.to_string().into_bytes()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        let headers = [("cookie", &*self.cookie), ("x-handsel-wallet", "1"), ("content-type", "application/json")];
        Reply::of(self.http.request(Method::PUT, path, &headers).body(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.http.request(Method::DELETE, path, &[("cookie", &self.cookie), ("x-handsel-wallet", "1")])).await
    }

    pub async fn me(&self) -> Me {
        self.get("/v1/me").await.read()
    }

    pub async fn top_up(&self, amount_minor: i64) {
        let reply = self.post("/v1/top-ups", json!({"amount_minor": amount_minor})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    pub async fn consent(&self, granted: bool) {
        let texts = self.get("/v1/consent-texts?locale=en").await.json();
        let text = texts["data"].as_array().expect("a list").iter().find(|text| text["purpose"] == "payment").expect("a text").clone();
        let body = json!({"purpose": "payment", "text_sha256": text["text_sha256"], "granted": granted});
        let reply = self.post("/v1/consents", body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    pub async fn begin_enrolment(&self) -> Enrolment {
        let approval = self.approval(json!({"for": "enrolment"})).await;
        let reply = self.post("/v1/enrolments", json!({"approval": approval})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.read()
    }

    pub async fn enrolment(&self) -> EnrolmentId {
        self.me().await.enrolment.expect("enrolled").id
    }

    /// What the right-to-know log says of the last use.
    pub async fn last_query(&self) -> Value {
        self.get("/v1/queries").await.json()["data"][0].clone()
    }
}

/// The session's cookie in an answer.
pub fn cookie_of(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a cookie").to_owned()
}
