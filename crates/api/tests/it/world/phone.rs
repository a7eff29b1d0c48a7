//! A phone: authenticator and browser of the `passkey` crate, so that nobody here has written both sides.

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::encoding::base64url;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use reqwest::Url;
use serde_json::{Value, json};
use wire::passkey::{Assertion, Attestation};

pub type Stored = passkey::types::Passkey;

/// Whoever holds the phone.
struct Finger;

#[async_trait::async_trait]
impl UserValidationMethod for Finger {
    type PasskeyItem = Stored;

    async fn check_user<'a>(&self, _: UiHint<'a, Stored>, _: bool, verification: bool) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence: true, verification })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

type Browser = Client<Option<Stored>, Finger, RustCryptoBackend, public_suffix::PublicSuffixList, ()>;

pub struct Phone {
    browser: Browser,
    /// The page that it is used on.
    pub origin: Url,
    /// Whether fingerprint or face are asked for, whatever the page wants.
    pub verifies: bool,
}

impl Phone {
    /// A new phone at the platform's page, which counts how often it has signed.
    pub fn new() -> Self {
        let mut authenticator = Authenticator::new(Aaguid::new_empty(), None, Finger, RustCryptoBackend);
        authenticator.set_make_credentials_with_signature_counter(true);
        let browser = Client::new(authenticator).allows_insecure_localhost(true);
        Self { browser, origin: "http://localhost:7400".parse().expect("an origin"), verifies: true }
    }

    /// What it keeps: to copy it, and to put it back.
    pub fn stored(&mut self) -> &mut Option<Stored> {
        self.browser.authenticator_mut().store_mut()
    }

    pub async fn register(&mut self, options: &Value) -> Attestation {
        let mut options = options.clone();
        if !self.verifies {
            options["authenticatorSelection"]["userVerification"] = json!("discouraged");
        }
        let options: CredentialCreationOptions = serde_json::from_value(json!({ "publicKey": options })).expect("options of level 3");
        let made = self.browser.register(&self.origin, options, DefaultClientData).await;
        let made = made.expect("the phone makes a passkey");
        Attestation {
            credential_id: made.id,
            client_data_json: base64url(&made.response.client_data_json),
            attestation_object: base64url(&made.response.attestation_object),
            transports: vec!["internal".into()],
        }
    }

    pub async fn answer(&mut self, options: &Value) -> Assertion {
        let mut options = options.clone();
        if !self.verifies {
            options["userVerification"] = json!("discouraged");
        }
        let options: CredentialRequestOptions = serde_json::from_value(json!({ "publicKey": options })).expect("options of level 3");
        let made = self.browser.authenticate(&self.origin, options, DefaultClientData).await;
        let made = made.expect("the phone has a passkey");
        Assertion {
            credential_id: made.id,
            client_data_json: base64url(&made.response.client_data_json),
            authenticator_data: base64url(&made.response.authenticator_data),
            signature: base64url(&made.response.signature),
            user_handle: made.response.user_handle.map(|handle| base64url(&handle)),
        }
    }
}
