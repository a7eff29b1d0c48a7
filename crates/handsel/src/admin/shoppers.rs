//! What staff at a counter does for a shopper.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::Args;
use serde_json::json;
use store::notice::Outgoing;

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

#[derive(Args)]
pub struct NoticesOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The number of the last one that was sent on; 0 before the first.
    #[arg(long, default_value_t = 0)]
    pub after: i64,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    pub limit: u32,
}

/// Prints what owners are to be told beside the wallet.
pub fn notices(options: &NoticesOptions) -> Result<ExitCode, Failure> {
    let notices = options.store.open()?.notices_after(options.after, options.limit);
    for Outgoing { sequence, account, notice } in notices.map_err(failed("the notices cannot be read"))? {
        println!("{}", json!({ "number": sequence, "account": account, "kind": notice.kind, "at": notice.at }));
    }
    Ok(ExitCode::SUCCESS)
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
