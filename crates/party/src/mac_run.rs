//! Taking part in making the MACs of segments that have none (`mpc::protocol::mac`), some at a time. A search makes those
//! that are missing for itself alone, which costs it more than everything else; so the platform asks for them when the
//! gallery has not changed for a while.

use base::hash::hash_parts;
use mpc::error::Error;
use mpc::protocol::Run;
use mpc::protocol::agree::agree;
use mpc::protocol::mac::seal;
use mpc::protocol::verified::Verification;
use wire::party::{PartyAnswer, Seal};

use crate::error::Refusal;
use crate::gallery::snapshot::{Snapshot, Stamp};
use crate::identify::{random, refusal};
use crate::opening::{self, MacName};
use crate::run_network::RunNetwork;
use crate::service::Service;

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/seal/v1";
/// Segments of one request, so that a search need not wait long for the processor.
const SEGMENTS_AT_ONCE: usize = 4;

impl Service {
    /// Makes MACs of segments that have none together with the others.
    pub(crate) fn seal(&self, command: &Seal) -> Result<PartyAnswer, Refusal> {
        if self.config.verification == Verification::Off {
            return Ok(PartyAnswer::Sealed { made: 0, missing: 0 });
        }
        let begun = self.snapshot_as_of(command.gallery_sequence).and_then(|snapshot| {
            let network = self.mesh.begin(command.session, self.config.peer_timeout)?;
            Ok((snapshot, network))
        });
        let (snapshot, network) = begun.inspect_err(|refusal| self.mesh.give_up(command.session, refusal.code))?;
        let made = self.seal_segments(command, &snapshot, &network);
        let answer = self.finish(command.session, network, made)?;
        self.macs.keep_only(&snapshot.segments().filter_map(|segment| segment.chunk().stamp).collect::<Vec<_>>());
        Ok(answer)
    }

    fn seal_segments(&self, command: &Seal, snapshot: &Snapshot, network: &RunNetwork) -> Result<PartyAnswer, Refusal> {
        let party = self.config.party;
        let failed = |error| refusal(command.session, error);
        let stamps: Vec<Stamp> = snapshot.segments().filter_map(|segment| segment.chunk().stamp).collect();
        let names: Vec<MacName> = stamps.iter().map(|stamp| self.macs.name(*stamp)).collect();
        let opening = opening::open(party, network, &opening::name(command.session, LABEL), random()?, &names).map_err(failed)?;
        let without: Vec<usize> = (0..stamps.len()).filter(|at| opening.macs[*at] == [0; 16]).collect();
        let (now, later) = without.split_at(without.len().min(SEGMENTS_AT_ONCE));
        let keys = network.keys();
        let run = Run { party, keys: &keys, salt: &opening.salt, label: LABEL, lanes: network };
        run.on_lane(0, |session| {
            let common = hash_parts("handsel/macs/v1", &[opening.macs.as_flattened()]);
            agree(session, &[snapshot.root(), snapshot.digest(None), common])
        })
        .map_err(|error| match error {
            // In the order of a search's digests.
            Error::InputDiffers { peer, digest } => failed(Error::InputDiffers { peer, digest: digest.max(1) + 1 }),
            other => failed(other),
        })?;
        for at in now {
            let chunk = snapshot.segment(*at).chunk();
            let lane = 1 + u32::try_from(*at).expect("there are fewer segments than lanes");
            let mac = run.on_lane(lane, |session| seal(session, chunk.rows, chunk.slots)).map_err(failed)?;
            let hash = hash_parts("handsel/mac-name/v1", &[&opening.salt, &lane.to_le_bytes()]);
            self.macs.put(stamps[*at], *hash.first_chunk().expect("a hash has 32 bytes"), mac)?;
        }
        tracing::info!(party = %party, made = now.len(), missing = later.len(), "segments have MACs");
        Ok(PartyAnswer::Sealed { made: now.len() as u32, missing: later.len() as u32 })
    }
}
