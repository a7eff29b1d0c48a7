//! Passkeys (Web Authentication level 3): who has which device, what a challenge is for, and what an approval binds to.
//!
//! A *subject* is whoever signs in: a shopper's account, or somebody else of another [`SubjectKind`]. A *challenge* is made for
//! one [`Action`] of one subject, is answered once and lives shortly. Whether the answer's signature holds is not decided
//! here: whoever calls has verified it.

use base::hash::hash_parts;
use base::time::Timestamp;
use wire::problem::Code;

use crate::refusal::Refusal;

/// The kinds of subjects. A device of one kind says nothing about another, even of the same identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A shopper's account.
    Account,
    /// Somebody who works for a merchant.
    Staff,
    /// Somebody of customer service.
    Clerk,
}

impl SubjectKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Account, Self::Staff, Self::Clerk];

    /// The stable name in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Staff => "staff",
            Self::Clerk => "clerk",
        }
    }

    /// The kind of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Account => 1,
            Self::Staff => 2,
            Self::Clerk => 3,
        }
    }
}

/// Bytes of a user handle.
pub const HANDLE_LEN: usize = 17;

/// Who signs in or approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Of which kind.
    pub kind: SubjectKind,
    /// The 128 bits of its identifier.
    pub id: u128,
}

impl Subject {
    /// What its devices keep of it (the *user handle*): kind and identifier, nothing about the person.
    pub fn handle(self) -> [u8; HANDLE_LEN] {
        let mut handle = [0; HANDLE_LEN];
        handle[0] = self.kind.byte();
        handle[1..].copy_from_slice(&self.id.to_be_bytes());
        handle
    }
}

/// What a challenge is for, in every particular that the approving person is shown: purpose and a hash over the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The stable name, such as `sign_in`.
    pub purpose: &'static str,
    /// Over purpose and particulars.
    pub hash: [u8; 32],
}

impl Action {
    /// The action of this purpose with these particulars. Two actions are the same if they agree in all of them.
    pub fn new(purpose: &'static str, particulars: &[&[u8]]) -> Self {
        let parts: Vec<&[u8]> = std::iter::once(purpose.as_bytes()).chain(particulars.iter().copied()).collect();
        Self { purpose, hash: hash_parts("handsel passkey action", &parts) }
    }

    /// Signing in.
    pub fn sign_in() -> Self {
        Self::new("sign_in", &[])
    }

    /// Binding a device.
    pub fn register() -> Self {
        Self::new("register", &[])
    }
}

/// A challenge as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The kind of whoever may answer.
    pub kind: SubjectKind,
    /// Who may answer; without, whoever of the kind has the device.
    pub subject: Option<Subject>,
    /// [`Action::hash`].
    pub action: [u8; 32],
    /// From then on it is over.
    pub expires_at: Timestamp,
    /// Whether it was answered before.
    pub used: bool,
}

impl Challenge {
    /// Takes the answer of `subject` for `action`, once: `approval_used`, `approval_expired`, then `approval_mismatch` if it
    /// was made for somebody or something else.
    pub fn take(&self, subject: Subject, action: &Action, now: Timestamp) -> Result<Self, Refusal> {
        if self.used {
            return Err(Code::ApprovalUsed.into());
        }
        if now >= self.expires_at {
            return Err(Code::ApprovalExpired.into());
        }
        let is_for = self.kind == subject.kind && self.subject.is_none_or(|only| only == subject) && self.action == action.hash;
        if is_for { Ok(Self { used: true, ..self.clone() }) } else { Err(Code::ApprovalMismatch.into()) }
    }
}

/// A device as it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose.
    pub subject: Subject,
    /// How often it has signed, as far as it counts.
    pub sign_count: u32,
    /// Approvals count from then on.
    pub approves_from: Timestamp,
    /// Whether its owner, or the loss of it, took it away.
    pub revoked: bool,
}

impl Device {
    /// Whether it may answer for `subject` after its counter said `sign_count`: `passkey_unknown` if it is revoked or
    /// another's, `passkey_invalid` if the counter did not go on (somebody may have copied it; WebAuthn 6.1.1).
    pub fn answers_for(&self, subject: Subject, sign_count: u32) -> Result<(), Refusal> {
        if self.revoked || self.subject != subject {
            return Err(Code::PasskeyUnknown.into());
        }
        let goes_on = sign_count > self.sign_count || (sign_count == 0 && self.sign_count == 0);
        if goes_on { Ok(()) } else { Err(Code::PasskeyInvalid.into()) }
    }

    /// Whether it may approve now.
    pub fn approves(&self, now: Timestamp) -> bool {
        !self.revoked && now >= self.approves_from
    }
}

#[cfg(test)]
mod tests;
