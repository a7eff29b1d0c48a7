//! Decisions about consents as rows: added, never changed.

use base::id::{AccountId, ConsentId};
use payments::consent::{PURPOSES, purpose_name};
use wire::api::{Consent, ConsentPurpose, List};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

const CONSENTS: &str = "SELECT id, purpose, version, text_sha256, granted, decided_at FROM consents WHERE account = ?1";

impl Store {
    /// Every decision of the account about any purpose, newest first, older than `starting_after`; at most `limit`, and at
    /// most 100. `cursor_unknown` if `starting_after` is no decision of it.
    pub fn consents(&self, account: AccountId, starting_after: Option<ConsentId>, limit: u32) -> Result<List<Consent>, StoreError> {
        self.read(|tx| {
            let before = starting_after.map_or(Ok(i64::MAX), |id| sequence_of(tx, account, id))?;
            let limit = limit.clamp(1, LIST_MAX);
            let sql = format!("{CONSENTS} AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3");
            let mut data = tx.list(&sql, (Bits(account.bits()), before, limit + 1), read)?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

/// Adds a decision.
pub(crate) fn insert(tx: &Tx, account: AccountId, consent: &Consent) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO consents (id, account, purpose, version, text_sha256, granted, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            Bits(consent.id.bits()),
            Bits(account.bits()),
            purpose_name(consent.purpose),
            &consent.version,
            consent.text_sha256.0,
            consent.granted,
            At(consent.decided_at),
        ),
    )?;
    Ok(())
}

/// The account's last decision about `purpose`.
pub(crate) fn last(tx: &Tx, account: AccountId, purpose: ConsentPurpose) -> Result<Option<Consent>, StoreError> {
    let sql = format!("{CONSENTS} AND purpose = ?2 ORDER BY sequence DESC LIMIT 1");
    Ok(tx.find(&sql, (Bits(account.bits()), purpose_name(purpose)), read)?)
}

/// The consents that stand: those of each purpose whose last decision was to give it.
pub(crate) fn standing(tx: &Tx, account: AccountId) -> Result<Vec<Consent>, StoreError> {
    let all: Result<Vec<_>, _> = PURPOSES.into_iter().filter_map(|purpose| last(tx, account, purpose).transpose()).collect();
    Ok(all?.into_iter().filter(|consent| consent.granted).collect())
}

fn read(row: &Row) -> Result<Consent, DbError> {
    let purpose = |name: &str| PURPOSES.into_iter().find(|purpose| purpose_name(*purpose) == name);
    Ok(Consent {
        id: ConsentId::from_bits(row.get::<Bits>(0)?.0),
        purpose: row.get::<Name>(1)?.read(purpose)?,
        version: row.get(2)?,
        text_sha256: HexArray(row.get(3)?),
        granted: row.get(4)?,
        decided_at: row.get::<At>(5)?.0,
    })
}

fn sequence_of(tx: &Tx, account: AccountId, id: ConsentId) -> Result<i64, StoreError> {
    let sql = "SELECT sequence FROM consents WHERE account = ?1 AND id = ?2";
    tx.find(sql, (Bits(account.bits()), Bits(id.bits())), |row| row.get(0))?.ok_or(Code::CursorUnknown.into())
}
