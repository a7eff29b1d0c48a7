//! The JSON of what a merchant's own server sees: API keys, events, webhook endpoints and deliveries. Amounts, times and
//! identifiers are as in [`crate::api`].

use base::id::{ApiKeyId, DeliveryId, EventId, MerchantId, WebhookEndpointId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::Payment;
use crate::settlement::{BankAccount, Payout};

/// Whether money is real. The two have separate stores: nothing of one is seen from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Made-up shoppers, made-up money.
    Test,
    /// People and their money.
    Live,
}

/// `POST /v1/api-keys`. Answers with [`ApiKey`], and this once with its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What the merchant calls it; at most 64 characters.
    pub name: String,
}

/// `POST /v1/api-keys/{id}/rotate` and `POST /v1/webhook-endpoints/{id}/rotate`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long the old one still holds, in seconds; a day without, at most a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_s: Option<u32>,
}

/// A merchant's API key. The platform keeps only its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What it opens.
    pub mode: Mode,
    /// What the merchant calls it.
    pub name: String,
    /// The last four characters of the key.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_at: Option<Timestamp>,
    /// When it ends, or ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    /// The key itself, `sk_test_…` or `sk_live_…`: only in the first answer to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// The money is held for the merchant.
    #[serde(rename = "payment.authorised")]
    PaymentAuthorised,
    /// The money is the merchant's.
    #[serde(rename = "payment.paid")]
    PaymentPaid,
    /// The payment was refused; `refusal` says why.
    #[serde(rename = "payment.refused")]
    PaymentRefused,
    /// The payment was not completed in time.
    #[serde(rename = "payment.expired")]
    PaymentExpired,
    /// The payment was given up at the till.
    #[serde(rename = "payment.cancelled")]
    PaymentCancelled,
    /// Held money was let go.
    #[serde(rename = "payment.voided")]
    PaymentVoided,
    /// The payer took a small payment back at once.
    #[serde(rename = "payment.undone")]
    PaymentUndone,
    /// Money went back to the payer.
    #[serde(rename = "payment.refunded")]
    PaymentRefunded,
    /// A bank account was asked for; if you did not ask, take it back and change your keys.
    #[serde(rename = "bank_account.requested")]
    BankAccountRequested,
    /// A bank account was approved and is paid to from `effective_at` on.
    #[serde(rename = "bank_account.approved")]
    BankAccountApproved,
    /// A bank account was rejected.
    #[serde(rename = "bank_account.rejected")]
    BankAccountRejected,
    /// A bank account was taken back.
    #[serde(rename = "bank_account.withdrawn")]
    BankAccountWithdrawn,
    /// A payout waits until staff has looked at it.
    #[serde(rename = "payout.held")]
    PayoutHeld,
    /// A payout is on its way to the bank.
    #[serde(rename = "payout.sent")]
    PayoutSent,
    /// A payout has arrived.
    #[serde(rename = "payout.arrived")]
    PayoutArrived,
    /// A payout came back.
    #[serde(rename = "payout.returned")]
    PayoutReturned,
    /// A held payout was given up.
    #[serde(rename = "payout.cancelled")]
    PayoutCancelled,
    /// A merchant tries an endpoint.
    #[serde(rename = "webhook_endpoint.ping")]
    EndpointPing,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::PaymentAuthorised,
        Self::PaymentPaid,
        Self::PaymentRefused,
        Self::PaymentExpired,
        Self::PaymentCancelled,
        Self::PaymentVoided,
        Self::PaymentUndone,
        Self::PaymentRefunded,
        Self::BankAccountRequested,
        Self::BankAccountApproved,
        Self::BankAccountRejected,
        Self::BankAccountWithdrawn,
        Self::PayoutHeld,
        Self::PayoutSent,
        Self::PayoutArrived,
        Self::PayoutReturned,
        Self::PayoutCancelled,
        Self::EndpointPing,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentAuthorised => "payment.authorised",
            Self::PaymentPaid => "payment.paid",
            Self::PaymentRefused => "payment.refused",
            Self::PaymentExpired => "payment.expired",
            Self::PaymentCancelled => "payment.cancelled",
            Self::PaymentVoided => "payment.voided",
            Self::PaymentUndone => "payment.undone",
            Self::PaymentRefunded => "payment.refunded",
            Self::BankAccountRequested => "bank_account.requested",
            Self::BankAccountApproved => "bank_account.approved",
            Self::BankAccountRejected => "bank_account.rejected",
            Self::BankAccountWithdrawn => "bank_account.withdrawn",
            Self::PayoutHeld => "payout.held",
            Self::PayoutSent => "payout.sent",
            Self::PayoutArrived => "payout.arrived",
            Self::PayoutReturned => "payout.returned",
            Self::PayoutCancelled => "payout.cancelled",
            Self::EndpointPing => "webhook_endpoint.ping",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// `GET /v1/events`, and the body of every webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier, the `webhook-id` of its deliveries: the same event may come more than once.
    pub id: EventId,
    /// What it tells.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When it happened.
    pub created_at: Timestamp,
    /// What it is about, as it was then.
    pub data: EventData,
}

/// What an event is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventData {
    /// The payment, as it was then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<Payment>,
    /// The bank account, as it was then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bank_account: Option<BankAccount>,
    /// The payout, as it was then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payout: Option<Payout>,
}

/// `POST /v1/webhook-endpoints`. Answers with [`WebhookEndpoint`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookEndpoint {
    /// Where to send: an absolute HTTPS URL of at most 2,000 characters.
    pub url: String,
    /// What to send; everything without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<EventType>>,
}

/// `POST /v1/webhook-endpoints/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointChange {
    /// Where to send from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What to send from now on; an empty list is everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<EventType>>,
    /// Whether to send at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Where a merchant's events go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// Its identifier.
    pub id: WebhookEndpointId,
    /// Where to send.
    pub url: String,
    /// What to send; an empty list is everything.
    pub event_types: Vec<EventType>,
    /// Whether anything is sent. Events that happen while it is off are not sent later; they stay in `GET /v1/events`.
    pub enabled: bool,
    /// Why it is off although its owner did not switch it off: `gone`, because it answered 410.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disabled_because: Option<String>,
    /// Which generation of its keys signs.
    pub key_generation: u32,
    /// Until when the generation before signs too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_keys_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `GET /v1/webhook-endpoints/{id}/keys`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookKeys {
    /// The keys that sign now, newest first: two while they are being changed.
    pub keys: Vec<WebhookKey>,
}

/// One generation of an endpoint's keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct WebhookKey {
    /// Which generation.
    pub generation: u32,
    /// Verifies `v1` signatures (HMAC-SHA256); keep it secret.
    pub secret: String,
    /// Verifies `v1a` signatures (Ed25519).
    pub public_key: String,
    /// When it stops signing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookKey").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// `GET /v1/webhook-endpoints/{id}/deliveries`: one event on its way to one endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Its identifier.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint: WebhookEndpointId,
    /// What goes; with `expand[]=event` the event itself.
    pub event: Expandable<EventId, Event>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts since it was queued or last replayed.
    pub attempts: u32,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// The last attempts, newest first, at most 20.
    pub log: Vec<DeliveryAttempt>,
}

/// An identifier, or what it stands for where `expand[]` asks for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expandable<I, T> {
    /// The identifier.
    Id(I),
    /// What it stands for.
    Object(Box<T>),
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// When.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The HTTP status that came back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Why none came back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<DeliveryFailure>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// An attempt is due.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up; replay it when the receiver is well again.
    Dead,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// Why an attempt brought no HTTP status back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryFailure {
    /// The name does not resolve.
    NameUnknown,
    /// All its addresses are such that nothing may be sent to: private, loopback, link-local.
    AddressForbidden,
    /// Nothing listens there.
    NotConnected,
    /// Its certificate is not trusted, or TLS failed.
    Tls,
    /// No answer in time.
    Timeout,
    /// What came back is no HTTP.
    Malformed,
}

impl DeliveryFailure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::NameUnknown, Self::AddressForbidden, Self::NotConnected, Self::Tls, Self::Timeout, Self::Malformed];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NameUnknown => "name_unknown",
            Self::AddressForbidden => "address_forbidden",
            Self::NotConnected => "not_connected",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
        }
    }
}

/// `POST /v1/test/payments/{id}/look`: what a made-up shopper does at the till. Test keys only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedLook {
    /// Who looks.
    pub shopper: SimulatedShopper,
}

/// The made-up shoppers of test mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimulatedShopper {
    /// Has money, and is recognised.
    Funded,
    /// Is recognised and has no money.
    Penniless,
    /// Is not enrolled.
    Stranger,
    /// Looks like somebody else too.
    Twin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_json_says() {
        for kind in EventType::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a name"), kind.name());
            assert_eq!(EventType::from_name(kind.name()), Some(kind));
        }
        for failure in DeliveryFailure::ALL {
            assert_eq!(serde_json::to_value(failure).expect("a name"), failure.name());
        }
        for status in DeliveryStatus::ALL {
            assert_eq!(serde_json::to_value(status).expect("a name"), status.name());
        }
    }
}
