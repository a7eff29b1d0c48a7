//! The JSON of the merchant console: staff, head office, stores, tills on their way to work, refunds that wait, disputes and
//! figures. Amounts, times and identifiers are as in [`crate::api`].

use base::id::{ActivationId, BankAccountId, DisputeId, MerchantId, PaymentId, RefundRequestId, StaffId, StoreId, TerminalId};
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::HexArray;
use crate::dispute::DisputeStatus;
use crate::passkey::Attestation;
use crate::problem::Code;

/// What a member of the staff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// A store's business: refunds, tills, disputes.
    Manager,
    /// The counter.
    Cashier,
    /// Reads the money.
    Accountant,
}

/// What somebody may do in the console; `payments::staff` says who.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See payments and events.
    ReadPayments,
    /// Refund up to the merchant's limits, and ask for more.
    Refund,
    /// Refund anything, and approve what others ask for.
    ApproveRefunds,
    /// See figures.
    ReadFigures,
    /// See disputes.
    ReadDisputes,
    /// Say something to a dispute.
    AnswerDisputes,
    /// See stores and tills.
    ReadTills,
    /// Open stores, activate and stop tills.
    ManageTills,
    /// See payouts and bank accounts.
    ReadPayouts,
    /// Ask for another bank account.
    ChangeBankAccount,
    /// API keys and webhooks.
    ManageKeys,
    /// Invite, change and end staff.
    ManageStaff,
    /// What the head office says, and its limits.
    ManageShop,
}

/// `POST /v1/shop/invitation`: what the invited person's device is to be asked. Answers with [`crate::passkey::PasskeyRequest`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownInvitation {
    /// The code of the invitation.
    pub code: Secret<String>,
}

/// `POST /v1/shop/session`: redeem an invitation with a new passkey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeemedInvitation {
    /// The code of the invitation.
    pub code: Secret<String>,
    /// What the device answered.
    pub attestation: Attestation,
}

/// `GET /v1/shop`: who is signed in, and what the merchant is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shop {
    /// Who is signed in.
    pub me: StaffMember,
    /// What that person may do.
    pub may: Vec<Action>,
    /// The merchant.
    pub merchant: MerchantId,
    /// Its public name.
    pub merchant_name: String,
    /// What the head office says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head_office: Option<HeadOffice>,
    /// What is missing of what every till is bound to.
    pub missing: Vec<Element>,
}

/// What a till is bound to (PBoC notice 2021-259).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// The institution's code.
    AcquirerCode,
    /// The merchant's identifier.
    MerchantCode,
    /// The merchant's unified social credit code.
    CreditCode,
    /// A bank account that staff of the institution approved.
    SettlementAccount,
    /// Where it stands.
    Location,
}

/// `POST /v1/shop/head-office`, and a part of [`Shop`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadOffice {
    /// As registered; at most 64 characters.
    pub legal_name: String,
    /// Unified social credit code, 18 characters.
    pub credit_code: String,
    /// Refunded of one payment without a manager; without, the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund_payment_max_minor: Option<i64>,
    /// Refunded on a day by one person or till without a manager; without, the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund_day_max_minor: Option<i64>,
}

/// `POST /v1/shop/staff`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStaffMember {
    /// At most 64 characters.
    pub name: String,
    /// What the person will be.
    pub role: Role,
}

/// `POST /v1/shop/staff/{id}`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffChange {
    /// What the person is from now on.
    pub role: Role,
}

/// A member of the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// Its identifier.
    pub id: StaffId,
    /// The person's name.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// When the person was first invited.
    pub created_at: Timestamp,
    /// When an invitation was first redeemed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub joined_at: Option<Timestamp>,
    /// Until when an invitation is open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub invited_until: Option<Timestamp>,
    /// The invitation's code: only in the first answer to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub invitation: Option<String>,
}

/// `POST /v1/shop/stores` and `POST /v1/shop/stores/{id}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShopStore {
    /// Public name; at most 64 characters.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// At most 64 characters.
    pub city: String,
    /// Street and number; at most 200 characters.
    pub address: String,
    /// Millionths of a degree, WGS 84.
    pub latitude_e6: i64,
    /// Millionths of a degree, WGS 84.
    pub longitude_e6: i64,
}

/// A store of the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopStore {
    /// Its identifier.
    pub id: StoreId,
    /// Its public name.
    pub name: String,
    /// Where it is, once said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
    /// Its tills that take payments.
    pub tills: Vec<TerminalId>,
}

/// `POST /v1/shop/activations`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewActivation {
    /// Where the till will stand.
    pub store: StoreId,
}

/// Where a till is on its way to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationStatus {
    /// Its code waits to be entered at the till.
    Waiting,
    /// The device is known and bound; its test payment is due.
    Attested,
    /// It takes payments.
    Active,
    /// It was taken out of use.
    Stopped,
}

/// A till on its way to work, and what it is bound to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// Its identifier.
    pub id: ActivationId,
    /// Where it stands.
    pub store: StoreId,
    /// The store's public name.
    pub store_name: String,
    /// How far it is.
    pub status: ActivationStatus,
    /// When it was begun.
    pub created_at: Timestamp,
    /// By when it must be active.
    pub expires_at: Timestamp,
    /// The code for the till: only in the first answer to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The till, from attesting on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terminal: Option<TerminalId>,
    /// What it is bound to, from attesting on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bound: Option<Bound>,
    /// When its code was redeemed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attested_at: Option<Timestamp>,
    /// When its test payment and its refund were through.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active_at: Option<Timestamp>,
    /// When it was taken out of use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stopped_at: Option<Timestamp>,
}

/// The device and the five elements that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The device's serial number.
    pub serial: String,
    /// The institution's code.
    pub acquirer_code: String,
    /// The merchant.
    pub merchant: MerchantId,
    /// The merchant's unified social credit code.
    pub credit_code: String,
    /// Where it is settled to.
    pub bank_account: BankAccountId,
    /// City, street and number.
    pub address: String,
    /// Where the device says it is, millionths of a degree.
    pub latitude_e6: i64,
    /// The same.
    pub longitude_e6: i64,
}

/// `POST /v1/activations/redeem`, from the device.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeemedActivation {
    /// The code from the console.
    pub code: String,
    /// The device's serial number; 4 to 40 letters, digits and hyphens.
    pub serial: String,
    /// The public half of its device key, Ed25519.
    pub public_key: HexArray<32>,
    /// SHA-256 of the bearer token that it made itself.
    pub token_sha256: HexArray<32>,
    /// Where it is, millionths of a degree.
    pub latitude_e6: i64,
    /// The same.
    pub longitude_e6: i64,
}

/// What the device gets for its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attested {
    /// The till it is.
    pub terminal: TerminalId,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store's public name.
    pub store_name: String,
    /// What it signs with its device key to be active.
    pub nonce: HexArray<32>,
}

/// `POST /v1/activations/test`, from the device: its token, and its key's signature over the nonce.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestedActivation {
    /// The bearer token whose hash it gave.
    pub token: String,
    /// Ed25519 over [`attestation`].
    pub signature: HexArray<64>,
}

base::hidden_debug!(RedeemedActivation, TestedActivation);

/// What a device signs to prove that it holds its key: a domain, the till and the nonce.
pub fn attestation(terminal: TerminalId, nonce: &[u8; 32]) -> Vec<u8> {
    let mut message = b"handsel terminal attestation v1".to_vec();
    message.extend(terminal.bits().to_be_bytes());
    message.extend(nonce);
    message
}

/// `POST /v1/shop/refund-requests`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRefundRequest {
    /// The payment.
    pub payment: PaymentId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Why; at most 200 characters.
    pub reason: String,
}

/// Where a request for a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRequestStatus {
    /// Somebody must decide.
    Waiting,
    /// Approved, and refunded.
    Approved,
    /// Not refunded.
    Rejected,
}

/// A refund that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// Its identifier.
    pub id: RefundRequestId,
    /// The payment.
    pub payment: PaymentId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub status: RefundRequestStatus,
    /// Who asked.
    pub asked_by: StaffId,
    /// That person's name.
    pub asked_by_name: String,
    /// When.
    pub asked_at: Timestamp,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_by_name: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Timestamp>,
}

/// A dispute of one of the merchant's payments: not why, nor who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDispute {
    /// Its identifier.
    pub id: DisputeId,
    /// The payment.
    pub payment: PaymentId,
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
    /// What the shop says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement: Option<String>,
    /// When it said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stated_at: Option<Timestamp>,
}

/// `POST /v1/shop/disputes/{id}/statement`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStatement {
    /// In the shop's words; at most 2,000 characters.
    pub statement: String,
}

/// `GET /v1/shop/figures`: what a day brought, from local midnight on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// When the day began.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Payments that began.
    pub begun: u32,
    /// Payments that were paid, also if refunded since.
    pub paid: u32,
    /// What was paid, in minor units.
    pub paid_minor: i64,
    /// What of it was refunded, in minor units.
    pub refunded_minor: i64,
    /// By hour of the day.
    pub hours: Vec<HourFigures>,
    /// From the beginning to paid.
    pub seconds: Vec<SecondsFigures>,
    /// Why payments were refused, most frequent first.
    pub refusals: Vec<RefusalFigures>,
}

/// An hour's payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourFigures {
    /// The local hour, 0 to 23.
    pub hour: u32,
    /// Paid.
    pub paid: u32,
    /// Ended without being paid.
    pub failed: u32,
    /// What was paid, in minor units.
    pub paid_minor: i64,
}

/// Payments that took about as long as others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondsFigures {
    /// At least so many seconds.
    pub from_s: u32,
    /// Less than so many; without, any number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below_s: Option<u32>,
    /// How many payments.
    pub paid: u32,
}

/// Payments refused for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalFigures {
    /// Why.
    pub code: Code,
    /// How many.
    pub count: u32,
}
