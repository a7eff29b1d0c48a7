//! Taking part in checking that an enrolment's templates are templates, before any party applies it. A wild or bent one
//! would match anybody once it is in the gallery.
//!
//! The outcome is kept for good under the probe's digest, and applying the enrolment asks for it. Parties can record
//! different things only if one of them was cut off: then it has recorded nothing, and the check is run again, with the
//! same outcome.

use base::hash::hash_parts;
use mpc::error::Error;
use mpc::protocol::Run;
use mpc::protocol::agree::agree;
use mpc::protocol::probe;
use mpc::share::{SHARE_BYTES, TemplateShare};
use wire::party::{CheckEnrolment, PartyAnswer};
use wire::probe::{ProbeForParty, Purpose};
use wire::seal;

use crate::checks;
use crate::error::Refusal;
use crate::identify::{random, refusal};
use crate::link::NOT_POISONED;
use crate::opening;
use crate::run_network::RunNetwork;
use crate::service::Service;

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/check-enrolment/v1";

impl Service {
    /// Checks the enrolment together with the others, and records what came of it.
    pub(crate) fn check_enrolment(&self, command: &CheckEnrolment) -> Result<PartyAnswer, Refusal> {
        let network = self.mesh.begin(command.session, self.config.peer_timeout);
        let network = network.inspect_err(|refusal| self.mesh.give_up(command.session, refusal.code))?;
        let checked = self.check_templates(command, &network);
        let is_valid = self.finish(command.session, network, checked)?;
        let state = self.state.lock().expect(NOT_POISONED);
        state.store.record_enrolment_check(&command.probe.digest(), is_valid, self.clock.now())?;
        drop(state);
        tracing::info!(party = %self.config.party, session = %command.session, is_valid, "enrolment checked");
        Ok(PartyAnswer::EnrolmentChecked { is_valid })
    }

    /// Takes an enrolment's templates as checked, for tests of a party alone.
    ///
    /// # Errors
    /// What SQLite says.
    #[doc(hidden)]
    pub fn take_as_checked(&self, probe: &ProbeForParty) -> rusqlite::Result<()> {
        self.state.lock().expect(NOT_POISONED).store.record_enrolment_check(&probe.digest(), true, self.clock.now())
    }

    fn check_templates(&self, command: &CheckEnrolment, network: &RunNetwork) -> Result<bool, Refusal> {
        let probe = &command.probe;
        // What is wrong with the probe here is wrong at the enrolment too, which is then applied as void.
        let templates = checks::check_origin(probe, Purpose::Enrol, &self.config).ok().and_then(|()| self.open_templates(probe));
        let failed = |error| refusal(command.session, error);
        let name = opening::name(command.session, LABEL);
        let opening = opening::open(self.config.party, network, &name, random()?, &[]).map_err(failed)?;
        let (party, keys) = (self.config.party, network.keys());
        let run = Run { party, keys: &keys, salt: &opening.salt, label: LABEL, lanes: network };
        let checked = run.on_lane(0, |session| {
            let can_open = hash_parts("handsel/opens/v1", &[&[u8::from(templates.is_some())]]);
            agree(session, &[probe.digest()])?;
            // Whether all can open theirs: nobody is left waiting for one that cannot.
            match (agree(session, &[can_open]), &templates) {
                (Ok(()), Some(templates)) => probe::check_all(session, templates),
                (Ok(()), None) | (Err(Error::InputDiffers { .. }), _) => Err(Error::ProbeInvalid),
                (Err(error), _) => Err(error),
            }
        });
        match checked {
            Ok(()) => Ok(true),
            Err(Error::ProbeInvalid) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// The templates' shares, or `None` if the sealed share does not open or has another length than announced.
    pub(crate) fn open_templates(&self, probe: &ProbeForParty) -> Option<Vec<TemplateShare>> {
        let dimensions = usize::from(self.config.dimensions);
        let opened = seal::open(self.config.sealing_key.expose(), &probe.context.associated_data(self.config.party), &probe.sealed).ok()?;
        if opened.len() != SHARE_BYTES * dimensions * probe.context.templates as usize {
            return None;
        }
        opened.chunks_exact(SHARE_BYTES * dimensions).map(|bytes| TemplateShare::from_bytes(bytes, dimensions).ok()).collect()
    }
}
