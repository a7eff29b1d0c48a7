//! Admitting a look: everything that can speak against it, and then, for good, that its probe is used up.
//!
//! What is recorded must be on the disk before anything is done with the probe, and the disk takes milliseconds. Looks that
//! come meanwhile are judged one after the other and recorded together, so that they wait for the disk once, not each after
//! the other, and reach the scan together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::id::SessionId;
use rusqlite::Transaction;
use wire::party::{Identify, PartyRefusal};
use wire::probe::{ProbeContext, Purpose};

use crate::checks;
use crate::error::Refusal;
use crate::gallery::snapshot::Snapshot;
use crate::link::NOT_POISONED;
use crate::run_network::RunNetwork;
use crate::service::{Service, State};
use crate::store::Store;

/// Looks that wait to be judged.
#[derive(Default)]
pub(crate) struct Admissions(Mutex<Vec<Look>>);

/// A look, and where its verdict goes.
struct Look {
    context: ProbeContext,
    session: SessionId,
    gallery_sequence: u64,
    verdict: Arc<Mutex<Option<Verdict>>>,
}

/// How long the look must wait, and what it then searches.
type Verdict = Result<(Duration, Arc<Snapshot>), Refusal>;

impl Service {
    /// Admits the look; the gallery stays as it is for as long as it is held.
    pub(crate) fn admit(&self, command: &Identify) -> Result<(Arc<Snapshot>, RunNetwork), Refusal> {
        checks::check_origin(&command.probe, Purpose::Pay, &self.config)?;
        checks::check_time(&command.probe.context, self.clock.now())?;
        let (delay, mut snapshot) = self.judge(command)?;
        if !delay.is_zero() {
            // The gallery may change while the look waits.
            drop(snapshot);
            std::thread::sleep(delay);
            snapshot = self.snapshot_as_of(command.gallery_sequence)?;
        }
        Ok((snapshot, self.mesh.begin(command.session, self.config.peer_timeout)?))
    }

    /// Waits for whoever judges now, and then judges all that have come meanwhile, unless somebody else has.
    fn judge(&self, command: &Identify) -> Verdict {
        let verdict = Arc::new(Mutex::new(None));
        let (context, session) = (command.probe.context.clone(), command.session);
        let look = Look { context, session, gallery_sequence: command.gallery_sequence, verdict: verdict.clone() };
        self.admissions.0.lock().expect(NOT_POISONED).push(look);
        let state = self.state.lock().expect(NOT_POISONED);
        let found = verdict.lock().expect(NOT_POISONED).take();
        found.unwrap_or_else(|| {
            let looks = std::mem::take(&mut *self.admissions.0.lock().expect(NOT_POISONED));
            self.judge_all(&state, &looks);
            verdict.lock().expect(NOT_POISONED).take().expect("all that were waiting are judged")
        })
    }

    fn judge_all(&self, state: &State, looks: &[Look]) {
        let judged = state.store.together(|transaction| looks.iter().map(|look| self.use_up(state, transaction, look)).collect::<Vec<_>>());
        let verdicts = judged.unwrap_or_else(|error| {
            let refusal = Refusal::from(error);
            vec![Err(refusal); looks.len()]
        });
        for (look, verdict) in looks.iter().zip(verdicts) {
            *look.verdict.lock().expect(NOT_POISONED) = Some(verdict);
        }
    }

    /// Checks the look against those before it, and records that its probe is used.
    fn use_up(&self, state: &State, transaction: &Transaction<'_>, look: &Look) -> Verdict {
        let (context, session, now) = (&look.context, look.session, self.clock.now());
        if state.store.is_nonce_used(&context.nonce.0)? {
            return Err(Refusal::new(PartyRefusal::NonceReused, "this probe was used before"));
        }
        if state.store.is_session_used(session)? {
            return Err(Refusal::new(PartyRefusal::SessionReused, format!("{session} was begun before")));
        }
        checks::check_counter(context, state.store.highest_counter(context.terminal)?)?;
        let delay = checks::check_budgets(context, &state.store.pasts(context, now)?, &self.config.budgets)?;
        let snapshot = snapshot_as_of(state, look.gallery_sequence)?;
        Store::use_probe(transaction, context, session, now)?;
        Ok((delay, snapshot))
    }

    /// The gallery, which stays as it is for as long as somebody holds it, if it is at the change `sequence`.
    pub(crate) fn snapshot_as_of(&self, sequence: u64) -> Result<Arc<Snapshot>, Refusal> {
        snapshot_as_of(&self.state.lock().expect(NOT_POISONED), sequence)
    }
}

fn snapshot_as_of(state: &State, sequence: u64) -> Result<Arc<Snapshot>, Refusal> {
    let now = state.gallery.now();
    if now.sequence() == sequence {
        return Ok(state.gallery.snapshot());
    }
    Err(Refusal::new(PartyRefusal::GalleryOutOfStep, format!("the gallery is at change {}, not {sequence}", now.sequence())))
}
