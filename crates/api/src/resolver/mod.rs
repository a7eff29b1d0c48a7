//! The resolver: asks the three parties who a probe belongs to and puts their three output shares together. It is the
//! only place that learns a token.

pub mod client;
pub mod connect;
pub mod timings;

use base::id::SessionId;
use base::party::PartyId;
use mpc::protocol::conclude::{OutputShare, resolve};
use mpc::protocol::identify::Resolution;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::party::{CheckEnrolment, Identify, PartyAnswer, PartyCommand, PartyRefusal, PartyStatus, Seal, StageMicros};
use wire::probe::{ProbeForParty, SealedProbe};

use crate::config::PlatformConfig;
use crate::error::Error;
use client::{PartyClient, Unanswered};
use connect::Connector;
use timings::Timings;

/// A party's status fits into this time unless it is down.
const STATUS_TIMEOUT_MS: u64 = 1_000;
/// Searches that are under way at once; a party takes twice as many requests. The others wait here, where they stand in one
/// line: three lines at three parties might each let another search in first, and none would go on.
const SEARCHES_MAX: usize = 32;

/// The three parties, as the platform reaches them.
pub struct Resolver {
    clients: [PartyClient; 3],
    turns: Semaphore,
}

/// What came of an identification, and how long its stages took.
pub struct Outcome {
    /// A token, nobody, or more than one.
    pub resolution: Resolution,
    /// Stages of the parties.
    pub timings: Timings,
}

/// Why there is no outcome. Nobody learned anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// A party refused; the most telling of the three answers.
    #[error("{party} refused: {refusal:?}")]
    Refused {
        /// Which.
        party: PartyId,
        /// Why.
        refusal: PartyRefusal,
    },
    /// A party did not answer; the probe's nonce may be used up.
    #[error("{party} did not answer: {reason}")]
    Unanswered {
        /// Which.
        party: PartyId,
        /// Why.
        reason: Unanswered,
    },
    /// The answers do not fit together: a party is broken.
    #[error("the parties' answers do not fit together")]
    Inconsistent,
}

impl Resolver {
    /// The resolver, and in `tasks` what keeps its connections.
    ///
    /// # Errors
    /// [`Error::TlsIdentity`].
    pub fn new(config: &PlatformConfig, tasks: &mut JoinSet<()>) -> Result<Self, Error> {
        let mut clients = Vec::with_capacity(3);
        for (party, peer) in PartyId::ALL.into_iter().zip(&config.parties) {
            let (client, task) = PartyClient::new(party, Connector::new(peer, &config.tls)?);
            tasks.spawn(task);
            clients.push(client);
        }
        let clients = clients.try_into().unwrap_or_else(|_| unreachable!("there are three parties"));
        Ok(Self { clients, turns: Semaphore::new(SEARCHES_MAX) })
    }

    /// The connection to `party`.
    pub fn client(&self, party: PartyId) -> &PartyClient {
        &self.clients[party.index()]
    }

    /// How each party stands; `None` for one that does not answer within a second.
    pub async fn status(&self) -> [Option<PartyStatus>; 3] {
        let [first, second, third] = &self.clients;
        let (first, second, third) = tokio::join!(status_of(first), status_of(second), status_of(third));
        [first, second, third]
    }

    /// Asks all three at once, once, and waits at most `timeout_ms`. The probe's nonce is used up afterwards.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn identify(
        &self,
        session: SessionId,
        gallery_sequence: u64,
        probe: &SealedProbe,
        timeout_ms: u64,
    ) -> Result<Outcome, Failed> {
        let _turn = self.turns.acquire().await.expect("it is never closed");
        let ask = |party: PartyId| {
            let command = Identify { session, gallery_sequence, probe: probe.for_party(party) };
            self.client(party).ask(PartyCommand::Identify(Box::new(command)), timeout_ms)
        };
        let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        combine([first, second, third])
    }

    /// Has all three check an enrolment's templates; whether they are templates.
    ///
    /// # Errors
    /// [`Failed`]; then nobody recorded anything, or some did what all will.
    pub async fn check_enrolment(&self, session: SessionId, probes: [ProbeForParty; 3], timeout_ms: u64) -> Result<bool, Failed> {
        let ask = |party: PartyId, probe: ProbeForParty| {
            let command = PartyCommand::CheckEnrolment(Box::new(CheckEnrolment { session, probe }));
            self.client(party).ask(command, timeout_ms)
        };
        let [first, second, third] = probes;
        let (first, second, third) = tokio::join!(ask(PartyId::P1, first), ask(PartyId::P2, second), ask(PartyId::P3, third));
        let verdict = |answer| match answer {
            PartyAnswer::EnrolmentChecked { is_valid } => Some(is_valid),
            _ => None,
        };
        all_alike([first, second, third], verdict)
    }

    /// Has all three make MACs of some segments that have none; how many still have none.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn seal(&self, session: SessionId, gallery_sequence: u64, timeout_ms: u64) -> Result<u32, Failed> {
        let ask = |party: PartyId| self.client(party).ask(PartyCommand::Seal(Seal { session, gallery_sequence }), timeout_ms);
        let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        let missing = |answer| match answer {
            PartyAnswer::Sealed { missing, .. } => Some(missing),
            _ => None,
        };
        all_alike([first, second, third], missing)
    }
}

/// What all three say alike, if they do.
fn all_alike<T: PartialEq>(answers: [Result<PartyAnswer, Unanswered>; 3], read: impl Fn(PartyAnswer) -> Option<T>) -> Result<T, Failed> {
    let [first, second, third] = three(answers, |answer| read(answer).ok_or(Failed::Inconsistent))?;
    if first == second && second == third { Ok(first) } else { Err(Failed::Inconsistent) }
}

async fn status_of(client: &PartyClient) -> Option<PartyStatus> {
    match client.ask(PartyCommand::Status, STATUS_TIMEOUT_MS).await {
        Ok(PartyAnswer::Status(status)) if status.party == client.party() => Some(status),
        Ok(_) => {
            tracing::error!(party = %client.party(), "answers a question for its status with something else");
            None
        }
        Err(_) => None,
    }
}

fn combine(answers: [Result<PartyAnswer, Unanswered>; 3]) -> Result<Outcome, Failed> {
    let identified = three(answers, |answer| match answer {
        PartyAnswer::Identified { output, stages, .. } => Ok((OutputShare::from_bytes(&output.0), stages)),
        _ => Err(Failed::Inconsistent),
    })?;
    let shares = identified.each_ref().map(|(share, _)| *share);
    let stages: [Vec<StageMicros>; 3] = identified.map(|(_, stages)| stages);
    let mut timings = Timings::slowest(&stages);
    let started = Instant::now();
    let resolution = resolve(&shares).map_err(|_| Failed::Inconsistent)?;
    timings.add_since("resolve", started);
    Ok(Outcome { resolution, timings })
}

/// What the three answered, or the failure that says most.
fn three<T>(answers: [Result<PartyAnswer, Unanswered>; 3], read: impl Fn(PartyAnswer) -> Result<T, Failed>) -> Result<[T; 3], Failed> {
    let mut values = Vec::with_capacity(3);
    let mut failures = Vec::new();
    for (party, answer) in PartyId::ALL.into_iter().zip(answers) {
        let value = match answer {
            Ok(PartyAnswer::Refused { code, .. }) => Err(Failed::Refused { party, refusal: code }),
            Ok(answer) => read(answer),
            Err(reason) => Err(Failed::Unanswered { party, reason }),
        };
        value.map_or_else(|failed| failures.push(failed), |value| values.push(value));
    }
    // One party's reason makes the others lose their peer: the reason is what counts.
    match failures.into_iter().min_by_key(rank) {
        Some(failed) => Err(failed),
        None => Ok(values.try_into().unwrap_or_else(|_| unreachable!("each party gave a value or failed"))),
    }
}

/// Refusals in their own order of precedence, but a lost peer after a party that did not answer.
fn rank(failed: &Failed) -> (u8, u8) {
    match failed {
        Failed::Refused { refusal: PartyRefusal::PeerUnavailable, .. } => (2, 0),
        Failed::Refused { refusal, .. } => (0, *refusal as u8),
        Failed::Inconsistent => (1, 0),
        Failed::Unanswered { .. } => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::bytes::HexArray;

    /// One party's shares of an output whose three components of the lowest byte of O and F are given.
    fn identified(party: PartyId, low: [u8; 3], check: [u8; 3]) -> Result<PartyAnswer, Unanswered> {
        let mut output = [0; OutputShare::BYTES];
        let (own, next) = (party.index(), party.next().index());
        for (element, components) in [(0, low), (2, check)] {
            output[16 * element] = components[own];
            output[16 * element + 8] = components[next];
        }
        Ok(PartyAnswer::Identified { output: HexArray(output), stages: vec![], traffic: wire::party::Traffic::default() })
    }

    fn all_identified(low: [u8; 3], check: [u8; 3]) -> [Result<PartyAnswer, Unanswered>; 3] {
        PartyId::ALL.map(|party| identified(party, low, check))
    }

    fn refused(code: PartyRefusal) -> Result<PartyAnswer, Unanswered> {
        Ok(PartyAnswer::Refused { code, detail: String::new() })
    }

    #[test]
    fn three_answers_make_one_outcome() {
        use PartyRefusal::{CheckFailed, NonceReused, PeerUnavailable, SignatureInvalid};
        let at = |party, refusal| Err(Failed::Refused { party, refusal });
        let good = || identified(PartyId::P1, [0; 3], [0; 3]);
        let mut token = [0; 16];
        token[0] = 7;
        let table = [
            ("a token", all_identified([1, 2, 4], [5, 6, 3]), Ok(Resolution::Token(token))),
            ("nobody", all_identified([1, 2, 3], [0, 9, 9]), Ok(Resolution::None)),
            ("more than one", all_identified([1, 2, 3], [1, 0, 0]), Ok(Resolution::Ambiguous)),
            ("the reason, not the lost peer", [refused(PeerUnavailable), refused(NonceReused), good()], at(PartyId::P2, NonceReused)),
            (
                "the first reason",
                [refused(NonceReused), refused(SignatureInvalid), refused(PeerUnavailable)],
                at(PartyId::P2, SignatureInvalid),
            ),
            ("who noticed a cheat", [good(), refused(PeerUnavailable), refused(CheckFailed)], at(PartyId::P3, CheckFailed)),
            (
                "who is silent, not the lost peer",
                [refused(PeerUnavailable), good(), Err(Unanswered::Interrupted)],
                Err(Failed::Unanswered { party: PartyId::P3, reason: Unanswered::Interrupted }),
            ),
            (
                "one that gives another component",
                [good(), identified(PartyId::P2, [1, 0, 0], [0; 3]), identified(PartyId::P3, [1, 0, 0], [0; 3])],
                Err(Failed::Inconsistent),
            ),
            ("another answer", [good(), Ok(PartyAnswer::EnrolmentChecked { is_valid: true }), good()], Err(Failed::Inconsistent)),
        ];
        for (what, answers, expected) in table {
            assert!(combine(answers).map(|outcome| outcome.resolution) == expected, "{what}");
        }
    }

    #[test]
    fn a_verdict_counts_if_all_three_say_it() {
        let said = |verdicts: [bool; 3]| verdicts.map(|is_valid| Ok(PartyAnswer::EnrolmentChecked { is_valid }));
        let read = |answer| match answer {
            PartyAnswer::EnrolmentChecked { is_valid } => Some(is_valid),
            _ => None,
        };
        assert_eq!(all_alike(said([true; 3]), read), Ok(true));
        assert_eq!(all_alike(said([false; 3]), read), Ok(false));
        assert_eq!(all_alike(said([true, true, false]), read), Err(Failed::Inconsistent));
    }
}
