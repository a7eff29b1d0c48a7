//! Requests, and answers as bytes.

use reqwest::{Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use wire::problem::{Code, Problem};

use super::schema;

#[derive(Clone)]
pub struct Http {
    client: Client,
    pub base_url: String,
}

pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

/// One header.
pub type Header<'a> = (&'a str, &'a str);

impl Http {
    pub fn new() -> Self {
        Self { client: Client::builder().no_proxy().build().expect("a client"), base_url: String::new() }
    }

    pub fn request(&self, method: Method, path: &str, headers: &[Header<'_>]) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    pub async fn get(&self, path: &str, headers: &[Header<'_>]) -> Reply {
        Reply::of(self.request(Method::GET, path, headers)).await
    }

    /// A POST of JSON bytes.
    pub async fn post(&self, path: &str, headers: &[Header<'_>], body: Vec<u8>) -> Reply {
        Reply::of(self.request(Method::POST, path, headers).header("content-type", "application/json").body(body)).await
    }
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a sound request");
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the platform answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let reply = Self { status, headers, body: response.bytes().await.expect("a whole answer").to_vec() };
        reply.check_form();
        schema::check(&method, &path, &reply);
        reply
    }

    /// What holds for every answer whatsoever.
    fn check_form(&self) {
        assert!(self.header("x-request-id").starts_with("req_"));
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        if self.status >= 400 {
            let is_readiness = self.status == 503 && self.header("content-type") == "application/json";
            assert!(is_readiness || self.header("content-type") == "application/problem+json", "{} {}", self.status, self.text());
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("an ASCII header"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        self.read()
    }

    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The refusal's code.
    #[track_caller]
    pub fn code(&self) -> Code {
        let problem: Problem = self.read();
        assert_eq!((problem.status, problem.code.describe().0), (self.status, self.status));
        problem.code
    }

    pub fn is_replayed(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }
}
