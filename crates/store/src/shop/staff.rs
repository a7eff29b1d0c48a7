//! A merchant's people, their invitations and their sessions.

use base::id::{MerchantId, PasskeyId, StaffId};
use base::time::Timestamp;
use payments::passkey::{Action, Subject, SubjectKind};
use payments::staff::{INVITATION_MS, ROLES, check_name, role_name};
use rand_core::CryptoRng;
use wire::api::List;
use wire::problem::Code;
use wire::shop::{NewStaffMember, Role, StaffMember};

use crate::Store;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::passkey::{self, Answered, Registered};
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

/// A session to open.
#[derive(Clone, Copy, Debug)]
pub struct NewStaffSession {
    /// SHA-256 of its token.
    pub token_sha256: [u8; 32],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whose passkeys a member's are.
pub const fn subject(staff: StaffId) -> Subject {
    Subject { kind: SubjectKind::Staff, id: staff.bits() }
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
                Some(_) => set_code(tx, id, code_sha256, now)?,
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
            end_access(tx, id, now)?;
            set_code(tx, id, code_sha256, now)?;
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
            end_access(tx, id, now)?;
            tx.execute(
                "UPDATE staff SET ended_at = ?2, code_sha256 = NULL, code_expires_at = NULL WHERE id = ?1",
                (Bits(id.bits()), At(now)),
            )?;
            Ok(())
        })
    }

    /// The merchant's people who have not left, newest first.
    pub fn staff(&self, merchant: MerchantId, now: Timestamp) -> Result<List<StaffMember>, StoreError> {
        self.read(|tx| {
            let sql = format!("{STAFF} WHERE merchant = ?1 AND ended_at IS NULL ORDER BY id DESC");
            Ok(List { data: tx.list(&sql, [Bits(merchant.bits())], |row| read(row, now))?, has_more: false })
        })
    }

    /// Whose invitation this code is, and the person's name: `code_invalid` for a code that nobody has, that was used or has ended.
    pub fn invited(&self, code_sha256: &[u8; 32], now: Timestamp) -> Result<(Signed, String), StoreError> {
        self.read(|tx| {
            let signed = invited(tx, code_sha256, now)?;
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
        new: &NewStaffSession,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Signed, StoreError> {
        let id = PasskeyId::new(now, rng);
        self.run_tx("redeem_invitation", |tx| {
            let signed = invited(tx, code_sha256, now)?;
            passkey::register(tx, id, subject(signed.id), "console", device, now, now)?;
            tx.execute(
                "UPDATE staff SET code_sha256 = NULL, code_expires_at = NULL, joined_at = coalesce(joined_at, ?2) WHERE id = ?1",
                (Bits(signed.id.bits()), At(now)),
            )?;
            open_session(tx, signed.id, new, now)?;
            Ok(signed)
        })
    }

    /// Signs in by a bound device, whoever's it is: `passkey_unknown` also for somebody who has left, and as the answer of any
    /// device.
    pub fn sign_in_staff(&self, answered: &Answered, new: &NewStaffSession, now: Timestamp) -> Result<Signed, StoreError> {
        self.run_tx("sign_in_staff", |tx| {
            let device = passkey::answer(tx, answered, &Action::sign_in(), now)?;
            let sql = "SELECT id, merchant, role FROM staff WHERE id = ?1 AND ended_at IS NULL";
            let found = tx.find(sql, [Bits(device.subject.id)], read_signed)?;
            let signed = found.filter(|_| device.subject.kind == SubjectKind::Staff).ok_or(Code::PasskeyUnknown)?;
            open_session(tx, signed.id, new, now)?;
            Ok(signed)
        })
    }

    /// Whose session this is, if neither it nor its owner's time with the merchant has ended.
    pub fn staff_session(&self, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<Signed>, StoreError> {
        self.read(|tx| {
            let sql = "SELECT m.id, m.merchant, m.role FROM staff_sessions s JOIN staff m ON m.id = s.staff
                 WHERE s.token_sha256 = ?1 AND s.expires_at > ?2 AND m.ended_at IS NULL";
            Ok(tx.find(sql, (token_sha256, At(now)), read_signed)?)
        })
    }

    /// Ends a session. One that is not there counts as ended.
    pub fn end_staff_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        self.run_tx("end_staff_session", |tx| {
            tx.execute("DELETE FROM staff_sessions WHERE token_sha256 = ?1", [token_sha256])?;
            Ok(())
        })
    }
}

const STAFF: &str = "SELECT id, name, role, created_at, joined_at, code_expires_at FROM staff";

/// A member who has not left, or `not_found`.
pub(super) fn of_merchant(tx: &Tx, merchant: MerchantId, id: StaffId, now: Timestamp) -> Result<StaffMember, StoreError> {
    let sql = format!("{STAFF} WHERE id = ?1 AND merchant = ?2 AND ended_at IS NULL");
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

fn set_code(tx: &Tx, id: StaffId, code_sha256: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE staff SET code_sha256 = ?2, code_expires_at = ?3 WHERE id = ?1",
        (Bits(id.bits()), code_sha256, At(now.plus_millis(INVITATION_MS))),
    )?;
    Ok(())
}

/// The member whose open invitation has this code, or `code_invalid`.
fn invited(tx: &Tx, code_sha256: &[u8; 32], now: Timestamp) -> Result<Signed, StoreError> {
    let sql = "SELECT id, merchant, role FROM staff WHERE code_sha256 = ?1 AND code_expires_at > ?2 AND ended_at IS NULL";
    tx.find(sql, (code_sha256, At(now)), read_signed)?.ok_or(Code::CodeInvalid.into())
}

fn open_session(tx: &Tx, staff: StaffId, new: &NewStaffSession, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO staff_sessions (token_sha256, staff, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (new.token_sha256, Bits(staff.bits()), At(now), At(new.expires_at)),
    )?;
    Ok(())
}

/// Nobody is signed in as this person any more, and no device of theirs signs in.
fn end_access(tx: &Tx, staff: StaffId, now: Timestamp) -> Result<(), StoreError> {
    passkey::revoke_all(tx, subject(staff), now)?;
    tx.execute("DELETE FROM staff_sessions WHERE staff = ?1", [Bits(staff.bits())])?;
    Ok(())
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
