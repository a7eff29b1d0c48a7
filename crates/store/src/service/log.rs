//! The log of what customer service saw and did. Lines are added; the database refuses to change or delete one.

use base::id::{AccountId, ClerkId, ServiceEntryId};
use base::time::Timestamp;
use payments::service::{ACTS, REASONS, act_name, reason_name};
use wire::api::List;
use wire::problem::Code;
use wire::service::{FreezeReason, ServiceAct, ServiceEntry};

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identifier.
    pub id: ServiceEntryId,
    /// Who.
    pub clerk: ClerkId,
    /// What.
    pub act: ServiceAct,
    /// By what; empty for what was no reference.
    pub reference: String,
    /// Whose case; none where nobody was recognised or there is no such case.
    pub account: Option<AccountId>,
    /// Why it was frozen.
    pub reason: Option<FreezeReason>,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// What customer service saw and did of the account, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn service_log(
        &self,
        account: AccountId,
        starting_after: Option<ServiceEntryId>,
        limit: u32,
    ) -> Result<List<ServiceEntry>, StoreError> {
        self.read(|tx| {
            let (before, limit) = (starting_after.map_or(u128::MAX, ServiceEntryId::bits), limit.clamp(1, LIST_MAX));
            let sql = format!("{LINES} WHERE account = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
            let mut lines = tx.list(&sql, (Bits(account.bits()), Bits(before), limit + 1), read)?;
            let has_more = lines.len() > limit as usize;
            lines.truncate(limit as usize);
            let entry = |Line { id, clerk, act, reference, reason, at, .. }| ServiceEntry { id, at, act, clerk, reference, reason };
            Ok(List { data: lines.into_iter().map(entry).collect(), has_more })
        })
    }

    /// Every line, oldest first, in calls of `each` with some at a time.
    pub fn each_service_line(&self, mut each: impl FnMut(Vec<Line>)) -> Result<(), StoreError> {
        let mut after = Bits(0);
        loop {
            let sql = format!("{LINES} WHERE id > ?1 ORDER BY id LIMIT ?2");
            let lines = self.read(|tx| Ok(tx.list(&sql, (after, LIST_MAX), read)?))?;
            let Some(last) = lines.last() else { return Ok(()) };
            after = Bits(last.id.bits());
            each(lines);
        }
    }
}

/// Adds a line.
pub(super) fn add(tx: &Tx, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO service_log (id, clerk, act, reference, account, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            Bits(line.id.bits()),
            Bits(line.clerk.bits()),
            act_name(line.act),
            &line.reference,
            line.account.map(|account| Bits(account.bits())),
            line.reason.map(reason_name),
            At(line.at),
        ),
    )?;
    Ok(())
}

/// The look-up of this identifier, if this clerk made it, or `not_found`.
pub(super) fn look_up(tx: &Tx, clerk: ClerkId, id: ServiceEntryId) -> Result<Line, StoreError> {
    let sql = format!("{LINES} WHERE id = ?1 AND clerk = ?2 AND act = 'look_up'");
    tx.find(&sql, (Bits(id.bits()), Bits(clerk.bits())), read)?.ok_or(Code::NotFound.into())
}

/// How many cases the clerk looked up after `since`.
pub(super) fn look_ups_since(tx: &Tx, clerk: ClerkId, since: Timestamp) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM service_log WHERE clerk = ?1 AND at > ?2 AND act = 'look_up'";
    let count: i64 = tx.one(sql, (Bits(clerk.bits()), At(since)), |row| row.get(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

const LINES: &str = "SELECT id, clerk, act, reference, account, reason, at FROM service_log";

fn read(row: &Row) -> Result<Line, DbError> {
    let reason = |name: Name| name.read(|name| REASONS.into_iter().find(|reason| reason_name(*reason) == name));
    Ok(Line {
        id: ServiceEntryId::from_bits(row.get::<Bits>(0)?.0),
        clerk: ClerkId::from_bits(row.get::<Bits>(1)?.0),
        act: row.get::<Name>(2)?.read(|name| ACTS.into_iter().find(|act| act_name(*act) == name))?,
        reference: row.get(3)?,
        account: row.get::<Option<Bits>>(4)?.map(|bits| AccountId::from_bits(bits.0)),
        reason: row.get::<Option<Name>>(5)?.map(reason).transpose()?,
        at: row.get::<At>(6)?.0,
    })
}
