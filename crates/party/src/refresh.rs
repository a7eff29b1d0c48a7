//! Refreshing the shares in two steps ([`crate::preparation`]): all three prepare the next epoch's rows and segments, while
//! everything goes on with the old ones; then one change of the log puts them in force and the old ones are erased. Whoever enrols in between keeps
//! the row of the old epoch until the next refresh; whoever is deleted in between has no staged row any more.

use base::hash::hash_parts;
use mpc::error::Error;
use mpc::protocol::Run;
use mpc::protocol::agree::agree;
use mpc::protocol::refresh::{Seed, refreshed, seed};
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyRefusal};
use wire::upkeep::PrepareRefresh;

use crate::apply::{next_log, no_randomness};
use crate::error::Refusal;
use crate::gallery::load::Source;
use crate::gallery::next::{Renewal, Renewed};
use crate::gallery::snapshot::LogState;
use crate::identify::{random, refusal};
use crate::journal::{AppliedChange, ChangeKind, StoredRecord};
use crate::link::NOT_POISONED;
use crate::opening;
use crate::row_seal::{self, fresh_key};
use crate::run_network::RunNetwork;
use crate::service::{Service, State};

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/refresh/v1";

impl Service {
    /// Prepares the rows of the next epoch, together with the other two.
    pub(crate) fn prepare_refresh(&self, command: &PrepareRefresh) -> Result<PartyAnswer, Refusal> {
        let (_upkeep, renewal) = (self.begin_upkeep()?, Renewal::Refresh(command.epoch));
        let begun = self.begin_preparation(renewal, command.gallery_sequence)?;
        self.state.lock().expect(NOT_POISONED).store.clear_staging()?;
        // Of a preparation that was given up.
        self.erase_rows()?;
        let network = self.mesh.begin(command.session, self.config.peer_timeout)?;
        let seed = self.agree_on_seed(command, begun, &network);
        let seed = self.finish(command.session, network, seed)?;
        self.lock_preparation(renewal, begun)?.store.begin_staging(command.epoch, begun.sequence)?;
        let rows = self.prepare_slots(renewal, begun, |state, records| self.stage(state, command.epoch, &seed, records))?;
        let name = hash_parts("handsel/staging/v1", &[seed.expose(), &begun.root, &command.epoch.to_le_bytes()]);
        drop(seed);
        self.finish_preparation(renewal, begun)?;
        let mut state = self.lock_preparation(renewal, begun)?;
        state.store.finish_staging(name)?;
        state.store.erase_leftovers()?;
        drop(state);
        self.step("every row of a refresh");
        tracing::info!(party = %self.config.party, epoch = command.epoch, rows, "refresh prepared");
        Ok(PartyAnswer::Prepared { name: HexArray(name), rows })
    }

    fn agree_on_seed(&self, command: &PrepareRefresh, log: LogState, network: &RunNetwork) -> Result<Seed, Refusal> {
        let failed = |error| refusal(command.session, error);
        let (party, keys) = (self.config.party, network.keys());
        let opening = opening::open(party, network, &opening::name(command.session, LABEL), random()?, &[]).map_err(failed)?;
        let run = Run { party, keys: &keys, salt: &opening.salt, label: LABEL, lanes: network };
        let seed = run.on_lane(0, |session| {
            agree(session, &[hash_parts("handsel/refresh/v1", &[&log.root, &log.sequence.to_le_bytes(), &command.epoch.to_le_bytes()])])?;
            let seed = seed(session)?;
            // Nobody prepares from another seed than the others: they would be as useless as a spoilt row.
            agree(session, &[hash_parts("handsel/refresh-seed/v1", &[seed.expose()])])?;
            Ok(seed)
        });
        seed.map_err(|error| match error {
            Error::InputDiffers { peer, .. } => {
                Refusal::new(PartyRefusal::GalleryOutOfStep, format!("{}: {peer} has another gallery, or another seed", command.session))
            }
            other => failed(other),
        })
    }

    /// Stages the rows of these records, and gives what stands in the next epoch's segments.
    fn stage(&self, state: &mut State, epoch: u32, seed: &Seed, records: &[StoredRecord]) -> Result<Vec<Renewed>, Refusal> {
        let State { store, keys, gallery } = state;
        let (party, place) = (self.config.party, gallery.place().clone());
        let (mut staged, mut row_keys, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
        let source = Source { store, keys, place: &place };
        for stored in records {
            let lost = || {
                Refusal::new(PartyRefusal::GalleryOutOfStep, format!("{} is void here: rebuild this party, or delete it", stored.record))
            };
            let (record, old, key) = (stored.record, source.row(stored)?.ok_or_else(lost)?, fresh_key().map_err(no_randomness)?);
            let row = refreshed(party, seed, &record.bits().to_le_bytes(), &old);
            staged.push((record, row_seal::seal(&key, row_seal::Place { party, record, epoch }, &row)));
            row_keys.push(key);
            renewed.push(Renewed { slot: stored.slot, row: Some(row), token: stored.token });
        }
        keys.insert(staged.iter().zip(&row_keys).map(|((record, _), key)| (*record, epoch, key)))?;
        self.step("some keys of a refresh");
        store.stage(epoch, &staged)?;
        Ok(renewed)
    }

    /// Puts the prepared rows in force.
    pub(crate) fn refresh(&self, state: &mut State, digest: [u8; 32], epoch: u32, name: [u8; 32]) -> Result<(), Refusal> {
        let staging = state.store.staging()?.filter(|staging| (staging.name, staging.epoch) == (name, epoch));
        let staging = staging.ok_or_else(|| {
            Refusal::new(PartyRefusal::GalleryOutOfStep, "this party has not prepared that refresh; it must be rebuilt from the other two")
        })?;
        let mut log = next_log(state.gallery.now(), &digest, 0)?;
        (log.epoch, log.generation) = (epoch, log.sequence);
        let (kind, applied_at) = (ChangeKind::Refresh, self.clock.now());
        let change = AppliedChange { log, kind, records: (0, None), digest, as_of: Some(staging.base), is_void: false, applied_at };
        state.store.refresh(&change)?;
        self.step("journal of a refresh");
        let numbering = state.store.numbering.clone();
        self.put_in_force(state, Renewal::Refresh(epoch), staging.base, &numbering)
    }
}
