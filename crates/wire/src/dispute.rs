//! The JSON of disputes ("not me"), owners' limits and terms.

use base::id::{DisputeId, PaymentId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::HexArray;

/// `GET /v1/terms?locale=zh|en`: the terms of paying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The version, such as `2026-11-01`.
    pub version: String,
    /// `zh` or `en`.
    pub locale: String,
    /// The text, plain, paragraphs apart by an empty line.
    pub text: String,
    /// SHA-256 of the Chinese text, which binds; the same on every payment under these terms.
    pub terms_sha256: HexArray<32>,
}

/// Why a payment is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeCause {
    /// I was not there.
    NotThere,
    /// It was my twin, or somebody who looks like me.
    Lookalike,
    /// I was there and paid for somebody else's goods, or a wrong amount.
    WrongBasket,
    /// I was forced.
    Forced,
    /// Something else.
    Other,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// Not decided.
    Open,
    /// The payer is right.
    Upheld,
    /// It was the payer.
    Rejected,
    /// The payer took it back.
    Withdrawn,
}

/// `POST /v1/disputes`. Answers with [`Dispute`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDispute {
    /// The payment that is not mine.
    pub payment: PaymentId,
    /// Why.
    pub cause: DisputeCause,
    /// Whether the account is frozen at once.
    pub freeze: bool,
}

/// A dispute, as its payer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its identifier.
    pub id: DisputeId,
    /// What is disputed.
    pub payment: PaymentId,
    /// Why.
    pub cause: DisputeCause,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is disputed, in minor units.
    pub amount_minor: i64,
    /// What is credited, in minor units: provisional while the dispute is open.
    pub credited_minor: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By when it is credited, unless it is decided by then.
    pub credit_due_at: Timestamp,
    /// By when it is decided; after that the payer is right.
    pub decide_by: Timestamp,
    /// Until when its payer may appeal against the rejection; only while that is possible.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub appeal_by: Option<Timestamp>,
    /// When its payer appealed against a rejection: it is open again then, for the last time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub appealed_at: Option<Timestamp>,
    /// When it was decided or taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Timestamp>,
    /// Why it was decided so or prolonged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The rule pack that its clocks and sums come from.
    pub rules_version: String,
    /// What is on record about the payment; no picture, template or score is, because nobody has one.
    pub evidence: Evidence,
}

/// A dispute as the payee sees it: not why, nor what is on record of the payer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayeeDispute {
    /// Its identifier.
    pub id: DisputeId,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is disputed, in minor units.
    pub amount_minor: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By when it is decided.
    pub decide_by: Timestamp,
    /// When it was decided or taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Timestamp>,
}

/// What is on record about a disputed payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the payee says to the dispute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payee_statement: Option<String>,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store's public name.
    pub store_name: String,
    /// The capturing device.
    pub terminal: base::id::TerminalId,
    /// When the till was allowed to look.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge_issued_at: Option<Timestamp>,
    /// When the money moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paid_at: Option<Timestamp>,
    /// How the payer was known: `look`, or `look_and_passcode`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verified_by: Option<String>,
    /// The rule pack that judged the payment.
    pub rules_version: String,
    /// The terms that hold for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terms_sha256: Option<HexArray<32>>,
    /// Its place in the ledger's hash chain.
    pub ledger_sequence: u64,
    /// The chain's hash there.
    pub ledger_hash: HexArray<32>,
}

/// `GET /v1/statistics/disputes`: how disputes went, for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeStatistics {
    /// Payments that were made.
    pub payments: u64,
    /// Disputes, by cause and by where they stand.
    pub disputes: Vec<DisputeCount>,
    /// What the fund gave and did not get back, in minor units.
    pub compensated_minor: i64,
}

/// Disputes of one cause and status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeCount {
    /// Why.
    pub cause: DisputeCause,
    /// Where they stand.
    pub status: DisputeStatus,
    /// How many.
    pub count: u64,
    /// Their sum, in minor units.
    pub amount_minor: i64,
}

/// `POST /v1/me/limits`: the owner's own limits, in minor units; a missing one is left to the rules. Answers with
/// [`Limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLimits {
    /// Of one payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_max_minor: Option<i64>,
    /// Of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_max_minor: Option<i64>,
    /// Of a night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_max_minor: Option<i64>,
    /// Whether the passcode is asked for whatever the sum: for whoever has a twin, and for whoever wishes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passcode_always: bool,
}

/// The owner's own limits: those in force, and those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// In force.
    pub standing: NewLimits,
    /// From when the next ones count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_from: Option<Timestamp>,
    /// The next ones: raised limits wait.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<NewLimits>,
}
