//! What staff at a counter does for a shopper.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::Args;

use crate::admin::store::StoreOptions;
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
    allow(&options.store, &options.phone)?;
    Ok(ExitCode::SUCCESS)
}

/// The same for made-up shoppers, who have no phones.
pub fn allow(store: &StoreOptions, phone: &str) -> Result<(), Failure> {
    store.open()?.allow_enrolment(phone, SystemClock.now()).map_err(failed("no enrolment can be allowed"))
}
