//! How long each stage of an answer took, for the `Server-Timing` header (W3C Server Timing) and the log.

use std::collections::BTreeMap;

use tokio::time::Instant;
use wire::party::StageMicros;

/// Stages in the order they were first seen, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timings(Vec<(String, u64)>);

impl Timings {
    /// The slowest party's time of each stage, in the order of the first party's list.
    pub fn slowest(parties: &[Vec<StageMicros>; 3]) -> Self {
        let mut slowest = BTreeMap::<&str, u64>::new();
        for stage in parties.iter().flatten() {
            let micros = slowest.entry(&stage.stage).or_default();
            *micros = (*micros).max(stage.micros);
        }
        let mut timings = Self::default();
        for stage in parties.iter().flatten() {
            if let Some(micros) = slowest.remove(stage.stage.as_str()) {
                timings.add(&stage.stage, micros);
            }
        }
        timings
    }

    /// One more stage. A name that is no token of HTTP is left out.
    pub fn add(&mut self, stage: &str, micros: u64) {
        if !stage.is_empty() && stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.0.push((stage.to_owned(), micros));
        }
    }

    /// One more stage, from `started` until now.
    pub fn add_since(&mut self, stage: &str, started: Instant) {
        self.add_until(stage, started, Instant::now());
    }

    /// One more stage, from `started` until `ended`.
    pub fn add_until(&mut self, stage: &str, started: Instant, ended: Instant) {
        self.add(stage, u64::try_from((ended - started).as_micros()).unwrap_or(u64::MAX));
    }

    /// The stages of `other` behind these.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The header's value: `scan;dur=1.25, resolve;dur=0.031`, in milliseconds.
    pub fn header(&self) -> String {
        let entries: Vec<String> =
            self.0.iter().map(|(stage, micros)| format!("{stage};dur={}.{:03}", micros / 1000, micros % 1000)).collect();
        entries.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_party_counts() {
        let stage = |name: &str, micros| StageMicros { stage: name.into(), micros, cpu_micros: 0 };
        let mut timings = Timings::slowest(&[
            vec![stage("open", 1_250), stage("scan", 900)],
            vec![stage("open", 20), stage("scan", 12_001)],
            vec![stage("open", 30), stage("bad name\r\n", 5), stage("select", 7)],
        ]);
        timings.add("resolve", 31);
        assert_eq!(timings.header(), "open;dur=1.250, scan;dur=12.001, select;dur=0.007, resolve;dur=0.031");
    }
}
