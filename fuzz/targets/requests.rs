//! Control messages between platform and parties, as JSON: whatever is read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::party::{PartyRequest, PartyResponse};

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(bytes) {
        let once = serde_json::to_vec(&message).expect("plain data");
        let message: T = serde_json::from_slice(&once).expect("its own JSON");
        assert_eq!(serde_json::to_vec(&message).expect("plain data"), once);
    }
}

fuzz_target!(|bytes: &[u8]| {
    again::<PartyRequest>(bytes);
    again::<PartyResponse>(bytes);
});
