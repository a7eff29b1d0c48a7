//! Merchants' keys to the API: only a key's hash is kept, and whoever has the database can use none.

use base::id::{ApiKeyId, MerchantId};
use base::time::Timestamp;
use wire::api::List;
use wire::merchant::{ApiKey, Mode};
use wire::problem::Code;

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};

/// A key to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What the merchant calls it.
    pub name: String,
    /// SHA-256 of the key; the key itself is never kept.
    pub secret_sha256: [u8; 32],
    /// The key's last four characters.
    pub hint: String,
}

/// Whom a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    /// The key.
    pub key: ApiKeyId,
    /// Its merchant.
    pub merchant: MerchantId,
}

impl Store {
    /// Registers a key at set-up. The same identifier again replaces its secret.
    pub fn register_api_key(&self, merchant: MerchantId, new: &NewKey, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("register_api_key", |tx| insert(tx, merchant, new, now))
    }

    /// Whose key has this SHA-256, if it has not ended.
    pub fn api_key_by_secret(&self, secret_sha256: &[u8; 32], now: Timestamp) -> Result<Option<KeyOwner>, StoreError> {
        self.read(|tx| {
            let found = tx.find(
                "SELECT id, merchant FROM api_keys WHERE secret_sha256 = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
                (*secret_sha256, At(now)),
                |row| Ok((row.get::<Bits>(0)?.0, row.get::<Bits>(1)?.0)),
            )?;
            Ok(found.map(|(key, merchant)| KeyOwner { key: ApiKeyId::from_bits(key), merchant: MerchantId::from_bits(merchant) }))
        })
    }

    /// Notes that a key was used. Call it at most once a minute for each.
    pub fn note_key_use(&self, key: ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("note_key_use", |tx| {
            tx.execute("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1", (Bits(key.bits()), At(now)))?;
            Ok(())
        })
    }

    /// Makes a key: 201 with [`ApiKey`], without its secret, which is the caller's to show once.
    pub fn create_api_key(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        mode: Mode,
        new: &NewKey,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("create_api_key", idempotency, Keep::Day, now, |tx| {
            insert(tx, merchant, new, now)?;
            Ok(Answer::of(201, &load(tx, merchant, mode, new.id, now)?))
        })
    }

    /// Makes a key in place of another, which ends after `overlap_ms`: 201 with the new [`ApiKey`], or `not_found` if the
    /// old one has ended.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that a rotation needs")]
    pub fn rotate_api_key(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        mode: Mode,
        old: ApiKeyId,
        new: &NewKey,
        overlap_ms: u64,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("rotate_api_key", idempotency, Keep::Day, now, |tx| {
            let before = load(tx, merchant, mode, old, now)?;
            end(tx, old, now.plus_millis(overlap_ms), before.expires_at)?;
            insert(tx, merchant, &NewKey { name: before.name, ..new.clone() }, now)?;
            Ok(Answer::of(201, &load(tx, merchant, mode, new.id, now)?))
        })
    }

    /// Ends a key at once, or `not_found`.
    pub fn revoke_api_key(&self, merchant: MerchantId, mode: Mode, key: ApiKeyId, now: Timestamp) -> Result<ApiKey, StoreError> {
        self.run_tx("revoke_api_key", |tx| {
            let before = load(tx, merchant, mode, key, now)?;
            end(tx, key, now, before.expires_at)?;
            Ok(ApiKey { expires_at: Some(now), ..before })
        })
    }

    /// The merchant's keys that have not ended, newest first, older than `starting_after`.
    pub fn api_keys(
        &self,
        merchant: MerchantId,
        mode: Mode,
        starting_after: Option<ApiKeyId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<List<ApiKey>, StoreError> {
        let limit = limit.clamp(1, LIST_MAX);
        let before = starting_after.map_or(u128::MAX, ApiKeyId::bits);
        self.read(|tx| {
            let mut data = tx.list(
                &format!("{KEYS} WHERE merchant = ?1 AND id < ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id DESC LIMIT ?4"),
                (Bits(merchant.bits()), Bits(before), At(now), limit + 1),
                |row| read(row, mode),
            )?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

const KEYS: &str = "SELECT id, merchant, name, hint, created_at, last_used_at, expires_at FROM api_keys";

fn insert(tx: &Tx, merchant: MerchantId, new: &NewKey, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO api_keys (id, merchant, name, secret_sha256, hint, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET secret_sha256 = excluded.secret_sha256, hint = excluded.hint",
        (Bits(new.id.bits()), Bits(merchant.bits()), &new.name, new.secret_sha256, &new.hint, At(now)),
    )?;
    Ok(())
}

/// Lets a key end at `at`, or before if it was to.
fn end(tx: &Tx, key: ApiKeyId, at: Timestamp, expires_at: Option<Timestamp>) -> Result<(), StoreError> {
    let at = expires_at.map_or(at, |before| before.min(at));
    tx.execute("UPDATE api_keys SET expires_at = ?2 WHERE id = ?1", (Bits(key.bits()), At(at)))?;
    Ok(())
}

/// A key of `merchant` that has not ended, or `not_found`.
fn load(tx: &Tx, merchant: MerchantId, mode: Mode, key: ApiKeyId, now: Timestamp) -> Result<ApiKey, StoreError> {
    let found = tx.find(
        &format!("{KEYS} WHERE id = ?1 AND merchant = ?2 AND (expires_at IS NULL OR expires_at > ?3)"),
        (Bits(key.bits()), Bits(merchant.bits()), At(now)),
        |row| read(row, mode),
    )?;
    found.ok_or(Code::NotFound.into())
}

fn read(row: &Row, mode: Mode) -> Result<ApiKey, DbError> {
    Ok(ApiKey {
        id: ApiKeyId::from_bits(row.get::<Bits>(0)?.0),
        merchant: MerchantId::from_bits(row.get::<Bits>(1)?.0),
        mode,
        name: row.get(2)?,
        hint: row.get(3)?,
        created_at: row.get::<At>(4)?.0,
        last_used_at: row.get::<Option<At>>(5)?.map(|at| at.0),
        expires_at: row.get::<Option<At>>(6)?.map(|at| at.0),
        secret: None,
    })
}
