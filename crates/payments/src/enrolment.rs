//! An enrolment: from the challenge to the three parties' confirmations that its shares are gone.

use base::id::EnrolmentId;
use base::time::Timestamp;
use wire::api::EnrolmentStatus;
use wire::probe::{Purpose, SealedProbe};
use wire::problem::Code;

use crate::probe::{self, Bound, Challenge, Sender};
use crate::refusal::Refusal;

/// An enrolment as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Its identifier.
    pub id: EnrolmentId,
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// What the capture must answer.
    pub challenge: Challenge,
}

/// The kinds of moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sealed templates came in.
    TakeTemplate,
    /// All three parties hold their shares.
    Stored,
    /// Its owner deletes it, or withdraws the consent.
    Delete,
    /// All three parties confirmed that their shares are gone.
    Destroyed,
}

/// Every legal move; whatever is not here is refused. Without a template there is nothing to destroy.
pub const TRANSITIONS: [(EnrolmentStatus, Step, EnrolmentStatus); 6] = {
    use EnrolmentStatus::*;
    [
        (WaitingForCapture, Step::TakeTemplate, Storing),
        (WaitingForCapture, Step::Delete, Deleted),
        (Storing, Step::Stored, Enrolled),
        (Storing, Step::Delete, Deleting),
        (Enrolled, Step::Delete, Deleting),
        (Deleting, Step::Destroyed, Deleted),
    ]
};

/// Where `step` leads from `status`, if it may be made.
pub fn next_status(status: EnrolmentStatus, step: Step) -> Option<EnrolmentStatus> {
    TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (status, step)).map(|(_, _, to)| *to)
}

impl Enrolment {
    /// Takes the sealed templates: `probe_replayed`, then `state_conflict`, then the probe's own refusals.
    pub fn receive_template(&self, probe: &SealedProbe, sender: &Sender, now: Timestamp) -> Result<EnrolmentStatus, Refusal> {
        if sender.nonce_used {
            return Err(Code::ProbeReplayed.into());
        }
        let next = next_status(self.status, Step::TakeTemplate).ok_or(Code::StateConflict)?;
        let bound = Bound {
            purpose: Purpose::Enrol,
            reference: self.id.to_string(),
            payee: String::new(),
            amount_minor: 0,
            currency: "",
            challenge: &self.challenge,
        };
        probe::check(probe, sender, &bound, now)?;
        Ok(next)
    }
}

/// The stable name of a state, as in the API.
pub const fn status_name(status: EnrolmentStatus) -> &'static str {
    match status {
        EnrolmentStatus::WaitingForCapture => "waiting_for_capture",
        EnrolmentStatus::Storing => "storing",
        EnrolmentStatus::Enrolled => "enrolled",
        EnrolmentStatus::Deleting => "deleting",
        EnrolmentStatus::Deleted => "deleted",
    }
}

/// All states.
pub const STATUSES: [EnrolmentStatus; 5] = [
    EnrolmentStatus::WaitingForCapture,
    EnrolmentStatus::Storing,
    EnrolmentStatus::Enrolled,
    EnrolmentStatus::Deleting,
    EnrolmentStatus::Deleted,
];
