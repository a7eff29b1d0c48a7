//! A probe: what a terminal sends after a look. One sealed share for each party, all bound to one context and signed
//! with the terminal's device key.

use base::hash::hash_parts;
use base::id::TerminalId;
use base::party::PartyId;
use base::time::Timestamp;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::bytes::{HexArray, HexBytes};

/// What a probe may be used for. A party refuses a probe whose purpose is not the one it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Put the templates into the gallery.
    Enrol,
    /// Identify the payer of one payment.
    Pay,
}

/// An opaque name of a part of the gallery: an HMAC that only the platform can make, so that a party learns neither
/// phone digits nor shops.
pub type PartitionLabel = HexArray<16>;

/// Everything that a probe is bound to: associated data of each sealed share, and part of what the terminal signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeContext {
    /// What the probe may be used for.
    pub purpose: Purpose,
    /// The payment or the enrolment this probe belongs to, as its identifier's text.
    pub reference: String,
    /// The payee's merchant identifier; empty at enrolment.
    pub payee: String,
    /// The amount in minor units; 0 at enrolment.
    pub amount_minor: i64,
    /// ISO 4217 code; empty at enrolment.
    pub currency: String,
    /// The challenge's nonce, used once.
    pub nonce: HexArray<32>,
    /// When the platform issued the challenge.
    pub issued_at: Timestamp,
    /// After this time parties refuse the probe.
    pub expires_at: Timestamp,
    /// The terminal that looked.
    pub terminal: TerminalId,
    /// The terminal's own counter: grows with every probe, so a copy of an old one is seen.
    pub counter: u64,
    /// The part of the gallery to search; `None` searches all of it.
    pub partition: Option<PartitionLabel>,
    /// Templates in each sealed share: 1 for a payment.
    pub templates: u32,
    /// Features per template, at most 1,024.
    pub dimensions: u16,
}

impl ProbeContext {
    /// One unambiguous byte string: a hash over every field, each behind its length.
    pub fn digest(&self) -> [u8; 32] {
        let purpose: &[u8] = match self.purpose {
            Purpose::Enrol => b"enrol",
            Purpose::Pay => b"pay",
        };
        let partition: &[u8] = self.partition.as_ref().map_or(&[], |label| &label.0);
        hash_parts(
            "handsel/probe-context/v1",
            &[
                purpose,
                self.reference.as_bytes(),
                self.payee.as_bytes(),
                &self.amount_minor.to_le_bytes(),
                self.currency.as_bytes(),
                &self.nonce.0,
                &self.issued_at.millis().to_le_bytes(),
                &self.expires_at.millis().to_le_bytes(),
                &self.terminal.bits().to_le_bytes(),
                &self.counter.to_le_bytes(),
                partition,
                &self.templates.to_le_bytes(),
                &self.dimensions.to_le_bytes(),
            ],
        )
    }

    /// The associated data of the share sealed to `party`.
    pub fn associated_data(&self, party: PartyId) -> [u8; 33] {
        let mut bytes = [party.number(); 33];
        bytes[..32].copy_from_slice(&self.digest());
        bytes
    }
}

/// A share sealed to one party with HPKE (RFC 9180, base mode): only that party's key opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedShare {
    /// The encapsulated key.
    pub encapsulated_key: HexBytes,
    /// The share, encrypted and authenticated together with the context.
    pub ciphertext: HexBytes,
}

impl SealedShare {
    /// SHA-256 of both parts, for the terminal's signature.
    pub fn digest(&self) -> [u8; 32] {
        hash_parts("handsel/sealed-share/v1", &[&self.encapsulated_key.0, &self.ciphertext.0])
    }
}

/// A whole probe, as the terminal hands it to the platform. The platform can open none of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedProbe {
    /// What the probe is bound to.
    pub context: ProbeContext,
    /// One share for each party, in order.
    pub sealed: [SealedShare; 3],
    /// Ed25519 (RFC 8032) by the terminal's device key.
    pub signature: HexArray<64>,
}

/// What one party gets of a probe: its own share, and the digests of the other two so that the signature verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeForParty {
    /// What the probe is bound to.
    pub context: ProbeContext,
    /// This party's share.
    pub sealed: SealedShare,
    /// Digests of all three sealed shares, in order.
    pub digests: [HexArray<32>; 3],
    /// The terminal's signature.
    pub signature: HexArray<64>,
}

/// The terminal's signature does not cover this probe: it was altered on the way, or another device made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terminal's signature does not fit this probe")]
pub struct SignatureInvalid;

fn signed_message(context: &ProbeContext, digests: &[HexArray<32>; 3]) -> [u8; 32] {
    hash_parts("handsel/probe/v1", &[&context.digest(), &digests[0].0, &digests[1].0, &digests[2].0])
}

impl SealedProbe {
    /// Signs `sealed` and `context` with the terminal's device key.
    pub fn sign(context: ProbeContext, sealed: [SealedShare; 3], device_key: &SigningKey) -> Self {
        let digests = digests_of(&sealed);
        let signature = device_key.sign(&signed_message(&context, &digests));
        Self { context, sealed, signature: HexArray(signature.to_bytes()) }
    }

    /// Checks the terminal's signature.
    pub fn verify(&self, device_key: &VerifyingKey) -> Result<(), SignatureInvalid> {
        verify(&self.context, &digests_of(&self.sealed), &self.signature, device_key)
    }

    /// The part of the probe that goes to `party`.
    pub fn for_party(&self, party: PartyId) -> ProbeForParty {
        ProbeForParty {
            context: self.context.clone(),
            sealed: self.sealed[party.index()].clone(),
            digests: digests_of(&self.sealed),
            signature: self.signature,
        }
    }
}

impl ProbeForParty {
    /// Checks that the share handed over is the one the terminal signed for `party`, and the signature.
    pub fn verify(&self, party: PartyId, device_key: &VerifyingKey) -> Result<(), SignatureInvalid> {
        if self.sealed.digest() != self.digests[party.index()].0 {
            return Err(SignatureInvalid);
        }
        verify(&self.context, &self.digests, &self.signature, device_key)
    }

    /// What the three parties compare before they compute: equal exactly when all hold parts of the same probe.
    pub fn digest(&self) -> [u8; 32] {
        hash_parts("handsel/probe-digest/v1", &[&signed_message(&self.context, &self.digests), &self.signature.0])
    }
}

fn digests_of(sealed: &[SealedShare; 3]) -> [HexArray<32>; 3] {
    [HexArray(sealed[0].digest()), HexArray(sealed[1].digest()), HexArray(sealed[2].digest())]
}

fn verify(
    context: &ProbeContext,
    digests: &[HexArray<32>; 3],
    signature: &HexArray<64>,
    key: &VerifyingKey,
) -> Result<(), SignatureInvalid> {
    key.verify_strict(&signed_message(context, digests), &Signature::from_bytes(&signature.0)).map_err(|_| SignatureInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> ProbeContext {
        ProbeContext {
            purpose: Purpose::Pay,
            reference: "pay_00000000000000000000000001".into(),
            payee: "mer_00000000000000000000000001".into(),
            amount_minor: 3650,
            currency: "CNY".into(),
            nonce: HexArray([7; 32]),
            issued_at: Timestamp::from_millis(1_000),
            expires_at: Timestamp::from_millis(31_000),
            terminal: TerminalId::from_bits(5),
            counter: 9,
            partition: None,
            templates: 1,
            dimensions: 128,
        }
    }

    /// What it is called, and how it is done.
    type Alteration = (&'static str, fn(&mut SealedProbe));

    /// Each row alters one thing that the terminal signed.
    #[test]
    fn nothing_that_was_signed_can_be_altered() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let share = |byte| SealedShare { encapsulated_key: HexBytes(vec![byte; 4]), ciphertext: HexBytes(vec![byte; 9]) };
        let probe = SealedProbe::sign(context(), [share(1), share(2), share(3)], &key);
        assert_eq!(probe.verify(&key.verifying_key()), Ok(()));
        for party in PartyId::ALL {
            assert_eq!(probe.for_party(party).verify(party, &key.verifying_key()), Ok(()));
            assert_eq!(probe.for_party(party).verify(party.next(), &key.verifying_key()), Err(SignatureInvalid));
        }
        let alterations: [Alteration; 14] = [
            ("purpose", |probe| probe.context.purpose = Purpose::Enrol),
            ("reference", |probe| probe.context.reference.push('0')),
            ("payee", |probe| probe.context.payee.clear()),
            ("amount", |probe| probe.context.amount_minor += 1),
            ("currency", |probe| probe.context.currency = "USD".into()),
            ("nonce", |probe| probe.context.nonce.0[31] ^= 1),
            ("issued", |probe| probe.context.issued_at = Timestamp::from_millis(1)),
            ("expires", |probe| probe.context.expires_at = Timestamp::from_millis(u64::MAX)),
            ("terminal", |probe| probe.context.terminal = TerminalId::from_bits(6)),
            ("counter", |probe| probe.context.counter += 1),
            ("partition", |probe| probe.context.partition = Some(HexArray([0; 16]))),
            ("templates", |probe| probe.context.templates = 2),
            ("share", |probe| probe.sealed[1].ciphertext.0[0] ^= 1),
            ("order", |probe| probe.sealed.swap(0, 2)),
        ];
        for (what, alter) in alterations {
            let mut altered = probe.clone();
            alter(&mut altered);
            assert_eq!(altered.verify(&key.verifying_key()), Err(SignatureInvalid), "{what}");
        }
        let stranger = SigningKey::from_bytes(&[4; 32]);
        assert_eq!(probe.verify(&stranger.verifying_key()), Err(SignatureInvalid));
    }
}
