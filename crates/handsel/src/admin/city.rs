//! `handsel admin city`: in which city a store is, so that whoever names that city is recognised there without digits.

use std::path::PathBuf;
use std::process::ExitCode;

use base::secret::Secret;
use base::time::{Clock, SystemClock};
use clap::Args;

use crate::node::place;
use crate::provision::{PlatformKeys, PlatformNode, open_store, read};
use crate::run::{Failure, failed};

/// Longest name in characters.
const NAME_CHARS_MAX: usize = 40;

#[derive(Args)]
pub struct CityOptions {
    /// The platform's configuration file, beside its keys.
    #[arg(long, default_value = "var/handsel/platform/node.toml")]
    pub config: PathBuf,
    /// The store, sto_….
    pub store: String,
    /// The city as shoppers read it, written the same for every store in it; without, the store is in none.
    pub city: Option<String>,
}

/// Sets a store's city; the parties are told by the running platform. The records of the store's regulars follow.
pub fn run(options: &CityOptions) -> Result<ExitCode, Failure> {
    let node: PlatformNode = read(&options.config)?;
    let keys: PlatformKeys = read(&options.config.with_file_name("keys.toml"))?;
    let id = options.store.parse().map_err(failed("the store"))?;
    let city = options.city.as_deref().map(str::trim);
    if city.is_some_and(|name| name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control)) {
        return Err(Failure(format!("a city's name has 1 to {NAME_CHARS_MAX} letters on one line")));
    }
    let secret = Secret::new(keys.label_secret.0);
    let store = open_store(&place(&node.store)?, &node.rules)?;
    let city = city.map(|name| (name, api::labels::city(&secret, name)));
    store.set_store_city(id, city, SystemClock.now()).map_err(failed("the city cannot be set"))?;
    Ok(ExitCode::SUCCESS)
}
