//! `handsel verify-receipt`: whether a deletion's receipt proves what it says, without asking anybody.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use wire::bytes::HexArray;
use wire::receipt::DeletionReceipt;

use crate::args::VerifyReceiptOptions;
use crate::run::{Failure, context};

/// A receipt has some hundred bytes for each record.
const RECEIPT_LEN_MAX: u64 = 1 << 20;

/// Says whether all three parties signed that the records are gone. Exit status 1 if not.
pub fn run(options: &VerifyReceiptOptions) -> Result<ExitCode, Failure> {
    let receipt: DeletionReceipt = parse(&options.file, "a deletion's receipt, as the wallet downloads it")?;
    let trusted: Option<[HexArray<32>; 3]> = match &options.keys {
        Some(path) => Some(parse(path, "the parties' three keys: a JSON array of three times 64 hexadecimal digits, in their order")?),
        None => None,
    };
    let verified = receipt.verify(trusted.as_ref());
    let fingerprints = receipt.fingerprints();
    if options.json {
        let (records, reason) = match &verified {
            Ok(records) => (json!(records), None),
            Err(reason) => (json!([]), Some(reason.to_string())),
        };
        let object = json!({
            "valid": verified.is_ok(), "reason": reason, "records": records,
            "keys_trusted": trusted.is_some(), "key_sha256": fingerprints,
        });
        println!("{object}");
    } else {
        match &verified {
            Ok(records) => {
                for deleted in records {
                    println!("{}: destroyed by all three parties, change {} of the gallery's log", deleted.record, deleted.sequence);
                }
                if trusted.is_none() {
                    println!("Compare these keys with those that the parties publish, or give them with --keys:");
                    for (party, fingerprint) in (1..).zip(&fingerprints) {
                        println!("  party {party}: SHA-256 {fingerprint}");
                    }
                }
            }
            Err(reason) => println!("The receipt proves nothing: {reason}."),
        }
    }
    Ok(if verified.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let len = fs::metadata(path).map_err(context(path))?.len();
    if len > RECEIPT_LEN_MAX {
        return Err(Failure(format!("{} has {len} bytes; it should be {what}", path.display())));
    }
    let text = fs::read(path).map_err(context(path))?;
    serde_json::from_slice(&text).map_err(|error| Failure(format!("{} cannot be read ({error}); it should be {what}", path.display())))
}
