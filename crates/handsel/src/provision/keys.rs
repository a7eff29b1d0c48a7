//! The nodes' own keys: made once, each in its node's folder.

use base::party::PartyId;
use base::secret::Secret;
use ed25519_dalek::SigningKey;
use party::identity::Identity;
use rand_core::{Rng, UnwrapErr};
use serde::{Deserialize, Serialize};
use wire::bytes::{HexArray, HexBytes};
use wire::merchant::Mode;

use crate::run::{Failure, failed};

/// A party's own keys.
#[derive(Serialize, Deserialize)]
pub struct PartyKeys {
    pub certificate_pem: String,
    pub private_key_pem: String,
    /// Opens what is sealed to this party.
    pub sealing_key: HexArray<32>,
    pub sealing_public: HexBytes,
    /// Signs that shares were destroyed.
    pub confirmation_key: HexArray<32>,
}

/// The platform's own keys.
#[derive(Serialize, Deserialize)]
pub struct PlatformKeys {
    pub certificate_pem: String,
    pub private_key_pem: String,
    /// Makes the opaque partition labels.
    pub label_secret: HexArray<32>,
    /// Goes into every passcode's hash, so that the database alone does not give passcodes away.
    pub passcode_pepper: HexArray<32>,
}

/// A worker's own keys.
#[derive(Serialize, Deserialize)]
pub struct WorkerKeys {
    pub certificate_pem: String,
    pub private_key_pem: String,
}

/// A terminal's own keys.
#[derive(Serialize, Deserialize)]
pub struct TerminalKeys {
    pub device_key: HexArray<32>,
    pub token: String,
}

/// A merchant's own keys to the API.
#[derive(Serialize, Deserialize)]
pub struct MerchantKeys {
    pub test_key: String,
    pub live_key: String,
}

/// Fresh keys of a merchant.
pub fn new_merchant_keys() -> Result<MerchantKeys, Failure> {
    let key = |mode| format!("{}{}", api::api_key::prefix(mode), base::hash::hex(&random()));
    Ok(MerchantKeys { test_key: key(Mode::Test), live_key: key(Mode::Live) })
}

/// Fresh keys of `party`.
pub fn new_party_keys(party: PartyId) -> Result<PartyKeys, Failure> {
    let identity =
        party::identity::generate(&format!("party{}", party.number())).map_err(failed("a party's certificate cannot be made"))?;
    let (sealing_key, sealing_public) = wire::seal::generate_key_pair(&mut UnwrapErr(getrandom::SysRng));
    Ok(PartyKeys {
        certificate_pem: identity.certificate_pem,
        private_key_pem: identity.private_key_pem.expose().clone(),
        sealing_key: HexArray(*sealing_key),
        sealing_public,
        confirmation_key: HexArray(random()),
    })
}

/// Fresh keys of the platform.
pub fn new_platform_keys() -> Result<PlatformKeys, Failure> {
    let identity = party::identity::generate("platform").map_err(failed("the platform's certificate cannot be made"))?;
    Ok(PlatformKeys {
        certificate_pem: identity.certificate_pem,
        private_key_pem: identity.private_key_pem.expose().clone(),
        label_secret: HexArray(random()),
        passcode_pepper: HexArray(random()),
    })
}

/// Fresh keys of a worker.
pub fn new_worker_keys() -> Result<WorkerKeys, Failure> {
    let identity = party::identity::generate("worker").map_err(failed("the worker's certificate cannot be made"))?;
    Ok(WorkerKeys { certificate_pem: identity.certificate_pem, private_key_pem: identity.private_key_pem.expose().clone() })
}

/// Fresh keys of a terminal.
pub fn new_terminal_keys() -> Result<TerminalKeys, Failure> {
    Ok(TerminalKeys { device_key: HexArray(random()), token: format!("tk_{}", base::hash::hex(&random())) })
}

/// The public half of an Ed25519 key.
pub fn public_half(key: &HexArray<32>) -> HexArray<32> {
    HexArray(SigningKey::from_bytes(&key.0).verifying_key().to_bytes())
}

/// What peers recognise a certificate by.
pub fn pin(certificate_pem: &str) -> HexArray<32> {
    let identity = Identity { certificate_pem: certificate_pem.to_owned(), private_key_pem: Secret::new(String::new()) };
    identity.pin().expect("the certificate was made by this program")
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
    bytes
}
