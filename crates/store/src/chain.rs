//! Lists as chains: each row names the one before it, and the owner's row the last one. Adding to a list touches no page that is not
//! written anyway, however many rows and owners there are; reading follows the names.

use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::Bits;

/// A table whose rows are a chain for each owner.
pub(crate) struct Chain {
    table: &'static str,
    /// The column that `previous` of the next row names.
    key: &'static str,
    /// The column that says whose.
    owner: &'static str,
}

/// Payments of a merchant.
pub(crate) const PAYMENTS: Chain = Chain { table: "payments", key: "id", owner: "merchant" };
/// Events of a merchant.
pub(crate) const EVENTS: Chain = Chain { table: "events", key: "id", owner: "merchant" };
/// What a wallet's money did.
pub(crate) const ACTIVITIES: Chain = Chain { table: "activities", key: "reference", owner: "account" };
/// Uses of an account's biometric.
pub(crate) const QUERIES: Chain = Chain { table: "biometric_queries", key: "id", owner: "account" };

impl Chain {
    /// The beginning of a query: a table `chain (id, previous, place)` of the row that `?1` names, at place 1, and those before it,
    /// as long as `goes_on` holds for the row `t` or the place `chain.place` that was reached last.
    pub(crate) fn walk(&self, goes_on: &str) -> String {
        let Self { table, key, .. } = self;
        format!(
            "WITH RECURSIVE chain (id, previous, place) AS (
                 SELECT first.{key}, first.previous, CAST(1 AS BIGINT) FROM {table} AS first WHERE first.{key} = ?1
                 UNION ALL
                 SELECT t.{key}, t.previous, chain.place + 1 FROM chain JOIN {table} AS t ON t.{key} = chain.previous WHERE {goes_on}) "
        )
    }

    /// The same of at most `?2` rows.
    pub(crate) fn walk_some(&self) -> String {
        self.walk("chain.place < ?2")
    }

    /// Where a list of `owner` begins that goes on after the row `after`, if one is named, else at `last`: `None` if nothing is
    /// there, `cursor_unknown` if the row is not of this list.
    pub(crate) fn begin(
        &self,
        tx: &Tx,
        owner: u128,
        after: Option<u128>,
        last: impl FnOnce() -> Result<Option<Bits>, StoreError>,
    ) -> Result<Option<Bits>, StoreError> {
        let Some(after) = after else { return last() };
        let sql = format!("SELECT previous FROM {} WHERE {} = ?1 AND {} = ?2", self.table, self.key, self.owner);
        let found: Option<Option<Bits>> = tx.find(&sql, (Bits(after), Bits(owner)), |row| row.get(0))?;
        found.ok_or(Code::CursorUnknown.into())
    }
}
