//! Doing a request once: the first answer is stored with the work, in one transaction, and given again.

use std::sync::Arc;

use base::hash::hash_parts;
use base::id::PaymentId;
use base::time::Timestamp;
use payments::refusal::Refusal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wire::api::{self, PaymentStatus};
use wire::problem::Code;

use crate::db::{Connection, Kind, Row, Tx, Value};
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::service::clerk::CLERKS;
use crate::shop::staff::STAFF;
use crate::{Store, query_log};

/// How long answers are kept that are not about money: a day, in milliseconds.
const KEEP_MS: u64 = 86_400_000;

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Who asks for what: principal, method and path, such as `ter_… POST /v1/payments`.
    pub scope: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// HMAC-SHA256 of the body's bytes under a key of the platform. Keyed, because a body may hold a passcode, whose
    /// bare hash would be guessed in a second.
    pub request_digest: [u8; 32],
}

/// An answer: what a request gets, the first time and every other time.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status: 2xx with the resource, 4xx with a problem document.
    pub status: u16,
    /// JSON: `application/json`, or `application/problem+json` from status 400 on.
    pub body: Vec<u8>,
    /// Whether this is the stored answer of an earlier request: nothing was done now.
    pub replayed: bool,
    /// The payment that the body shows; `None` if that was not noted, and [`Answer::resource`] says it.
    pub payment: Option<Shown>,
    /// Whether something was queued for a webhook with it.
    pub queued: bool,
}

/// Which payment an answer shows, and where that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// Its identifier.
    pub id: PaymentId,
    /// Its status.
    pub status: PaymentStatus,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A body may hold its owner's name.
        write!(f, "Answer({}, {} bytes, replayed: {})", self.status, self.body.len(), self.replayed)
    }
}

impl Answer {
    /// Whether the work was done now, so that what follows from it must be started.
    pub fn is_first_success(&self) -> bool {
        !self.replayed && self.status < 400
    }

    /// The body as the type it was made from; `None` if it is a refusal.
    pub fn resource<T: DeserializeOwned>(&self) -> Option<T> {
        (self.status < 400).then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }

    pub(crate) fn of(status: u16, resource: &impl Serialize) -> Self {
        let body = serde_json::to_vec(resource).expect("the wire's types have only text keys and finite numbers");
        Self { status, body, replayed: false, payment: None, queued: false }
    }

    pub(crate) fn of_payment(status: u16, payment: &api::Payment) -> Self {
        Self { payment: Some(Shown { id: payment.id, status: payment.status }), ..Self::of(status, payment) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Vec::new(), replayed: false, payment: None, queued: false }
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        let problem = refusal.problem();
        Self::of(problem.status, &problem)
    }
}

/// How long an answer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Money moved, or might have: for ever.
    Forever,
    /// A day.
    Day,
}

impl Store {
    /// The stored answer of this request, if it came before. Errs with `idempotency_key_reused` if the key came with
    /// another body.
    pub fn replay(&self, idempotency: &Idempotency) -> Result<Option<Answer>, StoreError> {
        self.read(|tx| stored(tx, idempotency, idempotency.place()))
    }

    /// Does `work` once under `idempotency`, in one write transaction with its answer. A refusal undoes what `work` did
    /// and is remembered like a success, unless asking again may help.
    pub(crate) fn once(
        &self,
        name: &'static str,
        idempotency: &Idempotency,
        keep: Keep,
        now: Timestamp,
        work: impl FnOnce(&Tx) -> Result<Answer, StoreError>,
    ) -> Result<Answer, StoreError> {
        self.run_tx(name, |tx| {
            let place = idempotency.place();
            if let Some(answer) = stored(tx, idempotency, place)? {
                return Ok(answer);
            }
            let queued = tx.0.known().queued();
            let mut answer = match tx.undoing_errors(|| work(tx)) {
                Ok(answer) => answer,
                Err(StoreError::Refused(refusal)) if is_definite(refusal.code) => Answer::refusal(&refusal),
                Err(error) => return Err(error),
            };
            answer.queued = tx.0.known().queued() != queued;
            remember(tx, idempotency, place, &answer, keep, now)?;
            Ok(answer)
        })
    }

    /// Deletes what is past its time: answers, sessions, nonces and rows of right-to-know logs. Then empties the write-ahead
    /// log, so that what was erased is not left in it either. Run it every few minutes.
    pub fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let day_ago = Timestamp::from_millis(now.millis().saturating_sub(KEEP_MS));
        self.run_tx("tidy", |tx| {
            tx.execute("DELETE FROM stored_answers WHERE keep_until <= ?1", [At(now)])?;
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?1", [At(now)])?;
            STAFF.tidy(tx, now)?;
            CLERKS.tidy(tx, now)?;
            tx.execute("DELETE FROM used_nonces WHERE used_at <= ?1", [At(day_ago)])?;
            query_log::tidy(tx, now)
        })?;
        self.empty_log()
    }
}

/// Whether the same request will get the same refusal for ever.
fn is_definite(code: Code) -> bool {
    let (status, _, _) = code.describe();
    status < 500 && status != 429 && code != Code::RequestInFlight
}

type Stored = ([u8; 32], u16, Arc<[u8]>);

/// Answers of late.
const STORED: Kind<Option<Stored>> = Kind::new("answer", &["stored_answers"]);

impl Idempotency {
    /// Where the answer is stored. To find two requests with one place would take some 2^64 hashes, and they would be one shopper's or
    /// merchant's own: nobody else's place is found in less than 2^128.
    pub(crate) fn place(&self) -> Bits {
        place(&self.scope, &self.key)
    }
}

fn place(scope: &str, key: &str) -> Bits {
    let hash = hash_parts("handsel answer", &[scope.as_bytes(), key.as_bytes()]);
    Bits(u128::from_be_bytes(*hash.first_chunk().expect("32 bytes")))
}

/// Answers of before the 19th step of the schema come to their places.
pub(crate) fn hash_old_answers(tx: &Tx) -> Result<(), StoreError> {
    loop {
        let some = tx.list("SELECT scope, key FROM answers LIMIT 1000", (), |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
        for (scope, key) in &some {
            tx.execute(
                "INSERT INTO stored_answers (place, request_digest, status, body, created_at, keep_until)
                 SELECT ?3, request_digest, status, body, created_at, keep_until FROM answers WHERE scope = ?1 AND key = ?2",
                (scope, key, place(scope, key)),
            )?;
            tx.execute("DELETE FROM answers WHERE scope = ?1 AND key = ?2", (scope, key))?;
        }
        if some.is_empty() {
            return Ok(());
        }
    }
}

fn stored(tx: &Tx, idempotency: &Idempotency, place: Bits) -> Result<Option<Answer>, StoreError> {
    let sql = "SELECT request_digest, status, body FROM stored_answers WHERE place = ?1";
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get::<Vec<u8>>(2)?.into()));
    let row = tx.recall_row(&STORED, (0, place.0), sql, [place], read)?;
    match row {
        None => Ok(None),
        Some((digest, status, body)) if digest == idempotency.request_digest => {
            Ok(Some(Answer { status, body: body.to_vec(), replayed: true, payment: None, queued: false }))
        }
        Some(_) => Err(Code::IdempotencyKeyReused.into()),
    }
}

/// Which of `requests` were answered before is known from now on. One query in place of many: worth while where each is a
/// way to a server and back.
pub(crate) fn look_up(tx: &Tx, requests: &[&Idempotency]) -> Result<(), StoreError> {
    if matches!(tx.0, Connection::Sqlite(_)) || !tx.knows_what_waits(&STORED) {
        return Ok(());
    }
    let places = requests.iter().map(|request| request.place());
    let unknown: Vec<Bits> = places.filter(|place| !tx.is_known(&STORED, (0, place.0))).collect();
    if unknown.len() < 2 {
        return Ok(());
    }
    // Statements of few lengths are prepared; what is left over repeats the last.
    let len = unknown.len().next_power_of_two();
    let numbers: Vec<String> = (1..=len).map(|number| format!("?{number}")).collect();
    let sql = format!("SELECT place, request_digest, status, body FROM stored_answers WHERE place IN ({})", numbers.join(", "));
    let bytes: Vec<[u8; 16]> = unknown.iter().map(|place| place.0.to_be_bytes()).collect();
    let values: Vec<Value> = (0..len).map(|at| Value::Bytes(&bytes[at.min(bytes.len() - 1)])).collect();
    let found = tx.list_apart(&STORED, &sql, &values[..], |row| {
        Ok((row.get::<Bits>(0)?, (row.get(1)?, row.get(2)?, row.get::<Vec<u8>>(3)?.into())))
    })?;
    unknown.iter().for_each(|place| tx.learn(&STORED, (0, place.0), None));
    found.into_iter().for_each(|(place, stored)| tx.learn(&STORED, (0, place.0), Some(stored)));
    Ok(())
}

fn remember(tx: &Tx, idempotency: &Idempotency, place: Bits, answer: &Answer, keep: Keep, now: Timestamp) -> Result<(), StoreError> {
    let keep_until = (keep == Keep::Day).then(|| At(now.plus_millis(KEEP_MS)));
    tx.put_known(
        "INSERT INTO stored_answers (place, request_digest, status, body, created_at, keep_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (place, idempotency.request_digest, answer.status, &answer.body, At(now), keep_until),
        &STORED,
        (0, place.0),
        Some((idempotency.request_digest, answer.status, answer.body.as_slice().into())),
    )?;
    Ok(())
}
