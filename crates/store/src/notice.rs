//! What an owner is told about the account's safety, on whatever page or device they sign in next.

use base::id::AccountId;
use base::time::Timestamp;
use wire::passkey::{NoticeKind, SafetyNotice};

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// Most that are shown.
const SHOWN: u32 = 20;

const NAMES: [(NoticeKind, &str); 10] = [
    (NoticeKind::DeviceBound, "device_bound"),
    (NoticeKind::DeviceRebound, "device_rebound"),
    (NoticeKind::DeviceRemoved, "device_removed"),
    (NoticeKind::ApprovalsFrozen, "approvals_frozen"),
    (NoticeKind::ApprovalsThawed, "approvals_thawed"),
    (NoticeKind::EnrolmentApproved, "enrolment_approved"),
    (NoticeKind::LimitsRaised, "limits_raised"),
    (NoticeKind::PaymentApproved, "payment_approved"),
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

/// The newest first.
pub(crate) fn newest(tx: &Tx, account: AccountId) -> Result<Vec<SafetyNotice>, StoreError> {
    let sql = "SELECT kind, at FROM safety_notices WHERE account = ?1 ORDER BY sequence DESC LIMIT ?2";
    let rows = tx.list(sql, (Bits(account.bits()), SHOWN), |row| {
        let kind = row.get::<Name>(0)?.read(|name| NAMES.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind))?;
        Ok(SafetyNotice { kind, at: row.get::<At>(1)?.0 })
    })?;
    Ok(rows)
}
