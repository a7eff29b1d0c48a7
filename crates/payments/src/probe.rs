//! Whether a probe is the one that a challenge asked for.

use base::id::TerminalId;
use base::time::Timestamp;
use ed25519_dalek::VerifyingKey;
use wire::api::Part;
use wire::probe::{PartitionLabel, Purpose, SealedProbe};
use wire::problem::Code;

use crate::refusal::Refusal;

/// What a terminal must put into its probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Used once.
    pub nonce: [u8; 32],
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From then on it is over.
    pub expires_at: Timestamp,
    /// What the look is compared with; nothing at enrolment.
    pub searched: Option<Searched>,
    /// Whether the passcode is asked in any case: the searches of the payment are too large together, or one before met
    /// several people.
    pub passcode_always: bool,
}

/// What a look is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Which part of the gallery.
    pub part: Part,
    /// Its label; the whole gallery has none.
    pub label: Option<PartitionLabel>,
    /// How many people are in it, or one more than may be searched.
    pub people: u64,
}

impl Challenge {
    /// The label of the part that is searched; the whole gallery has none.
    pub fn label(&self) -> Option<PartitionLabel> {
        self.searched.and_then(|searched| searched.label)
    }
}

/// What a probe must be bound to, besides the challenge.
pub(crate) struct Bound<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) reference: String,
    pub(crate) payee: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: &'static str,
    pub(crate) challenge: &'a Challenge,
}

/// The terminal that sent a probe, and what is known of the probe's past.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The terminal that is signed in.
    pub terminal: TerminalId,
    /// Its device key.
    pub device_key: &'a VerifyingKey,
    /// Whether a probe with this nonce was taken before.
    pub nonce_used: bool,
}

/// Checks a probe: `probe_mismatch` if it is another till's, `probe_invalid` if its signature does not fit,
/// `probe_mismatch` if it is bound to anything else, `challenge_expired` if it is late, in this order.
pub(crate) fn check(probe: &SealedProbe, sender: &Sender, bound: &Bound, now: Timestamp) -> Result<(), Refusal> {
    let context = &probe.context;
    if context.terminal != sender.terminal {
        return Err(Code::ProbeMismatch.into());
    }
    probe.verify(sender.device_key).map_err(|_| Code::ProbeInvalid)?;
    let challenge = bound.challenge;
    let fits = context.purpose == bound.purpose
        && context.reference == bound.reference
        && context.payee == bound.payee
        && context.amount_minor == bound.amount_minor
        && context.currency == bound.currency
        && context.nonce.0 == challenge.nonce
        && context.issued_at == challenge.issued_at
        && context.expires_at == challenge.expires_at
        && context.partition == challenge.label()
        && (bound.purpose == Purpose::Enrol || context.templates == 1);
    if !fits {
        return Err(Code::ProbeMismatch.into());
    }
    if now >= challenge.expires_at {
        return Err(Code::ChallengeExpired.into());
    }
    Ok(())
}
