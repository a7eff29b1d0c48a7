//! What the wallet shows.

use base::id::AccountId;
use base::time::Timestamp;
use wire::api::{self, Activity, BiometricQuery, List};

use crate::Store;
use crate::error::StoreError;

/// Most rows of a list.
pub(crate) const LIST_MAX: u32 = 100;

impl Store {
    /// The account as its owner sees it.
    pub fn me(&self, account: AccountId, now: Timestamp) -> Result<api::Me, StoreError> {
        todo!()
    }

    /// The wallet's money, newest first, older than the row with identifier `starting_after`; at most `limit` rows, and
    /// at most 100.
    pub fn activity(&self, account: AccountId, starting_after: Option<&str>, limit: u32) -> Result<List<Activity>, StoreError> {
        todo!()
    }

    /// Every use of the account's biometric, newest first; otherwise like [`Store::activity`].
    pub fn queries(&self, account: AccountId, starting_after: Option<&str>, limit: u32) -> Result<List<BiometricQuery>, StoreError> {
        todo!()
    }
}
