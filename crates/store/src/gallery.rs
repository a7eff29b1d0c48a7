//! The log of changes to the parties' galleries, and what the resolver looks up.

use base::id::{AccountId, EnrolmentId, RecordId};
use base::party::PartyId;
use base::time::Timestamp;
use payments::enrolment::status_name;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use wire::api::{EnrolmentStatus, Part, QueryKind};
use wire::bytes::HexArray;
use wire::party::{DeletionConfirmation, GalleryChange, GalleryOperation, NewRecord};
use wire::probe::{PartitionLabel, SealedProbe};
use wire::problem::Code;

use crate::Store;
use crate::db::{Kind, Tx};
use crate::error::StoreError;
use crate::membership::{self, Named};
use crate::query_log::{self, Outcome};
use crate::row::{At, Bits, Sequence};

/// What the resolver adds to one template: the record's name and its payment token.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The record's name in the parties' galleries.
    pub record: RecordId,
    /// 16 random bytes, for the parties; here they are kept only until all three have them.
    pub token: HexArray<16>,
    /// SHA-256 of them.
    pub token_sha256: [u8; 32],
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewToken({}, [hidden])", self.record)
    }
}

/// How far the gallery's log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GallerySequence {
    /// The last change that was queued; 0 before the first.
    pub queued: u64,
    /// The last change that all three parties have applied.
    pub applied: u64,
    /// The last one that each party acknowledged, by [`PartyId::index`].
    pub acknowledged: [u64; 3],
}

impl Store {
    /// Changes that `party` has not applied yet, in order, at most `limit`.
    pub fn pending_changes(&self, party: PartyId, limit: u32) -> Result<Vec<GalleryChange>, StoreError> {
        self.read(|tx| {
            let payloads = tx.list(
                "SELECT payload FROM gallery_payloads
                 WHERE party = ?1 AND sequence > (SELECT sequence FROM party_progress WHERE party = ?1) ORDER BY sequence LIMIT ?2",
                (party.number(), limit),
                |row| row.get::<Vec<u8>>(0),
            )?;
            payloads
                .into_iter()
                .map(|payload| {
                    serde_json::from_slice(&payload).map_err(|error| StoreError::Corrupt(format!("a change for {party}: {error}")))
                })
                .collect()
        })
    }

    /// The change `sequence` as `party` gets it; `None` once all three have it.
    pub fn change_for(&self, party: PartyId, sequence: u64) -> Result<Option<GalleryChange>, StoreError> {
        self.read(|tx| {
            let sql = "SELECT payload FROM gallery_payloads WHERE party = ?1 AND sequence = ?2";
            let payload = tx.find(sql, (party.number(), Sequence(sequence)), |row| row.get::<Vec<u8>>(0))?;
            let read = |payload: Vec<u8>| serde_json::from_slice(&payload);
            payload.map(read).transpose().map_err(|error| StoreError::Corrupt(format!("a change for {party}: {error}")))
        })
    }

    /// `party` has applied the change `sequence` and, for a deletion, confirmed it. When all three have, the enrolment
    /// stands (or is deleted), its owner's right-to-know log says so, and the sealed shares are erased here. Again: no
    /// effect. Confirmations must have been verified. Errs with `state_conflict` out of order.
    pub fn acknowledge_change(
        &self,
        party: PartyId,
        sequence: u64,
        deletions: &[DeletionConfirmation],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run_tx("acknowledge_change", |tx| {
            let before = progress(tx, party)?;
            if sequence <= before {
                return Ok(());
            }
            if sequence != before + 1 || sequence > last_sequence(tx)? {
                return Err(Code::StateConflict.into());
            }
            for confirmation in deletions.iter().filter(|confirmation| confirmation.party == party && confirmation.sequence == sequence) {
                store_confirmation(tx, confirmation)?;
            }
            tx.execute("UPDATE party_progress SET sequence = ?2 WHERE party = ?1", (party.number(), Sequence(sequence)))?;
            if all_applied(tx)? >= sequence { complete(tx, sequence, rng, now) } else { Ok(()) }
        })
    }

    /// Queues a change of the gallery as a whole, which brings no shares and takes none; gives its number. In
    /// `gallery_changes` it stands as a deletion of no record.
    pub fn queue_upkeep(&self, operation: &GalleryOperation, now: Timestamp) -> Result<u64, StoreError> {
        assert!(matches!(operation, GalleryOperation::Compact { .. } | GalleryOperation::Refresh { .. }), "it concerns no record");
        self.run_tx("queue_upkeep", |tx| {
            let sequence = last_sequence(tx)? + 1;
            insert_change(tx, sequence, "delete", now)?;
            for party in PartyId::ALL {
                insert_payload(tx, party, &GalleryChange { sequence, operation: operation.clone() })?;
            }
            Ok(sequence)
        })
    }

    /// How far the log is.
    pub fn gallery_sequence(&self) -> Result<GallerySequence, StoreError> {
        self.read(|tx| {
            let mut acknowledged = [0; 3];
            for party in PartyId::ALL {
                acknowledged[party.index()] = progress(tx, party)?;
            }
            Ok(GallerySequence { queued: last_sequence(tx)?, applied: all_applied(tx)?, acknowledged })
        })
    }

    /// How far `party` is: the last change it acknowledged.
    pub fn acknowledged(&self, party: PartyId) -> Result<u64, StoreError> {
        self.read(|tx| progress(tx, party))
    }

    /// Records that a look may be compared with: all, or those in one part.
    pub fn gallery_len(&self, part: Option<&PartitionLabel>) -> Result<u64, StoreError> {
        self.read(|tx| membership::count(tx, part, u64::MAX))
    }

    /// Whose token this is, if the enrolment stands.
    pub fn resolve_token(&self, token: &[u8; 16]) -> Result<Option<AccountId>, StoreError> {
        self.read(|tx| resolve_token(tx, token))
    }
}

/// One template's token and whose it is.
pub(crate) struct OwnedToken<'a> {
    pub(crate) token: &'a NewToken,
    pub(crate) account: AccountId,
    pub(crate) enrolment: EnrolmentId,
    /// The named parts it stands in; one is of its owner's phone.
    pub(crate) parts: Vec<Named>,
}

/// Queues the templates that `probe` holds, in the order of `owned`.
pub(crate) fn queue_enrol(tx: &Tx, probe: &SealedProbe, owned: &[OwnedToken], now: Timestamp) -> Result<(), StoreError> {
    let sequence = last_sequence(tx)? + 1;
    insert_change(tx, sequence, "enrol", now)?;
    for party in PartyId::ALL {
        let records = owned
            .iter()
            .map(|owned| NewRecord {
                record: owned.token.record,
                partitions: owned.parts.iter().map(|(part, _)| *part).collect(),
                token: owned.token.token,
            })
            .collect();
        insert_payload(
            tx,
            party,
            &GalleryChange { sequence, operation: GalleryOperation::Enrol { probe: probe.for_party(party), records } },
        )?;
    }
    for OwnedToken { token, account, enrolment, parts } in owned {
        let of_phone = parts.iter().find(|(_, kind)| *kind == Part::PhoneSuffix);
        let phone_part = of_phone.map(|(part, _)| part.0).expect("every account has a phone");
        tx.execute(
            "INSERT INTO records (id, enrolment, account, token_sha256, phone_part, enrol_sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (Bits(token.record.bits()), Bits(enrolment.bits()), Bits(account.bits()), token.token_sha256, phone_part, Sequence(sequence)),
        )?;
        membership::enter(tx, token.record, parts)?;
    }
    Ok(())
}

/// Queues the destruction of an enrolment's shares.
pub(crate) fn queue_delete(tx: &Tx, account: AccountId, enrolment: EnrolmentId, now: Timestamp) -> Result<(), StoreError> {
    let sequence = last_sequence(tx)? + 1;
    let ids = tx.list(
        "SELECT id FROM records WHERE enrolment = ?1 AND account = ?2 AND delete_sequence IS NULL ORDER BY id",
        (Bits(enrolment.bits()), Bits(account.bits())),
        |row| row.get::<Bits>(0),
    )?;
    let records: Vec<RecordId> = ids.into_iter().map(|bits| RecordId::from_bits(bits.0)).collect();
    insert_change(tx, sequence, "delete", now)?;
    for party in PartyId::ALL {
        insert_payload(tx, party, &GalleryChange { sequence, operation: GalleryOperation::Delete { records: records.clone() } })?;
    }
    tx.execute(
        "UPDATE records SET delete_sequence = ?2 WHERE enrolment = ?1 AND delete_sequence IS NULL",
        (Bits(enrolment.bits()), Sequence(sequence)),
    )?;
    Ok(())
}

/// Whose a token is; found by 24 bytes of its hash.
const TOKEN: Kind<Option<TokenOwner>> = Kind::new("token", &["records", "enrolments"]);

/// Whose a payment token is, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenOwner {
    pub(crate) account: AccountId,
    /// Whether the enrolment stands: only then may anybody pay with it.
    pub(crate) stands: bool,
}

fn half<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes[..N].try_into().expect("a hash is long enough")
}

/// Whose token this is or was.
pub(crate) fn owner_of_token(tx: &Tx, token: &[u8; 16]) -> Result<Option<TokenOwner>, StoreError> {
    let token_sha256: [u8; 32] = Sha256::digest(token).into();
    let (first, second) = token_sha256.split_at(16);
    let key = (u64::from_be_bytes(half(first)), u128::from_be_bytes(half(second)));
    let sql = "SELECT r.account, CASE e.status WHEN 'enrolled' THEN 1 ELSE 0 END
         FROM records r JOIN enrolments e ON e.id = r.enrolment WHERE r.token_sha256 = ?1";
    let owner = tx.recall_row(&TOKEN, key, sql, [token_sha256], |row| {
        Ok(TokenOwner { account: AccountId::from_bits(row.get::<Bits>(0)?.0), stands: row.get::<i64>(1)? == 1 })
    })?;
    Ok(owner)
}

/// Whose token this is, if the enrolment stands.
pub(crate) fn resolve_token(tx: &Tx, token: &[u8; 16]) -> Result<Option<AccountId>, StoreError> {
    Ok(owner_of_token(tx, token)?.filter(|owner| owner.stands).map(|owner| owner.account))
}

/// Whether a probe with this nonce was taken before.
pub(crate) fn nonce_used(tx: &Tx, nonce: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.find("SELECT 1 FROM used_nonces WHERE nonce = ?1", [nonce], |_| Ok(()))?.is_some())
}

/// From now on a probe with this nonce is a replay.
pub(crate) fn use_nonce(tx: &Tx, nonce: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    tx.put("INSERT INTO used_nonces (nonce, used_at) VALUES (?1, ?2)", (nonce, At(now)))?;
    Ok(())
}

/// All three parties have applied the change: what it was for is done, and its payload is erased.
fn complete(tx: &Tx, sequence: u64, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE gallery_changes SET applied_at = ?2 WHERE sequence = ?1", (Sequence(sequence), At(now)))?;
    tx.execute("DELETE FROM gallery_payloads WHERE sequence = ?1", [Sequence(sequence)])?;
    for (enrolment, account) in enrolments_of(tx, "enrol_sequence", sequence)? {
        // One that is being deleted stays so; it was held all the same, and its owner may know.
        tx.execute(
            "UPDATE enrolments SET status = ?2, enrolled_at = ?3 WHERE id = ?1 AND status = ?4",
            (Bits(enrolment.bits()), status_name(EnrolmentStatus::Enrolled), At(now), status_name(EnrolmentStatus::Storing)),
        )?;
        query_log::record(tx, account, QueryKind::Enrolment, Outcome::OfKind, rng, now)?;
    }
    for (enrolment, account) in enrolments_of(tx, "delete_sequence", sequence)? {
        tx.execute("UPDATE records SET destroyed_at = ?2 WHERE delete_sequence = ?1", (Sequence(sequence), At(now)))?;
        tx.execute(
            "UPDATE enrolments SET status = ?2, deleted_at = ?3 WHERE id = ?1",
            (Bits(enrolment.bits()), status_name(EnrolmentStatus::Deleted), At(now)),
        )?;
        query_log::record(tx, account, QueryKind::Deletion, Outcome::OfKind, rng, now)?;
    }
    membership::complete(tx, sequence)
}

fn enrolments_of(tx: &Tx, column: &'static str, sequence: u64) -> Result<Vec<(EnrolmentId, AccountId)>, StoreError> {
    let rows = tx.list(&format!("SELECT DISTINCT enrolment, account FROM records WHERE {column} = ?1"), [Sequence(sequence)], |row| {
        Ok((EnrolmentId::from_bits(row.get::<Bits>(0)?.0), AccountId::from_bits(row.get::<Bits>(1)?.0)))
    })?;
    Ok(rows)
}

fn store_confirmation(tx: &Tx, confirmation: &DeletionConfirmation) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO deletion_confirmations (record, party, sequence, destroyed_at, signature)
         SELECT id, ?2, ?3, ?4, ?5 FROM records WHERE id = ?1 AND delete_sequence = ?3 ON CONFLICT DO NOTHING",
        (
            Bits(confirmation.record.bits()),
            confirmation.party.number(),
            Sequence(confirmation.sequence),
            At(confirmation.destroyed_at),
            confirmation.signature.0,
        ),
    )?;
    Ok(())
}

pub(crate) fn last_sequence(tx: &Tx) -> Result<u64, StoreError> {
    Ok(tx.one("SELECT coalesce(max(sequence), 0) FROM gallery_changes", (), |row| row.get::<Sequence>(0))?.0)
}

fn all_applied(tx: &Tx) -> Result<u64, StoreError> {
    Ok(tx.one("SELECT min(sequence) FROM party_progress", (), |row| row.get::<Sequence>(0))?.0)
}

fn progress(tx: &Tx, party: PartyId) -> Result<u64, StoreError> {
    Ok(tx.one("SELECT sequence FROM party_progress WHERE party = ?1", [party.number()], |row| row.get::<Sequence>(0))?.0)
}

pub(crate) fn insert_change(tx: &Tx, sequence: u64, kind: &'static str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("INSERT INTO gallery_changes (sequence, kind, queued_at) VALUES (?1, ?2, ?3)", (Sequence(sequence), kind, At(now)))?;
    Ok(())
}

pub(crate) fn insert_payload(tx: &Tx, party: PartyId, change: &GalleryChange) -> Result<(), StoreError> {
    let payload = serde_json::to_vec(change).expect("the wire's types have only text keys and finite numbers");
    tx.execute(
        "INSERT INTO gallery_payloads (sequence, party, payload) VALUES (?1, ?2, ?3)",
        (Sequence(change.sequence), party.number(), payload),
    )?;
    Ok(())
}
