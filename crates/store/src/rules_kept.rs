//! What payments were judged by: a rule pack that has judged one never changes.

use std::collections::BTreeMap;

use payments::rules::{Number, RuleBook, RulesError};

use crate::db::Tx;
use crate::error::StoreError;

/// What the file says of a number that it does not have any more.
const NOTHING: &str = "nothing";

/// Compares the book's numbers with those that are kept, and keeps what is new: a pack that has judged nothing may still
/// change, and a number that no pack had before has judged nothing either.
///
/// # Errors
/// [`RulesError::Changed`] for a number of a pack that has judged.
pub(crate) fn keep(tx: &Tx, book: &RuleBook) -> Result<(), StoreError> {
    let kept = tx.list("SELECT version, name, value FROM rule_numbers", (), |row| {
        Ok(Number { version: row.get(0)?, name: row.get(1)?, value: row.get(2)? })
    })?;
    let now: BTreeMap<_, _> = book.numbers().iter().map(|number| ((&number.version, &number.name), &number.value)).collect();
    for was in &kept {
        let is = now.get(&(&was.version, &was.name)).copied();
        if is == Some(&was.value) {
            continue;
        }
        if has_judged(tx, &was.version)? {
            let Number { version, name, value } = was.clone();
            return Err(RulesError::Changed { version, name, was: value, is: is.map_or(NOTHING, String::as_str).to_owned() }.into());
        }
        tx.execute("DELETE FROM rule_numbers WHERE version = ?1 AND name = ?2", (&was.version, &was.name))?;
    }
    for number in book.numbers().iter().filter(|number| !kept.contains(number)) {
        tx.put("INSERT INTO rule_numbers (version, name, value) VALUES (?1, ?2, ?3)", (&number.version, &number.name, &number.value))?;
    }
    Ok(())
}

/// Reads all payments where there is none: only a changed file asks.
fn has_judged(tx: &Tx, version: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM payments WHERE rules_version = ?1 UNION ALL SELECT 1 FROM disputes WHERE rules_version = ?1
         UNION ALL SELECT 1 FROM payouts WHERE rules_version = ?1 LIMIT 1";
    Ok(tx.find(sql, [version], |_| Ok(()))?.is_some())
}
