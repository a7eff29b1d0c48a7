//! The hash chain: one line of text for each applied transfer, each hash over the one before and the line.
//!
//! `hash(n) = SHA-256(hex(hash(n-1)) ‖ "\n" ‖ line(n))`, with `hash(0) = SHA-256("handsel ledger 1")`. Everything is
//! ASCII, so that an auditor needs a shell and `sha256sum`. Whoever keeps one hash can tell whether anything up to it was
//! changed, left out or put in.

use std::fmt::Write;

use base::hash::{hex, with_hex};
use base::id::TransferId;
use base::money::{Currency, Money};
use base::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::account::{AccountKey, AccountKind};
use crate::transfer::{Entry, EntryKind};

/// The name and version of the format: what the hash before the first line is made from.
pub const FORMAT: &str = "handsel ledger 1";
/// Fields of a line.
const FIELDS: usize = 10;
/// Room for most lines: four identifiers and some numbers and names.
const LINE_LEN: usize = 256;

/// Where a chain ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many lines there are.
    pub sequence: u64,
    /// The hash of the last one.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.sequence, hex(&self.hash))
    }
}

impl Head {
    /// The head of a chain without lines.
    pub fn genesis() -> Self {
        Self { sequence: 0, hash: Sha256::digest(FORMAT.as_bytes()).into() }
    }

    /// The head after one more entry.
    pub fn then(&self, entry: &Entry) -> Self {
        self.then_line(&line(self.sequence + 1, entry))
    }

    /// The head after one more line, which must bear the next number.
    pub fn then_line(&self, line: &str) -> Self {
        let mut hasher = Sha256::new();
        with_hex(&self.hash, |text| hasher.update(text.as_bytes()));
        hasher.update(b"\n");
        hasher.update(line.as_bytes());
        Self { sequence: self.sequence + 1, hash: hasher.finalize().into() }
    }
}

/// One entry as its line: sequence, time in ms, kind, transfer, debited account, credited account, amount in minor units,
/// currency, decided transfer or `-`, expiry in ms or `-`.
pub fn line(sequence: u64, entry: &Entry) -> String {
    let Entry { id, kind, debit, credit, amount, pending, expires_at, at } = *entry;
    let Money { minor, currency } = amount;
    let (debit, credit) = (KeyText(debit), KeyText(credit));
    let (pending, expires_at) = (OrDash(pending), OrDash(expires_at.map(Timestamp::millis)));
    let (at, kind, currency) = (at.millis(), kind.name(), currency.code());
    let mut line = String::with_capacity(LINE_LEN);
    write!(line, "{sequence} {at} {kind} {id} {debit} {credit} {minor} {currency} {pending} {expires_at}")
        .expect("writing to a string cannot fail");
    line
}

/// The number and the entry of a line; `None` unless the line is exactly what [`line`] makes of them.
pub fn parse_line(text: &str) -> Option<(u64, Entry)> {
    let fields: Vec<&str> = text.split(' ').collect();
    let fields: [&str; FIELDS] = fields.try_into().ok()?;
    let [sequence, at, kind, id, debit, credit, minor, currency, pending, expires_at] = fields;
    let entry = Entry {
        id: id.parse().ok()?,
        kind: EntryKind::from_name(kind)?,
        debit: parse_key(debit)?,
        credit: parse_key(credit)?,
        amount: Money { minor: minor.parse().ok()?, currency: parse_currency(currency)? },
        pending: optional(pending, |text| text.parse::<TransferId>().ok())?,
        expires_at: optional(expires_at, |text| text.parse().ok().map(Timestamp::from_millis))?,
        at: Timestamp::from_millis(at.parse().ok()?),
    };
    let sequence = sequence.parse().ok()?;
    (line(sequence, &entry) == text).then_some((sequence, entry))
}

/// An account's key as text: kind, colon, owner as 32 hexadecimal digits.
pub fn key_text(key: AccountKey) -> String {
    KeyText(key).to_string()
}

struct KeyText(AccountKey);

impl std::fmt::Display for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.kind.name())?;
        f.write_str(":")?;
        with_hex(&self.0.owner.to_be_bytes(), |owner| f.write_str(owner))
    }
}

struct OrDash<T>(Option<T>);

impl<T: std::fmt::Display> std::fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// The key of this text.
pub fn parse_key(text: &str) -> Option<AccountKey> {
    let (kind, owner) = text.split_once(':')?;
    Some(AccountKey { kind: AccountKind::from_name(kind)?, owner: u128::from_str_radix(owner, 16).ok()? })
}

/// The currency of this code.
pub fn parse_currency(code: &str) -> Option<Currency> {
    (code == Currency::CNY.code()).then_some(Currency::CNY)
}

/// `Some(None)` for `-`, the value otherwise; `None` if it is no value.
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { read(text).map(Some) }
}

#[cfg(test)]
mod tests;
