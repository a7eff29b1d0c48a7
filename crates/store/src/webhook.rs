//! Where merchants want to be told.

use base::id::{MerchantId, WebhookEndpointId};
use base::time::Timestamp;
use wire::api::List;
use wire::merchant::{Delivery, EventType, NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointChange};
use wire::problem::Code;

use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};
use crate::{Store, delivery, event};

/// Endpoints that a merchant may have.
pub const ENDPOINTS_MAX: u32 = 20;

impl Store {
    /// Makes an endpoint: 201 with [`WebhookEndpoint`], or `too_many` beyond [`ENDPOINTS_MAX`]. Whoever calls has checked the
    /// URL.
    pub fn create_endpoint(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: WebhookEndpointId,
        new: &NewWebhookEndpoint,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("create_endpoint", idempotency, Keep::Day, now, |tx| {
            let standing: u32 = tx.one(
                "SELECT count(*) FROM webhook_endpoints WHERE merchant = ?1 AND deleted_at IS NULL",
                [Bits(merchant.bits())],
                |row| row.get(0),
            )?;
            if standing >= ENDPOINTS_MAX {
                return Err(Code::TooMany.into());
            }
            tx.execute(
                "INSERT INTO webhook_endpoints (id, merchant, url, event_types, enabled, key_generation, created_at) VALUES (?1, ?2, ?3, ?4, 1, 1, ?5)",
                (Bits(id.bits()), Bits(merchant.bits()), &new.url, names(new.event_types.as_deref().unwrap_or_default()), At(now)),
            )?;
            Ok(Answer::of(201, &load(tx, merchant, id)?))
        })
    }

    /// Changes an endpoint: 200 with [`WebhookEndpoint`], or `not_found`.
    pub fn change_endpoint(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: WebhookEndpointId,
        change: &WebhookEndpointChange,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("change_endpoint", idempotency, Keep::Day, now, |tx| {
            let before = load(tx, merchant, id)?;
            let enabled = change.enabled.unwrap_or(before.enabled);
            tx.execute(
                "UPDATE webhook_endpoints SET url = ?2, event_types = ?3, enabled = ?4, disabled_because = ?5 WHERE id = ?1",
                (
                    Bits(id.bits()),
                    change.url.as_ref().unwrap_or(&before.url),
                    names(change.event_types.as_deref().unwrap_or(&before.event_types)),
                    enabled,
                    before.disabled_because.filter(|_| !enabled),
                ),
            )?;
            Ok(Answer::of(200, &load(tx, merchant, id)?))
        })
    }

    /// Lets a new generation of keys sign, and the one before for `overlap_ms` more: 200 with [`WebhookEndpoint`], or
    /// `not_found`. A generation before that ends at once.
    pub fn rotate_endpoint_keys(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: WebhookEndpointId,
        overlap_ms: u64,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("rotate_endpoint_keys", idempotency, Keep::Day, now, |tx| {
            load(tx, merchant, id)?;
            tx.execute(
                "UPDATE webhook_endpoints SET key_generation = key_generation + 1, previous_keys_until = ?2 WHERE id = ?1",
                (Bits(id.bits()), At(now.plus_millis(overlap_ms))),
            )?;
            Ok(Answer::of(200, &load(tx, merchant, id)?))
        })
    }

    /// Sends a `webhook_endpoint.ping` to one endpoint, whatever it asked for: 201 with [`Delivery`], or `not_found`.
    pub fn ping_endpoint(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: WebhookEndpointId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("ping_endpoint", idempotency, Keep::Day, now, |tx| {
            load(tx, merchant, id)?;
            let queued = event::record_ping(tx, merchant, id, now)?;
            let delivery: Delivery = delivery::load(tx, merchant, queued)?;
            Ok(Answer::of(201, &delivery))
        })
    }

    /// Deletes an endpoint, or `not_found`. What was on its way to it is dead.
    pub fn delete_endpoint(&self, merchant: MerchantId, id: WebhookEndpointId, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("delete_endpoint", |tx| {
            load(tx, merchant, id)?;
            tx.execute("UPDATE webhook_endpoints SET enabled = 0, deleted_at = ?2 WHERE id = ?1", (Bits(id.bits()), At(now)))?;
            delivery::give_up_all(tx, id)
        })
    }

    /// One endpoint of the merchant, or `not_found`.
    pub fn endpoint(&self, merchant: MerchantId, id: WebhookEndpointId) -> Result<WebhookEndpoint, StoreError> {
        self.read(|tx| load(tx, merchant, id))
    }

    /// The merchant's endpoints, newest first, older than `starting_after`.
    pub fn endpoints(
        &self,
        merchant: MerchantId,
        starting_after: Option<WebhookEndpointId>,
        limit: u32,
    ) -> Result<List<WebhookEndpoint>, StoreError> {
        let limit = limit.clamp(1, LIST_MAX);
        let before = starting_after.map_or(u128::MAX, WebhookEndpointId::bits);
        self.read(|tx| {
            let mut data = tx.list(
                &format!("{ENDPOINTS} WHERE merchant = ?1 AND id < ?2 AND deleted_at IS NULL ORDER BY id DESC LIMIT ?3"),
                (Bits(merchant.bits()), Bits(before), limit + 1),
                read,
            )?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

const ENDPOINTS: &str =
    "SELECT id, url, event_types, enabled, disabled_because, key_generation, previous_keys_until, created_at FROM webhook_endpoints";

/// One endpoint of the merchant, or `not_found`.
pub(crate) fn load(tx: &Tx, merchant: MerchantId, id: WebhookEndpointId) -> Result<WebhookEndpoint, StoreError> {
    let sql = format!("{ENDPOINTS} WHERE id = ?1 AND merchant = ?2 AND deleted_at IS NULL");
    tx.find(&sql, (Bits(id.bits()), Bits(merchant.bits())), read)?.ok_or(Code::NotFound.into())
}

fn read(row: &Row) -> Result<WebhookEndpoint, DbError> {
    let types: String = row.get(2)?;
    let types = types.split(' ').filter(|name| !name.is_empty());
    Ok(WebhookEndpoint {
        id: WebhookEndpointId::from_bits(row.get::<Bits>(0)?.0),
        url: row.get(1)?,
        event_types: types.map(|name| Name(name.to_owned()).read(EventType::from_name)).collect::<Result<_, _>>()?,
        enabled: row.get(3)?,
        disabled_because: row.get(4)?,
        key_generation: row.get(5)?,
        previous_keys_until: row.get::<Option<At>>(6)?.map(|at| at.0),
        created_at: row.get::<At>(7)?.0,
    })
}

fn names(types: &[EventType]) -> String {
    types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ")
}
