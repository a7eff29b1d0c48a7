//! People who come in by an invitation with a passkey of their own: merchants' staff and customer service. What their tables have in
//! common: the invitation's code, the sessions, and that all of it ends at once.

use base::id::PasskeyId;
use base::time::Timestamp;
use payments::passkey::{Action, Subject, SubjectKind};
use payments::staff::INVITATION_MS;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::passkey::{self, Answered, Registered};
use crate::row::{At, Bits};

/// A session to open.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// SHA-256 of its token.
    pub token_sha256: [u8; 32],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// One kind of such people, by where they are kept.
pub(crate) struct People {
    /// Whose passkeys theirs are.
    pub(crate) kind: SubjectKind,
    /// Their table.
    pub(crate) table: &'static str,
    /// Their sessions' table, and its column that names the person.
    pub(crate) sessions: (&'static str, &'static str),
    /// What their passkeys are called.
    pub(crate) device: &'static str,
}

impl People {
    /// Whose passkeys this person's are.
    pub(crate) const fn subject(&self, person: u128) -> Subject {
        Subject { kind: self.kind, id: person }
    }

    /// From now on this code, and no earlier one, is the person's invitation.
    pub(crate) fn set_code(&self, tx: &Tx, person: u128, code_sha256: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let sql = format!("UPDATE {} SET code_sha256 = ?2, code_expires_at = ?3 WHERE id = ?1", self.table);
        tx.execute(&sql, (Bits(person), code_sha256, At(now.plus_millis(INVITATION_MS))))?;
        Ok(())
    }

    /// The person whose open invitation has this code, or `code_invalid`.
    pub(crate) fn invited(&self, tx: &Tx, code_sha256: &[u8; 32], now: Timestamp) -> Result<u128, StoreError> {
        let sql = format!("SELECT id FROM {} WHERE code_sha256 = ?1 AND code_expires_at > ?2 AND ended_at IS NULL", self.table);
        let found: Option<Bits> = tx.find(&sql, (code_sha256, At(now)), |row| row.get(0))?;
        found.map(|bits| bits.0).ok_or(Code::CodeInvalid.into())
    }

    /// Redeems an invitation: binds the device and opens a session. `code_invalid`, `passkey_taken`, and for a challenge that is
    /// another's or over `approval_mismatch`, `approval_used`, `approval_expired`.
    pub(crate) fn redeem(
        &self,
        tx: &Tx,
        code_sha256: &[u8; 32],
        (id, device): (PasskeyId, &Registered),
        new: &NewSession,
        now: Timestamp,
    ) -> Result<u128, StoreError> {
        let person = self.invited(tx, code_sha256, now)?;
        passkey::register(tx, id, self.subject(person), self.device, device, now, now)?;
        let joined = "code_sha256 = NULL, code_expires_at = NULL, joined_at = coalesce(joined_at, ?2)";
        tx.execute(&format!("UPDATE {} SET {joined} WHERE id = ?1", self.table), (Bits(person), At(now)))?;
        self.open_session(tx, person, new, now)?;
        Ok(person)
    }

    /// Signs in by a bound device, whoever's it is: `passkey_unknown` also for somebody who has left, and as the answer of any
    /// device.
    pub(crate) fn sign_in(&self, tx: &Tx, answered: &Answered, new: &NewSession, now: Timestamp) -> Result<u128, StoreError> {
        let device = passkey::answer(tx, answered, &Action::sign_in(), now)?;
        let sql = format!("SELECT 1 FROM {} WHERE id = ?1 AND ended_at IS NULL", self.table);
        let person = device.subject.id;
        if device.subject.kind != self.kind || tx.find(&sql, [Bits(person)], |_| Ok(()))?.is_none() {
            return Err(Code::PasskeyUnknown.into());
        }
        self.open_session(tx, person, new, now)?;
        Ok(person)
    }

    fn open_session(&self, tx: &Tx, person: u128, new: &NewSession, now: Timestamp) -> Result<(), StoreError> {
        let (sessions, whose) = self.sessions;
        let sql = format!("INSERT INTO {sessions} (token_sha256, {whose}, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)");
        tx.execute(&sql, (new.token_sha256, Bits(person), At(now), At(new.expires_at)))?;
        Ok(())
    }

    /// Whose session this is, if neither it nor the person's time has ended.
    pub(crate) fn of_session(&self, tx: &Tx, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<u128>, StoreError> {
        let (sessions, whose) = self.sessions;
        let people = self.table;
        let sql = format!(
            "SELECT p.id FROM {sessions} s JOIN {people} p ON p.id = s.{whose} WHERE s.token_sha256 = ?1 AND s.expires_at > ?2 AND p.ended_at IS NULL"
        );
        Ok(tx.find(&sql, (token_sha256, At(now)), |row| row.get::<Bits>(0))?.map(|bits| bits.0))
    }

    /// Ends a session. One that is not there counts as ended.
    pub(crate) fn end_session(&self, tx: &Tx, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        tx.execute(&format!("DELETE FROM {} WHERE token_sha256 = ?1", self.sessions.0), [token_sha256])?;
        Ok(())
    }

    /// Nobody is signed in as this person any more, and no device of theirs signs in.
    pub(crate) fn end_access(&self, tx: &Tx, person: u128, now: Timestamp) -> Result<(), StoreError> {
        let (sessions, whose) = self.sessions;
        passkey::revoke_all(tx, self.subject(person), now)?;
        tx.execute(&format!("DELETE FROM {sessions} WHERE {whose} = ?1"), [Bits(person)])?;
        Ok(())
    }

    /// The person leaves: sessions, passkeys and invitations end at once.
    pub(crate) fn leave(&self, tx: &Tx, person: u128, now: Timestamp) -> Result<(), StoreError> {
        self.end_access(tx, person, now)?;
        let sql = format!("UPDATE {} SET ended_at = ?2, code_sha256 = NULL, code_expires_at = NULL WHERE id = ?1", self.table);
        tx.execute(&sql, (Bits(person), At(now)))?;
        Ok(())
    }

    /// Forgets sessions that are over.
    pub(crate) fn tidy(&self, tx: &Tx, now: Timestamp) -> Result<(), StoreError> {
        tx.execute(&format!("DELETE FROM {} WHERE expires_at <= ?1", self.sessions.0), [At(now)])?;
        Ok(())
    }
}
