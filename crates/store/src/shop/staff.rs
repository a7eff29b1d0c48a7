//! A merchant's people, their invitations and their sessions.

use base::id::{MerchantId, PasskeyId, StaffId};
use base::time::Timestamp;
use payments::passkey::{Subject, SubjectKind};
use payments::staff::{INVITATION_MS, ROLES, check_name, role_name};
use rand_core::CryptoRng;
use wire::api::List;
use wire::problem::Code;
use wire::shop::{NewStaffMember, Role, StaffMember};

use crate::Store;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::joining::{NewSession, People};
use crate::passkey::{Answered, Registered};
use crate::row::{At, Bits, Name};

/// Most people of one merchant that have not left.
const STAFF_MAX: u64 = 200;

/// A member of the staff who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub id: StaffId,
    /// Whose.
    pub merchant: MerchantId,
    /// As what, now.
    pub role: Role,
}

pub(crate) const STAFF: People =
    People { kind: SubjectKind::Staff, table: "staff", sessions: ("staff_sessions", "staff"), device: "console" };

/// Whose passkeys a member's are.
pub const fn subject(staff: StaffId) -> Subject {
    STAFF.subject(staff.bits())
}

impl Store {
    /// Invites somebody: 201 with [`StaffMember`], or `invalid_request`, `too_many`. The code's hash alone is kept.
    pub fn invite_staff(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        new: &NewStaffMember,
        code_sha256: &[u8; 32],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = StaffId::new(now, rng);
        self.once("invite_staff", idempotency, Keep::Day, now, |tx| {
            check_name(&new.name)?;
            let count: i64 =
                tx.one("SELECT count(*) FROM staff WHERE merchant = ?1 AND ended_at IS NULL", [Bits(merchant.bits())], |row| row.get(0))?;
            if count.unsigned_abs() >= STAFF_MAX {
                return Err(Code::TooMany.into());
            }
            insert(tx, id, merchant, new, code_sha256, now)?;
            Ok(Answer::of(201, &of_merchant(tx, merchant, id, now)?))
        })
    }

    /// The platform's operator invites an owner, such as the first one; one of that name who has not come is invited again.
    /// `not_found` for a merchant that is not there.
    pub fn invite_owner(
        &self,
        merchant: MerchantId,
        name: &str,
        code_sha256: &[u8; 32],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<StaffMember, StoreError> {
        let fresh = StaffId::new(now, rng);
        self.run_tx("invite_owner", |tx| {
            check_name(name)?;
            let is_known = tx.find("SELECT 1 FROM merchants WHERE id = ?1", [Bits(merchant.bits())], |_| Ok(()))?.is_some();
            if !is_known {
                return Err(Code::NotFound.into());
            }
            let waits =
                "SELECT id FROM staff WHERE merchant = ?1 AND name = ?2 AND role = 'owner' AND joined_at IS NULL AND ended_at IS NULL";
            let waiting: Option<Bits> = tx.find(waits, (Bits(merchant.bits()), name), |row| row.get(0))?;
            let id = waiting.map_or(fresh, |bits| StaffId::from_bits(bits.0));
            match waiting {
                Some(_) => STAFF.set_code(tx, id.bits(), code_sha256, now)?,
                None => insert(tx, id, merchant, &NewStaffMember { name: name.to_owned(), role: Role::Owner }, code_sha256, now)?,
            }
            of_merchant(tx, merchant, id, now)
        })
    }

    /// Invites a member again, whose device is lost: sessions, passkeys and earlier codes end. 200 with [`StaffMember`], or `not_found`.
    pub fn invite_staff_again(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: StaffId,
        code_sha256: &[u8; 32],
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("invite_staff_again", idempotency, Keep::Day, now, |tx| {
            of_merchant(tx, merchant, id, now)?;
            STAFF.end_access(tx, id.bits(), now)?;
            STAFF.set_code(tx, id.bits(), code_sha256, now)?;
            Ok(Answer::of(200, &of_merchant(tx, merchant, id, now)?))
        })
    }

    /// Gives a member another role: 200 with [`StaffMember`], or `not_found`, `last_owner`.
    pub fn change_staff(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: StaffId,
        role: Role,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("change_staff", idempotency, Keep::Day, now, |tx| {
            let before = of_merchant(tx, merchant, id, now)?;
            if role != Role::Owner {
                check_other_owner(tx, merchant, &before)?;
            }
            tx.execute("UPDATE staff SET role = ?2 WHERE id = ?1", (Bits(id.bits()), role_name(role)))?;
            Ok(Answer::of(200, &of_merchant(tx, merchant, id, now)?))
        })
    }

    /// Somebody leaves: sessions, passkeys and invitations end at once. `not_found`, `last_owner`.
    pub fn end_staff(&self, merchant: MerchantId, id: StaffId, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("end_staff", |tx| {
            check_other_owner(tx, merchant, &of_merchant(tx, merchant, id, now)?)?;
            STAFF.leave(tx, id.bits(), now)
        })
    }

    /// The merchant's people who have not left, newest first.
    pub fn staff(&self, merchant: MerchantId, now: Timestamp) -> Result<List<StaffMember>, StoreError> {
        self.read(|tx| {
            let sql = format!("{MEMBERS} WHERE merchant = ?1 AND ended_at IS NULL ORDER BY id DESC");
            Ok(List { data: tx.list(&sql, [Bits(merchant.bits())], |row| read(row, now))?, has_more: false })
        })
    }

    /// Whose invitation this code is, and the person's name: `code_invalid` for a code that nobody has, that was used or has ended.
    pub fn invited(&self, code_sha256: &[u8; 32], now: Timestamp) -> Result<(Signed, String), StoreError> {
        self.read(|tx| {
            let signed = signed(tx, STAFF.invited(tx, code_sha256, now)?)?;
            let name = of_merchant(tx, signed.merchant, signed.id, now)?.name;
            Ok((signed, name))
        })
    }

    /// Redeems an invitation: binds the device and opens a session. `code_invalid`, `passkey_taken`, and for a challenge that is
    /// another's or over `approval_mismatch`, `approval_used`, `approval_expired`.
    pub fn redeem_invitation(
        &self,
        code_sha256: &[u8; 32],
        device: &Registered,
        new: &NewSession,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Signed, StoreError> {
        let id = PasskeyId::new(now, rng);
        self.run_tx("redeem_invitation", |tx| signed(tx, STAFF.redeem(tx, code_sha256, (id, device), new, now)?))
    }

    /// Signs in by a bound device, whoever's it is: `passkey_unknown` also for somebody who has left, and as the answer of any
    /// device.
    pub fn sign_in_staff(&self, answered: &Answered, new: &NewSession, now: Timestamp) -> Result<Signed, StoreError> {
        self.run_tx("sign_in_staff", |tx| signed(tx, STAFF.sign_in(tx, answered, new, now)?))
    }

    /// Whose session this is, if neither it nor its owner's time with the merchant has ended.
    pub fn staff_session(&self, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<Signed>, StoreError> {
        self.read(|tx| STAFF.of_session(tx, token_sha256, now)?.map(|id| signed(tx, id)).transpose())
    }

    /// Ends a session. One that is not there counts as ended.
    pub fn end_staff_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        self.run_tx("end_staff_session", |tx| STAFF.end_session(tx, token_sha256))
    }
}

const MEMBERS: &str = "SELECT id, name, role, created_at, joined_at, code_expires_at FROM staff";

/// A member who has not left, or `not_found`.
pub(super) fn of_merchant(tx: &Tx, merchant: MerchantId, id: StaffId, now: Timestamp) -> Result<StaffMember, StoreError> {
    let sql = format!("{MEMBERS} WHERE id = ?1 AND merchant = ?2 AND ended_at IS NULL");
    tx.find(&sql, (Bits(id.bits()), Bits(merchant.bits())), |row| read(row, now))?.ok_or(Code::NotFound.into())
}

fn insert(
    tx: &Tx,
    id: StaffId,
    merchant: MerchantId,
    new: &NewStaffMember,
    code_sha256: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO staff (id, merchant, name, role, code_sha256, code_expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (Bits(id.bits()), Bits(merchant.bits()), &new.name, role_name(new.role), code_sha256, At(now.plus_millis(INVITATION_MS)), At(now)),
    )?;
    Ok(())
}

/// As what somebody works for which merchant.
fn signed(tx: &Tx, id: u128) -> Result<Signed, StoreError> {
    Ok(tx.one("SELECT id, merchant, role FROM staff WHERE id = ?1", [Bits(id)], read_signed)?)
}

/// `last_owner` if `member` is the merchant's only owner who has joined: an invitation may never be redeemed.
fn check_other_owner(tx: &Tx, merchant: MerchantId, member: &StaffMember) -> Result<(), StoreError> {
    let others =
        "SELECT 1 FROM staff WHERE merchant = ?1 AND id <> ?2 AND role = 'owner' AND ended_at IS NULL AND joined_at IS NOT NULL LIMIT 1";
    let is_only = member.role == Role::Owner
        && member.joined_at.is_some()
        && tx.find(others, (Bits(merchant.bits()), Bits(member.id.bits())), |_| Ok(()))?.is_none();
    if is_only { Err(Code::LastOwner.into()) } else { Ok(()) }
}

fn read_role(row: &Row, at: usize) -> Result<Role, DbError> {
    row.get::<Name>(at)?.read(|name| ROLES.into_iter().find(|role| role_name(*role) == name))
}

fn read_signed(row: &Row) -> Result<Signed, DbError> {
    Ok(Signed {
        id: StaffId::from_bits(row.get::<Bits>(0)?.0),
        merchant: MerchantId::from_bits(row.get::<Bits>(1)?.0),
        role: read_role(row, 2)?,
    })
}

fn read(row: &Row, now: Timestamp) -> Result<StaffMember, DbError> {
    Ok(StaffMember {
        id: StaffId::from_bits(row.get::<Bits>(0)?.0),
        name: row.get(1)?,
        role: read_role(row, 2)?,
        created_at: row.get::<At>(3)?.0,
        joined_at: row.get::<Option<At>>(4)?.map(|at| at.0),
        invited_until: row.get::<Option<At>>(5)?.map(|at| at.0).filter(|until| *until > now),
        invitation: None,
    })
}
