//! Passkeys in the API: what the page hands to the browser's Web Authentication, and what it sends back. Byte strings are
//! base64url without padding, as the browser's own JSON has them.

use base::id::PasskeyId;
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

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
