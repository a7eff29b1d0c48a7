//! What a party does with each request of the platform. Requests are handled side by side; the store and the gallery are
//! changed one request at a time.

use std::sync::{Arc, Mutex};

use base::time::Clock;
use tokio::sync::Notify;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyCommand, PartyRequest, PartyResponse, PartyStatus};

use crate::admission::Admissions;
use crate::config::PartyConfig;
use crate::directory::Directory;
use crate::error::{Error, Refusal};
use crate::gallery::load::Source;
use crate::gallery::snapshot::{Snapshot, Stamp};
use crate::gallery::{Gallery, Place};
use crate::keys::Keys;
use crate::link::NOT_POISONED;
use crate::mac_store::MacStore;
use crate::mesh::Mesh;
use crate::scan_pool::ScanPool;
use crate::store::Store;
use crate::workers::registry::Workers;

/// A running party, without its sockets.
pub struct Service {
    pub(crate) config: PartyConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mesh: Arc<Mesh>,
    pub(crate) state: Mutex<State>,
    /// How far the gallery is, for whoever asks while a change is being applied.
    pub(crate) reached: Mutex<Reached>,
    pub(crate) admissions: Admissions,
    pub(crate) scan_pool: ScanPool,
    pub(crate) macs: MacStore,
    pub(crate) workers: Workers,
    /// Held while a refresh, a compaction or a rebuild is under way: one at a time.
    pub(crate) upkeep: Mutex<()>,
    /// Held while what is retired is destroyed.
    pub(crate) destroying: Mutex<()>,
    /// Told when a refresh or a compaction has left something behind that is to be erased.
    pub(crate) has_old: Notify,
    steps: Option<Hook>,
    /// Given up last.
    _directory: Directory,
}

type Hook = Box<dyn Fn(&'static str) + Send + Sync>;

/// How far a gallery is.
#[derive(Clone, Copy)]
pub(crate) struct Reached {
    sequence: u64,
    root: [u8; 32],
    records: u64,
}

impl Reached {
    pub(crate) fn by(gallery: &Snapshot) -> Self {
        Self { sequence: gallery.sequence(), root: gallery.root(), records: gallery.records() }
    }
}

/// What changes: always all together.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    /// A run keeps the gallery it began with.
    pub(crate) gallery: Gallery,
}

impl State {
    pub(crate) fn source<'s>(&'s self, place: &'s Place) -> Source<'s> {
        Source { store: &self.store, keys: &self.keys, place }
    }
}

impl Service {
    /// Opens the party's store and loads its gallery.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new(config: PartyConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let directory = Directory::lock(&config.directory)?;
        let (mut store, mut keys) = (Store::open(directory.path())?, Keys::open(directory.path())?);
        // A crash must leave neither keys of nothing, nor an epoch that is over, nor rows in the log behind.
        store.clear_unfinished_staging()?;
        store.remove_unneeded_rows()?;
        keys.destroy_all_but(&store.keys_in_use()?)?;
        store.erase_leftovers()?;
        let place = Place::new(directory.path(), config.party, usize::from(config.dimensions));
        let (gallery, rewritten) = Gallery::load(Source { store: &store, keys: &keys, place: &place })?;
        let now = gallery.now();
        let (sequence, records, void) = (now.sequence(), now.records(), now.void_records().count());
        tracing::info!(party = %config.party, sequence, records, void, rewritten, "gallery loaded");
        let mesh = Arc::new(Mesh::new(&config)?);
        let reached = Mutex::new(Reached::by(gallery.now()));
        let state = Mutex::new(State { store, keys, gallery });
        let (scan_pool, macs) = (ScanPool::new(config.scan), MacStore::open(directory.path().join("macs"))?);
        let service = Self {
            mesh,
            clock,
            state,
            reached,
            admissions: Admissions::default(),
            scan_pool,
            macs,
            workers: Workers::default(),
            upkeep: Mutex::default(),
            destroying: Mutex::default(),
            has_old: Notify::new(),
            config,
            steps: None,
            _directory: directory,
        };
        let settled = service.settle(&mut service.state.lock().expect(NOT_POISONED));
        settled.map_err(|Refusal { detail, .. }| Error::DeletionUnfinished { detail })?;
        Ok(service)
    }

    /// Searches `gallery` instead of its own, for measuring; nothing may be changed in it.
    #[doc(hidden)]
    pub fn with_gallery(self, gallery: Gallery) -> Self {
        *self.reached.lock().expect(NOT_POISONED) = Reached::by(gallery.now());
        self.state.lock().expect(NOT_POISONED).gallery = gallery;
        self
    }

    /// Chunks of the gallery as it is now that would be handed to workers, for tests.
    #[doc(hidden)]
    pub fn chunks_handed_out(&self) -> usize {
        let segments: Vec<Stamp> = self.snapshot().segments().filter_map(|segment| segment.chunk().stamp).collect();
        self.workers.plan(&segments).iter().flatten().count()
    }

    /// Calls `hook` with the name of each step of a change as it is done, for tests that end the process there.
    #[doc(hidden)]
    pub fn at_each_step(mut self, hook: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        self.steps = Some(Box::new(hook));
        self
    }

    pub(crate) fn step(&self, name: &'static str) {
        if let Some(hook) = &self.steps {
            hook(name);
        }
    }

    /// See [`Store::limit_growth`].
    ///
    /// # Errors
    /// What SQLite says.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> rusqlite::Result<()> {
        self.state.lock().expect(NOT_POISONED).store.limit_growth(pages)
    }

    /// The gallery as it is now, as a run searches it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state.lock().expect(NOT_POISONED).gallery.snapshot()
    }

    /// Handles one request; blocks until it is done, which is bounded by the peers' timeout.
    pub fn handle(&self, request: PartyRequest) -> PartyResponse {
        let (what, result) = match request.command {
            PartyCommand::Status => ("status", Ok(PartyAnswer::Status(self.status()))),
            PartyCommand::Apply(change) => ("apply", self.apply(*change)),
            PartyCommand::Identify(identify) => ("identify", self.identify(&identify)),
            PartyCommand::CheckEnrolment(check) => ("check_enrolment", self.check_enrolment(&check)),
            PartyCommand::Seal(seal) => ("seal", self.seal(&seal)),
            PartyCommand::Audit { at } => ("audit", self.audit(at)),
            PartyCommand::Verify => ("verify", self.verify()),
            PartyCommand::PrepareRefresh(prepare) => ("prepare_refresh", self.prepare_refresh(&prepare)),
            PartyCommand::PrepareCompaction { gallery_sequence } => ("prepare_compaction", self.prepare_compaction(gallery_sequence)),
            PartyCommand::Rebuild(rebuild) => ("rebuild", self.rebuild(&rebuild)),
        };
        let answer = result.unwrap_or_else(|Refusal { code, detail }| {
            tracing::warn!(party = %self.config.party, request = request.id, what, ?code, detail, "refused");
            PartyAnswer::Refused { code, detail }
        });
        PartyResponse { id: request.id, answer }
    }

    fn status(&self) -> PartyStatus {
        let reached = *self.reached.lock().expect(NOT_POISONED);
        PartyStatus {
            party: self.config.party,
            gallery_sequence: reached.sequence,
            gallery_root: HexArray(reached.root),
            records: reached.records,
            peers_connected: self.mesh.is_complete(),
            chunks_at_workers: self.workers.chunks_at_workers(),
        }
    }
}
