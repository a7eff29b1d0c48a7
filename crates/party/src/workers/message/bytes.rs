//! Numbers, lists and names as the bytes of a message.

use std::ops::Deref;

use base::party::PartyId;
use mpc::network::Neighbour;
use zeroize::Zeroize;

use super::Malformed;
use crate::gallery::snapshot::Stamp;

/// The first byte, in both directions, of a message of one neighbour to the other that is only passed on.
pub(super) const PASSED_ON: u8 = 8;

/// A message's bytes. They are wiped, but for what neighbours say to each other: that is masked, and much.
#[derive(Default)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// What came in a frame.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if self.0.first() != Some(&PASSED_ON) {
            self.0.zeroize();
        }
    }
}

/// Writes a message in room for all of it.
pub(super) struct Writer(pub(super) Bytes);

impl Writer {
    /// With room for a message of `len` bytes besides its fixed parts.
    pub(super) fn new(len: usize) -> Self {
        Self(Bytes(Vec::with_capacity(512 + len)))
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.0.0.extend_from_slice(bytes);
    }

    pub(super) fn task(&mut self, kind: u8, task: u64) {
        self.put(&[kind]);
        self.put(&task.to_le_bytes());
    }

    pub(super) fn list(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u32).to_le_bytes());
        self.put(bytes);
    }

    pub(super) fn neighbour(&mut self, neighbour: Neighbour) {
        self.put(&[match neighbour {
            Neighbour::Next => 0,
            Neighbour::Previous => 1,
        }]);
    }

    pub(super) fn stamp(&mut self, stamp: &Stamp) {
        self.put(&stamp.generation.to_le_bytes());
        self.put(&stamp.segment.to_le_bytes());
        self.put(&stamp.changed_at.to_le_bytes());
    }
}

/// What is left of a message.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn list(&mut self) -> Result<&'b [u8], Malformed> {
        let len = self.u32()? as usize;
        let (list, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(list)
    }

    pub(super) fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.0)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn stamp(&mut self) -> Result<Stamp, Malformed> {
        Ok(Stamp { generation: self.u64()?, segment: self.u32()?, changed_at: self.u64()? })
    }

    pub(super) fn party(&mut self) -> Result<PartyId, Malformed> {
        let [number] = self.array()?;
        PartyId::ALL.into_iter().find(|known| known.number() == number).ok_or(Malformed)
    }

    pub(super) fn neighbour(&mut self) -> Result<Neighbour, Malformed> {
        match self.array()? {
            [0] => Ok(Neighbour::Next),
            [1] => Ok(Neighbour::Previous),
            _ => Err(Malformed),
        }
    }

    pub(super) fn end<T>(&self, value: T) -> Result<T, Malformed> {
        if self.0.is_empty() { Ok(value) } else { Err(Malformed) }
    }
}
