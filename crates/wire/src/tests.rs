//! Outside bytes: whatever comes in, reading it ends in a value or an error.

use proptest::prelude::*;

use crate::api::{NewAccount, NewConsent, NewPayment, NewRefund, Passcode};
use crate::party::{PartyRequest, PartyResponse};
use crate::probe::{SealedProbe, SealedShare};
use crate::seal;

fn read_as_everything(bytes: &[u8]) {
    let _ = serde_json::from_slice::<SealedProbe>(bytes);
    let _ = serde_json::from_slice::<PartyRequest>(bytes);
    let _ = serde_json::from_slice::<PartyResponse>(bytes);
    let _ = serde_json::from_slice::<NewPayment>(bytes);
    let _ = serde_json::from_slice::<NewRefund>(bytes);
    let _ = serde_json::from_slice::<NewAccount>(bytes);
    let _ = serde_json::from_slice::<NewConsent>(bytes);
    let _ = serde_json::from_slice::<Passcode>(bytes);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(text in r#"[\[\]{}":,0-9a-f_ntr -]{0,200}"#) {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn any_sealed_share_opens_or_is_refused(key in any::<[u8; 32]>(), encapsulated in proptest::collection::vec(any::<u8>(), 0..1200), ciphertext in proptest::collection::vec(any::<u8>(), 0..64)) {
        let sealed = SealedShare { encapsulated_key: crate::bytes::HexBytes(encapsulated), ciphertext: crate::bytes::HexBytes(ciphertext) };
        prop_assert!(seal::open(&key, b"context", &sealed).is_err());
    }
}

#[test]
fn secrets_do_not_print() {
    let account: NewAccount = serde_json::from_str(r#"{"name":"Li Na","phone":"13912345678","passcode":"740291"}"#).expect("reads");
    let printed = format!("{account:?}");
    for secret in ["Li Na", "13912345678", "740291"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn unknown_fields_are_refused_so_that_nothing_is_misread() {
    assert!(serde_json::from_str::<NewPayment>(r#"{"amount_minor":100,"currency":"CNY"}"#).is_ok());
    for text in [
        r#"{"amount_minor":100,"currency":"CNY","amount":1}"#,
        r#"{"amount_minor":100.5,"currency":"CNY"}"#,
        r#"{"amount_minor":"100","currency":"CNY"}"#,
        r#"{"amount_minor":100,"currency":"EUR"}"#,
        r#"{"amount_minor":9223372036854775808,"currency":"CNY"}"#,
    ] {
        assert!(serde_json::from_str::<NewPayment>(text).is_err(), "{text}");
    }
}
