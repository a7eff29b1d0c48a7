//! What staff at a counter does for a shopper.

use std::path::Path;
use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::Args;
use store::Location;

use super::settlement::StoreOptions;
use crate::provision::open_store;
use crate::run::{Failure, failed};

#[derive(Args)]
pub struct AllowEnrolmentOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The account's phone number, 11 digits.
    #[arg(long)]
    pub phone: String,
}

/// Says so to the store.
pub fn allow_enrolment(options: &AllowEnrolmentOptions) -> Result<ExitCode, Failure> {
    let location: Location = options.store.store.parse().map_err(failed("--store"))?;
    allow(location, &options.store.rules, &options.phone)?;
    Ok(ExitCode::SUCCESS)
}

/// The same for made-up shoppers, who have no phones.
pub fn allow(store: Location, rules: &Path, phone: &str) -> Result<(), Failure> {
    open_store(store, rules)?.allow_enrolment(phone, SystemClock.now()).map_err(failed("no enrolment can be allowed"))
}
