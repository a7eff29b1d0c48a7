//! Probes as a till makes them: signature, context, sealed shares.

#![no_main]

use base::party::PartyId;
use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use wire::probe::{ProbeForParty, SealedProbe};
use wire::seal;

fuzz_target!(|bytes: &[u8]| {
    let device = SigningKey::from_bytes(&[3; 32]);
    if let Ok(probe) = serde_json::from_slice::<SealedProbe>(bytes) {
        let is_signed = probe.verify(&device.verifying_key()).is_ok();
        for party in PartyId::ALL {
            let part = probe.for_party(party);
            assert_eq!(part.verify(party, &device.verifying_key()).is_ok(), is_signed, "a party and the platform see the same");
            let _ = seal::open(&[5; 32], &part.context.associated_data(party), &part.sealed);
        }
        let probe = SealedProbe::sign(probe.context, probe.sealed, &device);
        assert!(probe.verify(&device.verifying_key()).is_ok());
    }
    if let Ok(part) = serde_json::from_slice::<ProbeForParty>(bytes) {
        let _ = (part.digest(), part.verify(PartyId::P2, &device.verifying_key()));
    }
});
