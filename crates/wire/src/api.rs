//! The JSON of the HTTP API. Amounts are integer minor units, times are milliseconds since the epoch (UTC),
//! identifiers are prefixed texts.
//!
//! | who | how it is known | routes |
//! |---|---|---|
//! | terminal | `Authorization: Bearer tk_…` | `GET /v1/terminal`, `GET POST /v1/terminal/vouchers`, `POST GET /v1/payments`, `GET /v1/payments/{id}`, `POST /v1/payments/{id}/challenge`, `…/probe`, `…/passcode`, `…/cancel`, `…/refunds`, `POST /v1/enrolments/{id}/template` |
//! | wallet | cookie `handsel_session` and header `x-handsel-wallet: 1` on every write | `POST /v1/accounts`, `POST /v1/sessions`, `DELETE /v1/sessions/current`, `GET /v1/me`, `POST /v1/me/pause`, `POST /v1/me/resume`, `GET POST DELETE /v1/me/vouchers`, `GET /v1/consent-texts`, `POST /v1/consents`, `POST /v1/enrolments`, `GET DELETE /v1/enrolments/{id}`, `POST /v1/top-ups`, `GET /v1/activity`, `GET /v1/queries` |
//! | anybody | | `GET /healthz`, `GET /readyz` |
//!
//! Every POST carries an `Idempotency-Key`, except those on sessions.

use std::collections::BTreeMap;

use base::id::{
    AccountId, ConsentId, DisputeId, EnrolmentId, MerchantId, PaymentId, QueryId, RefundId, StoreId, TerminalId, TopUpId, VoucherId,
};
use base::money::Currency;
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::HexArray;
use crate::dispute::PayeeDispute;
use crate::merchant::Expandable;
use crate::party::DeletionConfirmation;
use crate::passkey::{Passkey, SafetyNotice};
use crate::probe::PartitionLabel;
use crate::problem::Code;

// ---- payments (terminal) ----

/// `POST /v1/payments`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    /// What the shopper pays, in minor units; at least 1.
    pub amount_minor: i64,
    /// The currency; only CNY now.
    pub currency: Currency,
    /// The merchant's own reference, at most 64 characters; no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference: Option<String>,
    /// At which till. A till leaves it out; a merchant's server may where the merchant has one till only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalId>,
    /// When the money moves.
    #[serde(default)]
    pub capture: Capture,
    /// The merchant's own names and values, which come back on the payment and its events: at most 10, names of at most 40
    /// characters, values of at most 200; no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// When the money of a payment moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// As soon as the payer is known.
    #[default]
    Automatic,
    /// It is held then, until the payee captures or voids it, or it expires.
    Manual,
}

/// Where a payment stands. Arrows of the diagram are in `docs/payments.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The amount is set; nobody has looked.
    Created,
    /// A challenge is out; the till may look.
    Challenged,
    /// A look is with the parties: the outcome is not known yet. Do not pay again.
    BeingChecked,
    /// The payer is known and must give the passcode.
    AwaitingPasscode,
    /// The payer's money is held; the payee may capture or void it.
    Authorised,
    /// Done: posted in the ledger.
    Paid,
    /// Refused because of `refusal`; nothing was charged.
    Refused,
    /// Not completed in time; nothing was charged.
    Expired,
    /// Cancelled at the till; nothing was charged.
    Cancelled,
    /// The payee released what was held; nothing was charged.
    Voided,
    /// Its payer took it back; everything was paid back.
    Undone,
}

/// How a payer who was recognised may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// With the passcode.
    Passcode,
    /// By approving on the phone.
    Phone,
    /// Either way.
    PasscodeOrPhone,
}

/// A payment, as the terminal sees it: never who paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// Its identifier.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What is paid, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The payee.
    pub merchant: MerchantId,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store.
    pub store: StoreId,
    /// The store's public name.
    pub store_name: String,
    /// The terminal it began at.
    pub terminal: TerminalId,
    /// The merchant's own reference.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merchant_reference: Option<String>,
    /// The merchant's own names and values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is given up unless completed.
    pub expires_at: Timestamp,
    /// When the money moves.
    pub capture: Capture,
    /// When the payer's money was held, or moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorised_at: Option<Timestamp>,
    /// When it was posted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paid_at: Option<Timestamp>,
    /// What was paid of the amount, in minor units.
    pub captured_minor: i64,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<Code>,
    /// A look found nobody in the part of the gallery that was searched without them: the phone's last four digits are
    /// needed for the next challenge.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub phone_suffix_required: bool,
    /// How the payer may go on, while it awaits the passcode or the payer's phone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asks: Option<Asks>,
    /// Passcode tries left, while it awaits the passcode.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempts_left: Option<u32>,
    /// The voucher that it was paid with, if its till took one without network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub voucher: Option<PaidVoucher>,
    /// Sum of its refunds, in minor units.
    pub refunded_minor: i64,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// Where it was read by itself or in a list and its payer disputes it: the dispute; with `expand[]=dispute` what the payee
    /// may know of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<Expandable<DisputeId, PayeeDispute>>,
    /// The rule pack's version that judged it, such as `cn/2026-11-01`.
    pub rules_version: String,
    /// SHA-256 of the terms that hold for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terms_sha256: Option<HexArray<32>>,
    /// The open challenge, while it is `challenged`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge: Option<Challenge>,
}

/// The voucher of a payment that came in after an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidVoucher {
    /// Which.
    pub id: VoucherId,
    /// When the till took it, by the till's clock.
    pub taken_at: Timestamp,
}

/// `POST /v1/payments/{id}/challenge`. Answers with the payment, or `phone_suffix_required`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChallenge {
    /// Last four digits of the shopper's phone, when no part of the gallery is small enough without, or nobody was found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_suffix: Option<String>,
}

/// Which part of the gallery a look is compared with, widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Everybody.
    Gallery,
    /// Who named the store's city, and the regulars of its stores.
    City,
    /// Who asked to be recognised at this store.
    Regulars,
    /// Whose phone number ends in the digits that the shopper gave.
    PhoneSuffix,
}

impl Part {
    /// All of them, widest first.
    pub const ALL: [Self; 4] = [Self::Gallery, Self::City, Self::Regulars, Self::PhoneSuffix];

    /// Its name in the API, in the rule packs and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gallery => "gallery",
            Self::City => "city",
            Self::Regulars => "regulars",
            Self::PhoneSuffix => "phone_suffix",
        }
    }

    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether it holds some of the people and nobody has said to be among them: most who look are strangers to it.
    pub const fn is_narrow(self) -> bool {
        matches!(self, Self::City | Self::Regulars)
    }
}

/// What a terminal must put into its probe's context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Used once.
    pub nonce: HexArray<32>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The part of the gallery that is searched; all of it without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionLabel>,
}

/// `POST /v1/payments/{id}/passcode`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passcode {
    /// Six digits.
    pub passcode: Secret<String>,
}

/// `POST /v1/payments/{id}/capture`. Answers with the payment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCapture {
    /// What is taken of what is held, in minor units; all of it without. The rest is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
}

/// `POST /v1/payments/{id}/refunds`. Answers with the payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// What goes back, in minor units; all that is left without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
}

/// A refund: always done when it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its identifier.
    pub id: RefundId,
    /// What went back, in minor units.
    pub amount_minor: i64,
    /// When it was posted.
    pub refunded_at: Timestamp,
}

/// A list, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are older ones: ask again with `starting_after` the last row's identifier.
    pub has_more: bool,
}

/// `GET /v1/terminal`: who this till is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terminal {
    /// The terminal.
    pub id: TerminalId,
    /// The payee.
    pub merchant: MerchantId,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store.
    pub store: StoreId,
    /// The store's public name.
    pub store_name: String,
}

// ---- wallet ----

/// Identity classes of payment accounts (PBoC announcement 2015-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdentityClass {
    /// At least one outside check: 1,000 CNY in the account's life.
    I,
    /// Face to face, or at least three outside checks: 100,000 CNY a year.
    II,
    /// Face to face, or at least five outside checks: 200,000 CNY a year.
    III,
}

/// `POST /v1/accounts`. Answers with [`Me`] and signs in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The shopper's name; 1 to 64 characters.
    pub name: Secret<String>,
    /// Mainland mobile number, 11 digits.
    pub phone: Secret<String>,
    /// Six digits; no run, repetition or date.
    pub passcode: Secret<String>,
}

/// `POST /v1/me/duress-passcode`. Answers without a body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDuressPasscode {
    /// The passcode itself.
    pub passcode: Secret<String>,
    /// The one to give under threat, six digits; missing takes it away.
    #[serde(default)]
    pub duress_passcode: Option<Secret<String>>,
}

/// `POST /v1/sessions`. Answers with [`Me`] and signs in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// Mainland mobile number, 11 digits.
    pub phone: Secret<String>,
    /// The payment passcode.
    pub passcode: Secret<String>,
}

/// `GET /v1/me`: the signed-in shopper's account.
#[derive(Clone, Serialize, Deserialize)]
pub struct Me {
    /// The account.
    pub id: AccountId,
    /// The shopper's name.
    pub name: String,
    /// The phone number with all but the last four digits hidden.
    pub phone_masked: String,
    /// How well the identity was checked.
    pub identity_class: IdentityClass,
    /// What may still be paid from the balance in the class's period, in minor units.
    pub class_remaining_minor: i64,
    /// Largest payment by look alone, in minor units; above it the passcode is asked.
    pub look_only_max_minor: i64,
    /// The wallet's balance in minor units.
    pub balance_minor: i64,
    /// What is set aside for offline vouchers beside it, in minor units.
    pub set_aside_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Whether paying by biometrics is paused.
    pub paused: bool,
    /// Whether no money leaves until the owner thaws it with the passcode.
    pub frozen: bool,
    /// Whether it is closed for good.
    pub closed: bool,
    /// Seconds after a payment in which it may be undone.
    pub undo_window_s: u64,
    /// Largest payment that may be undone, in minor units.
    pub undo_payment_max_minor: i64,
    /// Consents that stand, one per purpose.
    pub consents: Vec<Consent>,
    /// The enrolled face, if there is one that is not deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolment: Option<Enrolment>,
    /// Devices that are bound, oldest first.
    pub devices: Vec<Passkey>,
    /// Whether no device signs in or approves anything, because its owner froze them.
    pub approvals_frozen: bool,
    /// Whether a device could be bound now without more: the account is new and never had one.
    pub first_device: bool,
    /// Whether staff said, not long ago, that a face may be enrolled without a device's approval.
    pub enrolment_allowed: bool,
    /// Until then a payment is at most `cooling_off_payment_max_minor`, because the face or a device is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cooling_off_until: Option<Timestamp>,
    /// Largest payment until then, in minor units.
    pub cooling_off_payment_max_minor: i64,
    /// Until then limits are half, because a device was bound in place of a lost one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub halved_until: Option<Timestamp>,
    /// What happened to the account's safety of late, newest first.
    pub notices: Vec<SafetyNotice>,
}

impl std::fmt::Debug for Me {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Me").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a consent is for. Only payment is needed to pay; none is bundled with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPurpose {
    /// Capture and matching to pay.
    Payment,
    /// Recognition as a shop's member.
    Membership,
    /// Making the recognition better.
    Improvement,
    /// Advertising.
    Marketing,
}

/// `GET /v1/consent-texts?locale=zh|en`: the current text of each purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsentText {
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The text's version, such as `2026-11-01`.
    pub version: String,
    /// `zh` or `en`.
    pub locale: String,
    /// The text, plain, paragraphs apart by an empty line.
    pub text: String,
    /// SHA-256 of the text's UTF-8 bytes.
    pub text_sha256: HexArray<32>,
}

/// `POST /v1/consents`. Answers with [`Consent`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// Which text was shown.
    pub text_sha256: HexArray<32>,
    /// Given or withdrawn. Withdrawing `payment` deletes the enrolment; what stays on record is the decision about the text
    /// that was consented to.
    pub granted: bool,
}

/// A consent on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its identifier.
    pub id: ConsentId,
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The version of the text that was shown.
    pub version: String,
    /// Its hash.
    pub text_sha256: HexArray<32>,
    /// Given or withdrawn.
    pub granted: bool,
    /// When.
    pub decided_at: Timestamp,
}

/// `POST /v1/enrolments` (no body). Answers with the enrolment, whose challenge the shopper's device needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its identifier.
    pub id: EnrolmentId,
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// When it began.
    pub created_at: Timestamp,
    /// When all three parties held their shares.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolled_at: Option<Timestamp>,
    /// The open challenge while it is `waiting_for_capture`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge: Option<Challenge>,
    /// The parties' signed confirmations of the deletion, as they come in.
    pub deletions: Vec<DeletionConfirmation>,
}

/// Where an enrolment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentStatus {
    /// The shopper's device may look.
    WaitingForCapture,
    /// The template is on its way to the three parties.
    Storing,
    /// All three parties hold their shares: the shopper can pay.
    Enrolled,
    /// The parties are destroying their shares; nobody can pay with it any more.
    Deleting,
    /// All three parties confirmed.
    Deleted,
}

/// `POST /v1/top-ups`: from the demo bank account into the wallet. Answers with [`TopUp`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTopUp {
    /// In minor units; 1 to 500,000 (¥5,000).
    pub amount_minor: i64,
}

/// A top-up: done when it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    /// Its identifier.
    pub id: TopUpId,
    /// In minor units.
    pub amount_minor: i64,
    /// When it was posted.
    pub topped_up_at: Timestamp,
    /// The balance after it, in minor units.
    pub balance_minor: i64,
}

/// `GET /v1/activity`: one row of the wallet's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// What happened.
    pub kind: ActivityKind,
    /// The payment, refund, top-up or dispute, or the ledger's transfer: no two rows have the same.
    pub id: String,
    /// For a refund or a compensation: the payment it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<PaymentId>,
    /// What it did to the balance, in minor units: negative for a payment.
    pub amount_minor: i64,
    /// The payee's name; for a top-up the bank's.
    pub counterparty: String,
    /// The store's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub store_name: Option<String>,
    /// When it was posted.
    pub at: Timestamp,
    /// The rule pack's version that judged a payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rules_version: Option<String>,
    /// How the payer was known: `look`, or `look_and_passcode`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verified_by: Option<String>,
    /// SHA-256 of the terms that hold for a payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terms_sha256: Option<HexArray<32>>,
}

/// The kinds of [`Activity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Money went to a merchant.
    Payment,
    /// Money came back.
    Refund,
    /// Money came from the bank.
    TopUp,
    /// The compensation fund gave money for a disputed payment.
    Compensation,
    /// It took back what it gave, because the payment was the shopper's after all.
    CompensationTakenBack,
}

/// `GET /v1/queries`: one use of the shopper's biometric, whether or not it led to a payment. Looks that recognised nobody,
/// or more than one person, belong to nobody who could be named and are in no shopper's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BiometricQuery {
    /// Its identifier.
    pub id: QueryId,
    /// What was asked.
    pub kind: QueryKind,
    /// When.
    pub at: Timestamp,
    /// Who asked: the payee's name, or the wallet itself.
    pub asked_by: String,
    /// The store's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub store_name: Option<String>,
    /// The payment that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<PaymentId>,
    /// The amount on the till, in minor units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount_minor: Option<i64>,
    /// Which part of the gallery the look was compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub searched: Option<Part>,
    /// The city or store where the shopper asked to be recognised, or took that back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<String>,
    /// What came of it: `enrolled`, `deleted`, `added`, `removed`, the payment's status, or the code of the refusal.
    pub outcome: String,
    /// The version of the consent to payment that stood then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consent_version: Option<String>,
    /// The rule pack that judged the payment last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rules_version: Option<String>,
}

/// `GET /v1/me/places`: where the shopper asked to be recognised without the phone's digits, and where they may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The city where they usually pay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub city: Option<String>,
    /// The cities that have stores, in order.
    pub cities: Vec<String>,
    /// The stores where they have paid by their face; those of which they are a regular first.
    pub shops: Vec<VisitedShop>,
}

/// A store where a shopper has paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitedShop {
    /// The store.
    pub store: StoreId,
    /// Its public name.
    pub store_name: String,
    /// The payee's public name.
    pub merchant_name: String,
    /// Since when they are a regular of it, if they asked for that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regular_since: Option<Timestamp>,
}

/// `PUT /v1/me/city`. Answers with [`Places`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCity {
    /// One of [`Places::cities`].
    pub city: String,
}

/// The kinds of [`BiometricQuery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryKind {
    /// The face was enrolled.
    Enrolment,
    /// A look at a till recognised the shopper.
    Identification,
    /// The face was deleted.
    Deletion,
    /// The shopper asked to be recognised at a place without the phone's digits.
    PlaceAdded,
    /// The shopper took that back.
    PlaceRemoved,
}

// ---- the till's agent, on loopback ----

/// The till page's and the wallet page's view of one look. Only the agent makes it; no picture leaves the device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LookAdvice {
    /// Whether the frame is good enough.
    pub good: bool,
    /// Why not, as a code with a sentence in [`crate::problem`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Code>,
    /// Liveness, 0 to 1, rounded to two digits: of a good frame, with archive photographs only. A till does not say how
    /// live something looked, which would help whoever tries to get past it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub liveness: Option<f32>,
}
