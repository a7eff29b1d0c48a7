//! The platform's store, as every command names it that works on it.

use std::path::PathBuf;

use clap::Args;
use store::{Location, Store};

use crate::provision::open_store;
use crate::run::Failure;

#[derive(Args)]
pub struct StoreOptions {
    /// Where the store is: `sqlite:` and a path, or `postgres://user@host/database`.
    #[arg(long, default_value = "sqlite:var/handsel/platform/handsel.sqlite")]
    pub store: Location,
    /// The rule pack.
    #[arg(long, default_value = "rules/cn.toml")]
    pub rules: PathBuf,
}

impl StoreOptions {
    /// Opens it; it may be in use.
    pub fn open(&self) -> Result<Store, Failure> {
        open_store(&self.store, &self.rules)
    }
}
