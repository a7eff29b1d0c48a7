//! `handsel verify-receipt`: what it says and how it ends.

use std::path::Path;
use std::process::Command;

use base::id::RecordId;
use base::party::PartyId;
use base::time::Timestamp;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use wire::bytes::HexArray;
use wire::party::DeletionConfirmation;
use wire::receipt::DeletionReceipt;

fn receipt() -> DeletionReceipt {
    let key = |party: PartyId| SigningKey::from_bytes(&[40 + party.number(); 32]);
    let confirmations = PartyId::ALL.map(|party| {
        let (record, destroyed_at) = (RecordId::from_bits(6), Timestamp::from_millis(1_700_000_000_000));
        let mut confirmation = DeletionConfirmation { party, record, sequence: 3, destroyed_at, signature: HexArray([0; 64]) };
        confirmation.signature = HexArray(key(party).sign(&confirmation.message()).to_bytes());
        confirmation
    });
    DeletionReceipt::new(confirmations.into(), PartyId::ALL.map(|party| HexArray(key(party).verifying_key().to_bytes())))
}

/// Exit status, the object on standard output, and what stands on standard error.
fn verify(file: &Path, more: &[&str]) -> (Option<i32>, Value, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_handsel")).arg("verify-receipt").arg(file).arg("--json").args(more).output().expect("runs");
    let object = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), object, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_receipt_is_checked_without_asking_anybody() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).expect("writes");
        path
    };
    let good = json!(receipt());
    let keys = write("keys", &good["public_keys"]);
    let keys = keys.to_str().expect("text");
    let (status, object, _) = verify(&write("good", &good), &[]);
    assert_eq!((status, &object["valid"], &object["keys_trusted"]), (Some(0), &json!(true), &json!(false)));
    assert_eq!(object["records"][0]["record"], good["confirmations"][0]["record"]);
    assert_eq!(object["key_sha256"].as_array().map(Vec::len), Some(3));
    let (status, object, _) = verify(&write("good", &good), &["--keys", keys]);
    assert_eq!((status, &object["keys_trusted"]), (Some(0), &json!(true)));

    let mut later = good.clone();
    later["confirmations"][1]["destroyed_at"] = json!(1_600_000_000_000_u64);
    let mut signed_by_others = good.clone();
    signed_by_others["public_keys"][2] = signed_by_others["public_keys"][0].clone();
    for (what, value, reason) in
        [("altered", &later, "party 2 did not sign"), ("other keys", &signed_by_others, "not the one that you trust")]
    {
        let (status, object, _) = verify(&write("bad", value), &["--keys", keys]);
        assert_eq!((status, &object["valid"]), (Some(1), &json!(false)), "{what}");
        assert!(object["reason"].as_str().is_some_and(|said| said.contains(reason)), "{what}: {object}");
    }
    for (what, path) in [("no receipt", write("other", &json!({ "hello": 1 }))), ("nothing", folder.path().join("none"))] {
        let (status, object, said) = verify(&path, &[]);
        assert_eq!((status, object), (Some(2), Value::Null), "{what}");
        assert!(said.starts_with("handsel: ") && said.contains(path.to_str().expect("text")), "{what}: {said}");
    }
}
