//! A shopper and a till as the demo and the benchmark play them: over HTTP, through the same routes as the pages.

use std::collections::BTreeMap;
use std::time::Duration;

use base::id::PaymentId;
use rand_core::{Rng, UnwrapErr};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::Location;
use wire::api::{Activity, ConsentPurpose, ConsentText, Enrolment, EnrolmentStatus, List, Payment, PaymentStatus};
use wire::problem::{Code, Problem};

use crate::admin::shoppers;
use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};
use crate::up::Running;

/// What came of one attempt to pay.
#[derive(Debug)]
pub enum Outcome {
    /// Paid.
    Paid(PaymentId),
    /// Nothing was charged, because of this.
    Refused(Code),
}

/// One attempt with its times.
pub struct Attempt {
    pub outcome: Outcome,
    /// From asking for the challenge to the definite answer, in milliseconds.
    pub press_to_answer_ms: f64,
    /// Milliseconds per stage, as the agent and the platform report them.
    pub stages_ms: BTreeMap<String, f64>,
    /// Whether the rules asked for the passcode.
    pub passcode_asked: bool,
    /// Liveness of the look, 0 to 1, as an agent for archive photographs reports it.
    pub liveness: Option<f64>,
}

/// A signed-in shopper.
pub struct Shopper {
    pub cookie: String,
    pub phone_suffix: String,
    phone: String,
    pub passcode: String,
}

/// The HTTP client of a demo: knows the till's agent and the platform.
pub struct TillClient {
    client: Client,
    pub till: String,
    pub platform: String,
    /// Where staff lets made-up shoppers enrol: they have no phones, so staff does, beside the API, as for anybody without one.
    store: StoreOptions,
}

impl TillClient {
    pub fn new(running: &Running) -> Result<Self, Failure> {
        let client = Client::builder().timeout(Duration::from_secs(60)).build().map_err(failed("the HTTP client does not start"))?;
        let store = StoreOptions { store: Location::from(&running.store), rules: running.rules.clone() };
        Ok(Self { client, till: running.till_url.clone(), platform: running.platform_url.clone(), store })
    }

    /// Opens account number `number`, tops it up and gives the consent to pay by face.
    pub async fn open_account(&self, number: usize, top_up_minor: i64) -> Result<Shopper, Failure> {
        let phone = format!("139{number:08}");
        let passcode = passcode_of(number);
        let response = self
            .post(format!("{}/v1/accounts", self.platform))
            .header("x-handsel-wallet", "1")
            .json(&json!({"name": format!("Demo {number}"), "phone": phone, "passcode": passcode}))
            .send()
            .await
            .map_err(failed("opening an account"))?;
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .to_owned();
        expect_success(response, "opening an account").await?;
        let shopper = Shopper { cookie, phone_suffix: phone[7..].to_owned(), phone, passcode };
        self.wallet_post::<serde_json::Value>(&shopper, "/v1/top-ups", &json!({"amount_minor": top_up_minor})).await?;
        let texts: List<ConsentText> = self.wallet_get(&shopper, "/v1/consent-texts?locale=en").await?;
        let text = texts
            .data
            .iter()
            .find(|text| text.purpose == ConsentPurpose::Payment)
            .ok_or_else(|| Failure("the platform has no text for the consent to pay".into()))?;
        let consent = json!({"purpose": "payment", "text_sha256": text.text_sha256, "granted": true});
        self.wallet_post::<serde_json::Value>(&shopper, "/v1/consents", &consent).await?;
        Ok(shopper)
    }

    /// Enrols from `frames`; `Err(code)` inside is a refusal of the pictures.
    pub async fn enrol(&self, shopper: &Shopper, frames: &[Vec<u8>]) -> Result<Result<(), Code>, Failure> {
        shoppers::allow(&self.store, &shopper.phone)?;
        let enrolment: Enrolment = self.wallet_post(shopper, "/v1/enrolments", &json!({})).await?;
        let challenge = serde_json::to_string(&enrolment.challenge).expect("a challenge is plain data");
        let form = frames_form(frames).text("challenge", challenge);
        let url = format!("{}/capture/enrolments/{}", self.till, enrolment.id);
        let response = self.client.post(url).multipart(form).send().await.map_err(failed("capturing for an enrolment"))?;
        if let Err(code) = read::<Enrolment>(response, "capturing for an enrolment").await? {
            return Ok(Err(code));
        }
        for _ in 0..600 {
            let now: Enrolment = self.wallet_get(shopper, &format!("/v1/enrolments/{}", enrolment.id)).await?;
            if now.status == EnrolmentStatus::Enrolled {
                return Ok(Ok(()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Failure("an enrolment did not reach all three parties within 12 seconds; see their logs".into()))
    }

    /// One payment at the till. `shopper` is whoever stands there, if enrolled: the passcode and phone come from them.
    pub async fn pay(&self, amount_minor: i64, frames: &[Vec<u8>], shopper: Option<&Shopper>) -> Result<Attempt, Failure> {
        let new = json!({"amount_minor": amount_minor, "currency": "CNY"});
        let payment: Payment =
            self.till_post("/till/payments", &new).await?.map_err(|code| Failure(format!("a payment did not begin: {}", code.name())))?;
        let started = stopwatch();
        let mut attempt = Attempt {
            outcome: Outcome::Refused(Code::Internal),
            press_to_answer_ms: 0.0,
            stages_ms: BTreeMap::new(),
            passcode_asked: false,
            liveness: None,
        };
        let path = format!("/till/payments/{}", payment.id);
        attempt.outcome = match self.look(&path, frames, shopper, &mut attempt).await? {
            Err(code) => Outcome::Refused(code),
            Ok(payment) => match self.settle(&path, payment, shopper, &mut attempt).await? {
                Payment { status: PaymentStatus::Paid, id, .. } => Outcome::Paid(id),
                Payment { refusal: Some(code), .. } => Outcome::Refused(code),
                other => return Err(Failure(format!("payment {} ended as {:?} without a reason", other.id, other.status))),
            },
        };
        attempt.press_to_answer_ms = started.elapsed().as_secs_f64() * 1e3;
        Ok(attempt)
    }

    async fn look(
        &self,
        path: &str,
        frames: &[Vec<u8>],
        shopper: Option<&Shopper>,
        attempt: &mut Attempt,
    ) -> Result<Result<Payment, Code>, Failure> {
        let challenge_path = format!("{path}/challenge");
        let mut challenged = self.till_post::<Payment>(&challenge_path, &json!({})).await?;
        if let Err(Code::PhoneSuffixRequired) = challenged {
            let suffix = shopper.map_or("0000", |shopper| &shopper.phone_suffix);
            challenged = self.till_post::<Payment>(&challenge_path, &json!({"phone_suffix": suffix})).await?;
        }
        if let Err(code) = challenged {
            return Ok(Err(code));
        }
        let url = format!("{}{path}/look", self.till);
        let response = self.client.post(url).multipart(frames_form(frames)).send().await.map_err(failed("looking"))?;
        attempt.stages_ms = stages_of(&response);
        attempt.liveness = response.headers().get("x-handsel-liveness").and_then(|value| value.to_str().ok()?.parse().ok());
        read(response, "looking").await
    }

    /// Waits for a definite answer and gives the passcode if it is asked for.
    async fn settle(&self, path: &str, mut payment: Payment, shopper: Option<&Shopper>, attempt: &mut Attempt) -> Result<Payment, Failure> {
        loop {
            payment = match payment.status {
                PaymentStatus::BeingChecked => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let response = self.client.get(format!("{}{path}", self.till)).send().await.map_err(failed("asking for a payment"))?;
                    read(response, "asking for a payment")
                        .await?
                        .map_err(|code| Failure(format!("asking for a payment: {}", code.name())))?
                }
                PaymentStatus::AwaitingPasscode => {
                    attempt.passcode_asked = true;
                    let passcode = shopper.map_or("000000", |shopper| &shopper.passcode);
                    match self.till_post(&format!("{path}/passcode"), &json!({"passcode": passcode})).await? {
                        Ok(payment) => payment,
                        Err(code) => {
                            payment.refusal = Some(code);
                            payment.status = PaymentStatus::Refused;
                            return Ok(payment);
                        }
                    }
                }
                _ => return Ok(payment),
            };
        }
    }

    /// Whether `payment` stands in the shopper's own list: they, and nobody else, paid it.
    pub async fn was_charged(&self, shopper: &Shopper, payment: PaymentId) -> Result<bool, Failure> {
        let activity: List<Activity> = self.wallet_get(shopper, "/v1/activity").await?;
        Ok(activity.data.iter().any(|row| row.id == payment.to_string()))
    }

    /// Sends a batch of sealed random templates as `loader`, the terminal that only demos have.
    pub async fn load_crowd(&self, token: &str, body: &impl Serialize) -> Result<(), Failure> {
        let response = self
            .post(format!("{}/v1/demo/crowd", self.platform))
            .bearer_auth(token)
            .json(body)
            .send()
            .await
            .map_err(failed("enrolling the crowd"))?;
        expect_success(response, "enrolling the crowd").await.map(|_| ())
    }

    /// Whether the platform answers `path` with success.
    pub async fn is_up(&self, path: &str) -> bool {
        let answer = self.client.get(format!("{}{path}", self.platform)).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    /// Whether the till's agent answers.
    pub async fn till_is_up(&self) -> bool {
        let answer = self.client.get(format!("{}/healthz", self.till)).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    async fn till_post<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value) -> Result<Result<T, Code>, Failure> {
        let response = self.post(format!("{}{path}", self.till)).json(body).send().await.map_err(failed(path))?;
        read(response, path).await
    }

    async fn wallet_post<T: DeserializeOwned>(&self, shopper: &Shopper, path: &str, body: &serde_json::Value) -> Result<T, Failure> {
        let request = self.post(format!("{}{path}", self.platform)).header("cookie", &shopper.cookie).header("x-handsel-wallet", "1");
        let response = request.json(body).send().await.map_err(failed(path))?;
        serde_json::from_str(&expect_success(response, path).await?).map_err(failed(path))
    }

    async fn wallet_get<T: DeserializeOwned>(&self, shopper: &Shopper, path: &str) -> Result<T, Failure> {
        let response =
            self.client.get(format!("{}{path}", self.platform)).header("cookie", &shopper.cookie).send().await.map_err(failed(path))?;
        serde_json::from_str(&expect_success(response, path).await?).map_err(failed(path))
    }

    /// A POST with a fresh idempotency key.
    fn post(&self, url: String) -> RequestBuilder {
        let mut key = [0_u8; 16];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut key);
        self.client.request(Method::POST, url).header("idempotency-key", base::hash::hex(&key))
    }
}

/// A running stopwatch.
#[expect(clippy::disallowed_methods, reason = "the demo and the benchmark measure time")]
pub fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// Six digits that are no date in any order (97 is neither month nor day, and the middle two are no month) and, with a 3
/// between different digits, no run or repetition.
fn passcode_of(number: usize) -> String {
    format!("97{}3{:02}", 4 + number % 5, 10 + (number * 37) % 80)
}

fn frames_form(frames: &[Vec<u8>]) -> Form {
    frames.iter().fold(Form::new(), |form, frame| form.part("frame", Part::bytes(frame.clone()).file_name("frame.jpg")))
}

fn stages_of(response: &Response) -> BTreeMap<String, f64> {
    let text = response.headers().get("server-timing").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(',')
        .filter_map(|entry| {
            let (stage, took) = entry.trim().split_once(";dur=")?;
            Some((stage.to_owned(), took.parse().ok()?))
        })
        .collect()
}

/// The resource, or the code of the problem document.
async fn read<T: DeserializeOwned>(response: Response, attempt: &str) -> Result<Result<T, Code>, Failure> {
    let status = response.status();
    let text = response.text().await.map_err(failed(attempt))?;
    if status.is_success() {
        return serde_json::from_str(&text).map(Ok).map_err(failed(attempt));
    }
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) if status != StatusCode::INTERNAL_SERVER_ERROR => Ok(Err(problem.code)),
        _ => Err(Failure(format!("{attempt}: HTTP {status}; see the logs"))),
    }
}

async fn expect_success(response: Response, attempt: &str) -> Result<String, Failure> {
    let status = response.status();
    let text = response.text().await.map_err(failed(attempt))?;
    if status.is_success() {
        return Ok(text);
    }
    let code = serde_json::from_str::<Problem>(&text).map_or("no problem document", |problem| problem.code.name());
    Err(Failure(format!("{attempt}: HTTP {status}, {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::secret::Secret;

    #[test]
    fn every_demo_passcode_may_be_chosen() {
        for number in 0..20_000 {
            assert!(payments::passcode::check_new(&Secret::new(passcode_of(number))).is_ok(), "account {number}");
        }
    }
}
