//! Events on their way to endpoints: what is due, what came of it, and replaying it.

use base::id::{DeliveryId, EventId, MerchantId, WebhookEndpointId};
use base::time::Timestamp;
use payments::webhook::delivery::{Attempt, Delivery as State};
use wire::api::List;
use wire::merchant::{Delivery, DeliveryAttempt, DeliveryFailure, DeliveryStatus, Expandable};
use wire::problem::Code;

use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};
use crate::{Store, event, webhook};

/// Attempts that are shown of one delivery.
const LOG_MAX: u32 = 20;
/// Deliveries to one endpoint that are under way at once: one that is slow holds up no other.
const AT_ONCE_PER_ENDPOINT: u32 = 4;

/// One delivery to attempt now.
#[derive(Clone)]
pub struct Due {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Where it goes.
    pub endpoint: WebhookEndpointId,
    /// The address; never to be logged.
    pub url: String,
    /// The generations of keys that sign now, newest first.
    pub generations: Vec<u32>,
    /// What goes.
    pub event: EventId,
    /// The body.
    pub body: Vec<u8>,
}

impl Store {
    /// Deliveries that are due, at most `limit`, and claims them until `claimed_until`: nobody else gets them before. Whoever
    /// stops without [`Store::record_attempt`] has them attempted again then.
    pub fn claim_due(&self, limit: u32, claimed_until: Timestamp, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        // Most runs find nothing, and then the writer is not needed.
        if self.read(|tx| due(tx, 1, now))?.is_empty() {
            return Ok(Vec::new());
        }
        self.run_tx("claim_due", |tx| {
            let found = due(tx, limit, now)?;
            for delivery in &found {
                tx.execute(
                    "UPDATE webhook_deliveries SET claimed_until = ?2 WHERE id = ?1",
                    (Bits(delivery.delivery.bits()), At(claimed_until)),
                )?;
            }
            Ok(found)
        })
    }

    /// Writes down what came of an attempt that began at `began` and took until `now`, and what it leads to. `random` is the
    /// jitter's. Says where the delivery stands.
    pub fn record_attempt(
        &self,
        delivery: DeliveryId,
        attempt: Attempt,
        began: Timestamp,
        random: u32,
        now: Timestamp,
    ) -> Result<DeliveryStatus, StoreError> {
        self.run_tx("record_attempt", |tx| {
            log(tx, delivery, attempt, began, now)?;
            let (state, endpoint) = state(tx, delivery)?;
            // It may have ended meanwhile, with its endpoint.
            if state.status != DeliveryStatus::Pending {
                return Ok(state.status);
            }
            let after = state.after(attempt, now, random);
            save(tx, delivery, after.delivery)?;
            if after.endpoint_gone {
                tx.execute("UPDATE webhook_endpoints SET enabled = 0, disabled_because = 'gone' WHERE id = ?1", [Bits(endpoint.bits())])?;
                give_up_all(tx, endpoint)?;
            }
            Ok(after.delivery.status)
        })
    }

    /// Queues a delivery anew, whatever came of it: 200 with [`Delivery`], or `not_found`.
    pub fn replay_delivery(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("replay_delivery", idempotency, Keep::Day, now, |tx| {
            let before = load(tx, merchant, delivery)?;
            webhook::load(tx, merchant, before.endpoint)?;
            save(tx, delivery, State::replayed(now))?;
            Ok(Answer::of(200, &load(tx, merchant, delivery)?))
        })
    }

    /// One delivery of the merchant, or `not_found`; with the event itself if `expand`.
    pub fn delivery(&self, merchant: MerchantId, delivery: DeliveryId, expand: bool) -> Result<Delivery, StoreError> {
        self.read(|tx| expanded(tx, merchant, load(tx, merchant, delivery)?, expand))
    }

    /// Deliveries to an endpoint of the merchant, newest first, older than `starting_after`; those of one status, if one is
    /// given; with the events themselves if `expand`.
    pub fn deliveries(
        &self,
        merchant: MerchantId,
        endpoint: WebhookEndpointId,
        status: Option<DeliveryStatus>,
        starting_after: Option<DeliveryId>,
        limit: u32,
        expand: bool,
    ) -> Result<List<Delivery>, StoreError> {
        let limit = limit.clamp(1, LIST_MAX);
        let before = starting_after.map_or(u128::MAX, DeliveryId::bits);
        self.read(|tx| {
            webhook::load(tx, merchant, endpoint)?;
            let rows = tx.list(
                &format!("{DELIVERIES} WHERE d.endpoint = ?1 AND d.id < ?2 AND (?3 = '' OR d.status = ?3) ORDER BY d.id DESC LIMIT ?4"),
                (Bits(endpoint.bits()), Bits(before), status.map_or("", DeliveryStatus::name), limit + 1),
                read,
            )?;
            let has_more = rows.len() > limit as usize;
            let data = rows.into_iter().take(limit as usize).map(|row| expanded(tx, merchant, with_log(tx, row)?, expand));
            Ok(List { data: data.collect::<Result<_, _>>()?, has_more })
        })
    }
}

/// What is due, the oldest first. Of one endpoint only a few, and none while some of it are under way.
fn due(tx: &Tx, limit: u32, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let rows = tx.list(
        "SELECT id, endpoint, event FROM (
             SELECT d.id, d.endpoint, d.event, d.due_at, row_number() OVER (PARTITION BY d.endpoint ORDER BY d.due_at, d.id) AS place
             FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint
             WHERE d.status = 'pending' AND d.due_at <= ?1 AND e.enabled = 1
               AND NOT EXISTS (SELECT 1 FROM webhook_deliveries o WHERE o.endpoint = d.endpoint AND o.status = 'pending' AND o.claimed_until > ?1)
         ) AS ready WHERE place <= ?2 ORDER BY due_at, id LIMIT ?3",
        (At(now), AT_ONCE_PER_ENDPOINT, limit),
        |row| Ok((row.get::<Bits>(0)?.0, row.get::<Bits>(1)?.0, row.get::<Bits>(2)?.0)),
    )?;
    rows.into_iter()
        .map(|(delivery, endpoint, event)| {
            let (url, generation, previous_until) =
                tx.one("SELECT url, key_generation, previous_keys_until FROM webhook_endpoints WHERE id = ?1", [Bits(endpoint)], |row| {
                    Ok((row.get::<String>(0)?, row.get::<u32>(1)?, row.get::<Option<At>>(2)?))
                })?;
            let mut generations = vec![generation];
            generations.extend(previous_until.filter(|until| until.0 > now).map(|_| generation - 1));
            Ok(Due {
                delivery: DeliveryId::from_bits(delivery),
                endpoint: WebhookEndpointId::from_bits(endpoint),
                url,
                generations,
                event: EventId::from_bits(event),
                body: tx.one("SELECT body FROM events WHERE id = ?1", [Bits(event)], |row| row.get(0))?,
            })
        })
        .collect()
}

const DELIVERIES: &str = "SELECT d.id, d.endpoint, d.event, d.status, d.attempts, d.due_at, d.created_at
    FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint";

/// One delivery of the merchant, or `not_found`.
pub(crate) fn load(tx: &Tx, merchant: MerchantId, delivery: DeliveryId) -> Result<Delivery, StoreError> {
    let sql = format!("{DELIVERIES} WHERE d.id = ?1 AND e.merchant = ?2");
    let found = tx.find(&sql, (Bits(delivery.bits()), Bits(merchant.bits())), read)?;
    with_log(tx, found.ok_or(Code::NotFound)?)
}

/// Nothing goes to this endpoint any more.
pub(crate) fn give_up_all(tx: &Tx, endpoint: WebhookEndpointId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook_deliveries SET status = 'dead', due_at = NULL, claimed_until = NULL WHERE endpoint = ?1 AND status = 'pending'",
        [Bits(endpoint.bits())],
    )?;
    Ok(())
}

fn state(tx: &Tx, delivery: DeliveryId) -> Result<(State, WebhookEndpointId), StoreError> {
    let found =
        tx.find("SELECT status, attempts, due_at, endpoint FROM webhook_deliveries WHERE id = ?1", [Bits(delivery.bits())], |row| {
            let state =
                State { status: status(&row.get::<Name>(0)?)?, attempts: row.get(1)?, due_at: row.get::<Option<At>>(2)?.map(|at| at.0) };
            Ok((state, WebhookEndpointId::from_bits(row.get::<Bits>(3)?.0)))
        })?;
    found.ok_or(Code::NotFound.into())
}

fn save(tx: &Tx, delivery: DeliveryId, state: State) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook_deliveries SET status = ?2, attempts = ?3, due_at = ?4, claimed_until = NULL WHERE id = ?1",
        (Bits(delivery.bits()), state.status.name(), state.attempts, state.due_at.map(At)),
    )?;
    Ok(())
}

fn log(tx: &Tx, delivery: DeliveryId, attempt: Attempt, began: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let (status, failure) = match attempt {
        Attempt::Answered(status) => (Some(u32::from(status)), None),
        Attempt::Failed(failure) => (None, Some(failure.name())),
    };
    let took_ms = u32::try_from(now.millis_since(began)).unwrap_or(u32::MAX);
    tx.execute(
        "INSERT INTO webhook_attempts (delivery, at, took_ms, status, failure) VALUES (?1, ?2, ?3, ?4, ?5)",
        (Bits(delivery.bits()), At(began), took_ms, status, failure),
    )?;
    Ok(())
}

fn expanded(tx: &Tx, merchant: MerchantId, mut delivery: Delivery, expand: bool) -> Result<Delivery, StoreError> {
    if let (true, Expandable::Id(event)) = (expand, &delivery.event) {
        delivery.event = Expandable::Object(Box::new(event::load(tx, merchant, *event)?));
    }
    Ok(delivery)
}

fn with_log(tx: &Tx, mut delivery: Delivery) -> Result<Delivery, StoreError> {
    delivery.log = tx.list(
        "SELECT at, took_ms, status, failure FROM webhook_attempts WHERE delivery = ?1 ORDER BY sequence DESC LIMIT ?2",
        (Bits(delivery.id.bits()), LOG_MAX),
        |row| {
            let failure = row.get::<Option<Name>>(3)?;
            let by_name = |name: &str| DeliveryFailure::ALL.into_iter().find(|failure| failure.name() == name);
            Ok(DeliveryAttempt {
                at: row.get::<At>(0)?.0,
                took_ms: row.get(1)?,
                status: row.get(2)?,
                failure: failure.map(|name| name.read(by_name)).transpose()?,
            })
        },
    )?;
    Ok(delivery)
}

fn read(row: &Row) -> Result<Delivery, DbError> {
    Ok(Delivery {
        id: DeliveryId::from_bits(row.get::<Bits>(0)?.0),
        endpoint: WebhookEndpointId::from_bits(row.get::<Bits>(1)?.0),
        event: Expandable::Id(EventId::from_bits(row.get::<Bits>(2)?.0)),
        status: status(&row.get::<Name>(3)?)?,
        attempts: row.get(4)?,
        next_attempt_at: row.get::<Option<At>>(5)?.map(|at| at.0),
        created_at: row.get::<At>(6)?.0,
        log: Vec::new(),
    })
}

fn status(name: &Name) -> Result<DeliveryStatus, DbError> {
    name.read(|name| DeliveryStatus::ALL.into_iter().find(|status| status.name() == name))
}
