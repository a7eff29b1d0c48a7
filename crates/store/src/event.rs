//! What happened, for merchants: written in the transaction that made it happen, with a delivery for each endpoint that
//! wants it, so that neither is ever without the other (transactional outbox).

use std::sync::Arc;

use base::hash::hash_parts;
use base::id::{DeliveryId, EventId, MerchantId, WebhookEndpointId};
use base::time::Timestamp;
use payments::webhook::BODY_LEN_MAX;
use wire::api::{self, List, PaymentStatus};
use wire::merchant::{Event, EventData, EventType};
use wire::problem::Code;

use crate::activity::LIST_MAX;
use crate::db::{DbError, Kind, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};
use crate::{Store, chain, merchant_lists};

/// How long events and what became of their deliveries are kept: 90 days, in milliseconds.
const KEEP_MS: u64 = 90 * 86_400_000;
/// Rows of a merchant's list that are looked through at once for those of one type.
const WALK: u32 = LIST_MAX + 1;

impl Store {
    /// The merchant's events, newest first, older than `starting_after`; of one type, if one is given.
    pub fn events(
        &self,
        merchant: MerchantId,
        kind: Option<EventType>,
        starting_after: Option<EventId>,
        limit: u32,
    ) -> Result<List<Event>, StoreError> {
        let limit = limit.clamp(1, LIST_MAX);
        self.read(|tx| {
            let last = || merchant_lists::last_event(tx, merchant);
            let mut begin = chain::EVENTS.begin(tx, merchant.bits(), starting_after.map(EventId::bits), last)?;
            let mut found = Vec::new();
            while let Some(first) = begin.filter(|_| found.len() <= limit as usize) {
                begin = some(tx, first, kind, &mut found)?;
            }
            let has_more = found.len() > limit as usize;
            let data = found.iter().take(limit as usize).map(|body| parse(body)).collect::<Result<_, _>>()?;
            Ok(List { data, has_more })
        })
    }

    /// One event of the merchant, or `not_found`.
    pub fn event(&self, merchant: MerchantId, event: EventId) -> Result<Event, StoreError> {
        self.read(|tx| load(tx, merchant, event))
    }

    /// Deletes events and deliveries that are past their time. Run it every few minutes.
    pub fn tidy_events(&self, now: Timestamp) -> Result<(), StoreError> {
        let old = At(Timestamp::from_millis(now.millis().saturating_sub(KEEP_MS)));
        // An event may be younger than this and its delivery not; none is deleted while it is pending.
        const OLD: &str =
            "SELECT d.id FROM webhook_deliveries d JOIN events e ON e.id = d.event WHERE e.created_at <= ?1 AND d.status <> 'pending'";
        self.run_tx("tidy_events", |tx| {
            tx.execute(&format!("DELETE FROM webhook_attempts WHERE delivery IN ({OLD})"), [old])?;
            tx.execute(&format!("DELETE FROM webhook_deliveries WHERE id IN ({OLD})"), [old])?;
            tx.execute(
                "DELETE FROM events WHERE created_at <= ?1 AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event = events.id)",
                [old],
            )?;
            Ok(())
        })
    }
}

/// Adds the bodies of those of this type among the next rows of a merchant's list; where it goes on.
fn some(tx: &Tx, first: Bits, kind: Option<EventType>, found: &mut Vec<Vec<u8>>) -> Result<Option<Bits>, StoreError> {
    let sql = format!(
        "{}SELECT e.type, e.body, e.previous FROM chain JOIN events e ON e.id = chain.id ORDER BY place",
        chain::EVENTS.walk_some()
    );
    let mut next = None;
    tx.each(&sql, (first, WALK), |row| {
        if kind.is_none_or(|kind| row.get::<Name>(0).is_ok_and(|name| name.0 == kind.name())) {
            found.push(row.get(1)?);
        }
        next = row.get(2)?;
        Ok(())
    })?;
    Ok(next)
}

/// The event that a payment's new status makes; `None` while it is on its way.
pub(crate) fn of_status(status: PaymentStatus) -> Option<EventType> {
    match status {
        PaymentStatus::Created | PaymentStatus::Challenged | PaymentStatus::BeingChecked | PaymentStatus::AwaitingPasscode => None,
        PaymentStatus::Authorised => Some(EventType::PaymentAuthorised),
        PaymentStatus::Paid => Some(EventType::PaymentPaid),
        PaymentStatus::Refused => Some(EventType::PaymentRefused),
        PaymentStatus::Expired => Some(EventType::PaymentExpired),
        PaymentStatus::Cancelled => Some(EventType::PaymentCancelled),
        PaymentStatus::Voided => Some(EventType::PaymentVoided),
        PaymentStatus::Undone => Some(EventType::PaymentUndone),
    }
}

/// Writes an event about `payment` as it is now, and gives it back. `cause` is what made it: the payment for a status, the
/// refund for a refund. The same cause and type make the same event.
pub(crate) fn record(tx: &Tx, kind: EventType, payment: api::Payment, cause: u128, now: Timestamp) -> Result<api::Payment, StoreError> {
    let merchant = payment.merchant;
    let data = record_data(tx, merchant, kind, EventData { payment: Some(payment), ..EventData::default() }, cause, now)?;
    Ok(data.payment.expect("was put there"))
}

/// Writes an event for `merchant` and gives back what it says. The same cause and type make the same event.
pub(crate) fn record_data(
    tx: &Tx,
    merchant: MerchantId,
    kind: EventType,
    data: EventData,
    cause: u128,
    now: Timestamp,
) -> Result<EventData, StoreError> {
    let event = Event { id: event_id(kind, cause, now), kind, created_at: now, data };
    insert(tx, merchant, &event)?;
    for endpoint in endpoints_for(tx, merchant, kind)? {
        queue(tx, endpoint, event.id, now)?;
    }
    Ok(event.data)
}

/// Writes an event that only `endpoint` hears of.
pub(crate) fn record_ping(tx: &Tx, merchant: MerchantId, endpoint: WebhookEndpointId, now: Timestamp) -> Result<DeliveryId, StoreError> {
    let kind = EventType::EndpointPing;
    let event = Event { id: event_id(kind, endpoint.bits(), now), kind, created_at: now, data: EventData::default() };
    // Two in one millisecond are one event.
    if tx.find("SELECT 1 FROM events WHERE id = ?1", [Bits(event.id.bits())], |_| Ok(()))?.is_none() {
        insert(tx, merchant, &event)?;
    }
    queue(tx, endpoint, event.id, now)
}

/// One event of the merchant, or `not_found`.
pub(crate) fn load(tx: &Tx, merchant: MerchantId, event: EventId) -> Result<Event, StoreError> {
    let found = tx.find("SELECT body FROM events WHERE id = ?1 AND merchant = ?2", (Bits(event.bits()), Bits(merchant.bits())), |row| {
        row.get::<Vec<u8>>(0)
    })?;
    parse(&found.ok_or(Code::NotFound)?)
}

fn insert(tx: &Tx, merchant: MerchantId, event: &Event) -> Result<(), StoreError> {
    let id = Bits(event.id.bits());
    let previous = merchant_lists::add_event(tx, merchant, event.id.bits())?;
    // Again what was written last.
    if previous == Some(id) {
        return Ok(());
    }
    tx.put(
        "INSERT INTO events (id, merchant, type, body, created_at, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO NOTHING",
        (id, Bits(merchant.bits()), event.kind.name(), body(event), At(event.created_at), previous),
    )?;
    Ok(())
}

/// The body as it is sent. One that would be too long leaves the refunds out: the payment itself says their sum.
fn body(event: &Event) -> Vec<u8> {
    let bytes = |event: &Event| serde_json::to_vec(event).expect("the wire's types have only text keys and finite numbers");
    let whole = bytes(event);
    if whole.len() < BODY_LEN_MAX {
        return whole;
    }
    let mut short = event.clone();
    if let Some(payment) = &mut short.data.payment {
        payment.refunds.clear();
    }
    bytes(&short)
}

fn parse(body: &[u8]) -> Result<Event, StoreError> {
    serde_json::from_slice(body).map_err(|error| StoreError::Corrupt(format!("an event: {error}")))
}

/// A merchant's endpoints and what they want to hear of.
const ENDPOINTS: Kind<Arc<[(Bits, String)]>> = Kind::new("webhook endpoints", &["webhook_endpoints"]);

fn endpoints_for(tx: &Tx, merchant: MerchantId, kind: EventType) -> Result<Vec<WebhookEndpointId>, StoreError> {
    let wants = |types: &str| types.is_empty() || types.split(' ').any(|name| name == kind.name());
    let read = |row: &Row| Ok::<_, DbError>((row.get::<Bits>(0)?, row.get::<Name>(1)?.0));
    let sql = "SELECT id, event_types FROM webhook_endpoints WHERE merchant = ?1 AND enabled = 1 AND deleted_at IS NULL";
    let all = tx.recall_rows(&ENDPOINTS, (0, merchant.bits()), sql, [Bits(merchant.bits())], read)?;
    Ok(all.iter().filter(|(_, types)| wants(types)).map(|(id, _)| WebhookEndpointId::from_bits(id.0)).collect())
}

fn queue(tx: &Tx, endpoint: WebhookEndpointId, event: EventId, now: Timestamp) -> Result<DeliveryId, StoreError> {
    let id = DeliveryId::from_bits(id_from(now, "handsel/delivery/v1", &[&event.bits().to_be_bytes(), &endpoint.bits().to_be_bytes()]));
    tx.put(
        "INSERT INTO webhook_deliveries (id, endpoint, event, status, attempts, due_at, created_at) VALUES (?1, ?2, ?3, 'pending', 0, ?4, ?4)
         ON CONFLICT (id) DO NOTHING",
        (Bits(id.bits()), Bits(endpoint.bits()), Bits(event.bits()), At(now)),
    )?;
    tx.0.known().note_queued();
    Ok(id)
}

fn event_id(kind: EventType, cause: u128, now: Timestamp) -> EventId {
    EventId::from_bits(id_from(now, "handsel/event/v1", &[kind.name().as_bytes(), &cause.to_be_bytes()]))
}

/// An identifier that sorts by time like every other, and whose other 80 bits are a hash of what it is of.
pub(crate) fn id_from(now: Timestamp, domain: &str, of: &[&[u8]]) -> u128 {
    let hash = hash_parts(domain, of);
    let mut low = [0; 16];
    low[6..].copy_from_slice(&hash[..10]);
    (u128::from(now.millis()) & ((1 << 48) - 1)) << 80 | u128::from_be_bytes(low)
}
