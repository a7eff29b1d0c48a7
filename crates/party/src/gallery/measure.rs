//! Galleries for measuring: segments of generated shares without a journal, made in seconds.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use base::hash::hash_parts;
use base::party::PartyId;
use mpc::share::Row;
use mpc::token::Token;

use super::header::Touch;
use super::partitions::Partitions;
use super::segment::{GROUP_SLOTS, SEGMENT_SLOTS, Segment};
use super::snapshot::{LogState, Snapshot};
use super::write::slots_in;
use super::{Gallery, Place};
use crate::error::Error;

/// Makes `slots` records of `party` in `directory`, in place of what was there; `fill` writes each slot's row and token.
///
/// # Errors
/// [`Error::SegmentsUnusable`].
pub fn generate(
    directory: &Path,
    party: PartyId,
    dimensions: usize,
    slots: u32,
    fill: &mut dyn FnMut(u32, &mut [u16], &mut Token),
) -> Result<(), Error> {
    let place = Place::new(directory, party, dimensions);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.directory)?;
    for number in 0..slots.div_ceil(SEGMENT_SLOTS as u32) {
        let identity = place.identity(0, number);
        let mut segment = Segment::create(&place.path(identity), identity)?;
        let count = slots_in(slots, number);
        segment.make_room(count)?;
        for at in 0..count {
            let (mut numbers, mut token) = (vec![0; dimensions], Token::default());
            fill(number * SEGMENT_SLOTS as u32 + at as u32, &mut numbers, &mut token);
            let row = Row::from_numbers(numbers).map_err(|_| Error::DimensionsDiffer { stored: dimensions, configured: dimensions })?;
            segment.put(at, Some(&row), &token);
        }
        segment.finish(count, Touch::default(), 0..count.div_ceil(GROUP_SLOTS));
    }
    Ok(())
}

/// Opens what [`generate`] made. Its root depends on the size alone, so that three parties' agree.
///
/// # Errors
/// [`Error::SegmentsUnusable`].
pub fn open(directory: &Path, party: PartyId, dimensions: usize) -> Result<Gallery, Error> {
    let place = Place::new(directory, party, dimensions);
    let mut segments = Vec::new();
    loop {
        let identity = place.identity(0, segments.len() as u32);
        match Segment::open(&place.path(identity), identity)? {
            Some(segment) => segments.push(segment),
            None => break,
        }
    }
    let slots = segments.iter().map(|segment| segment.header().slots as u32).sum::<u32>();
    let root = hash_parts("handsel/measured-gallery/v1", &[&slots.to_le_bytes(), &(dimensions as u32).to_le_bytes()]);
    let log = LogState { root, slots, ..LogState::default() };
    let (records, partitions, void) = (u64::from(slots), Partitions::default(), BTreeMap::new());
    Ok(Gallery::of(Snapshot { log, dimensions, records, segments, partitions, void }, place))
}
