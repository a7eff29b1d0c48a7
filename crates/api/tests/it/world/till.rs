//! A terminal in software: makes payments, looks at people and signs its probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::id::{PaymentId, TerminalId};
use base::party::PartyId;
use base::time::Clock;
use ed25519_dalek::SigningKey;
use mpc::share::share_template;
use rand_core::{Rng, UnwrapErr};
use serde_json::json;
use wire::api::{Challenge, Enrolment, Payment, PaymentStatus};
use wire::bytes::{HexArray, HexBytes};
use wire::probe::{ProbeContext, Purpose, SealedProbe};
use wire::seal::seal;

use super::clock::TestClock;
use super::http::{Http, Reply};
use super::shopper::Person;

#[derive(Clone)]
pub struct Till {
    number: u128,
    http: Http,
    token: String,
    key: SigningKey,
    sealing_keys: [HexBytes; 3],
    clock: Arc<TestClock>,
    /// Grows over all terminals of a world.
    counter: Arc<AtomicU64>,
}

/// A fresh idempotency key.
pub fn fresh_key() -> String {
    let mut bytes = [0; 16];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
    base::hash::hex(&bytes)
}

impl Till {
    pub fn new(number: u128, http: Http, sealing_keys: [HexBytes; 3], clock: Arc<TestClock>, counter: Arc<AtomicU64>) -> Self {
        Self { number, http, token: Self::token(number), key: Self::key_pair(number), sealing_keys, clock, counter }
    }

    pub fn token(number: u128) -> String {
        format!("tk_{number:064x}")
    }

    pub fn key_pair(number: u128) -> SigningKey {
        SigningKey::from_bytes(&[number as u8; 32])
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.http.get(path, &[("authorization", &format!("Bearer {}", self.token))]).await
    }

    pub async fn post(&self, path: &str, body: &impl serde::Serialize) -> Reply {
        self.post_with_key(path, body, &fresh_key()).await
    }

    pub async fn post_with_key(&self, path: &str, body: &impl serde::Serialize, key: &str) -> Reply {
        let headers = [("authorization", &*format!("Bearer {}", self.token)), ("idempotency-key", key)];
        self.http.post(path, &headers, serde_json::to_vec(body).expect("plain data")).await
    }

    /// A payment that was begun.
    pub async fn begin(&self, amount_minor: i64) -> Payment {
        let reply = self.post("/v1/payments", &json!({"amount_minor": amount_minor, "currency": "CNY"})).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.read()
    }

    /// A payment with an open challenge.
    pub async fn challenged(&self, amount_minor: i64) -> Payment {
        let payment = self.begin(amount_minor).await;
        let reply = self.post(&format!("/v1/payments/{}/challenge", payment.id), &json!({})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.read()
    }

    /// The probe of a look at `person` for `payment`.
    pub fn look(&self, payment: &Payment, person: &Person) -> SealedProbe {
        self.look_with(payment, person, |_| {})
    }

    /// The same with an altered context, rightly signed.
    pub fn look_with(&self, payment: &Payment, person: &Person, alter: impl FnOnce(&mut ProbeContext)) -> SealedProbe {
        let challenge = payment.challenge.as_ref().expect("an open challenge");
        let mut context = self.context(Purpose::Pay, payment.id.to_string(), challenge);
        context.payee = payment.merchant.to_string();
        context.amount_minor = payment.amount_minor;
        context.currency = payment.currency.code().into();
        alter(&mut context);
        self.seal(context, &[person.template()])
    }

    /// Hands a look in.
    pub async fn probe(&self, payment: PaymentId, probe: &SealedProbe) -> Reply {
        self.post(&format!("/v1/payments/{payment}/probe"), probe).await
    }

    /// The whole way: amount, challenge, look, and the outcome. On a slow machine it may be *being checked* first.
    pub async fn pay(&self, amount_minor: i64, person: &Person) -> Payment {
        let payment = self.challenged(amount_minor).await;
        let reply = self.probe(payment.id, &self.look(&payment, person)).await;
        assert!([200, 202].contains(&reply.status), "{}", reply.text());
        let mut payment: Payment = reply.read();
        for _ in 0..600 {
            if payment.status != PaymentStatus::BeingChecked {
                return payment;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            payment = self.payment(payment.id).await;
        }
        panic!("no outcome within a minute");
    }

    pub async fn payment(&self, payment: PaymentId) -> Payment {
        self.get(&format!("/v1/payments/{payment}")).await.read()
    }

    pub async fn passcode(&self, payment: PaymentId, passcode: &str) -> Reply {
        self.post(&format!("/v1/payments/{payment}/passcode"), &json!({"passcode": passcode})).await
    }

    /// Hands in the template of `person` for an enrolment.
    pub async fn hand_in(&self, enrolment: &Enrolment, person: &Person) -> Reply {
        let challenge = enrolment.challenge.as_ref().expect("an open challenge");
        let probe = self.seal(self.context(Purpose::Enrol, enrolment.id.to_string(), challenge), &[person.template()]);
        self.post(&format!("/v1/enrolments/{}/template", enrolment.id), &probe).await
    }

    /// Enrols a crowd with random faces.
    pub async fn crowd(&self, count: u32) -> Reply {
        let mut nonce = [0; 32];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut nonce);
        let now = self.clock.now();
        let challenge = Challenge { nonce: HexArray(nonce), issued_at: now, expires_at: now.plus_millis(60_000), partition: None };
        let templates: Vec<_> = (0..count).map(|_| Person::new().template()).collect();
        let probe = self.seal(self.context(Purpose::Enrol, "crowd".into(), &challenge), &templates);
        self.post("/v1/demo/crowd", &json!({"probe": probe, "count": count})).await
    }

    pub fn context(&self, purpose: Purpose, reference: String, challenge: &Challenge) -> ProbeContext {
        ProbeContext {
            purpose,
            reference,
            payee: String::new(),
            amount_minor: 0,
            currency: String::new(),
            nonce: challenge.nonce,
            issued_at: challenge.issued_at,
            expires_at: challenge.expires_at,
            terminal: TerminalId::from_bits(self.number),
            counter: self.counter.fetch_add(1, Ordering::Relaxed),
            partition: challenge.partition,
            templates: 1,
            dimensions: 128,
        }
    }

    pub fn seal(&self, mut context: ProbeContext, templates: &[Vec<i16>]) -> SealedProbe {
        let mut rng = UnwrapErr(getrandom::SysRng);
        context.templates = templates.len() as u32;
        let mut plain = [vec![], vec![], vec![]];
        for template in templates {
            let shares = share_template(template, &mut rng).expect("a sound template");
            plain.iter_mut().zip(&shares).for_each(|(plain, share)| plain.extend_from_slice(&share.to_bytes()));
        }
        let sealed = PartyId::ALL.map(|party| {
            seal(&self.sealing_keys[party.index()], &context.associated_data(party), &plain[party.index()], &mut rng).expect("a sound key")
        });
        SealedProbe::sign(context, sealed, &self.key)
    }
}

/// The amount of a look alone, below every limit.
pub const SMALL: i64 = 3_650;
