//! What a receiver verifies: two signatures over `id.timestamp.body`, one with a shared secret and one with a public key.
//!
//! An endpoint's keys are derived from the platform's own secret, the endpoint and a generation, so that no database holds
//! them: a copy of the store forges nothing.

use base::id::EventId;
use base::id::WebhookEndpointId;
use base::secret::Secret;
use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// One generation of an endpoint's keys.
pub struct Keys {
    shared: Secret<[u8; 32]>,
    pair: SigningKey,
}

impl Keys {
    /// The keys of `endpoint` in its `generation`, from the platform's `master` secret.
    pub fn derive(master: &Secret<[u8; 32]>, endpoint: WebhookEndpointId, generation: u32) -> Self {
        let of = |purpose: &[u8]| {
            let context = [&endpoint.bits().to_be_bytes()[..], &generation.to_be_bytes()].concat();
            tag(master.expose(), &[b"handsel/webhook/", purpose, b"\0", &context])
        };
        Self { shared: Secret::new(of(b"shared")), pair: SigningKey::from_bytes(&of(b"pair")) }
    }

    /// The shared secret as receivers' libraries take it: `whsec_` and Base64.
    pub fn shared_text(&self) -> Secret<String> {
        Secret::new(format!("whsec_{}", Base64::encode_string(self.shared.expose())))
    }

    /// The public key that verifies `v1a` signatures: `whpk_` and Base64.
    pub fn public_text(&self) -> String {
        format!("whpk_{}", Base64::encode_string(self.pair.verifying_key().as_bytes()))
    }

    fn sign(&self, message: &[u8]) -> [String; 2] {
        let shared = tag(self.shared.expose(), &[message]);
        let pair = self.pair.sign(message).to_bytes();
        [format!("v1,{}", Base64::encode_string(&shared)), format!("v1a,{}", Base64::encode_string(&pair))]
    }
}

/// The three headers of one sending, in order `webhook-id`, `webhook-timestamp`, `webhook-signature`. `generations` are all
/// keys that hold at the time: two while they are being changed, so that a receiver may use either.
pub fn headers(generations: &[Keys], id: EventId, timestamp_s: u64, body: &[u8]) -> [(&'static str, String); 3] {
    let message = [format!("{id}.{timestamp_s}.").as_bytes(), body].concat();
    let signatures: Vec<String> = generations.iter().flat_map(|keys| keys.sign(&message)).collect();
    [("webhook-id", id.to_string()), ("webhook-timestamp", timestamp_s.to_string()), ("webhook-signature", signatures.join(" "))]
}

fn tag(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
