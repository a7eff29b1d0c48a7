//! The proof of a deletion that its owner keeps: what the three parties signed, in one JSON file that anybody can check
//! without asking anybody.

use base::hash::hex;
use base::id::RecordId;
use base::party::PartyId;
use base::time::Timestamp;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bytes::HexArray;
use crate::party::DeletionConfirmation;

/// What [`DeletionReceipt::format`] is.
pub const FORMAT: &str = "handsel-deletion-receipt/1";

/// All three parties' signed word that they destroyed their shares of some records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionReceipt {
    /// [`FORMAT`].
    pub format: String,
    /// Three for each record, one of each party.
    pub confirmations: Vec<DeletionConfirmation>,
    /// The parties' Ed25519 confirmation keys, in their order. Whoever trusts the receipt compares them with the keys that
    /// the parties publish.
    pub public_keys: [HexArray<32>; 3],
}

/// One record that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletedRecord {
    /// Its name.
    pub record: RecordId,
    /// The change of the log that deleted it.
    pub sequence: u64,
    /// When each party destroyed its share, by its own clock.
    pub destroyed_at: [Timestamp; 3],
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptInvalid {
    /// Another format.
    #[error("the receipt's format is not {FORMAT}")]
    Format,
    /// There is no confirmation in it.
    #[error("the receipt names no record")]
    Empty,
    /// A party's confirmation is not there, or twice.
    #[error("{record} is not confirmed once by each party for one change")]
    Incomplete {
        /// Of which record.
        record: RecordId,
    },
    /// Key in the receipt is not the one that is trusted.
    #[error("the receipt's key of {party} is not the one that you trust")]
    KeyDiffers {
        /// Whose.
        party: PartyId,
    },
    /// No Ed25519 public key.
    #[error("the receipt's key of {party} is no Ed25519 public key")]
    KeyMalformed {
        /// Whose.
        party: PartyId,
    },
    /// The signature does not cover what is said.
    #[error("{party} did not sign what the receipt says about {record}")]
    SignatureInvalid {
        /// Who is said to have signed.
        party: PartyId,
        /// About which record.
        record: RecordId,
    },
}

impl DeletionReceipt {
    /// The receipt of `confirmations`, which were signed with the keys of which these are the public halves.
    pub fn new(confirmations: Vec<DeletionConfirmation>, public_keys: [HexArray<32>; 3]) -> Self {
        Self { format: FORMAT.into(), confirmations, public_keys }
    }

    /// The records that all three parties confirm to have destroyed. With `trusted` keys the receipt's must be those;
    /// without, somebody must compare [`DeletionReceipt::fingerprints`].
    ///
    /// # Errors
    /// [`ReceiptInvalid`], the first that is wrong.
    pub fn verify(&self, trusted: Option<&[HexArray<32>; 3]>) -> Result<Vec<DeletedRecord>, ReceiptInvalid> {
        if self.format != FORMAT {
            return Err(ReceiptInvalid::Format);
        }
        let mut keys = Vec::with_capacity(3);
        for party in PartyId::ALL {
            let key = self.public_keys[party.index()];
            if trusted.is_some_and(|trusted| trusted[party.index()] != key) {
                return Err(ReceiptInvalid::KeyDiffers { party });
            }
            keys.push(VerifyingKey::from_bytes(&key.0).map_err(|_| ReceiptInvalid::KeyMalformed { party })?);
        }
        for confirmation in &self.confirmations {
            let DeletionConfirmation { party, record, signature, .. } = confirmation;
            keys[party.index()]
                .verify_strict(&confirmation.message(), &Signature::from_bytes(&signature.0))
                .map_err(|_| ReceiptInvalid::SignatureInvalid { party: *party, record: *record })?;
        }
        let mut records: Vec<RecordId> = self.confirmations.iter().map(|confirmation| confirmation.record).collect();
        records.sort_unstable();
        records.dedup();
        if records.is_empty() {
            return Err(ReceiptInvalid::Empty);
        }
        records.into_iter().map(|record| self.deleted(record)).collect()
    }

    /// SHA-256 of each party's key, as people compare it.
    pub fn fingerprints(&self) -> [String; 3] {
        self.public_keys.map(|key| hex(&Sha256::digest(key.0)))
    }

    fn deleted(&self, record: RecordId) -> Result<DeletedRecord, ReceiptInvalid> {
        let about: Vec<&DeletionConfirmation> = self.confirmations.iter().filter(|confirmation| confirmation.record == record).collect();
        let of = |party| about.iter().find(|confirmation| confirmation.party == party);
        let incomplete = || ReceiptInvalid::Incomplete { record };
        let [Some(first), Some(second), Some(third)] = PartyId::ALL.map(of) else { return Err(incomplete()) };
        let is_one_change = about.iter().all(|confirmation| confirmation.sequence == first.sequence);
        if about.len() != 3 || !is_one_change {
            return Err(incomplete());
        }
        Ok(DeletedRecord { record, sequence: first.sequence, destroyed_at: [first, second, third].map(|party| party.destroyed_at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    fn key(party: PartyId) -> SigningKey {
        SigningKey::from_bytes(&[party.number(); 32])
    }

    fn confirmation(party: PartyId, record: u128, sequence: u64) -> DeletionConfirmation {
        let destroyed_at = Timestamp::from_millis(1_000 + u64::from(party.number()));
        let mut confirmation =
            DeletionConfirmation { party, record: RecordId::from_bits(record), sequence, destroyed_at, signature: HexArray([0; 64]) };
        confirmation.signature = HexArray(key(party).sign(&confirmation.message()).to_bytes());
        confirmation
    }

    fn receipt() -> DeletionReceipt {
        let confirmations = [5, 6].into_iter().flat_map(|record| PartyId::ALL.map(|party| confirmation(party, record, 9))).collect();
        DeletionReceipt::new(confirmations, PartyId::ALL.map(|party| HexArray(key(party).verifying_key().to_bytes())))
    }

    #[test]
    fn a_whole_receipt_names_its_records() {
        let receipt: DeletionReceipt = serde_json::from_str(&serde_json::to_string(&receipt()).expect("plain data")).expect("reads");
        for trusted in [None, Some(&receipt.public_keys)] {
            let deleted = receipt.verify(trusted).expect("valid");
            assert_eq!(deleted.iter().map(|deleted| (deleted.record.bits(), deleted.sequence)).collect::<Vec<_>>(), [(5, 9), (6, 9)]);
            assert_eq!(deleted[0].destroyed_at.map(|at| at.millis()), [1001, 1002, 1003]);
        }
        assert!(receipt.fingerprints().iter().all(|fingerprint| fingerprint.len() == 64));
    }

    #[test]
    fn whatever_is_altered_is_found() {
        use PartyId::{P1, P2, P3};
        let five = RecordId::from_bits(5);
        let other_keys = [HexArray(key(P1).verifying_key().to_bytes()), HexArray(key(P1).verifying_key().to_bytes()), HexArray([3; 32])];
        type Alter = fn(&mut DeletionReceipt);
        let table: [(&str, Alter, ReceiptInvalid); 8] = [
            ("another format", |receipt| receipt.format.push('x'), ReceiptInvalid::Format),
            ("nothing in it", |receipt| receipt.confirmations.clear(), ReceiptInvalid::Empty),
            ("one is missing", |receipt| receipt.confirmations.truncate(5), ReceiptInvalid::Incomplete { record: RecordId::from_bits(6) }),
            (
                "one twice",
                |receipt| receipt.confirmations.push(receipt.confirmations[0].clone()),
                ReceiptInvalid::Incomplete { record: five },
            ),
            ("of another change", |receipt| receipt.confirmations[2] = confirmation(P3, 5, 8), ReceiptInvalid::Incomplete { record: five }),
            (
                "an earlier time",
                |receipt| receipt.confirmations[1].destroyed_at = Timestamp::from_millis(1),
                ReceiptInvalid::SignatureInvalid { party: P2, record: five },
            ),
            ("another signer", |receipt| receipt.confirmations[0].party = P2, ReceiptInvalid::SignatureInvalid { party: P2, record: five }),
            (
                "another record",
                |receipt| receipt.confirmations[0].record = RecordId::from_bits(7),
                ReceiptInvalid::SignatureInvalid { party: P1, record: RecordId::from_bits(7) },
            ),
        ];
        for (what, alter, expected) in table {
            let mut altered = receipt();
            alter(&mut altered);
            assert_eq!(altered.verify(None), Err(expected), "{what}");
        }
        assert_eq!(receipt().verify(Some(&other_keys)), Err(ReceiptInvalid::KeyDiffers { party: P2 }));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in ".{0,300}", at in 0..2000_usize, byte in any::<u8>()) {
            let _ = serde_json::from_str::<DeletionReceipt>(&text).map(|receipt| receipt.verify(None));
            let mut bytes = serde_json::to_vec(&receipt()).expect("plain data");
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = serde_json::from_slice::<DeletionReceipt>(&bytes).map(|receipt| receipt.verify(None));
        }
    }
}
