//! The party's side of a worker's connection: keeps the worker's copies as the assignment wants them, and takes in what it
//! says of its tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::hash::hash_parts;
use mpc::layout::{SLOTS_PER_BLOCK, bytes_of_numbers};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::assignment::Step;
use super::message::{Bytes, FromWorker, Malformed, ToWorker, VERSION};
use super::registry::WorkerLink;
use super::{SILENCE_MAX, write_frames};
use crate::frame;
use crate::gallery::header::CHECKSUM_LEN;
use crate::gallery::segment::{GROUP_SLOTS, Segment};
use crate::gallery::snapshot::Stamp;
use crate::service::Service;

/// Between two looks whether the gallery has changed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A worker that has not confirmed a copy by then never will.
const CONFIRM_MAX: Duration = Duration::from_secs(60);
/// Before a copy that was refused is sent again.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(10);
/// Groups of slots that wait to be written: what a change of the gallery may hold up.
const GROUPS_WAITING: usize = 2;

/// Checksums of a segment's groups.
type Checksums = Vec<[u8; CHECKSUM_LEN]>;

/// A worker that is taken out whatever ends its connection.
struct Joined {
    service: Arc<Service>,
    link: Arc<WorkerLink>,
}

/// What of a segment a worker does not have.
struct Changes {
    dimensions: u16,
    slots: u32,
    all: Checksums,
    groups: Vec<usize>,
}

/// Serves a worker until its connection breaks.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite>(service: Arc<Service>, stream: S) {
    let party = service.config.party;
    let (mut reader, mut writer) = tokio::io::split(stream);
    match tokio::time::timeout(SILENCE_MAX, read(&mut reader)).await {
        Ok(Ok(Some(FromWorker::Hello { version: VERSION }))) => {}
        _ => {
            tracing::warn!(%party, "a worker did not greet as this version does");
            return;
        }
    }
    let (link, mut urgent) = service.workers.join();
    let joined = Joined { service, link };
    let (others, mut queue) = mpsc::channel(GROUPS_WAITING);
    let (confirmed, confirmations) = mpsc::channel(1);
    tracing::info!(%party, worker = joined.link.worker, "a worker joined");
    tokio::select! {
        () = receive(&mut reader, &joined.link, confirmed) => {}
        _ = write_frames(&mut writer, &mut urgent, &mut queue) => {}
        _ = joined.keep_copies(others, confirmations) => {}
        () = joined.link.hung_up.notified() => tracing::warn!(%party, worker = joined.link.worker, "a worker hangs and is taken out"),
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.service.workers.lose(&self.link);
        tracing::warn!(party = %self.service.config.party, worker = self.link.worker, "a worker is gone; the party works without it");
    }
}

/// Takes in what the worker says, until its connection breaks or it says something else.
async fn receive(reader: &mut (impl AsyncRead + Unpin), link: &WorkerLink, confirmed: mpsc::Sender<Option<Stamp>>) {
    while let Ok(Ok(message)) = tokio::time::timeout(SILENCE_MAX, read(reader)).await {
        match message {
            None => {}
            Some(FromWorker::Hello { .. }) => return,
            Some(FromWorker::Held { stamp }) => _ = confirmed.send(Some(stamp)).await,
            Some(FromWorker::Refused { .. }) => _ = confirmed.send(None).await,
            Some(
                event @ (FromWorker::Send { task, .. }
                | FromWorker::Want { task, .. }
                | FromWorker::Done { task, .. }
                | FromWorker::Failed { task, .. }),
            ) => link.deliver(task, event),
        }
    }
}

/// The next message; `None` for a sign of life.
async fn read(reader: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<FromWorker>> {
    let bytes = Bytes::new(frame::read(reader).await?);
    if bytes.is_empty() {
        return Ok(None);
    }
    FromWorker::from_bytes(&bytes).map(Some).map_err(|Malformed| std::io::ErrorKind::InvalidData.into())
}

impl Joined {
    /// Brings the worker's copies to where they should be, again and again; ends when the connection does, or with a worker
    /// that does not confirm.
    async fn keep_copies(&self, queue: mpsc::Sender<Bytes>, mut confirmations: mpsc::Receiver<Option<Stamp>>) -> Option<()> {
        let worker = self.link.worker;
        // What the worker has, as far as it has confirmed it.
        let mut known: BTreeMap<u32, Checksums> = BTreeMap::new();
        let mut is_told = false;
        loop {
            let step = self.with_service(move |service| {
                let snapshot = service.snapshot();
                // A gallery with a record that must not be searched stays with the party: its runs are refused there.
                let segments: Vec<Stamp> = snapshot.segments().filter_map(|segment| segment.chunk().stamp).collect();
                drop(snapshot);
                service.workers.next(worker, &segments)
            });
            match step.await {
                None => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::info!(party = %self.service.config.party, worker, segments = known.len(), "a worker has all its copies");
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Some(Step::Drop(segment)) => {
                    known.remove(&segment);
                    queue.send(ToWorker::Drop { segment }.to_bytes()).await.ok()?;
                }
                Some(Step::Send(stamp)) => {
                    is_told = false;
                    let before = known.remove(&stamp.segment).unwrap_or_default();
                    let sent = self.send(stamp, before, &queue).await?;
                    let confirmed = match &sent {
                        Some(_) => tokio::time::timeout(CONFIRM_MAX, confirmations.recv()).await.ok()??,
                        None => None,
                    };
                    match sent {
                        Some(checksums) if confirmed == Some(stamp) => {
                            known.insert(stamp.segment, checksums);
                            self.service.workers.confirm(worker, stamp);
                        }
                        // It has changed meanwhile.
                        None => self.service.workers.fail(worker),
                        Some(_) => {
                            self.service.workers.fail(worker);
                            tracing::error!(party = %self.service.config.party, worker, segment = stamp.segment,
                                "a worker refused a copy: `handsel admin gallery verify` says whether the segment is damaged");
                            tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
                        }
                    }
                }
            }
        }
    }

    /// Sends what `before` does not have of a segment. `Some(None)` if the segment changes meanwhile; `None` if the
    /// connection is gone.
    async fn send(&self, stamp: Stamp, before: Checksums, queue: &mpsc::Sender<Bytes>) -> Option<Option<Checksums>> {
        let Some(changes) = self.with_segment(stamp, move |segment| Changes::of(segment, &before)).await else { return Some(None) };
        queue.send(ToWorker::Begin.to_bytes()).await.ok()?;
        for at in changes.groups {
            // A group at a time: the gallery can change in between, and then the rest is of no use.
            let Some(group) = self.with_segment(stamp, move |segment| group(segment, at)).await else { return Some(None) };
            queue.send(group).await.ok()?;
        }
        let checksums = digest(&changes.all);
        let commit = ToWorker::Commit { stamp, dimensions: changes.dimensions, slots: changes.slots, checksums };
        queue.send(commit.to_bytes()).await.ok()?;
        Some(Some(changes.all))
    }

    /// Looks at a segment, if it still is as of `stamp`; a change of the gallery waits for so long.
    async fn with_segment<T: Send + 'static>(&self, stamp: Stamp, look: impl FnOnce(&Segment) -> T + Send + 'static) -> Option<T> {
        self.with_service(move |service| {
            let snapshot = service.snapshot();
            let segment = snapshot.segments().nth(stamp.segment as usize)?;
            (segment.chunk().stamp == Some(stamp)).then(|| look(segment))
        })
        .await
    }

    async fn with_service<T: Send + 'static>(&self, work: impl FnOnce(&Service) -> T + Send + 'static) -> T {
        let service = self.service.clone();
        tokio::task::spawn_blocking(move || work(&service)).await.expect("it does not panic")
    }
}

impl Changes {
    fn of(segment: &Segment, before: &[[u8; CHECKSUM_LEN]]) -> Self {
        let header = segment.header();
        let all = header.checksums[..header.slots.div_ceil(GROUP_SLOTS)].to_vec();
        let groups = (0..all.len()).filter(|at| before.get(*at) != Some(&all[*at])).collect();
        Self { dimensions: header.identity.dimensions as u16, slots: header.slots as u32, all, groups }
    }
}

/// A group of slots as a message.
fn group(segment: &Segment, at: usize) -> Bytes {
    let (rows, tokens) = (segment.rows(), segment.tokens());
    let blocks = GROUP_SLOTS / SLOTS_PER_BLOCK;
    let rows = rows.slice(at * blocks..((at + 1) * blocks).min(rows.blocks()));
    let tokens = &tokens[at * GROUP_SLOTS..((at + 1) * GROUP_SLOTS).min(tokens.len())];
    let group = ToWorker::Group {
        group: at as u8,
        rows: Zeroizing::new(bytes_of_numbers(rows.numbers()).to_vec()),
        tokens: tokens.as_flattened().to_vec(),
    };
    group.to_bytes()
}

/// Stands for all of a segment's groups.
pub(super) fn digest(checksums: &[[u8; CHECKSUM_LEN]]) -> [u8; 32] {
    hash_parts("handsel/worker-segment/v1", &[checksums.as_flattened()])
}
