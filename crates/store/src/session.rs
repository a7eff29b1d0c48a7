//! Who is signed in to a wallet.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use wire::api;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::{Store, account_rows};

impl Store {
    /// Opens a session for an account that has just proved itself.
    pub fn open_session(
        &self,
        account: AccountId,
        token_sha256: &[u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run_tx("open_session", |tx| insert(tx, account, token_sha256, expires_at, now))
    }

    /// Checks phone and passcode and opens a session. Every failure, also of a locked passcode, is `sign_in_failed`, so
    /// that nobody learns who has an account; wrong tries count on the same ladder as at the till. Takes some 20 ms for
    /// the passcode's hash.
    pub fn sign_in(
        &self,
        new: &api::NewSession,
        token_sha256: &[u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<AccountId, StoreError> {
        let found = self.read(|tx| by_phone(tx, &new.phone))?;
        // The same work without an account: the time tells nothing. And outside the write transaction: it takes long.
        let right = self.shared.passcodes.verify(&new.passcode, found.as_ref().and_then(|(_, hash)| hash.as_ref()));
        let (account, _) = found.ok_or(Code::SignInFailed)?;
        let rules = self.rules(now)?;
        let opened = self.run_tx("sign_in", |tx| {
            let payer = account_rows::payer(tx, account, now)?;
            if payer.closed || !payer.has_passcode || payer.ladder.is_locked(now) {
                return Ok(false);
            }
            account_rows::save_ladder(tx, account, &payer.ladder.after_try(right, &rules.passcode, now))?;
            if right {
                insert(tx, account, token_sha256, expires_at, now)?;
            }
            Ok(right)
        })?;
        if opened { Ok(account) } else { Err(Code::SignInFailed.into()) }
    }

    /// Whose session this is, if it has not ended.
    pub fn session_account(&self, token_sha256: &[u8; 32], now: Timestamp) -> Result<Option<AccountId>, StoreError> {
        self.read(|tx| {
            let account: Option<Bits> =
                tx.find("SELECT account FROM sessions WHERE token_sha256 = ?1 AND expires_at > ?2", (token_sha256, At(now)), |row| {
                    row.get(0)
                })?;
            Ok(account.map(|bits| AccountId::from_bits(bits.0)))
        })
    }

    /// Ends a session. One that is not there counts as ended.
    pub fn end_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        self.run_tx("end_session", |tx| {
            tx.execute("DELETE FROM sessions WHERE token_sha256 = ?1", [token_sha256])?;
            Ok(())
        })
    }
}

pub(crate) fn insert(
    tx: &Tx,
    account: AccountId,
    token_sha256: &[u8; 32],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO sessions (token_sha256, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (token_sha256, Bits(account.bits()), At(now), At(expires_at)),
    )?;
    Ok(())
}

type AccountAndHash = (AccountId, Option<Secret<String>>);

fn by_phone(tx: &Tx, phone: &Secret<String>) -> Result<Option<AccountAndHash>, StoreError> {
    let found = tx.find("SELECT id, passcode_hash FROM accounts WHERE phone = ?1", [phone.expose()], |row| {
        Ok((AccountId::from_bits(row.get::<Bits>(0)?.0), row.get::<Option<String>>(1)?.map(Secret::new)))
    });
    Ok(found?)
}
