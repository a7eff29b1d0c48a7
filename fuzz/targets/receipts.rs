//! What people outside verify: receipts of deletions and exports of the ledger.

#![no_main]

use ledger::export;
use libfuzzer_sys::fuzz_target;
use wire::receipt::DeletionReceipt;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = serde_json::from_slice::<DeletionReceipt>(bytes) {
        let _ = (receipt.verify(None), receipt.verify(Some(&receipt.public_keys)), receipt.fingerprints());
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(verified) = export::verify(text, None)
    {
        assert_eq!(export::verify(text, Some(verified.head)), Ok(verified), "it holds its own head");
    }
});
