//! Setting up payees and tills.

use std::sync::{Arc, LazyLock};

use base::id::{MerchantId, StoreId, TerminalId};
use base::money::Currency;
use base::time::Timestamp;
use ed25519_dalek::VerifyingKey;
use ledger::account::AccountKey;
use payments::refusal::Refusal;
use wire::api;
use wire::problem::Code;

use crate::db::{DbError, Kind, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::{Store, merchant_lists, posting};

/// A terminal to register: a till, or a shopper's own capture device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerminal {
    /// Its identifier.
    pub id: TerminalId,
    /// Where it stands.
    pub store: StoreId,
    /// SHA-256 of its bearer token; the token itself is never kept.
    pub token_sha256: [u8; 32],
    /// The public half of its device key, which signs its probes.
    pub public_key: VerifyingKey,
}

/// A registered terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// What it may know about itself.
    pub details: api::Terminal,
    /// The public half of its device key.
    pub public_key: VerifyingKey,
    /// SHA-256 of its bearer token.
    pub token_sha256: [u8; 32],
}

/// In whose name a payee's payments are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payee {
    /// One of its terminals.
    Terminal(TerminalId),
    /// Its own server.
    Merchant(MerchantId),
}

impl From<TerminalId> for Payee {
    fn from(terminal: TerminalId) -> Self {
        Self::Terminal(terminal)
    }
}

impl Payee {
    /// The merchant; `not_found` for a terminal that nobody registered.
    pub(crate) fn merchant(self, tx: &Tx) -> Result<MerchantId, StoreError> {
        match self {
            Self::Terminal(id) => Ok(terminal(tx, id)?.details.merchant),
            Self::Merchant(id) => Ok(id),
        }
    }

    /// Where a new payment begins: at `wanted`, which must be its own, or at its only terminal. `forbidden` if a terminal
    /// names another one, `not_found` for a terminal that is not the merchant's, `terminal_required` if there are several.
    pub(crate) fn till(self, tx: &Tx, wanted: Option<TerminalId>) -> Result<Arc<Terminal>, StoreError> {
        match (self, wanted) {
            (Self::Terminal(own), Some(wanted)) if own != wanted => Err(Code::Forbidden.into()),
            (Self::Terminal(own), _) => terminal(tx, own),
            (Self::Merchant(merchant), Some(wanted)) => {
                let found = terminal(tx, wanted)?;
                if found.details.merchant == merchant { Ok(found) } else { Err(Refusal::of_field(Code::NotFound, "terminal").into()) }
            }
            (Self::Merchant(merchant), None) => {
                let mut all = tx.list(&format!("{TERMINALS} WHERE m.id = ?1 LIMIT 2"), [Bits(merchant.bits())], read_terminal)?;
                match (all.pop(), all.is_empty()) {
                    (Some(only), true) => Ok(Arc::new(only)),
                    _ => Err(Refusal::of_field(Code::TerminalRequired, "terminal").into()),
                }
            }
        }
    }
}

impl Store {
    /// Registers a payee and opens its ledger account. The same identifier again renames it.
    pub fn register_merchant(&self, id: MerchantId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("register_merchant", |tx| {
            tx.execute(
                "INSERT INTO merchants (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (Bits(id.bits()), name, At(now)),
            )?;
            merchant_lists::open(tx, id)?;
            posting::open_account(tx, AccountKey::payable(id), Currency::CNY)?;
            posting::open_account(tx, AccountKey::RESERVE, Currency::CNY)
        })
    }

    /// Registers a store of a payee. The same identifier again renames it.
    pub fn register_store(&self, id: StoreId, merchant: MerchantId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("register_store", |tx| {
            tx.execute(
                "INSERT INTO stores (id, merchant, name, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (Bits(id.bits()), Bits(merchant.bits()), name, At(now)),
            )?;
            Ok(())
        })
    }

    /// Registers a terminal. The same identifier again replaces its token and key: the device was set up anew.
    pub fn register_terminal(&self, terminal: &NewTerminal, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("register_terminal", |tx| insert_terminal(tx, terminal, now))
    }

    /// The terminal whose bearer token has this SHA-256.
    pub fn terminal_by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<Terminal>, StoreError> {
        self.read(|tx| {
            let sql = format!("{TERMINALS} WHERE t.token_sha256 = ?1");
            Ok(tx.find(&sql, [token_sha256], read_terminal)?)
        })
    }

    /// Whether `known` still holds its token; else `unauthenticated`. Inside [`Store::submit`] it holds to the end of what is
    /// submitted.
    pub fn check_token(&self, known: &Terminal) -> Result<(), StoreError> {
        self.read(|tx| match terminal(tx, known.details.id) {
            Ok(now) if now.token_sha256 != known.token_sha256 => Err(Code::Unauthenticated.into()),
            found => found.map(|_| ()),
        })
    }

    /// All terminals' device keys, for the parties.
    pub fn terminal_keys(&self) -> Result<Vec<(TerminalId, VerifyingKey)>, StoreError> {
        self.read(|tx| {
            let terminals = tx.list(&format!("{TERMINALS} ORDER BY t.id"), (), |row| {
                read_terminal(row).map(|terminal| (terminal.details.id, terminal.public_key))
            })?;
            Ok(terminals)
        })
    }
}

const TERMINAL: Kind<Option<Arc<Terminal>>> = Kind::new("terminal", &["terminals", "stores", "merchants"]);
const TERMINALS: &str = "SELECT t.id, t.public_key, s.id, s.name, m.id, m.name, t.token_sha256
    FROM terminals t JOIN stores s ON s.id = t.store JOIN merchants m ON m.id = s.merchant";

/// The terminal of this identifier; `not_found` without one.
pub(crate) fn terminal(tx: &Tx, id: TerminalId) -> Result<Arc<Terminal>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| format!("{TERMINALS} WHERE t.id = ?1"));
    let found = tx.recall_row(&TERMINAL, (0, id.bits()), &SQL, [Bits(id.bits())], |row| read_terminal(row).map(Arc::new))?;
    found.ok_or(Code::NotFound.into())
}

/// Registers a terminal, or replaces its token and key.
pub(crate) fn insert_terminal(tx: &Tx, terminal: &NewTerminal, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO terminals (id, store, token_sha256, public_key, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET token_sha256 = excluded.token_sha256, public_key = excluded.public_key",
        (Bits(terminal.id.bits()), Bits(terminal.store.bits()), terminal.token_sha256, terminal.public_key.to_bytes(), At(now)),
    )?;
    Ok(())
}

fn read_terminal(row: &Row) -> Result<Terminal, DbError> {
    let public_key = VerifyingKey::from_bytes(&row.get(1)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Blob, Box::new(error)))?;
    let details = api::Terminal {
        id: TerminalId::from_bits(row.get::<Bits>(0)?.0),
        store: StoreId::from_bits(row.get::<Bits>(2)?.0),
        store_name: row.get(3)?,
        merchant: MerchantId::from_bits(row.get::<Bits>(4)?.0),
        merchant_name: row.get(5)?,
    };
    Ok(Terminal { details, public_key, token_sha256: row.get(6)? })
}
