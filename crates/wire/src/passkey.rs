//! Passkeys in the API: what the page hands to the browser's Web Authentication, and what it sends back. Byte strings are
//! base64url without padding, as the browser's own JSON has them.

use base::id::{PasskeyId, PaymentId, StoreId};
use base::money::Currency;
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::PaymentStatus;
use crate::bytes::HexArray;
use crate::dispute::NewLimits;
use crate::problem::Code;

/// What a device is asked, for `PublicKeyCredential.parseCreationOptionsFromJSON` or `…parseRequestOptionsFromJSON`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PasskeyRequest {
    /// `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` (Web Authentication level 3).
    pub public_key: serde_json::Value,
    /// From then on the answer is refused.
    pub expires_at: Timestamp,
}

/// What a new device answered: the parts of `RegistrationResponseJSON` that count.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The passkey's identifier.
    pub credential_id: String,
    /// What the browser says about page and challenge.
    pub client_data_json: String,
    /// The public key and what the device says about itself (CBOR).
    pub attestation_object: String,
    /// How a browser reaches it, such as `internal`.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// What a bound device answered: the parts of `AuthenticationResponseJSON` that count. Proves who asks, or approves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The passkey's identifier.
    pub credential_id: String,
    /// What the browser says about page and challenge.
    pub client_data_json: String,
    /// What the device says about itself.
    pub authenticator_data: String,
    /// The device's signature over both.
    pub signature: String,
    /// What the device keeps of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
}

/// `POST /v1/sessions/passkey`. Answers with [`crate::api::Me`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignIn {
    /// The device's answer.
    pub assertion: Assertion,
}

/// `POST /v1/me/passkeys`. Answers with [`Passkey`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// What its owner calls the device; 1 to 64 characters.
    pub name: String,
    /// The new device's answer.
    pub attestation: Attestation,
    /// The approval of a bound device, for a second one.
    #[serde(default)]
    pub approval: Option<Assertion>,
    /// The passcode, where no bound device is left to approve.
    #[serde(default)]
    pub passcode: Option<Secret<String>>,
}

/// A bound device, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its identifier.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// When it was bound.
    pub created_at: Timestamp,
    /// Its approvals count from then on.
    pub approves_from: Timestamp,
    /// When it last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// Something about the account's safety that its owner must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A device was bound.
    DeviceBound,
    /// A device was bound in place of those that are lost.
    DeviceRebound,
    /// A device was taken away.
    DeviceRemoved,
    /// No device approves anything.
    ApprovalsFrozen,
    /// Devices approve again.
    ApprovalsThawed,
    /// Enrolling a face was approved.
    EnrolmentApproved,
    /// Higher limits were approved.
    LimitsRaised,
    /// A payment was approved on a phone.
    PaymentApproved,
    /// A voucher was used at a till without network.
    VoucherUsed,
    /// A trusted helper froze the account.
    HelperFroze,
    /// Customer service froze the account.
    ServiceFroze,
}

/// A JSON object and nothing else: of an enum's parts serde would take an array too, by the order of the fields.
fn object<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<NewLimits, D::Error> {
    let map = serde_json::Map::deserialize(deserializer)?;
    serde_json::from_value(map.into()).map_err(serde::de::Error::custom)
}

/// What the owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyNotice {
    /// What happened.
    pub kind: NoticeKind,
    /// When.
    pub at: Timestamp,
}

/// What a bound device can approve, in every particular.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case", deny_unknown_fields)]
pub enum Approvable {
    /// Enrolling a face.
    Enrolment {},
    /// Binding the device that answers this challenge.
    Device {
        /// What it was asked: the bytes of `public_key.challenge`.
        challenge: HexArray<16>,
    },
    /// These limits.
    Limits {
        /// In minor units.
        #[serde(deserialize_with = "object")]
        limits: NewLimits,
    },
    /// Keeping vouchers for this store on the device that answers.
    Vouchers {
        /// Which.
        store: StoreId,
    },
    /// Closing the account.
    Close {},
    /// This payment, of the payee and amount that it has.
    Payment {
        /// Which.
        payment: PaymentId,
    },
}

/// `POST /v1/enrolments`. Answers with [`crate::api::Enrolment`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolment {
    /// The approval of a bound device; only who has staff's word needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Assertion>,
}

/// `POST /v1/me/limits`. Answers with [`crate::dispute::Limits`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovedLimits {
    /// The limits.
    pub limits: NewLimits,
    /// The approval of a bound device, where a limit is raised and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Assertion>,
}

/// `POST /v1/me/close`. Answers with [`crate::api::Me`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The passcode.
    pub passcode: Secret<String>,
    /// The approval of a bound device, where there is one.
    #[serde(default)]
    pub approval: Option<Assertion>,
}

/// `POST /v1/me/payments/{id}/approve`. Answers with [`ApprovedPayment`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPaymentApproval {
    /// The device's approval of this payment.
    pub approval: Assertion,
}

/// A payment that waits for its payer's word, as the payer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingPayment {
    /// Which.
    pub id: PaymentId,
    /// The payee's public name.
    pub merchant_name: String,
    /// The store's public name.
    pub store_name: String,
    /// What is paid, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// What became of a payment that its payer approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedPayment {
    /// Which.
    pub id: PaymentId,
    /// Where it stands: `paid`, `authorised` or `refused`.
    pub status: PaymentStatus,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Code>,
}
