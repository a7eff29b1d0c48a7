//! The payment passcode: which are allowed, how they are hashed, and what wrong tries lead to.

use base::secret::Secret;

/// Hashes passcodes with Argon2id (RFC 9106), salt and the platform's pepper.
pub struct PasscodeHasher {
    pepper: Secret<[u8; 32]>,
}

impl PasscodeHasher {
    /// A hasher with the platform's own secret.
    pub fn new(pepper: Secret<[u8; 32]>) -> Self {
        Self { pepper }
    }
}
