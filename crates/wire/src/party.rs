//! Messages between the platform and one share party, as JSON inside length-prefixed frames over mutual TLS.
//!
//! A frame is 4 bytes of length (little-endian, at most [`FRAME_LEN_MAX`]) and that many bytes of JSON. The platform
//! sends [`PartyRequest`]s with a growing `id`; the party answers each with a [`PartyResponse`] of the same `id`, in
//! any order.

use base::id::{RecordId, SessionId};
use base::party::PartyId;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::HexArray;
use crate::probe::{PartitionLabel, ProbeForParty};
use crate::upkeep::{Audited, PrepareRefresh, Rebuild, Verified};

/// A longer frame is refused before it is read: 64 MiB holds some 40,000 sealed enrolments.
pub const FRAME_LEN_MAX: usize = 64 << 20;

/// One request of the platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartyRequest {
    /// Chosen by the platform; comes back in the response.
    pub id: u64,
    /// What is asked.
    pub command: PartyCommand,
}

/// What the platform may ask of a party.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum PartyCommand {
    /// Who are you, how far is your gallery, whom do you reach?
    Status,
    /// Apply the next change of the gallery's log. Applying one again answers as the first time.
    Apply(Box<GalleryChange>),
    /// Take part in identifying a probe.
    Identify(Box<Identify>),
    /// Take part in checking that an enrolment's templates are templates, before it is applied.
    CheckEnrolment(Box<CheckEnrolment>),
    /// Take part in making the keys that searches of unchanged segments are checked with.
    Seal(Seal),
    /// How does your log stand, and what was the change `at`?
    Audit {
        /// A change's number.
        at: Option<u64>,
    },
    /// Are your segments what your journal says?
    Verify,
    /// Prepare the next epoch's rows.
    PrepareRefresh(PrepareRefresh),
    /// Prepare the segments of a compaction; it costs the parties no message.
    PrepareCompaction {
        /// The gallery as of this change is prepared; a party that is elsewhere refuses.
        gallery_sequence: u64,
    },
    /// Take part in giving a party back its gallery.
    Rebuild(Rebuild),
}

/// One entry of the gallery's log. All three parties apply the same entries in the same order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GalleryChange {
    /// 1 for the first change; each next one is one more.
    pub sequence: u64,
    /// What changes.
    pub operation: GalleryOperation,
}

/// What changes in the gallery.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a change is made once and soon written as JSON")]
pub enum GalleryOperation {
    /// New records, one for each template in the sealed share, in its order.
    Enrol {
        /// The terminal's probe with purpose `enrol`.
        probe: ProbeForParty,
        /// One per template.
        records: Vec<NewRecord>,
    },
    /// Destroys the shares of these records. A record that is not there counts as destroyed.
    Delete {
        /// Whose shares are destroyed.
        records: Vec<RecordId>,
    },
    /// Numbers the slots anew, without those of records that were deleted until the change `as_of`.
    Compact {
        /// The change as of which the parties have prepared it.
        as_of: u64,
    },
    /// Puts rows in force that all three prepared: other shares of the same templates.
    Refresh {
        /// The epoch that begins.
        epoch: u32,
        /// What they were prepared as.
        name: HexArray<32>,
    },
    /// Sets the named parts that records stand in, besides the whole.
    Relabel {
        /// Each record once. One that is not there is passed over.
        records: Vec<Relabelled>,
    },
}

/// The named parts that a record stands in from a change on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relabelled {
    /// The record's name.
    pub record: RecordId,
    /// All of them, besides the whole gallery.
    pub partitions: Vec<PartitionLabel>,
}

/// What the platform adds to a template at enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewRecord {
    /// The record's name.
    pub record: RecordId,
    /// The named parts of the gallery that it stands in, besides the whole.
    pub partitions: Vec<PartitionLabel>,
    /// The payment token: a random name, the same for all three parties, which never learn when it is selected.
    pub token: HexArray<16>,
}

/// Take part in identifying a probe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identify {
    /// The run's name, the same at all three, never used before.
    pub session: SessionId,
    /// The gallery as of this change is searched; a party that is elsewhere refuses.
    pub gallery_sequence: u64,
    /// This party's part of the probe.
    pub probe: ProbeForParty,
}

/// Take part in checking an enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckEnrolment {
    /// The run's name, the same at all three.
    pub session: SessionId,
    /// This party's part of the terminal's probe with purpose `enrol`.
    pub probe: ProbeForParty,
}

/// Take part in making the MACs of segments that have none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// The run's name, the same at all three.
    pub session: SessionId,
    /// The gallery as of this change; a party that is elsewhere refuses.
    pub gallery_sequence: u64,
}

/// One answer of a party.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartyResponse {
    /// The request's `id`.
    pub id: u64,
    /// What came of it.
    pub answer: PartyAnswer,
}

/// What came of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PartyAnswer {
    /// To [`PartyCommand::Status`].
    Status(PartyStatus),
    /// To [`PartyCommand::Apply`].
    Applied {
        /// The change that was applied.
        sequence: u64,
        /// Hash chain over all changes so far: equal at the three parties, or they have diverged.
        gallery_root: HexArray<32>,
        /// One for each record of a `Delete`.
        deletions: Vec<DeletionConfirmation>,
    },
    /// To [`PartyCommand::Identify`]: this party's share of the result, for the resolver.
    Identified {
        /// Two of the three components of each element of the result (`mpc::protocol::conclude::OutputShare`).
        output: HexArray<48>,
        /// How long each stage took, by the party's own clock.
        stages: Vec<StageMicros>,
        /// What the run sent; the same whatever came of it.
        traffic: Traffic,
    },
    /// To [`PartyCommand::CheckEnrolment`].
    EnrolmentChecked {
        /// Whether every template is one.
        is_valid: bool,
    },
    /// To [`PartyCommand::Seal`].
    Sealed {
        /// Segments that have a MAC now and had none before.
        made: u32,
        /// Segments that still have none: ask again.
        missing: u32,
    },
    /// To [`PartyCommand::Audit`].
    Audited(Box<Audited>),
    /// To [`PartyCommand::Verify`].
    Verified(Box<Verified>),
    /// To [`PartyCommand::PrepareRefresh`] and [`PartyCommand::PrepareCompaction`]: all is there to put it in force.
    Prepared {
        /// The same at all three if they prepared the same.
        name: HexArray<32>,
        /// How many rows.
        rows: u64,
    },
    /// To [`PartyCommand::Rebuild`].
    Rebuilt {
        /// How far the rebuilt party's log is now; the helpers' own.
        sequence: u64,
        /// Hash chain over all changes so far.
        gallery_root: HexArray<32>,
        /// Rows that were given.
        rows: u64,
    },
    /// The party would not, or could not.
    Refused {
        /// Why, for programs.
        code: PartyRefusal,
        /// Why, for people; holds identifiers at the most.
        detail: String,
    },
}

/// How long one stage of a run took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageMicros {
    /// `checks`, `open`, `agree`, `scan`, `compare`, `select`, `verify`, `conclude`. Those from `scan` to `verify` overlap.
    pub stage: String,
    /// Microseconds on the clock.
    pub micros: u64,
    /// Microseconds of processor time.
    pub cpu_micros: u64,
}

/// What one run sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Bytes to both other parties, frames included, TLS not.
    pub bytes_sent: u64,
    /// Messages that had to be waited for one after the other.
    pub rounds: u64,
}

/// How a party stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartyStatus {
    /// Its number.
    pub party: PartyId,
    /// The last change it applied; 0 before the first.
    pub gallery_sequence: u64,
    /// Hash chain over all changes so far.
    pub gallery_root: HexArray<32>,
    /// Records that can be found.
    pub records: u64,
    /// Whether it has a connection to the party after it and the party before it.
    pub peers_connected: bool,
    /// Chunks of its gallery that workers work on; it works on the others itself.
    #[serde(default)]
    pub chunks_at_workers: u32,
}

/// A party's signed word that it destroyed its shares of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionConfirmation {
    /// Who says so.
    pub party: PartyId,
    /// Whose shares are gone.
    pub record: RecordId,
    /// The change that asked for it.
    pub sequence: u64,
    /// When it was done, by the party's clock.
    pub destroyed_at: Timestamp,
    /// Ed25519 by the party's confirmation key over [`DeletionConfirmation::message`].
    pub signature: HexArray<64>,
}

impl DeletionConfirmation {
    /// What the party signs.
    pub fn message(&self) -> [u8; 32] {
        base::hash::hash_parts(
            "handsel/deletion/v1",
            &[
                &[self.party.number()],
                &self.record.bits().to_le_bytes(),
                &self.sequence.to_le_bytes(),
                &self.destroyed_at.millis().to_le_bytes(),
            ],
        )
    }
}

/// Why a party refuses, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRefusal {
    /// The message cannot be read; the sender's software must be mended.
    RequestMalformed,
    /// The terminal is not registered here.
    TerminalUnknown,
    /// The terminal's signature does not cover this probe.
    SignatureInvalid,
    /// The probe was made for another purpose.
    PurposeMismatch,
    /// The challenge is over, or not yet valid.
    ChallengeExpired,
    /// The nonce was used before: a replay.
    NonceReused,
    /// The terminal's counter is 64 looks or more behind the highest seen: held back for long, or a replay.
    CounterNotIncreasing,
    /// The terminal asked too often; wait.
    BudgetExhausted,
    /// The share does not open, or is not of the announced shape. An enrolment with one is applied as void, so that the
    /// log goes on, and then deleted.
    ShareMalformed,
    /// The probe's shares are those of no template: features out of range, another norm, or shares that do not fit
    /// together. The terminal made it so; it counts as many probes against its budget.
    ProbeInvalid,
    /// The enrolment's templates were not checked yet: the platform has all three check them first.
    EnrolmentUnchecked,
    /// The change is not the next one, or the parties' galleries differ; the platform replays what is missing.
    GalleryOutOfStep,
    /// The parties were not handed the same probe.
    ProbeDiffers,
    /// The parties' inner products do not fit their MAC: one of them did not follow the protocol, or its gallery is damaged.
    MacMismatch,
    /// A check of what the parties computed failed: one of them did not follow the protocol.
    CheckFailed,
    /// What two parties must know alike differs: one of them did not follow the protocol.
    SharesContradict,
    /// A worker of this party went away during the run; it goes on without it.
    WorkerLost,
    /// Another party cannot be reached or went away; the run was given up and nothing was learned.
    PeerUnavailable,
    /// The run's name was used before.
    SessionReused,
    /// The party could not store what it must; its operator must look.
    StorageFailed,
}

impl PartyRefusal {
    /// All of them, in order: a refusal's place is its number between parties.
    const ALL: [Self; 20] = [
        Self::RequestMalformed,
        Self::TerminalUnknown,
        Self::SignatureInvalid,
        Self::PurposeMismatch,
        Self::ChallengeExpired,
        Self::NonceReused,
        Self::CounterNotIncreasing,
        Self::BudgetExhausted,
        Self::ShareMalformed,
        Self::ProbeInvalid,
        Self::EnrolmentUnchecked,
        Self::GalleryOutOfStep,
        Self::ProbeDiffers,
        Self::MacMismatch,
        Self::CheckFailed,
        Self::SharesContradict,
        Self::WorkerLost,
        Self::PeerUnavailable,
        Self::SessionReused,
        Self::StorageFailed,
    ];

    /// The refusal that is `number as u8`, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::PartyRefusal;

    #[test]
    fn a_refusals_number_is_its_place() {
        for (number, refusal) in (0_u8..).zip(PartyRefusal::ALL) {
            assert_eq!(refusal as u8, number);
        }
        assert_eq!(PartyRefusal::from_number(PartyRefusal::ALL.len() as u8), None);
        assert_eq!(PartyRefusal::from_number(PartyRefusal::StorageFailed as u8 + 1), None, "the list is complete");
    }
}
