//! The JSON of the institution's customer service (`/v1/service/…`): cases by reference, masked, and freezing. Nothing here has a
//! balance, a limit, another payment or anything biometric.

use base::id::{ClerkId, DisputeId, PaymentId, ServiceEntryId};
use base::money::Currency;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{EnrolmentStatus, IdentityClass, PaymentStatus, Refund};
use crate::dispute::DisputeStatus;
use crate::problem::Code;

/// `GET /v1/service`: who is at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// The clerk.
    pub id: ClerkId,
    /// The clerk's name.
    pub name: String,
    /// Cases that may still be looked up in this hour.
    pub look_ups_left: u32,
    /// Of so many.
    pub look_ups_per_hour_max: u32,
}

/// `POST /v1/service/look-ups`. Answers with [`Case`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLookUp {
    /// The identifier of a payment, refund, dispute or enrolment, as the caller reads it out: in any case, with or without blanks.
    pub reference: String,
}

base::hidden_debug!(NewLookUp);

/// `POST /v1/service/look-ups/{id}/freeze`. Answers with [`Case`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFreeze {
    /// Why; its owner is told.
    pub reason: FreezeReason,
}

/// Why customer service freezes an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeReason {
    /// The caller asked for it.
    CallerAsked,
    /// The phone is lost.
    PhoneLost,
    /// The caller did not make this payment.
    NotTheirPayment,
    /// It looks as if somebody else uses the account.
    MisuseSuspected,
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The look-up, as the log has it.
    pub look_up: ServiceEntryId,
    /// The reference.
    pub reference: String,
    /// Until then the case may be acted on.
    pub open_until: Timestamp,
    /// The account; missing where nobody was recognised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<CaseAccount>,
    /// The payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<CasePayment>,
    /// Its dispute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<CaseDispute>,
    /// The enrolment, where the reference is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolment: Option<CaseEnrolment>,
}

/// The account of a case, masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseAccount {
    /// Where it stands.
    pub state: AccountState,
    /// How well the identity was checked.
    pub identity_class: IdentityClass,
    /// Whether a face is enrolled.
    pub enrolled: bool,
    /// The first character of the owner's name.
    pub name_masked: String,
    /// The last four digits of the phone number.
    pub phone_masked: String,
}

/// Where an account stands; of several, what stops most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It pays.
    Active,
    /// Its owner paused paying with the face.
    Paused,
    /// No money leaves it until its owner thaws it.
    Frozen,
    /// Closed for good.
    Closed,
}

/// The payment of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasePayment {
    /// Its identifier.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<Code>,
    /// What was to be paid, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store's public name.
    pub store_name: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was posted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paid_at: Option<Timestamp>,
    /// The rule pack that judged it.
    pub rules_version: String,
    /// What went back, in minor units.
    pub refunded_minor: i64,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
}

/// The dispute of a case with its clock; not why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDispute {
    /// Its identifier.
    pub id: DisputeId,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is disputed, in minor units.
    pub amount_minor: i64,
    /// What was credited until the decision, in minor units.
    pub credited_minor: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By when the provisional credit is given.
    pub credit_due_at: Timestamp,
    /// By when it is decided.
    pub decide_by: Timestamp,
    /// When it was decided or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Timestamp>,
}

/// The enrolment of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEnrolment {
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How many parties have confirmed that they deleted it.
    pub parties_deleted: u32,
}

/// What a line of the log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceAct {
    /// A case was looked up.
    LookUp,
    /// The account was frozen.
    Freeze,
}

/// A row of `GET /v1/me/service-log`: what customer service saw or did of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// Its identifier.
    pub id: ServiceEntryId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: ServiceAct,
    /// Who.
    pub clerk: ClerkId,
    /// By which reference.
    pub reference: String,
    /// Why it was frozen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<FreezeReason>,
}
