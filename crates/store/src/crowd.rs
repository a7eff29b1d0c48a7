//! Many made-up shoppers at once, for demonstrations and measurements.

use base::id::{AccountId, EnrolmentId};
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::probe::{PartitionLabel, SealedProbe};

use crate::Store;
use crate::enrolment::NewToken;
use crate::error::StoreError;

/// One made-up shopper: an account of class II with a funded wallet, no passcode and an enrolled face.
#[derive(Clone, Debug)]
pub struct CrowdMember {
    /// The account.
    pub account: AccountId,
    /// Its enrolment.
    pub enrolment: EnrolmentId,
    /// A number that nobody else has, 11 digits.
    pub phone: String,
    /// The part of the gallery of everybody whose phone ends like this one.
    pub phone_part: PartitionLabel,
    /// The record and its token.
    pub token: NewToken,
}

impl Store {
    /// Makes `members` with `balance_minor` each in one transaction, and queues their templates, which `probe` holds in
    /// the same order, as one change for the parties. Keep a batch at some thousand members.
    pub fn insert_crowd(&self, members: &[CrowdMember], balance_minor: i64, probe: &SealedProbe, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }
}
