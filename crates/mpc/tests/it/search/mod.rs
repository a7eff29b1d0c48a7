//! Whole searches: three parties with galleries of known scores, in chunks and parts, against the plain decision.

mod honest;
mod liar;
mod measure;

use std::collections::BTreeMap;

use mpc::error::Error;
use mpc::kernel::Kernel;
use mpc::layout::{RowsView, block_numbers, write_slot};
use mpc::protocol::agree::agree;
use mpc::protocol::chunk::{self, ChunkInput, ChunkOutcome, Part};
use mpc::protocol::conclude::{OutputShare, conclude, resolve};
use mpc::protocol::identify::{Resolution, Thresholds, ideal};
use mpc::protocol::mac::{SealedMac, seal};
use mpc::protocol::verified::Verification;
use mpc::protocol::{Run, Stage, probe};
use mpc::scan::scan;
use mpc::share::{TemplateShare, share_template};
use mpc::testing::{SeededRng, Traffic, World};
use mpc::token::Token;
use rand_core::Rng;

/// Against this query, [`record_scoring`] makes a record with any score from -14,000 to 14,000.
pub const QUERY: [i16; 4] = [126, 16, 1, 0];

pub fn record_scoring(score: i16) -> Vec<i16> {
    let rest = score.rem_euclid(126);
    vec![score.div_euclid(126), rest / 16, rest % 16, 0]
}

pub fn thresholds() -> Thresholds {
    Thresholds::new(8000, 7000).expect("valid thresholds")
}

/// What the parties hold: slots with or without a record, in parts.
pub struct Gallery {
    pub dimensions: usize,
    pub slots: Vec<Option<Vec<i16>>>,
    pub tokens: Vec<Token>,
    /// For each part its slots and each party's blocks.
    parts: Vec<(std::ops::Range<usize>, [Vec<u16>; 3])>,
}

/// One search of a gallery.
pub struct Search<'g> {
    pub gallery: &'g Gallery,
    pub query: [TemplateShare; 3],
    /// How many parts make a chunk.
    pub parts_per_chunk: usize,
    pub thresholds: Thresholds,
    pub verification: Verification,
    pub variants: usize,
    /// Each party's MACs of the parts that have one.
    pub macs: [Vec<Option<SealedMac>>; 3],
}

impl Gallery {
    /// `part_slots` slots to a part; equal tokens for slots with the same number in `names`.
    pub fn new(slots: Vec<Option<Vec<i16>>>, part_slots: usize, names: impl Fn(usize) -> u64, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let dimensions = slots.iter().flatten().map(Vec::len).next().unwrap_or(4);
        let token_of = |slot: &Option<Vec<i16>>, name: u64| match slot {
            Some(_) => (1 + u128::from(seed) * 1_000_003 + u128::from(name)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            None => 0,
        };
        let tokens = slots.iter().enumerate().map(|(at, slot)| token_of(slot, names(at)).to_le_bytes()).collect();
        let parts = (0..slots.len()).step_by(part_slots.max(1)).map(|from| {
            let range = from..(from + part_slots).min(slots.len());
            let mut blocks = [(); 3].map(|()| vec![0; range.len().div_ceil(16) * block_numbers(dimensions)]);
            for (at, record) in slots[range.clone()].iter().enumerate() {
                let Some(record) = record else { continue };
                let shares = share_template(record, &mut rng).expect("a valid template");
                blocks.iter_mut().zip(&shares).for_each(|(blocks, share)| write_slot(blocks, at, &share.to_row()));
            }
            (range, blocks)
        });
        let parts = parts.collect();
        Self { dimensions, slots, tokens, parts }
    }

    pub fn scoring(scores: &[i16], part_slots: usize, seed: u64) -> Self {
        Self::new(scores.iter().map(|score| Some(record_scoring(*score))).collect(), part_slots, |at| at as u64, seed)
    }

    pub fn rows(&self, part: usize, party: usize) -> RowsView<'_> {
        RowsView::new(&self.parts[part].1[party], self.dimensions)
    }

    pub fn search(&self, query: &[i16]) -> Search<'_> {
        Search {
            gallery: self,
            query: share_template(query, &mut SeededRng::new(1)).expect("a valid template"),
            parts_per_chunk: 1,
            thresholds: thresholds(),
            verification: Verification::On,
            variants: 1,
            macs: [(); 3].map(|()| self.parts.iter().map(|_| None).collect()),
        }
    }

    /// Every record's score, and its token.
    pub fn scores(&self, query: &[i16]) -> Vec<(i32, Token)> {
        let score = |slot: &Option<Vec<i16>>| slot.as_ref().map_or(0, |record| ideal::score(query, record));
        self.slots.iter().map(score).zip(self.tokens.iter().copied()).collect()
    }
}

impl Search<'_> {
    /// Seals the MACs of the parts for which `which` is true.
    pub fn sealed(mut self, which: impl Fn(usize) -> bool + Sync, seed: u64) -> Self {
        for part in (0..self.gallery.parts.len()).filter(|part| which(*part)) {
            let sealed = World::new(seed ^ part as u64).run(|session| {
                let rows = self.gallery.rows(part, session.party().index());
                seal(session, rows, self.gallery.parts[part].0.len()).expect("an honest run")
            });
            self.macs.iter_mut().zip(sealed).for_each(|(macs, (mac, _))| macs[part] = Some(mac));
        }
        self
    }

    pub fn chunks(&self) -> usize {
        self.gallery.parts.len().div_ceil(self.parts_per_chunk)
    }

    /// One party's work on a chunk.
    pub fn chunk(&self, run: &Run<'_>, number: usize, observe: &mut dyn FnMut(Stage)) -> Result<ChunkOutcome, Error> {
        let party = run.party;
        let query = self.query[party.index()].prepare_query(party);
        let from = number * self.parts_per_chunk;
        let to = (from + self.parts_per_chunk).min(self.gallery.parts.len());
        let mut scores = vec![];
        let parts: Vec<Part<'_>> = (from..to)
            .map(|at| {
                let (slots, rows) = (self.gallery.parts[at].0.clone(), self.gallery.rows(at, party.index()));
                let mut of_part = vec![0; rows.slots()];
                scan(Kernel::best(), &[&query], rows, &mut [&mut of_part]);
                scores.extend_from_slice(&of_part[..slots.len()]);
                Part { tokens: &self.gallery.tokens[slots], rows, mac: self.macs[party.index()][at].as_ref() }
            })
            .collect();
        observe(Stage::Scan);
        let input = ChunkInput {
            number,
            scores,
            parts: &parts,
            variants: self.variants,
            query: &query,
            thresholds: self.thresholds,
            verification: self.verification,
        };
        run.on_lane(1 + number as u32, |session| chunk::run(session, input, observe))
    }

    /// One party's whole work: lane 0 begins and ends it, each chunk has a lane of its own.
    pub fn party(&self, run: &Run<'_>) -> Result<OutputShare, Error> {
        let mut outcomes = vec![];
        run.on_lane(0, |session| {
            agree(session, &[[7; 32]])?;
            probe::check(session, &self.query[run.party.index()])?;
            for number in 0..self.chunks() {
                // Through its bytes, as from another process.
                outcomes.push(ChunkOutcome::from_bytes(&self.chunk(run, number, &mut |_| ())?.to_bytes()));
            }
            conclude(session, &outcomes, self.thresholds, self.verification)
        })
    }

    pub fn run(&self, world: &World) -> [(Result<OutputShare, Error>, BTreeMap<u32, Traffic>); 3] {
        world.run_lanes(|run| self.party(run))
    }

    /// What the resolver learns in an honest run.
    pub fn resolution(&self, seed: u64) -> Resolution {
        let outputs = self.run(&World::new(seed)).map(|(output, _)| output.expect("an honest run"));
        let outputs = outputs.map(|output| OutputShare::from_bytes(&output.to_bytes()));
        resolve(&outputs).expect("honest outputs fit together")
    }

    /// Whether the resolution is one that the ideal allows.
    pub fn check(&self, query: &[i16], seed: u64) {
        let allowed = ideal::decisions(&self.gallery.scores(query), self.thresholds, self.verification);
        let resolution = self.resolution(seed);
        assert!(allowed.contains(&resolution), "another decision than in the clear, seed {seed}: {resolution:?} of {}", allowed.len());
    }
}

/// A template near `person`: some features changed a little.
pub fn near(person: &[i16], rng: &mut SeededRng) -> Vec<i16> {
    person.iter().map(|feature| feature + (rng.next_u32() % 3) as i16 - 1).collect()
}
