//! Bodies of requests to the API and the till's agent, and the numbers and names in their paths.

#![no_main]

use base::id::{AccountId, MerchantId, PaymentId, RecordId, TerminalId};
use base::money::Money;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::{api, dispute, merchant};

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(body) = serde_json::from_slice::<T>(bytes) {
        let once = serde_json::to_vec(&body).expect("plain data");
        let body: T = serde_json::from_slice(&once).expect("its own JSON");
        assert_eq!(serde_json::to_vec(&body).expect("plain data"), once);
    }
}

fn id<T: std::str::FromStr + ToString>(text: &str) {
    if let Ok(id) = text.parse::<T>() {
        assert_eq!(id.to_string(), text);
    }
}

fuzz_target!(|bytes: &[u8]| {
    again::<api::NewPayment>(bytes);
    again::<api::NewChallenge>(bytes);
    again::<api::Challenge>(bytes);
    let _ = serde_json::from_slice::<api::Passcode>(bytes);
    again::<api::NewCapture>(bytes);
    again::<api::NewRefund>(bytes);
    let _ = serde_json::from_slice::<api::NewAccount>(bytes);
    let _ = serde_json::from_slice::<api::NewDuressPasscode>(bytes);
    let _ = serde_json::from_slice::<api::NewSession>(bytes);
    again::<api::NewConsent>(bytes);
    again::<api::NewTopUp>(bytes);
    again::<dispute::NewDispute>(bytes);
    again::<dispute::NewLimits>(bytes);
    again::<merchant::NewApiKey>(bytes);
    again::<merchant::NewWebhookEndpoint>(bytes);
    again::<merchant::WebhookEndpointChange>(bytes);
    again::<merchant::SimulatedLook>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    id::<AccountId>(text);
    id::<MerchantId>(text);
    id::<PaymentId>(text);
    id::<RecordId>(text);
    id::<TerminalId>(text);
    again::<Money>(bytes);
    if let Some(bytes) = base::hash::unhex(text) {
        assert_eq!(base::hash::hex(&bytes), text.to_lowercase());
    }
});
