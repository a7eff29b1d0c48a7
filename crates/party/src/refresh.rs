//! Refreshing the shares in two steps: all three prepare the next epoch's rows on disk, while everything goes on with the
//! old ones; then one change of the log puts them in force and the old ones are destroyed. Whoever enrols in between keeps
//! the row of the old epoch until the next refresh; whoever is deleted in between has no staged row any more.

use base::hash::hash_parts;
use mpc::network::Lanes;
use mpc::protocol::Session;
use mpc::protocol::agree::agree;
use mpc::protocol::refresh::{Seed, refreshed, seed};
use mpc::prss::Prss;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyRefusal};
use wire::upkeep::PrepareRefresh;

use crate::apply::{CHANGE_PATIENCE, busy, next_log, no_randomness};
use crate::error::{Refusal, Stopped};
use crate::gallery::snapshot::LogState;
use crate::journal::{AppliedChange, ChangeKind};
use crate::link::NOT_POISONED;
use crate::row_seal::{self, fresh_key};
use crate::run_network::RunNetwork;
use crate::salt;
use crate::service::{Service, State};
use crate::staging::Staging;

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/refresh/v1";
/// Slots whose rows are staged before others may use the store again.
const SLOTS_AT_ONCE: u32 = 1024;

impl Service {
    /// Prepares the rows of the next epoch, together with the other two.
    pub(crate) fn prepare_refresh(&self, command: &PrepareRefresh) -> Result<PartyAnswer, Refusal> {
        let log = self.begin_staging(command)?;
        let network = self.mesh.begin(command.session, self.config.peer_timeout)?;
        let seed = match self.agree_on_seed(command, log, &network) {
            Ok(seed) => seed,
            Err(stopped) => {
                let refusal = stopped.refusal(command.session);
                network.give_up(refusal.code);
                return Err(refusal);
            }
        };
        network.finish();
        let rows = (0..log.slots).step_by(SLOTS_AT_ONCE as usize).try_fold(0, |rows, start| {
            let staged = self.stage(command.epoch, log, &seed, start..log.slots.min(start + SLOTS_AT_ONCE))?;
            self.step("some rows of a refresh");
            Ok::<u64, Refusal>(rows + staged)
        })?;
        let name = hash_parts("handsel/staging/v1", &[seed.expose(), &log.root, &command.epoch.to_le_bytes()]);
        drop(seed);
        let mut state = self.state.lock().expect(NOT_POISONED);
        state.store.finish_staging(Staging { name, epoch: command.epoch, base: log.sequence })?;
        state.store.erase_leftovers()?;
        self.step("every row of a refresh");
        tracing::info!(party = %self.config.party, epoch = command.epoch, rows, "refresh prepared");
        Ok(PartyAnswer::Prepared { name: HexArray(name), rows })
    }

    fn begin_staging(&self, command: &PrepareRefresh) -> Result<LogState, Refusal> {
        let mut state = self.state.lock().expect(NOT_POISONED);
        self.settle(&mut state)?;
        let log = state.gallery.now().log();
        if (log.sequence, log.epoch + 1) != (command.gallery_sequence, command.epoch) {
            let detail = format!("the gallery is at change {} of epoch {}", log.sequence, log.epoch);
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, detail));
        }
        state.store.clear_staging()?;
        Ok(log)
    }

    fn agree_on_seed(&self, command: &PrepareRefresh, log: LogState, network: &RunNetwork) -> Result<Seed, Stopped> {
        let mut lane = network.open(0)?;
        let salt = salt::fresh::<Stopped>(lane.as_mut(), self.config.party, command.session)?;
        let prss = Prss::new(&network.keys(), &salt, LABEL, 0);
        let mut session = Session::new(self.config.party, prss, lane.as_mut());
        let what = hash_parts("handsel/refresh/v1", &[&log.root, &log.sequence.to_le_bytes(), &command.epoch.to_le_bytes()]);
        agree(&mut session, &[what])?;
        let seed = seed(&mut session)?;
        // Nobody prepares from another seed than the others: they would be as useless as a spoilt row.
        agree(&mut session, &[hash_parts("handsel/refresh-seed/v1", &[seed.expose()])])?;
        Ok(seed)
    }

    /// Stages the rows of these slots, as far as their records were there when the refresh began.
    fn stage(&self, epoch: u32, begun: LogState, seed: &Seed, slots: std::ops::Range<u32>) -> Result<u64, Refusal> {
        let mut state = self.state.lock().expect(NOT_POISONED);
        let State { store, keys, gallery } = &mut *state;
        if store.log()?.generation != begun.generation {
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, "the slots were numbered anew meanwhile; prepare again"));
        }
        let (party, place) = (self.config.party, gallery.place().clone());
        let mut staged = Vec::new();
        let mut row_keys = Vec::new();
        let source = crate::gallery::load::Source { store, keys, place: &place };
        store.for_each_record(slots, |stored| {
            if let Some(row) = source.row(&stored)?.filter(|_| stored.sequence <= begun.sequence) {
                let (record, key) = (stored.record, fresh_key().map_err(no_randomness)?);
                let row = refreshed(party, seed, &record.bits().to_le_bytes(), &row);
                staged.push((record, row_seal::seal(&key, row_seal::Place { party, record, epoch }, &row)));
                row_keys.push((record, key));
            }
            Ok::<_, Refusal>(())
        })?;
        keys.insert(row_keys.iter().map(|(record, key)| (*record, epoch, key)))?;
        store.stage(&staged)?;
        Ok(staged.len() as u64)
    }

    /// Puts the prepared rows in force.
    pub(crate) fn refresh(&self, state: &mut State, digest: [u8; 32], epoch: u32, name: [u8; 32]) -> Result<(), Refusal> {
        let staging = state.store.staging()?.filter(|staging| (staging.name, staging.epoch) == (name, epoch));
        let staging = staging.ok_or_else(|| {
            Refusal::new(PartyRefusal::GalleryOutOfStep, "this party has not prepared that refresh; it must be rebuilt from the other two")
        })?;
        if state.store.unstaged(staging.base)? > 0 {
            return Err(Refusal::new(
                PartyRefusal::GalleryOutOfStep,
                "not every row is prepared; this party must be rebuilt from the other two",
            ));
        }
        let gallery = state.gallery.alone(CHANGE_PATIENCE).map_err(busy)?;
        let mut log = next_log(gallery, &digest, 0)?;
        (log.epoch, log.generation) = (epoch, log.sequence);
        let change =
            AppliedChange { log, kind: ChangeKind::Refresh, records: (0, None), digest, is_void: false, applied_at: self.clock.now() };
        state.store.refresh(&change)?;
        self.step("journal of a refresh");
        self.settle(state)
    }
}
