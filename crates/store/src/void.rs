//! Enrolments that a party could not keep.

use base::id::AccountId;
use base::time::Timestamp;

use crate::Store;
use crate::enrolment::delete_standing;
use crate::error::StoreError;
use crate::row::{Bits, Sequence};

impl Store {
    /// A party could not use its share of the enrolments in the change `sequence`: the terminal sealed something else
    /// than it said, or is not known there. Nobody can be found by such a record, so the enrolments are deleted. Again: no effect.
    pub fn void_change(&self, sequence: u64, now: Timestamp) -> Result<(), StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("void_change", |tx| {
            let accounts = tx.list(
                "SELECT DISTINCT account FROM records WHERE enrol_sequence = ?1 AND delete_sequence IS NULL",
                [Sequence(sequence)],
                |row| row.get::<Bits>(0),
            )?;
            accounts.into_iter().try_for_each(|account| delete_standing(tx, AccountId::from_bits(account.0), rules, now))
        })
    }
}
