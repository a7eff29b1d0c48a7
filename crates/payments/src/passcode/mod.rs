//! The payment passcode: which are allowed, how they are hashed, and what wrong tries lead to.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base::secret::Secret;
use base::time::Timestamp;
use wire::problem::Code;

use crate::refusal::Refusal;
use crate::rules::part::PasscodeRules;

mod weak;

/// Digits of a passcode.
pub const PASSCODE_LEN: usize = 6;

/// Whether a passcode may be chosen: `invalid_request` unless six digits, `passcode_weak` if easy to guess.
pub fn check_new(passcode: &Secret<String>) -> Result<(), Refusal> {
    check_form(passcode)?;
    let digits: [u8; PASSCODE_LEN] = std::array::from_fn(|at| passcode.expose().as_bytes()[at] - b'0');
    if weak::is_weak(digits) { Err(Refusal::of_field(Code::PasscodeWeak, "passcode")) } else { Ok(()) }
}

/// Whether this can be a passcode at all: six ASCII digits.
pub fn check_form(passcode: &Secret<String>) -> Result<(), Refusal> {
    let text = passcode.expose();
    if text.len() == PASSCODE_LEN && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Refusal::of_field(Code::InvalidRequest, "passcode"))
    }
}

/// Hashes passcodes with Argon2id (RFC 9106), a salt per passcode and the platform's pepper. A million passcodes are
/// soon tried: without the pepper, a copy of the hashes alone must not be enough.
pub struct PasscodeHasher {
    pepper: Secret<[u8; 32]>,
}

impl PasscodeHasher {
    /// A hasher with the platform's own secret.
    pub fn new(pepper: Secret<[u8; 32]>) -> Self {
        Self { pepper }
    }

    /// Memory 19 MiB, two passes, one lane: the parameters that OWASP's password storage guidance names first.
    fn argon2(&self) -> Argon2<'_> {
        Argon2::new_with_secret(self.pepper.expose(), Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
            .expect("32 bytes are a valid secret")
    }

    /// The hash in the PHC string format, with parameters and salt. Some 20 ms.
    pub fn hash(&self, passcode: &Secret<String>, salt: &[u8; 16]) -> Secret<String> {
        let hash: PasswordHash = self
            .argon2()
            .hash_password_with_salt(passcode.expose().as_bytes(), salt)
            .expect("a short passcode and 16 bytes of salt are valid inputs");
        Secret::new(hash.to_string())
    }

    /// Which of an account's two passcodes this is. Both hashes are tried in any case, so that the time says nothing.
    pub fn judge(&self, passcode: &Secret<String>, hash: Option<&Secret<String>>, duress_hash: Option<&Secret<String>>) -> Given {
        match (self.verify(passcode, hash), self.verify(passcode, duress_hash)) {
            (true, _) => Given::Right,
            (false, true) => Given::UnderThreat,
            (false, false) => Given::Wrong,
        }
    }

    /// Whether `passcode` has this hash. Some 20 ms, also without a hash, so that nobody learns by the time whether
    /// there is one.
    pub fn verify(&self, passcode: &Secret<String>, hash: Option<&Secret<String>>) -> bool {
        let Some(parsed) = hash.and_then(|hash| PasswordHash::new(hash.expose()).ok()) else {
            self.hash(passcode, &[0; 16]);
            return false;
        };
        self.argon2().verify_password(passcode.expose().as_bytes(), &parsed).is_ok()
    }
}

/// What a passcode that was given turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Neither of the account's.
    Wrong,
    /// The account's.
    Right,
    /// The one that its owner gives under threat. Nobody at the till may notice a difference.
    UnderThreat,
}

/// Where the attempts of one account stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Wrong tries in a row since the last right one or the last lock.
    pub wrong: u32,
    /// Locks since the last right try.
    pub locks: u32,
    /// When the last lock ends.
    pub locked_until: Option<Timestamp>,
}

impl Ladder {
    /// Whether no try is accepted now.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|end| now < end)
    }

    /// Tries until the next lock; 0 while locked.
    pub fn attempts_left(&self, rules: &PasscodeRules, now: Timestamp) -> u32 {
        if self.is_locked(now) { 0 } else { rules.wrong_max.saturating_sub(self.wrong) }
    }

    /// Where the attempts stand after one try, which must not be made while locked.
    pub fn after_try(self, right: bool, rules: &PasscodeRules, now: Timestamp) -> Self {
        assert!(!self.is_locked(now), "no try counts while locked");
        if right {
            return Self::default();
        }
        let wrong = self.wrong + 1;
        if wrong < rules.wrong_max {
            return Self { wrong, locked_until: None, ..self };
        }
        let step = (self.locks as usize).min(rules.lock_minutes.len() - 1);
        let end = now.plus_millis(rules.lock_minutes[step].saturating_mul(60_000));
        Self { wrong: 0, locks: self.locks.saturating_add(1), locked_until: Some(end) }
    }
}

#[cfg(test)]
mod tests;
