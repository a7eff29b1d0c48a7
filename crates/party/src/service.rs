//! What a party does with each request of the platform. Requests are handled side by side; the store and the gallery are
//! changed one request at a time.

use std::sync::{Arc, Mutex};

use base::time::Clock;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyCommand, PartyRequest, PartyResponse, PartyStatus};

use crate::config::PartyConfig;
use crate::error::{Error, Refusal};
use crate::gallery::Gallery;
use crate::link::NOT_POISONED;
use crate::mesh::Mesh;
use crate::store::Store;

/// A running party, without its sockets.
pub struct Service {
    pub(crate) config: PartyConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mesh: Arc<Mesh>,
    pub(crate) state: Mutex<State>,
    /// How far the gallery is, for whoever asks while a change is being applied.
    pub(crate) reached: Mutex<Reached>,
}

/// How far a gallery is.
#[derive(Clone, Copy)]
pub(crate) struct Reached {
    sequence: u64,
    root: [u8; 32],
    records: u64,
}

impl Reached {
    pub(crate) fn by(gallery: &Gallery) -> Self {
        Self { sequence: gallery.sequence, root: gallery.root, records: gallery.len() as u64 }
    }
}

/// What changes: always both together.
pub(crate) struct State {
    pub(crate) store: Store,
    /// A run keeps the gallery it began with; a change makes a new one if a run still holds it.
    pub(crate) gallery: Arc<Gallery>,
}

impl Service {
    /// Opens the party's store and loads its gallery.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new(config: PartyConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let store = Store::open(&config.directory)?;
        let gallery = store.load_gallery(usize::from(config.dimensions))?;
        // A crash between a deletion and this step must not leave shares behind.
        store.erase_leftovers()?;
        tracing::info!(party = %config.party, sequence = gallery.sequence, records = gallery.len(), "gallery loaded");
        let mesh = Arc::new(Mesh::new(&config)?);
        let reached = Mutex::new(Reached::by(&gallery));
        Ok(Self { mesh, clock, state: Mutex::new(State { store, gallery: Arc::new(gallery) }), reached, config })
    }

    /// See [`Store::limit_growth`].
    ///
    /// # Errors
    /// What SQLite says.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: u32) -> rusqlite::Result<()> {
        self.state.lock().expect(NOT_POISONED).store.limit_growth(pages)
    }

    /// Handles one request; blocks until it is done, which is bounded by the peers' timeout.
    pub fn handle(&self, request: PartyRequest) -> PartyResponse {
        let (what, result) = match request.command {
            PartyCommand::Status => ("status", Ok(PartyAnswer::Status(self.status()))),
            PartyCommand::Apply(change) => ("apply", self.apply(*change)),
            PartyCommand::Identify(identify) => ("identify", self.identify(&identify)),
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
        }
    }
}
