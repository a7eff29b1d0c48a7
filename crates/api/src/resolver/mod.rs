//! The resolver: asks the three parties who a probe belongs to and puts their three output shares together. It is the
//! only place that learns a token.

pub mod client;
pub mod connect;
pub mod timings;

use base::id::SessionId;
use base::party::PartyId;
use mpc::protocol::identify::{OutputShare, Resolution, resolve};
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::party::{Identify, PartyAnswer, PartyCommand, PartyRefusal, PartyStatus, StageMicros};
use wire::probe::SealedProbe;

use crate::config::PlatformConfig;
use crate::error::Error;
use client::{PartyClient, Unanswered};
use connect::Connector;
use timings::Timings;

/// A party's status fits into this time unless it is down.
const STATUS_TIMEOUT_MS: u64 = 1_000;

/// The three parties, as the platform reaches them.
pub struct Resolver {
    clients: [PartyClient; 3],
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
        Ok(Self { clients })
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
        let ask = |party: PartyId| {
            let command = Identify { session, gallery_sequence, probe: probe.for_party(party) };
            self.client(party).ask(PartyCommand::Identify(Box::new(command)), timeout_ms)
        };
        let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        combine([first, second, third])
    }
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
    let mut shares = Vec::with_capacity(3);
    let mut stages: [Vec<StageMicros>; 3] = Default::default();
    let mut failures = Vec::new();
    for (party, answer) in PartyId::ALL.into_iter().zip(answers) {
        match answer {
            Ok(PartyAnswer::Identified { token_share, ambiguous_share, stages: took }) if ambiguous_share <= 1 => {
                shares.push(OutputShare { token: token_share.0, ambiguous: ambiguous_share == 1 });
                stages[party.index()] = took;
            }
            Ok(PartyAnswer::Refused { code, .. }) => failures.push(Failed::Refused { party, refusal: code }),
            Ok(_) => failures.push(Failed::Inconsistent),
            Err(reason) => failures.push(Failed::Unanswered { party, reason }),
        }
    }
    // One party's reason makes the others lose their peer: the reason is what counts.
    if let Some(failed) = failures.into_iter().min_by_key(rank) {
        return Err(failed);
    }
    let shares: [OutputShare; 3] = shares.try_into().unwrap_or_else(|_| unreachable!("each party gave a share or failed"));
    let mut timings = Timings::slowest(&stages);
    let started = Instant::now();
    let resolution = resolve(&shares).map_err(|_| Failed::Inconsistent)?;
    timings.add_since("resolve", started);
    Ok(Outcome { resolution, timings })
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

    fn identified(token: u8, ambiguous: u8) -> Result<PartyAnswer, Unanswered> {
        Ok(PartyAnswer::Identified { token_share: HexArray([token; 16]), ambiguous_share: ambiguous, stages: vec![] })
    }

    fn refused(code: PartyRefusal) -> Result<PartyAnswer, Unanswered> {
        Ok(PartyAnswer::Refused { code, detail: String::new() })
    }

    #[test]
    fn three_answers_make_one_outcome() {
        use PartyRefusal::{NonceReused, PeerUnavailable, SignatureInvalid};
        let at = |party, refusal| Err(Failed::Refused { party, refusal });
        let table = [
            ("a token", [identified(1, 1), identified(2, 1), identified(4, 0)], Ok(Some([7; 16]))),
            ("nobody", [identified(1, 0), identified(2, 0), identified(3, 0)], Ok(None)),
            (
                "the reason, not the lost peer",
                [refused(PeerUnavailable), refused(NonceReused), identified(1, 0)],
                at(PartyId::P2, NonceReused),
            ),
            (
                "the first reason",
                [refused(NonceReused), refused(SignatureInvalid), refused(PeerUnavailable)],
                at(PartyId::P2, SignatureInvalid),
            ),
            (
                "who is silent, not the lost peer",
                [refused(PeerUnavailable), identified(1, 0), Err(Unanswered::Interrupted)],
                Err(Failed::Unanswered { party: PartyId::P3, reason: Unanswered::Interrupted }),
            ),
            ("a bit that is none", [identified(1, 2), identified(1, 0), identified(1, 0)], Err(Failed::Inconsistent)),
            ("a token and ambiguous", [identified(1, 1), identified(1, 0), identified(1, 0)], Err(Failed::Inconsistent)),
        ];
        for (what, answers, expected) in table {
            let found = combine(answers).map(|outcome| match outcome.resolution {
                Resolution::Token(token) => Some(token),
                Resolution::None | Resolution::Ambiguous => None,
            });
            assert_eq!(found, expected, "{what}");
        }
    }
}
