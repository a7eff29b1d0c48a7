//! Taking part in identifying a probe: check it, use it up, open this party's share, agree with the others that all hold
//! the same input, and search.

use std::sync::Arc;

use base::hash::hash_parts;
use base::id::SessionId;
use mpc::protocol::Run;
use mpc::protocol::conclude::OutputShare;
use mpc::protocol::mac::SealedMac;
use mpc::protocol::verified::Verification;
use mpc::share::TemplateShare;
use wire::bytes::HexArray;
use wire::party::{Identify, PartyAnswer, PartyRefusal};
use wire::probe::ProbeForParty;
use wire::seal;

use crate::budget::INVALID_PROBE_WEIGHT;
use crate::checks;
use crate::error::Refusal;
use crate::gallery::snapshot::{Snapshot, Stamp};
use crate::link::NOT_POISONED;
use crate::opening::{self, MacName};
use crate::run_network::RunNetwork;
use crate::scan_pool::{Announced, Source};
use crate::search::{self, Search};
use crate::searched::Searched;
use crate::service::Service;
use crate::stages::{Stages, Stopwatch};

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/identify/v2";

impl Service {
    /// Takes part in identifying `command.probe` and gives this party's share of the result.
    pub(crate) fn identify(&self, command: &Identify) -> Result<PartyAnswer, Refusal> {
        // Who reads the gallery for others waits a little for this query.
        let announced = self.scan_pool.announce();
        let mut stages = Stages::default();
        let mut stopwatch = Stopwatch::start();
        let (snapshot, network) = self.admit(command).inspect_err(|refusal| self.mesh.give_up(command.session, refusal.code))?;
        stages.add("checks", stopwatch.lap());
        let output = self.open_and_search(command, snapshot, &network, announced, &mut stages);
        let traffic = search::traffic(&network);
        let output = self.finish(command.session, network, output)?;
        tracing::info!(party = %self.config.party, session = %command.session, "identified");
        Ok(PartyAnswer::Identified { output: HexArray(*output.to_bytes()), stages: stages.into_micros(), traffic })
    }

    /// Ends the run: well, or by telling the others that it is given up and why.
    pub(crate) fn finish<T>(&self, session: SessionId, network: RunNetwork, result: Result<T, Refusal>) -> Result<T, Refusal> {
        let result = result.map_err(|refusal| network.explain(session, refusal));
        match &result {
            Ok(_) => network.finish(),
            Err(refusal) => network.give_up(refusal.code),
        }
        result
    }

    fn open(&self, probe: &ProbeForParty) -> Result<TemplateShare, Refusal> {
        let party = self.config.party;
        let opened = seal::open(self.config.sealing_key.expose(), &probe.context.associated_data(party), &probe.sealed)
            .map_err(|_| checks::malformed(party))?;
        TemplateShare::from_bytes(&opened, usize::from(self.config.dimensions)).map_err(|_| checks::malformed(party))
    }

    fn open_and_search(
        &self,
        command: &Identify,
        snapshot: Arc<Snapshot>,
        network: &RunNetwork,
        announced: Announced,
        stages: &mut Stages,
    ) -> Result<OutputShare, Refusal> {
        let mut stopwatch = Stopwatch::start();
        let probe = self.open(&command.probe)?;
        let query = probe.prepare_query(self.config.party);
        let partition = command.probe.context.partition.as_ref();
        let searched = Searched::new(&snapshot, partition)
            .map_err(|void| Refusal::new(PartyRefusal::GalleryOutOfStep, format!("{} is void here and must be deleted first", void.0)))?;
        let digest = snapshot.digest(partition);
        drop(snapshot);
        let searched = Arc::new(searched);
        let handed_out = self.workers.hand_out(&query, &searched);
        let (rest, group) = handed_out.rest(&searched);
        let scores = announced.submit(query.clone(), rest, group);
        stages.add("open", stopwatch.lap());

        let party = self.config.party;
        let failed = |error| match error {
            mpc::error::Error::PeerUnavailable { peer } if peer == party => {
                Refusal::new(PartyRefusal::WorkerLost, format!("{}: a worker of {party} was lost", command.session))
            }
            error => refusal(command.session, error),
        };
        let stamps = searched.stamps();
        let names = self.mac_names(&stamps);
        let opening =
            opening::open(self.config.party, network, &command.session.bits().to_le_bytes(), random()?, &names).map_err(failed)?;
        stages.add("opening", stopwatch.lap());
        let macs = self.macs_of(&searched, &stamps, &opening.macs)?;
        let keys = network.keys();
        let run = Run { party: self.config.party, keys: &keys, salt: &opening.salt, label: LABEL, lanes: network };
        let search = Search {
            run,
            network,
            digests: &[command.probe.digest(), self.rules(), digest, hash_parts("handsel/macs/v1", &[opening.macs.as_flattened()])],
            probe: &probe,
            query: &query,
            searched: &searched,
            macs: &macs,
            handed_out: &handed_out,
            silence: self.config.peer_timeout,
            scores: &scores,
            thresholds: self.config.thresholds,
            verification: self.config.verification,
        };
        search.run(stages).inspect_err(|error| self.draw_conclusions(command, *error, &stamps)).map_err(failed)
    }

    /// What all three must be configured with alike.
    fn rules(&self) -> [u8; 32] {
        let [accept, ambiguous] = [self.config.thresholds.accept(), self.config.thresholds.ambiguous()].map(u16::to_le_bytes);
        let is_verified = u8::from(self.config.verification == Verification::On);
        hash_parts("handsel/rules/v1", &[LABEL.as_bytes(), &accept, &ambiguous, &[is_verified], &self.config.dimensions.to_le_bytes()])
    }

    /// The names of this party's MACs of these parts.
    fn mac_names(&self, stamps: &[Option<Stamp>]) -> Vec<MacName> {
        let is_used = self.config.verification == Verification::On;
        stamps.iter().map(|stamp| stamp.filter(|_| is_used).map_or([0; 16], |stamp| self.macs.name(stamp))).collect()
    }

    /// The MACs that all three have, of these names.
    fn macs_of(&self, searched: &Searched, stamps: &[Option<Stamp>], names: &[MacName]) -> Result<Vec<Option<Arc<SealedMac>>>, Refusal> {
        let dimensions = usize::from(self.config.dimensions);
        let of_part = |(at, (stamp, name)): (usize, (&Option<Stamp>, &MacName))| match stamp {
            Some(stamp) if *name != [0; 16] => {
                let mac = self.macs.get(*stamp, *name, searched.slots(at), dimensions);
                mac.map(Some)
                    .ok_or_else(|| Refusal::new(PartyRefusal::StorageFailed, "a segment's MAC cannot be read; it will be made anew"))
            }
            _ => Ok(None),
        };
        stamps.iter().zip(names).enumerate().map(of_part).collect()
    }

    /// What a failed run means for the next: MACs that did not fit are not used again, and a terminal whose probe was no
    /// template has used up many looks.
    fn draw_conclusions(&self, command: &Identify, error: mpc::error::Error, stamps: &[Option<Stamp>]) {
        use mpc::error::Error;
        match error {
            Error::MacMismatch => self.macs.forget(&stamps.iter().flatten().copied().collect::<Vec<_>>()),
            Error::ProbeInvalid => {
                let mut state = self.state.lock().expect(NOT_POISONED);
                if let Err(error) = state.store.penalise(command.session, INVALID_PROBE_WEIGHT, self.clock.now()) {
                    tracing::error!(party = %self.config.party, %error, "an invalid probe could not be counted");
                }
            }
            _ => {}
        }
    }
}

/// Fresh random bytes.
pub(crate) fn random() -> Result<[u8; 32], Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(crate::apply::no_randomness)?;
    Ok(bytes)
}

/// A protocol's error, for the platform.
pub(crate) fn refusal(session: SessionId, error: mpc::error::Error) -> Refusal {
    use mpc::error::Error;
    let code = match error {
        Error::InputDiffers { digest: 2, .. } => PartyRefusal::GalleryOutOfStep,
        Error::InputDiffers { digest: 3, .. } => PartyRefusal::SharesContradict,
        Error::InputDiffers { .. } => PartyRefusal::ProbeDiffers,
        Error::PeerUnavailable { .. } | Error::MessageLength { .. } => PartyRefusal::PeerUnavailable,
        Error::DimensionsInvalid { .. } | Error::NormTooLarge | Error::ShareLength { .. } => PartyRefusal::ShareMalformed,
        Error::ThresholdsInvalid => PartyRefusal::RequestMalformed,
        Error::ProbeInvalid => PartyRefusal::ProbeInvalid,
        Error::MacMismatch => PartyRefusal::MacMismatch,
        Error::CheckFailed => PartyRefusal::CheckFailed,
        Error::CoinMismatch | Error::ResultInconsistent => PartyRefusal::SharesContradict,
    };
    let detail = match error {
        Error::InputDiffers { peer, digest: 0 } => format!("{session}: {peer} was handed another probe"),
        Error::InputDiffers { peer, digest: 1 } => format!("{session}: {peer} has other thresholds, or verifies otherwise"),
        Error::InputDiffers { peer, digest: 2 } => format!("{session}: {peer} has another gallery"),
        Error::InputDiffers { peer, .. } => format!("{session}: {peer} says that other MACs are common"),
        other => format!("{session}: {other}"),
    };
    Refusal::new(code, detail)
}
