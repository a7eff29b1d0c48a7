//! Devices and the challenges they answer, of every kind of subject. Whoever calls has verified the signature; here it is
//! settled, in the transaction of what is approved, that the answer counts: once, for this, by a device that stands.

use base::id::PasskeyId;
use base::time::Timestamp;
use payments::passkey::{Action, Challenge, Device, Subject, SubjectKind};
use wire::passkey::Passkey;
use wire::problem::Code;

use crate::Store;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// A challenge is kept this long after its end.
const KEEP_MS: u64 = 60 * 60 * 1000;

/// A challenge that is about to be sent to a device.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    /// The random bytes that the device signs.
    pub challenge: [u8; 16],
    /// The kind of whoever may answer.
    pub kind: SubjectKind,
    /// Who may answer; without, whoever of the kind has the device.
    pub subject: Option<Subject>,
    /// What for.
    pub action: Action,
    /// What the answer is verified with; the store does not read it.
    pub state: Vec<u8>,
    /// From then on it is over.
    pub expires_at: Timestamp,
}

/// What a device's answer is verified with.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose.
    pub subject: Subject,
    /// As it was registered.
    pub public_key: Vec<u8>,
    /// As of its last answer.
    pub state: [u8; 7],
}

/// A device's verified answer to a challenge.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The challenge.
    pub challenge: [u8; 16],
    /// The device's own identifier of the passkey.
    pub credential: Vec<u8>,
    /// Its state from now on.
    pub state: [u8; 7],
    /// The counter in it.
    pub sign_count: u32,
}

/// A new device's verified answer.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The challenge.
    pub challenge: [u8; 16],
    /// The device's own identifier of the passkey.
    pub credential: Vec<u8>,
    /// Its public key.
    pub public_key: Vec<u8>,
    /// Its state.
    pub state: [u8; 7],
    /// The counter in it.
    pub sign_count: u32,
    /// How a browser reaches it.
    pub transports: u8,
}

/// A device's own identifier of a passkey, and how a browser reaches it.
pub type Reached = (Vec<u8>, u8);

impl Store {
    /// Keeps a challenge that is about to be sent, and forgets old ones.
    pub fn open_challenge(&self, new: &NewChallenge, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("open_challenge", |tx| {
            let long_ago = Timestamp::from_millis(now.millis().saturating_sub(KEEP_MS));
            tx.execute("DELETE FROM passkey_challenges WHERE expires_at <= ?1", [At(long_ago)])?;
            tx.execute(
                "INSERT INTO passkey_challenges (challenge, subject_kind, subject, action, state, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    new.challenge,
                    new.kind.name(),
                    new.subject.map(|subject| Bits(subject.id)),
                    new.action.hash,
                    &new.state,
                    At(new.expires_at),
                ),
            )?;
            Ok(())
        })
    }

    /// What an answer to this challenge is verified with; `approval_expired` if there is no such challenge any more.
    pub fn challenge_state(&self, challenge: &[u8; 16]) -> Result<Vec<u8>, StoreError> {
        let sql = "SELECT state FROM passkey_challenges WHERE challenge = ?1";
        self.read(|tx| tx.find(sql, [*challenge], |row| row.get(0))?.ok_or(Code::ApprovalExpired.into()))
    }

    /// What this passkey's answers are verified with; `passkey_unknown`.
    pub fn credential(&self, credential: &[u8]) -> Result<Credential, StoreError> {
        let sql = "SELECT subject_kind, subject, public_key, state FROM passkeys WHERE credential = ?1 AND revoked_at IS NULL";
        self.read(|tx| {
            let found = tx.find(sql, [credential.to_vec()], |row| {
                Ok(Credential { subject: read_subject(row, 0)?, public_key: row.get(2)?, state: row.get(3)? })
            });
            found?.ok_or(Code::PasskeyUnknown.into())
        })
    }

    /// The devices of `subject` that stand, for the browser: which may answer, or are bound already.
    pub fn credentials_of(&self, subject: Subject) -> Result<Vec<Reached>, StoreError> {
        let sql = "SELECT credential, transports FROM passkeys WHERE subject_kind = ?1 AND subject = ?2 AND revoked_at IS NULL ORDER BY id";
        self.read(|tx| Ok(tx.list(sql, (subject.kind.name(), Bits(subject.id)), |row| Ok((row.get(0)?, row.get(1)?)))?))
    }

    /// The devices of `subject` that stand, as their owner sees them, oldest first.
    pub fn passkeys(&self, subject: Subject) -> Result<Vec<Passkey>, StoreError> {
        self.read(|tx| list(tx, subject))
    }
}

/// [`Store::passkeys`] inside a transaction.
pub(crate) fn list(tx: &Tx, subject: Subject) -> Result<Vec<Passkey>, StoreError> {
    let sql = "SELECT id, name, created_at, approves_from, last_used_at FROM passkeys
         WHERE subject_kind = ?1 AND subject = ?2 AND revoked_at IS NULL ORDER BY id";
    Ok(tx.list(sql, (subject.kind.name(), Bits(subject.id)), |row| {
        Ok(Passkey {
            id: PasskeyId::from_bits(row.get::<Bits>(0)?.0),
            name: row.get(1)?,
            created_at: row.get::<At>(2)?.0,
            approves_from: row.get::<At>(3)?.0,
            last_used_at: row.get::<Option<At>>(4)?.map(|at| at.0),
        })
    })?)
}

/// Takes a device's answer for `action` in the transaction of what it is for, and says whose it is: `passkey_unknown`,
/// `passkey_invalid`, `approval_used`, `approval_expired`, `approval_mismatch`. Signing in needs no more; see [`approve`].
pub(crate) fn answer(tx: &Tx, answered: &Answered, action: &Action, now: Timestamp) -> Result<Device, StoreError> {
    let sql = "SELECT subject_kind, subject, sign_count, approves_from, revoked_at IS NOT NULL FROM passkeys WHERE credential = ?1";
    let device = tx.find(sql, [&answered.credential], |row| {
        Ok(Device { subject: read_subject(row, 0)?, sign_count: row.get(2)?, approves_from: row.get::<At>(3)?.0, revoked: row.get(4)? })
    });
    let device = device?.ok_or(Code::PasskeyUnknown)?;
    device.answers_for(device.subject, answered.sign_count)?;
    take(tx, &answered.challenge, device.subject, action, now)?;
    tx.execute(
        "UPDATE passkeys SET state = ?2, sign_count = ?3, last_used_at = ?4 WHERE credential = ?1",
        (&answered.credential, answered.state, answered.sign_count, At(now)),
    )?;
    Ok(device)
}

/// [`answer`] as the approval of `subject`: also `passkey_unknown` from another's device, `device_missing` from one that may
/// not approve yet.
pub(crate) fn approve(tx: &Tx, answered: &Answered, subject: Subject, action: &Action, now: Timestamp) -> Result<(), StoreError> {
    let device = answer(tx, answered, action, now)?;
    if device.subject != subject {
        return Err(Code::PasskeyUnknown.into());
    }
    if device.approves(now) { Ok(()) } else { Err(Code::DeviceMissing.into()) }
}

/// Binds a device to `subject`: `passkey_taken`, and as [`answer`].
pub(crate) fn register(
    tx: &Tx,
    id: PasskeyId,
    subject: Subject,
    name: &str,
    new: &Registered,
    approves_from: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    take(tx, &new.challenge, subject, &Action::register(), now)?;
    let rows = tx.execute(
        "INSERT INTO passkeys (id, credential, subject_kind, subject, name, public_key, state, sign_count, transports, created_at, approves_from)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (credential) DO NOTHING",
        (
            Bits(id.bits()),
            &new.credential,
            subject.kind.name(),
            Bits(subject.id),
            name,
            &new.public_key,
            new.state,
            new.sign_count,
            new.transports,
            At(now),
            At(approves_from),
        ),
    )?;
    if rows == 1 { Ok(()) } else { Err(Code::PasskeyTaken.into()) }
}

/// Takes a device away from `subject`; `not_found` if it has no such device.
pub(crate) fn revoke(tx: &Tx, subject: Subject, id: PasskeyId, now: Timestamp) -> Result<(), StoreError> {
    let rows = tx.execute(
        "UPDATE passkeys SET revoked_at = ?4 WHERE id = ?1 AND subject_kind = ?2 AND subject = ?3 AND revoked_at IS NULL",
        (Bits(id.bits()), subject.kind.name(), Bits(subject.id), At(now)),
    )?;
    if rows == 1 { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// Takes all devices away from `subject`.
pub(crate) fn revoke_all(tx: &Tx, subject: Subject, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE passkeys SET revoked_at = ?3 WHERE subject_kind = ?1 AND subject = ?2 AND revoked_at IS NULL",
        (subject.kind.name(), Bits(subject.id), At(now)),
    )?;
    Ok(())
}

fn take(tx: &Tx, challenge: &[u8; 16], subject: Subject, action: &Action, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT subject_kind, subject, action, expires_at, used_at IS NOT NULL FROM passkey_challenges WHERE challenge = ?1";
    let found = tx.find(sql, [*challenge], |row| {
        let kind = read_kind(row, 0)?;
        let only: Option<Bits> = row.get(1)?;
        Ok(Challenge {
            kind,
            subject: only.map(|id| Subject { kind, id: id.0 }),
            action: row.get(2)?,
            expires_at: row.get::<At>(3)?.0,
            used: row.get(4)?,
        })
    });
    let found: Option<Challenge> = found?;
    found.ok_or(Code::ApprovalExpired)?.take(subject, action, now)?;
    tx.execute("UPDATE passkey_challenges SET used_at = ?2 WHERE challenge = ?1", (*challenge, At(now)))?;
    Ok(())
}

fn read_kind(row: &Row, at: usize) -> Result<SubjectKind, DbError> {
    row.get::<Name>(at)?.read(SubjectKind::from_name)
}

fn read_subject(row: &Row, at: usize) -> Result<Subject, DbError> {
    Ok(Subject { kind: read_kind(row, at)?, id: row.get::<Bits>(at + 1)?.0 })
}
