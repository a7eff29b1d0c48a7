//! Setting up payees and tills.

use base::id::{MerchantId, StoreId, TerminalId};
use base::time::Timestamp;
use ed25519_dalek::VerifyingKey;
use wire::api;

use crate::Store;
use crate::error::StoreError;

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
}

impl Store {
    /// Registers a payee and opens its ledger account. The same identifier again renames it.
    pub fn register_merchant(&self, id: MerchantId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Registers a store of a payee. The same identifier again renames it.
    pub fn register_store(&self, id: StoreId, merchant: MerchantId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Registers a terminal. The same identifier again replaces its token and key: the device was set up anew.
    pub fn register_terminal(&self, terminal: &NewTerminal, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// The terminal whose bearer token has this SHA-256.
    pub fn terminal_by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<Terminal>, StoreError> {
        todo!()
    }

    /// All terminals' device keys, for the parties.
    pub fn terminal_keys(&self) -> Result<Vec<(TerminalId, VerifyingKey)>, StoreError> {
        todo!()
    }
}
