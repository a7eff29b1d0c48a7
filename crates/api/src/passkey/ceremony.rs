//! The two ceremonies of Web Authentication (level 3, sections 7.1 and 7.2) as functions: what to ask, and whether an answer
//! holds for the page, the domain, the challenge, the key and the person in front of the device (user verification). No
//! attestation is asked for: any device's own authenticator will do.

use payments::passkey::{HANDLE_LEN, Subject};
use serde_json::{Value, json};
use store::passkey::{Answered, Credential, Reached, Registered};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::request::{AsciiDomain, RpId};
use webauthn_rp::response::auth::DiscoverableAuthentication;
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::error::RegCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthenticationServerState, DiscoverableCredentialRequestOptions,
    PublicKeyCredentialCreationOptions, Registration, RegistrationServerState,
};
use wire::passkey::{Assertion, Attestation};
use wire::problem::Code;

use super::base64url;
use crate::problem::{Answer, Refused};

/// Where passkeys hold (WebAuthn's *relying party*).
#[derive(Debug)]
pub struct RelyingParty {
    id: RpId,
    origins: Vec<String>,
}

/// A domain or an origin that passkeys cannot hold at. Whoever configures the platform can mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "passkeys cannot hold at {0}: the domain is a name such as localhost or pay.example.com, not an address in numbers, and each \
         origin is of it, such as https://pay.example.com; plain http is for localhost only"
)]
pub struct RelyingPartyError(String);

/// What a device is asked.
#[derive(Debug)]
pub struct Asked {
    /// The random bytes that it signs.
    pub challenge: [u8; 16],
    /// The browser's options, as JSON.
    pub public_key: Value,
    /// What the answer is verified with.
    pub state: Vec<u8>,
}

type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

impl RelyingParty {
    /// Passkeys of `domain` (the *RP ID*), used from pages of `origins`.
    ///
    /// # Errors
    /// [`RelyingPartyError`].
    pub fn new(domain: &str, origins: Vec<String>) -> Result<Self, RelyingPartyError> {
        let is_address = domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let id = AsciiDomain::try_from(domain.to_owned()).ok().filter(|_| !is_address);
        let id = RpId::Domain(id.ok_or_else(|| RelyingPartyError(domain.into()))?);
        match origins.iter().find(|origin| !is_of(domain, origin)) {
            Some(origin) => Err(RelyingPartyError(origin.clone())),
            None => Ok(Self { id, origins }),
        }
    }

    /// What a new device of `subject` is asked; one of `bound` refuses.
    pub(super) fn ask_to_register(&self, subject: Subject, name: &str, display_name: &str, bound: &[Reached]) -> Answer<Asked> {
        let id = handle(subject);
        let user = PublicKeyCredentialUserEntity {
            name: Username::try_from(name).map_err(|_| Code::Internal)?,
            id: &id,
            // A name that the profile of RFC 8266 does not know is not shown.
            display_name: Nickname::try_from(display_name).ok(),
        };
        let mut options = PublicKeyCredentialCreationOptions::first_passkey(&self.id, user);
        // User verification is required each time anyway; asked for, it keeps away every device that does not know the extension.
        options.extensions.cred_protect = CredProtect::None;
        let (server, client) = options.start_ceremony().map_err(|_| Code::Internal)?;
        let mut public_key = serde_json::to_value(&client).map_err(|_| Code::Internal)?;
        public_key["excludeCredentials"] = descriptors(bound);
        // Wished for, not demanded: a device that does not know this protection would refuse, and every use verifies its owner.
        public_key["extensions"]["enforceCredentialProtectionPolicy"] = json!(false);
        asked(public_key, server.encode().ok())
    }

    /// What one of `bound` is asked, or, without any, whichever device of this domain its owner picks.
    pub(super) fn ask_to_answer(&self, bound: &[Reached]) -> Answer<Asked> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.id);
        let (server, client) = options.start_ceremony().map_err(|_| Code::Internal)?;
        let mut public_key = serde_json::to_value(&client).map_err(|_| Code::Internal)?;
        public_key["allowCredentials"] = descriptors(bound);
        asked(public_key, server.encode().ok())
    }

    /// Verifies what a new device answered, with what [`Self::ask_to_register`] kept.
    pub(super) fn verify_registration(&self, challenge: [u8; 16], state: &[u8], given: &Attestation) -> Answer<Registered> {
        let response = json!({
            "clientDataJSON": given.client_data_json,
            "attestationObject": given.attestation_object,
            "transports": given.transports,
        });
        let response = Registration::from_json_relaxed(&credential(&given.credential_id, &response)).map_err(|_| Code::PasskeyInvalid)?;
        // What was kept for signing in is not for binding a device.
        let state = RegistrationServerState::<HANDLE_LEN>::decode(state).map_err(|_| Code::ApprovalMismatch)?;
        let options = RegistrationVerificationOptions::<String, String> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let new = state.verify(&self.id, &response, &options).map_err(|error| match error {
            RegCeremonyErr::OriginMismatch => Code::PasskeyOrigin,
            RegCeremonyErr::Timeout => Code::ApprovalExpired,
            _ => Code::PasskeyInvalid,
        })?;
        Ok(Registered {
            challenge,
            credential: new.id().as_ref().to_vec(),
            public_key: new.static_state().encode().map_err(|_| Code::Internal)?,
            state: new.dynamic_state().encode().unwrap_or_else(|never| match never {}),
            sign_count: new.dynamic_state().sign_count,
            transports: new.transports().encode().unwrap_or_else(|never| match never {}),
        })
    }

    /// Verifies what a bound device answered, with what [`Self::ask_to_answer`] kept and what is known of the passkey.
    pub(super) fn verify_answer(
        &self,
        challenge: [u8; 16],
        state: &[u8],
        id: Vec<u8>,
        known: &Credential,
        given: &Assertion,
    ) -> Answer<Answered> {
        // Where the browser was told which devices may answer, a device need not say whose it is.
        let own_handle = || base64url::write(&known.subject.handle());
        let response = json!({
            "clientDataJSON": given.client_data_json,
            "authenticatorData": given.authenticator_data,
            "signature": given.signature,
            "userHandle": given.user_handle.clone().unwrap_or_else(own_handle),
        });
        let response = DiscoverableAuthentication::<HANDLE_LEN>::from_json_relaxed(&credential(&given.credential_id, &response))
            .map_err(|_| Code::PasskeyInvalid)?;
        let state = DiscoverableAuthenticationServerState::decode(state).map_err(|_| Code::ApprovalMismatch)?;
        let user = handle(known.subject);
        let key = StaticState::<Key>::decode(&known.public_key).map_err(|_| Code::Internal)?;
        let before = DynamicState::decode(known.state).map_err(|_| Code::Internal)?;
        let mut device = AuthenticatedCredential::new(response.raw_id(), &user, key, before).map_err(|_| Code::Internal)?;
        let options = AuthenticationVerificationOptions::<String, String> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        state.verify(&self.id, &response, &mut device, &options).map_err(|error| match error {
            AuthCeremonyErr::OriginMismatch => Code::PasskeyOrigin,
            AuthCeremonyErr::Timeout => Code::ApprovalExpired,
            AuthCeremonyErr::UserHandleMismatch => Code::PasskeyUnknown,
            _ => Code::PasskeyInvalid,
        })?;
        let after = device.dynamic_state();
        let state = after.encode().unwrap_or_else(|never| match never {});
        Ok(Answered { challenge, credential: id, state, sign_count: after.sign_count })
    }
}

/// Whether pages of `origin` may use passkeys of `domain`.
fn is_of(domain: &str, origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let host = rest.split(':').next().unwrap_or(rest);
    let of_domain = host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'));
    of_domain && !rest.contains('/') && (scheme == "https" || (scheme == "http" && host == "localhost"))
}

fn handle(subject: Subject) -> UserHandle<HANDLE_LEN> {
    UserHandle::decode(subject.handle()).unwrap_or_else(|never| match never {})
}

fn descriptors(bound: &[Reached]) -> Value {
    bound.iter().map(|(id, _)| json!({ "type": "public-key", "id": base64url::write(id) })).collect()
}

fn asked(public_key: Value, state: Option<Vec<u8>>) -> Answer<Asked> {
    let challenge = public_key["challenge"].as_str().and_then(base64url::read).and_then(|bytes| bytes.try_into().ok());
    match (challenge, state) {
        (Some(challenge), Some(state)) => Ok(Asked { challenge, public_key, state }),
        _ => Err(Code::Internal.into()),
    }
}

/// A browser's answer as JSON, for the library to parse.
fn credential(id: &str, response: &Value) -> Vec<u8> {
    json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response }).to_string().into_bytes()
}

/// The challenge that a browser says was answered: `passkey_invalid` if it says none.
pub(super) fn challenge_of(client_data_json: &str) -> Answer<[u8; 16]> {
    let read = || {
        let data: Value = serde_json::from_slice(&base64url::read(client_data_json)?).ok()?;
        base64url::read(data["challenge"].as_str()?)?.try_into().ok()
    };
    read().ok_or_else(|| Refused::at(Code::PasskeyInvalid, "client_data_json"))
}

/// The identifier of the passkey that a browser says has answered: `passkey_invalid` if it says none.
pub(super) fn credential_of(assertion: &Assertion) -> Answer<Vec<u8>> {
    base64url::read(&assertion.credential_id).ok_or_else(|| Refused::at(Code::PasskeyInvalid, "credential_id"))
}

#[cfg(test)]
mod tests;
