//! One chunk that is handed to a worker: its messages are passed on until its outcome comes.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mpc::error::Error;
use mpc::network::Network;
use mpc::protocol::Run;
use mpc::protocol::chunk::ChunkOutcome;

use super::message::{FromWorker, Job, TIMES, ToWorker};
use super::registry::WorkerLink;
use crate::link::NOT_POISONED;
use crate::stages::{ChunkStages, Took};

/// A chunk that a worker scans and will work on. Dropped, it is called back.
pub struct Task {
    task: u64,
    link: Arc<WorkerLink>,
    events: Mutex<Receiver<FromWorker>>,
}

impl Task {
    pub(super) fn new(task: u64, link: Arc<WorkerLink>, events: Receiver<FromWorker>) -> Self {
        Self { task, link, events: Mutex::new(events) }
    }

    /// Has the worker work on it, and passes its messages on. A worker that says nothing for `silence` is lost.
    ///
    /// # Errors
    /// Those of the protocol; [`Error::PeerUnavailable`] with this party's own number if the worker is lost.
    pub fn work(&self, run: &Run<'_>, job: Job, silence: Duration) -> Result<(ChunkOutcome, ChunkStages), Error> {
        let mut network = run.lanes.open(job.lane)?;
        self.link.send(&ToWorker::Work { task: self.task, job: Box::new(job) });
        let lost = Error::PeerUnavailable { peer: run.party };
        // Whoever loses the worker gives the whole run up: that is the reason, not what it leads to.
        self.pass_on(&mut *network, silence).map_err(|error| error.filter(|_| !self.link.is_gone()).unwrap_or(lost))
    }

    /// `None` for a worker that is lost.
    fn pass_on(&self, network: &mut dyn Network, silence: Duration) -> Result<(ChunkOutcome, ChunkStages), Option<Error>> {
        let events = self.events.lock().expect(NOT_POISONED);
        loop {
            match events.recv_timeout(silence) {
                Ok(FromWorker::Send { to, message, .. }) => network.send(to, message)?,
                Ok(FromWorker::Want { from, .. }) => {
                    let message = network.receive(from)?;
                    self.link.send(&ToWorker::Message { task: self.task, message });
                }
                Ok(FromWorker::Done { outcome, times, .. }) => return Ok((outcome, stages(times))),
                Ok(FromWorker::Failed { error, .. }) => return Err(error),
                Ok(_) | Err(_) => {
                    // A worker that hangs would spoil every look.
                    self.link.hung_up.notify_one();
                    return Err(None);
                }
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.link.forget(self.task);
        self.link.send(&ToWorker::Cancel { task: self.task });
    }
}

/// A worker's times as stages.
fn stages(times: [u64; TIMES]) -> ChunkStages {
    let took = |at: usize| Took { wall: Duration::from_micros(times[2 * at]), cpu: Duration::from_micros(times[2 * at + 1]) };
    ChunkStages { scan: took(0), compare: took(1), select: took(2), verify: took(3) }
}

/// Stages as a worker reports them.
pub(super) fn times(stages: ChunkStages) -> [u64; TIMES] {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let of = |took: Took| [micros(took.wall), micros(took.cpu)];
    let [scan, compare, select, verify] = [of(stages.scan), of(stages.compare), of(stages.select), of(stages.verify)];
    [scan[0], scan[1], compare[0], compare[1], select[0], select[1], verify[0], verify[1]]
}
