//! One search as this party: on lane 0 it agrees with the others, has the probe checked and concludes; on each other lane a
//! chunk of the gallery is worked on, some of them at a time, as the scan brings their scores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::agree::agree;
use mpc::protocol::chunk::{self, ChunkInput, ChunkOutcome, Part};
use mpc::protocol::conclude::{OutputShare, conclude};
use mpc::protocol::identify::Thresholds;
use mpc::protocol::mac::SealedMac;
use mpc::protocol::verified::Verification;
use mpc::protocol::{Run, probe};
use mpc::share::{PreparedQuery, TemplateShare};
use wire::party::Traffic;

use crate::opening::OPENING_LANE;
use crate::run_network::RunNetwork;
use crate::scan_pool::Scores;
use crate::searched::Searched;
use crate::stages::{ChunkStages, Stages, Stopwatch, Took};
use crate::workers::message::Job;
use crate::workers::registry::HandedOut;

/// Chunks of one run that are worked on at once; the others wait, in the same order at all three parties.
const CHUNKS_AT_ONCE: usize = 4;

/// Everything that one search needs.
pub struct Search<'a> {
    /// The party's side of the run.
    pub run: Run<'a>,
    /// Its connections, to be given up when one of the lanes fails.
    pub network: &'a RunNetwork,
    /// What must be the same at all three, in the order in which it is named when it differs.
    pub digests: &'a [[u8; 32]],
    /// This party's share of the probe.
    pub probe: &'a TemplateShare,
    /// The same as the scan has it.
    pub query: &'a PreparedQuery,
    /// What is searched.
    pub searched: &'a Searched,
    /// The parts' MACs, where all three parties have one.
    pub macs: &'a [Option<Arc<SealedMac>>],
    /// What workers do.
    pub handed_out: &'a HandedOut,
    /// How long a worker may say nothing.
    pub silence: Duration,
    /// What the scan brings of the rest.
    pub scores: &'a Scores,
    /// From which scores on a record is accepted, and near.
    pub thresholds: Thresholds,
    /// Whether cheating is noticed.
    pub verification: Verification,
}

impl Search<'_> {
    /// Runs it. No output leaves unless every check has passed.
    ///
    /// # Errors
    /// Those of the protocols; the first verdict if there are several errors.
    pub fn run(&self, stages: &mut Stages) -> Result<OutputShare, Error> {
        self.run.on_lane(0, |session| {
            let mut stopwatch = Stopwatch::start();
            agree(session, self.digests)?;
            stages.add("agree", stopwatch.lap());
            let next = AtomicUsize::new(0);
            let (checked, worked) = std::thread::scope(|scope| {
                let threads = self.searched.chunks().min(CHUNKS_AT_ONCE);
                let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work(&next))).collect();
                let checked = probe::check(session, self.probe).inspect_err(|_| self.network.abandon());
                let checked = checked.map(|()| stopwatch.lap());
                (checked, threads.into_iter().map(|thread| thread.join().expect("a lane does not panic")).collect::<Vec<_>>())
            });
            stopwatch.lap();
            let check = first_verdict(self.run.party, checked, &worked)?;
            let (outcomes, took) = in_order(worked);
            let took = ChunkStages {
                scan: Took { cpu: self.scores.cpu() + took.scan.cpu, ..took.scan },
                verify: took.verify.beside(check),
                ..took
            };
            stages.add_chunks(took);
            let output = conclude(session, &outcomes, self.thresholds, self.verification)?;
            stages.add("conclude", stopwatch.lap());
            Ok(output)
        })
    }

    /// What a worker must know of the chunk `number`.
    fn job(&self, number: usize) -> Job {
        Job {
            party: self.run.party,
            number: number as u32,
            lane: lane_of(number),
            keys: self.run.keys.clone(),
            salt: self.run.salt.try_into().expect("a run's salt is a hash"),
            label: self.run.label.into(),
            thresholds: self.thresholds,
            verification: self.verification,
            macs: self.macs[self.searched.parts_of(number)].iter().map(|mac| mac.as_ref().map(|mac| mac.to_bytes())).collect(),
        }
    }

    /// Works on one chunk after the other until there is none left or one fails.
    fn work(&self, next: &AtomicUsize) -> Result<(Vec<(usize, ChunkOutcome)>, ChunkStages), Error> {
        let (mut outcomes, mut took) = (vec![], ChunkStages::default());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.searched.chunks() {
                return Ok((outcomes, took));
            }
            let (outcome, stages) = self.work_on(number).inspect_err(|_| self.network.abandon())?;
            outcomes.push((number, outcome));
            took = took.then(stages);
        }
    }

    fn work_on(&self, number: usize) -> Result<(ChunkOutcome, ChunkStages), Error> {
        if let Some(task) = self.handed_out.task(number) {
            return task.work(&self.run, self.job(number), self.silence);
        }
        let mut stopwatch = Stopwatch::start();
        let mut stages = ChunkStages::default();
        let parts = self.searched.parts_of(number);
        let mut scores = self.scores.take(parts.clone()).map_err(|_| Error::ResultInconsistent)?;
        // What the scan cost it says itself.
        stages.scan = Took { cpu: Duration::ZERO, ..stopwatch.lap() };
        let parts: Vec<Part<'_>> = parts
            .map(|at| {
                let part = self.searched.part(at);
                Part { tokens: part.tokens, rows: part.rows, mac: self.macs[at].as_deref() }
            })
            .collect();
        let input = ChunkInput {
            number,
            scores: std::mem::take(&mut *scores),
            parts: &parts,
            variants: 1,
            query: self.query,
            thresholds: self.thresholds,
            verification: self.verification,
        };
        let outcome =
            self.run.on_lane(lane_of(number), |session| chunk::run(session, input, &mut |stage| stages.add(stage, stopwatch.lap())))?;
        Ok((outcome, stages))
    }
}

/// A chunk's lane; 0 is the run's own.
fn lane_of(number: usize) -> u32 {
    1 + u32::try_from(number).expect("there are fewer chunks than lanes")
}

/// What the run sent, and its longest way of rounds: the opening, lane 0, and on top of the probe check whatever the chunks
/// take longer, wave by wave.
pub fn traffic(network: &RunNetwork) -> Traffic {
    let rounds = network.rounds();
    let of_chunk = rounds.range(1..OPENING_LANE).map(|(_, rounds)| *rounds).max().unwrap_or(0);
    let waves = rounds.range(1..OPENING_LANE).count().div_ceil(CHUNKS_AT_ONCE) as u64;
    let of_lane = |lane| rounds.get(&lane).copied().unwrap_or(0);
    let beyond_probe = (of_chunk * waves).saturating_sub(probe::ROUNDS as u64);
    Traffic { bytes_sent: network.bytes_sent(), rounds: of_lane(OPENING_LANE) + of_lane(0) + beyond_probe }
}

type Worked = Result<(Vec<(usize, ChunkOutcome)>, ChunkStages), Error>;

/// The probe check's time, or the error that says most: what a check found before what a lost neighbour left behind.
fn first_verdict(party: PartyId, checked: Result<Took, Error>, worked: &[Worked]) -> Result<Took, Error> {
    let errors = checked.as_ref().err().into_iter().chain(worked.iter().filter_map(|worked| worked.as_ref().err()));
    // This party's own number stands for a worker of it: that is the reason, and the neighbours are lost after it.
    let rank = |error: &&Error| match error {
        Error::PeerUnavailable { peer } if *peer == party => 1,
        Error::PeerUnavailable { .. } => 2,
        _ => 0,
    };
    match errors.min_by_key(rank) {
        Some(error) => Err(*error),
        None => checked,
    }
}

fn in_order(worked: Vec<Worked>) -> (Vec<ChunkOutcome>, ChunkStages) {
    let mut took = ChunkStages::default();
    let mut outcomes = vec![];
    for (of_thread, stages) in worked.into_iter().flatten() {
        outcomes.extend(of_thread);
        took = took.beside(stages);
    }
    outcomes.sort_by_key(|(number, _)| *number);
    (outcomes.into_iter().map(|(_, outcome)| outcome).collect(), took)
}
