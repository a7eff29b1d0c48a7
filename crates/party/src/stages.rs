//! How long the stages of one run took, on the clock and in processor time.

use std::time::Duration;

use mpc::protocol::Stage;
use tokio::time::Instant;
use wire::party::StageMicros;

use crate::cpu::thread_time;

/// Time on the clock, and processor time of the thread that did the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// On the clock.
    pub wall: Duration,
    /// Of the processor.
    pub cpu: Duration,
}

/// Measures stages that one thread goes through one after the other.
pub struct Stopwatch {
    since: Instant,
    cpu_since: Duration,
}

/// What the stages of one or several chunks took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkStages {
    /// Waiting for the scan and taking its scores.
    pub scan: Took,
    /// Reshare and comparison.
    pub compare: Took,
    /// Token and score of the near record.
    pub select: Took,
    /// What shows that nobody cheated.
    pub verify: Took,
}

/// The stages of a run, in order.
#[derive(Debug, Default)]
pub struct Stages(Vec<StageMicros>);

impl Stopwatch {
    /// Starts now, on this thread.
    pub fn start() -> Self {
        Self { since: Instant::now(), cpu_since: thread_time() }
    }

    /// What passed since the start or the last lap.
    pub fn lap(&mut self) -> Took {
        let (now, cpu_now) = (Instant::now(), thread_time());
        let took = Took { wall: now - self.since, cpu: cpu_now.saturating_sub(self.cpu_since) };
        (self.since, self.cpu_since) = (now, cpu_now);
        took
    }
}

impl Took {
    /// One after the other.
    pub fn then(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }

    /// Side by side: the longer on the clock, both in processor time.
    pub fn beside(self, other: Self) -> Self {
        Self { wall: self.wall.max(other.wall), cpu: self.cpu + other.cpu }
    }
}

impl ChunkStages {
    /// Adds `took` to the stage.
    pub fn add(&mut self, stage: Stage, took: Took) {
        let sum = match stage {
            Stage::Scan => &mut self.scan,
            Stage::Compare => &mut self.compare,
            Stage::Select => &mut self.select,
            Stage::Verify => &mut self.verify,
        };
        *sum = sum.then(took);
    }

    /// The stages of chunks that one thread worked on, one after the other.
    pub fn then(self, other: Self) -> Self {
        self.with(other, Took::then)
    }

    /// The stages of chunks that two threads worked on.
    pub fn beside(self, other: Self) -> Self {
        self.with(other, Took::beside)
    }

    fn with(self, other: Self, join: impl Fn(Took, Took) -> Took) -> Self {
        Self {
            scan: join(self.scan, other.scan),
            compare: join(self.compare, other.compare),
            select: join(self.select, other.select),
            verify: join(self.verify, other.verify),
        }
    }
}

impl Stages {
    /// One more stage.
    pub fn add(&mut self, stage: &str, took: Took) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.push(StageMicros { stage: stage.into(), micros: micros(took.wall), cpu_micros: micros(took.cpu) });
    }

    /// The stages of the chunks.
    pub fn add_chunks(&mut self, chunks: ChunkStages) {
        for (name, took) in [("scan", chunks.scan), ("compare", chunks.compare), ("select", chunks.select), ("verify", chunks.verify)] {
            self.add(name, took);
        }
    }

    /// For the platform.
    pub fn into_micros(self) -> Vec<StageMicros> {
        self.0
    }
}
