//! Taking part in identifying a probe: check it, use it up, open this party's share, agree with the others that all hold
//! the same input, and run the protocol.

use std::sync::Arc;

use base::hash::hash_parts;
use base::id::SessionId;
use base::party::PartyId;
use mpc::network::Lanes;
use mpc::protocol::agree::agree;
use mpc::protocol::identify::{OutputShare, Records, identify};
use mpc::protocol::{Session, Stage};
use mpc::prss::Prss;
use mpc::share::TemplateShare;
use mpc::token::TokenShare;
use tokio::time::Instant;
use wire::bytes::HexArray;
use wire::party::{Identify, PartyAnswer, PartyRefusal, StageMicros};
use wire::probe::{ProbeForParty, Purpose};
use wire::seal;

use crate::checks;
use crate::error::Refusal;
use crate::gallery::snapshot::Snapshot;
use crate::link::NOT_POISONED;
use crate::run_network::RunNetwork;
use crate::service::Service;
use crate::switchboard::Lost;

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/identify/v1";

/// Measures the stages one after the other.
struct Stopwatch {
    since: Instant,
    stages: Vec<StageMicros>,
}

impl Service {
    /// Takes part in identifying `command.probe` and gives this party's share of the result.
    pub(crate) fn identify(&self, command: &Identify) -> Result<PartyAnswer, Refusal> {
        let mut stopwatch = Stopwatch { since: Instant::now(), stages: vec![] };
        let (gallery, network) = self.admit(command).inspect_err(|refusal| self.mesh.give_up(command.session, refusal.code))?;
        stopwatch.stage("checks");
        let output = match self.open_and_run(command, &gallery, &network, &mut stopwatch) {
            Ok(output) => output,
            Err(refusal) => {
                let refusal = explained(refusal, command.session, &network);
                network.give_up(refusal.code);
                return Err(refusal);
            }
        };
        network.finish();
        tracing::info!(party = %self.config.party, session = %command.session, "identified");
        Ok(PartyAnswer::Identified {
            token_share: HexArray(output.token),
            ambiguous_share: u8::from(output.ambiguous),
            stages: stopwatch.stages,
        })
    }

    /// Everything that can speak against the run, and then, for good, that the probe is used up.
    fn admit(&self, command: &Identify) -> Result<(Arc<Snapshot>, RunNetwork), Refusal> {
        let (context, session) = (&command.probe.context, command.session);
        checks::check_origin(&command.probe, Purpose::Pay, &self.config)?;
        let now = self.clock.now();
        checks::check_time(context, now)?;
        let mut state = self.state.lock().expect(NOT_POISONED);
        if state.store.is_nonce_used(&context.nonce.0)? {
            return Err(Refusal::new(PartyRefusal::NonceReused, "this probe was used before"));
        }
        if state.store.is_session_used(session)? {
            return Err(Refusal::new(PartyRefusal::SessionReused, format!("{session} was begun before")));
        }
        checks::check_past(context, state.store.terminal_past(context.terminal, now)?, self.config.budget)?;
        if state.gallery.now().sequence() != command.gallery_sequence {
            let detail = format!("the gallery is at change {}, not {}", state.gallery.now().sequence(), command.gallery_sequence);
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, detail));
        }
        let network = self.mesh.begin(session, self.config.peer_timeout)?;
        state.store.use_probe(context, session, now)?;
        Ok((state.gallery.snapshot(), network))
    }

    fn open(&self, probe: &ProbeForParty) -> Result<TemplateShare, Refusal> {
        let party = self.config.party;
        let opened = seal::open(self.config.sealing_key.expose(), &probe.context.associated_data(party), &probe.sealed)
            .map_err(|_| checks::malformed(party))?;
        TemplateShare::from_bytes(&opened, usize::from(self.config.dimensions)).map_err(|_| checks::malformed(party))
    }

    fn open_and_run(
        &self,
        command: &Identify,
        gallery: &Snapshot,
        network: &RunNetwork,
        stopwatch: &mut Stopwatch,
    ) -> Result<OutputShare, Refusal> {
        let query = self.open(&command.probe)?;
        stopwatch.stage("open");
        let partition = command.probe.context.partition.as_ref();
        let chunks = gallery
            .chunks(partition)
            .map_err(|void| Refusal::new(PartyRefusal::GalleryOutOfStep, format!("{} is void here and must be deleted first", void.0)))?;
        let thresholds = self.config.thresholds;
        let probe_digest = command.probe.digest();
        // The probe's nonce is used once, so this salt is, whatever name the platform gives the run.
        let salt = hash_parts("handsel/run/v1", &[&command.session.bits().to_le_bytes(), &probe_digest]);
        let prss = Prss::new(&network.keys(), &salt, LABEL, 0);
        let mut lane = network.open(0).map_err(|error| refusal(command.session, error))?;
        let mut session = Session::new(self.config.party, prss, lane.as_mut());
        let [accept, ambiguous] = [thresholds.accept(), thresholds.ambiguous()].map(u16::to_le_bytes);
        let rules = hash_parts("handsel/thresholds/v1", &[&accept, &ambiguous]);
        let differ = |error| refusal(command.session, error);
        agree(&mut session, &[probe_digest, rules, gallery.digest(partition)]).map_err(differ)?;
        stopwatch.stage("agree");
        let mut observe = |stage| match stage {
            Stage::Scan => stopwatch.stage("scan"),
            Stage::Compare => stopwatch.stage("compare"),
            Stage::Select => stopwatch.stage("select"),
            // Conversion counts as comparing, the search for a second one as selecting.
            Stage::Convert | Stage::Unique | Stage::Verify => {}
        };
        let (mut shares, mut tokens) = (vec![], vec![]);
        for chunk in chunks.iter() {
            (0..chunk.slots).for_each(|slot| shares.extend_from_slice(chunk.rows.read(slot).as_slice()));
            let parts = |token: [u8; 16]| match self.config.party {
                PartyId::P1 => [token, [0; 16]],
                PartyId::P2 => [[0; 16]; 2],
                PartyId::P3 => [[0; 16], token],
            };
            tokens.extend(chunk.tokens.iter().map(|token| TokenShare::from_parts(parts(*token))));
        }
        let rows: Vec<u32> = (0..tokens.len() as u32).collect();
        identify(
            &mut session,
            &query.prepare_query(self.config.party),
            Records { shares: &shares, tokens: &tokens, rows: &rows },
            thresholds,
            &mut observe,
        )
        .map_err(differ)
    }
}

pub(crate) fn refusal(session: SessionId, error: mpc::error::Error) -> Refusal {
    use mpc::error::Error;
    let code = match error {
        Error::InputDiffers { digest: 2, .. } => PartyRefusal::GalleryOutOfStep,
        Error::InputDiffers { .. } => PartyRefusal::ProbeDiffers,
        Error::PeerUnavailable { .. } | Error::MessageLength { .. } => PartyRefusal::PeerUnavailable,
        Error::DimensionsInvalid { .. } | Error::NormTooLarge | Error::ShareLength { .. } => PartyRefusal::ShareMalformed,
        Error::ProbeInvalid => PartyRefusal::ShareMalformed,
        Error::ThresholdsInvalid | Error::ResultInconsistent | Error::CoinMismatch | Error::MacMismatch | Error::CheckFailed => {
            PartyRefusal::RequestMalformed
        }
    };
    let detail = match error {
        Error::InputDiffers { peer, digest: 0 } => format!("{session}: {peer} was handed another probe"),
        Error::InputDiffers { peer, digest: 1 } => format!("{session}: {peer} has other thresholds"),
        Error::InputDiffers { peer, .. } => format!("{session}: {peer} has another gallery"),
        other => format!("{session}: {other}"),
    };
    Refusal::new(code, detail)
}

/// The refusal with what the network knows of a neighbour that was lost.
fn explained(refusal: Refusal, session: SessionId, network: &RunNetwork) -> Refusal {
    match network.lost() {
        Some((peer, lost)) if refusal.code == PartyRefusal::PeerUnavailable => {
            let how = match lost {
                Lost::Gone => "the connection broke".to_owned(),
                Lost::TimedOut => "it sent nothing in time".to_owned(),
                Lost::Flooded => "it sent more than a run has under way".to_owned(),
                Lost::GivenUp(reason) => match PartyRefusal::from_number(reason) {
                    Some(reason) => format!("it gave the run up: {reason:?}"),
                    None => "it gave the run up".to_owned(),
                },
            };
            Refusal::new(refusal.code, format!("{session}: {peer} was lost: {how}"))
        }
        _ => refusal,
    }
}

impl Stopwatch {
    fn stage(&mut self, stage: &str) {
        let now = Instant::now();
        self.stages.push(StageMicros { stage: stage.into(), micros: (now - self.since).as_micros() as u64 });
        self.since = now;
    }
}
