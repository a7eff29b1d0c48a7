//! Which worker works on which chunk, as a state machine without clock or socket.
//!
//! - Every chunk has one *owner* among the workers; their numbers of chunks differ by at most one. A worker that joins takes
//!   chunks from those that have most, a worker that is lost leaves its chunks to the others.
//! - A run's chunk goes to a worker that has confirmed a copy of every segment of it as of the run's own stamps: its owner,
//!   or else the one that had it before; or else it stays with the party. So a chunk moves by being copied first, and while
//!   a copy is being changed nobody is sent there.
//! - A copy that is not the owner's is dropped once the owner has a whole chunk, or the copy is out of date.

use std::collections::BTreeMap;

use crate::gallery::snapshot::Stamp;
use crate::searched::PARTS_PER_CHUNK;

/// A worker's connection; never used twice.
pub type WorkerId = u64;

/// Who has what, and who shall have it.
#[derive(Default)]
pub struct Assignment {
    /// The segments as they are now, in order.
    current: Vec<Stamp>,
    /// By chunk.
    owners: Vec<Option<WorkerId>>,
    workers: BTreeMap<WorkerId, Copies>,
}

/// What one worker has.
#[derive(Default)]
struct Copies {
    /// Confirmed copies, by segment.
    held: BTreeMap<u32, Stamp>,
    /// The copy that is on its way.
    sending: Option<Stamp>,
}

/// What is to be done with one worker next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send it this segment, or what has changed in it; [`Assignment::confirm`] or [`Assignment::fail`] ends it.
    Send(Stamp),
    /// Tell it to drop its copy of this segment.
    Drop(u32),
}

impl Assignment {
    /// A worker is there, without any copy.
    pub fn join(&mut self, worker: WorkerId) {
        self.workers.insert(worker, Copies::default());
        self.balance();
    }

    /// A worker is gone, with its copies.
    pub fn lose(&mut self, worker: WorkerId) {
        self.workers.remove(&worker);
        self.balance();
    }

    /// The gallery's segments are these now, in order.
    pub fn update(&mut self, segments: &[Stamp]) {
        if self.current != segments {
            self.current = segments.to_vec();
            self.balance();
        }
    }

    /// What to do with `worker` next, as if it were begun at once: a copy that is sent is not used until it is confirmed.
    pub fn next(&mut self, worker: WorkerId) -> Option<Step> {
        let copies = self.workers.get(&worker)?;
        if copies.sending.is_some() {
            return None;
        }
        let unneeded =
            copies.held.iter().find(|(segment, stamp)| self.is_unneeded(worker, **segment, **stamp)).map(|(segment, _)| *segment);
        let wanted = self
            .current
            .iter()
            .enumerate()
            .find(|(at, stamp)| self.owners[at / PARTS_PER_CHUNK] == Some(worker) && copies.held.get(&stamp.segment) != Some(stamp));
        let step = unneeded.map(Step::Drop).or(wanted.map(|(_, stamp)| Step::Send(*stamp)))?;
        let copies = self.workers.get_mut(&worker)?;
        match step {
            Step::Drop(segment) => _ = copies.held.remove(&segment),
            Step::Send(stamp) => {
                copies.held.remove(&stamp.segment);
                copies.sending = Some(stamp);
            }
        }
        Some(step)
    }

    /// `worker` has a whole copy of this segment.
    pub fn confirm(&mut self, worker: WorkerId, stamp: Stamp) {
        if let Some(copies) = self.workers.get_mut(&worker)
            && copies.sending == Some(stamp)
        {
            copies.sending = None;
            copies.held.insert(stamp.segment, stamp);
        }
    }

    /// The copy that was on its way to `worker` came to nothing.
    pub fn fail(&mut self, worker: WorkerId) {
        if let Some(copies) = self.workers.get_mut(&worker) {
            copies.sending = None;
        }
    }

    /// For each chunk of a run over `segments`, in order, the worker that it is handed to; `None`: the party keeps it.
    pub fn plan(&self, segments: &[Stamp]) -> Vec<Option<WorkerId>> {
        let of_chunk = |(chunk, stamps): (usize, &[Stamp])| {
            let owner = self.owners.get(chunk).copied().flatten();
            let others = self.workers.keys().copied();
            owner.into_iter().chain(others).find(|worker| self.workers.get(worker).is_some_and(|copies| copies.have(stamps)))
        };
        segments.chunks(PARTS_PER_CHUNK).enumerate().map(of_chunk).collect()
    }

    /// Chunks that a run over the segments as of the last update would hand out.
    pub fn chunks_at_workers(&self) -> usize {
        self.plan(&self.current).iter().flatten().count()
    }

    /// Whether `worker` need not keep its copy of `segment`.
    fn is_unneeded(&self, worker: WorkerId, segment: u32, held: Stamp) -> bool {
        let Some(current) = self.current.get(segment as usize) else { return true };
        let chunk = segment as usize / PARTS_PER_CHUNK;
        let owner = self.owners[chunk];
        if owner == Some(worker) {
            return false;
        }
        let stamps = &self.current[PARTS_PER_CHUNK * chunk..(PARTS_PER_CHUNK * (chunk + 1)).min(self.current.len())];
        held != *current || owner.and_then(|owner| self.workers.get(&owner)).is_some_and(|copies| copies.have(stamps))
    }

    /// Gives every chunk an owner that is there, and every owner its fair share, moving as few as possible.
    fn balance(&mut self) {
        self.owners.resize(self.current.len().div_ceil(PARTS_PER_CHUNK), None);
        if self.workers.is_empty() {
            self.owners.fill(None);
            return;
        }
        let mut loads: BTreeMap<WorkerId, usize> = self.workers.keys().map(|worker| (*worker, 0)).collect();
        for owner in &mut self.owners {
            match owner.and_then(|owner| loads.get_mut(&owner)) {
                Some(load) => *load += 1,
                None => *owner = None,
            }
        }
        loop {
            let (least, low) =
                loads.iter().min_by_key(|(_, load)| **load).map(|(worker, load)| (*worker, *load)).expect("there is a worker");
            let (most, high) =
                loads.iter().max_by_key(|(_, load)| **load).map(|(worker, load)| (*worker, *load)).expect("there is a worker");
            let free = self.owners.iter().position(Option::is_none);
            let from_most = || self.owners.iter().rposition(|owner| *owner == Some(most)).filter(|_| high > low + 1);
            let Some(chunk) = free.or_else(from_most) else { return };
            if free.is_none() {
                loads.entry(most).and_modify(|load| *load -= 1);
            }
            self.owners[chunk] = Some(least);
            loads.entry(least).and_modify(|load| *load += 1);
        }
    }
}

impl Copies {
    fn have(&self, stamps: &[Stamp]) -> bool {
        stamps.iter().all(|stamp| self.held.get(&stamp.segment) == Some(stamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamps(segments: u32, changed_at: u64) -> Vec<Stamp> {
        (0..segments).map(|segment| Stamp { generation: 0, segment, changed_at }).collect()
    }

    /// Does everything that is to be done, and says what.
    fn settle(assignment: &mut Assignment, workers: &[WorkerId]) -> Vec<(WorkerId, Step)> {
        let mut done = vec![];
        while let Some((worker, step)) = workers.iter().find_map(|worker| Some((*worker, assignment.next(*worker)?))) {
            if let Step::Send(stamp) = step {
                assignment.confirm(worker, stamp);
            }
            done.push((worker, step));
            assert!(done.len() < 10_000, "it ends");
        }
        done
    }

    #[test]
    fn a_worker_that_joins_takes_its_share_and_serves_it_only_when_it_has_it() {
        let mut assignment = Assignment::default();
        let now = stamps(16, 1);
        assignment.update(&now);
        assert_eq!(assignment.plan(&now), [None; 4], "without workers the party does everything");
        assignment.join(1);
        assert_eq!(assignment.plan(&now), [None; 4], "nothing is copied yet");
        for _ in 0..4 {
            let Some(Step::Send(stamp)) = assignment.next(1) else { panic!("a segment is sent") };
            assert_eq!(assignment.next(1), None, "one at a time");
            assignment.confirm(1, stamp);
        }
        assert_eq!(assignment.plan(&now), [Some(1), None, None, None]);
        settle(&mut assignment, &[1]);
        assert_eq!(assignment.plan(&now), [Some(1); 4]);
        assignment.join(2);
        assert_eq!(assignment.plan(&now), [Some(1); 4], "who has it serves it until the other has it");
        let done = settle(&mut assignment, &[1, 2]);
        assert_eq!(assignment.plan(&now), [Some(1), Some(1), Some(2), Some(2)]);
        let last_sent = done.iter().position(|(_, step)| *step == Step::Send(now[11])).expect("sent");
        let first_dropped = done.iter().position(|(_, step)| *step == Step::Drop(8)).expect("dropped");
        assert!(last_sent < first_dropped, "a whole chunk is copied before it is dropped: {done:?}");
        assignment.lose(1);
        assert_eq!(assignment.plan(&now), [None, None, Some(2), Some(2)], "at once");
        settle(&mut assignment, &[2]);
        assert_eq!(assignment.plan(&now), [Some(2); 4]);
        assignment.lose(2);
        assert_eq!(assignment.plan(&now), [None; 4]);
    }

    #[test]
    fn a_changed_segment_is_used_only_as_of_the_runs_own_stamps() {
        let mut assignment = Assignment::default();
        let (before, mut after) = (stamps(2, 1), stamps(2, 1));
        after[1].changed_at = 2;
        assignment.update(&before);
        assignment.join(1);
        settle(&mut assignment, &[1]);
        assignment.update(&after);
        assert_eq!((assignment.plan(&before), assignment.plan(&after)), (vec![Some(1)], vec![None]));
        assert_eq!(assignment.next(1), Some(Step::Send(after[1])), "only what has changed");
        assert_eq!((assignment.plan(&before), assignment.plan(&after)), (vec![None], vec![None]), "while it is being changed");
        assignment.fail(1);
        assert_eq!(assignment.next(1), Some(Step::Send(after[1])), "again");
        assignment.confirm(1, before[1]);
        assert_eq!(assignment.plan(&before), [None], "a confirmation of something else counts for nothing");
        assignment.confirm(1, after[1]);
        assert_eq!((assignment.plan(&before), assignment.plan(&after)), (vec![None], vec![Some(1)]));
        // A compaction leaves one segment of another generation.
        let compacted = [Stamp { generation: 3, segment: 0, changed_at: 3 }];
        assignment.update(&compacted);
        assert_eq!(assignment.plan(&compacted), [None]);
        let done = settle(&mut assignment, &[1]);
        assert_eq!(done, [(1, Step::Drop(1)), (1, Step::Send(compacted[0]))]);
        assert_eq!(assignment.plan(&compacted), [Some(1)]);
    }

    proptest! {
        #[test]
        fn whatever_happens_a_chunk_goes_only_where_its_copy_is_right_and_in_the_end_shares_are_fair(
            events in proptest::collection::vec((0..6_u8, 0..6_u64, 1..40_u32), 1..80),
        ) {
            let mut assignment = Assignment::default();
            let mut now = vec![];
            // What the workers really have, kept by another hand.
            let mut copies: BTreeMap<WorkerId, BTreeMap<u32, Stamp>> = BTreeMap::new();
            let mut under_way: BTreeMap<WorkerId, Stamp> = BTreeMap::new();
            for (at, (kind, worker, number)) in events.into_iter().enumerate() {
                match kind {
                    0 => if copies.insert(worker, BTreeMap::new()).is_none() { assignment.join(worker) } else { assignment.lose(worker); copies.remove(&worker); under_way.remove(&worker); },
                    1 => {
                        now = stamps(number, 0);
                        assignment.update(&now);
                    }
                    2 if !now.is_empty() => {
                        let segment = number as usize % now.len();
                        now[segment].changed_at = at as u64;
                        assignment.update(&now);
                    }
                    3 => if let Some(stamp) = under_way.remove(&worker) {
                        copies.get_mut(&worker).expect("it is there").insert(stamp.segment, stamp);
                        assignment.confirm(worker, stamp);
                    },
                    4 => if under_way.remove(&worker).is_some() { assignment.fail(worker) },
                    _ => match assignment.next(worker) {
                        Some(Step::Send(stamp)) => {
                            copies.get_mut(&worker).expect("it is there").remove(&stamp.segment);
                            prop_assert!(under_way.insert(worker, stamp).is_none());
                        }
                        Some(Step::Drop(segment)) => { copies.get_mut(&worker).expect("it is there").remove(&segment); }
                        None => {}
                    },
                }
                for (chunk, worker) in assignment.plan(&now).into_iter().enumerate() {
                    let Some(worker) = worker else { continue };
                    for stamp in now.chunks(PARTS_PER_CHUNK).nth(chunk).expect("a chunk") {
                        prop_assert_eq!(copies[&worker].get(&stamp.segment), Some(stamp));
                    }
                }
            }
            let workers: Vec<WorkerId> = copies.keys().copied().collect();
            for (worker, stamp) in under_way {
                assignment.confirm(worker, stamp);
            }
            settle(&mut assignment, &workers);
            let plan = assignment.plan(&now);
            prop_assert!(plan.iter().all(|worker| worker.is_some() != workers.is_empty()));
            let loads: Vec<usize> = workers.iter().map(|worker| plan.iter().filter(|owner| **owner == Some(*worker)).count()).collect();
            prop_assert!(loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0) <= 1, "{loads:?}");
        }
    }
}
