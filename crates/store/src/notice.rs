//! What an owner is told about the account's safety, on whatever page or device they sign in next.

use base::id::AccountId;
use base::time::Timestamp;
use wire::passkey::{NoticeKind, SafetyNotice};

use crate::Store;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// Most that are shown.
const SHOWN: u32 = 20;

const NAMES: [(NoticeKind, &str); 11] = [
    (NoticeKind::DeviceBound, "device_bound"),
    (NoticeKind::DeviceRebound, "device_rebound"),
    (NoticeKind::DeviceRemoved, "device_removed"),
    (NoticeKind::ApprovalsFrozen, "approvals_frozen"),
    (NoticeKind::ApprovalsThawed, "approvals_thawed"),
    (NoticeKind::EnrolmentApproved, "enrolment_approved"),
    (NoticeKind::LimitsRaised, "limits_raised"),
    (NoticeKind::PaymentApproved, "payment_approved"),
    (NoticeKind::VoucherUsed, "voucher_used"),
    (NoticeKind::HelperFroze, "helper_froze"),
    (NoticeKind::ServiceFroze, "service_froze"),
];

fn name(kind: NoticeKind) -> &'static str {
    NAMES.iter().find(|(other, _)| *other == kind).map_or("", |(_, name)| name)
}

/// Tells the owner.
pub(crate) fn record(tx: &Tx, account: AccountId, kind: NoticeKind, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO safety_notices (account, kind, at) VALUES (?1, ?2, ?3)";
    tx.execute(sql, (Bits(account.bits()), name(kind), At(now)))?;
    Ok(())
}

/// A notice as it goes out to whatever else reaches its owner.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// Its number, which grows.
    pub sequence: i64,
    /// Whose account.
    pub account: AccountId,
    /// What happened.
    pub notice: SafetyNotice,
}

impl Store {
    /// The notices of all accounts from the one after this number on, the oldest first. They are numbered in the order in which they
    /// become visible, so that whoever goes on from the last number misses none.
    pub fn notices_after(&self, sequence: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        let sql = "SELECT kind, at, sequence, account FROM safety_notices WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
        self.read(|tx| {
            let notices = tx.list(sql, (sequence, limit), |row| {
                let account = AccountId::from_bits(row.get::<Bits>(3)?.0);
                Ok(Outgoing { sequence: row.get(2)?, account, notice: read(row)? })
            })?;
            Ok(notices)
        })
    }
}

/// The newest first.
pub(crate) fn newest(tx: &Tx, account: AccountId) -> Result<Vec<SafetyNotice>, StoreError> {
    let sql = "SELECT kind, at FROM safety_notices WHERE account = ?1 ORDER BY sequence DESC LIMIT ?2";
    let notices = tx.list(sql, (Bits(account.bits()), SHOWN), read)?;
    Ok(notices)
}

fn read(row: &Row) -> Result<SafetyNotice, DbError> {
    let kind = row.get::<Name>(0)?.read(|name| NAMES.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind))?;
    Ok(SafetyNotice { kind, at: row.get::<At>(1)?.0 })
}
