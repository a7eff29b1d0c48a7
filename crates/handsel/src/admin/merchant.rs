//! What the platform's operator does for merchants: invite an owner to the console.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;
use store::Location;

use crate::admin::settlement::StoreOptions;
use crate::provision::open_store;
use crate::run::{Failure, failed};

#[derive(Subcommand)]
pub enum MerchantCommand {
    /// Invite an owner to a merchant's console; prints the code, which is shown this once and holds three days.
    Invite(InviteOptions),
}

#[derive(Args)]
pub struct InviteOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The merchant, mer_….
    pub merchant: String,
    /// The owner's name. Somebody of this name who was invited and has not come is invited again.
    #[arg(long)]
    pub name: String,
}

/// Does it.
pub fn run(command: &MerchantCommand) -> Result<ExitCode, Failure> {
    let MerchantCommand::Invite(options) = command;
    let location: Location = options.store.store.parse().map_err(failed("--store"))?;
    let merchant = options.merchant.parse().map_err(failed("the merchant"))?;
    let (code, sha256) = api::one_time_code::fresh();
    let invited = open_store(location, &options.store.rules)?
        .invite_owner(merchant, &options.name, &sha256, &mut api::app::rng(), SystemClock.now())
        .map_err(failed("the owner cannot be invited"))?;
    println!("{}", json!({"staff": invited.id, "code": code, "invited_until": invited.invited_until, "open": format!("/shop/#/join/{code}")}));
    Ok(ExitCode::SUCCESS)
}
