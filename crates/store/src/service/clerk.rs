//! The people of customer service. The platform's operator invites and removes them, beside the API.

use base::id::{ClerkId, PasskeyId};
use base::time::Timestamp;
use payments::passkey::{Subject, SubjectKind};
use payments::staff::{INVITATION_MS, check_name};
use rand_core::CryptoRng;
use wire::problem::Code;

use crate::Store;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::joining::{NewSession, People};
use crate::passkey::{Answered, Registered};
use crate::row::{At, Bits};

pub(crate) const CLERKS: People =
    People { kind: SubjectKind::Clerk, table: "clerks", sessions: ("clerk_sessions", "clerk"), device: "desk" };

/// Somebody of customer service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clerk {
    /// Who.
    pub id: ClerkId,
    /// The person's name.
    pub name: String,
    /// When an invitation was first redeemed.
    pub joined_at: Option<Timestamp>,
    /// Until when an invitation is open.
    pub invited_until: Option<Timestamp>,
}

/// Whose passkeys a clerk's are.
pub const fn subject(clerk: ClerkId) -> Subject {
    CLERKS.subject(clerk.bits())
}

impl Store {
    /// Invites somebody; who has this name and was not removed is invited again, on a new device: sessions, passkeys and earlier
    /// codes end. The code's hash alone is kept. `invalid_request`.
    pub fn invite_clerk(&self, name: &str, code_sha256: &[u8; 32], rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Clerk, StoreError> {
        let fresh = ClerkId::new(now, rng);
        self.run_tx("invite_clerk", |tx| {
            check_name(name)?;
            let known: Option<Bits> = tx.find("SELECT id FROM clerks WHERE name = ?1 AND ended_at IS NULL", [name], |row| row.get(0))?;
            let id = known.map_or(fresh, |bits| ClerkId::from_bits(bits.0));
            if known.is_some() {
                CLERKS.end_access(tx, id.bits(), now)?;
                CLERKS.set_code(tx, id.bits(), code_sha256, now)?;
            } else {
                tx.execute(
                    "INSERT INTO clerks (id, name, code_sha256, code_expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    (Bits(id.bits()), name, code_sha256, At(now.plus_millis(INVITATION_MS)), At(now)),
                )?;
            }
            load(tx, id, now)
        })
    }

    /// Who has not been removed, newest first.
    pub fn clerks(&self, now: Timestamp) -> Result<Vec<Clerk>, StoreError> {
        self.read(|tx| Ok(tx.list(&format!("{SELECT} ORDER BY id DESC"), (), |row| read(row, now))?))
    }

    /// Removes somebody: sessions, passkeys and invitations end at once. `not_found`.
    pub fn remove_clerk(&self, id: ClerkId, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("remove_clerk", |tx| {
            load(tx, id, now)?;
            CLERKS.leave(tx, id.bits(), now)
        })
    }

    /// Whose invitation this code is: `code_invalid` for a code that nobody has, that was used or has ended.
    pub fn invited_clerk(&self, code_sha256: &[u8; 32], now: Timestamp) -> Result<Clerk, StoreError> {
        self.read(|tx| load(tx, ClerkId::from_bits(CLERKS.invited(tx, code_sha256, now)?), now))
    }

    /// Redeems an invitation: binds the device and opens a session. `code_invalid`, `passkey_taken`, and for a challenge that is
    /// another's or over `approval_mismatch`, `approval_used`, `approval_expired`.
    pub fn redeem_clerk(
        &self,
        code_sha256: &[u8; 32],
        device: &Registered,
        new: &NewSession,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<ClerkId, StoreError> {
        let id = PasskeyId::new(now, rng);
        self.run_tx("redeem_clerk", |tx| Ok(ClerkId::from_bits(CLERKS.redeem(tx, code_sha256, (id, device), new, now)?)))
    }

    /// Signs in by a bound device, whoever's it is: `passkey_unknown` also for somebody who was removed, and as the answer of any
    /// device.
    pub fn sign_in_clerk(&self, answered: &Answered, new: &NewSession, now: Timestamp) -> Result<ClerkId, StoreError> {
        self.run_tx("sign_in_clerk", |tx| Ok(ClerkId::from_bits(CLERKS.sign_in(tx, answered, new, now)?)))
    }

    /// Whose session this is, if it has not ended and the person was not removed.
    pub fn clerk_session(&self, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<ClerkId>, StoreError> {
        self.read(|tx| Ok(CLERKS.of_session(tx, token_sha256, now)?.map(ClerkId::from_bits)))
    }

    /// Ends a session. One that is not there counts as ended.
    pub fn end_clerk_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        self.run_tx("end_clerk_session", |tx| CLERKS.end_session(tx, token_sha256))
    }
}

const SELECT: &str = "SELECT id, name, joined_at, code_expires_at FROM clerks WHERE ended_at IS NULL";

/// A clerk who was not removed, or `not_found`.
pub(super) fn load(tx: &Tx, id: ClerkId, now: Timestamp) -> Result<Clerk, StoreError> {
    tx.find(&format!("{SELECT} AND id = ?1"), [Bits(id.bits())], |row| read(row, now))?.ok_or(Code::NotFound.into())
}

fn read(row: &Row, now: Timestamp) -> Result<Clerk, DbError> {
    Ok(Clerk {
        id: ClerkId::from_bits(row.get::<Bits>(0)?.0),
        name: row.get(1)?,
        joined_at: row.get::<Option<At>>(2)?.map(|at| at.0),
        invited_until: row.get::<Option<At>>(3)?.map(|at| at.0).filter(|until| *until > now),
    })
}
