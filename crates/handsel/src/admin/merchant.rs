//! What the platform's operator does for merchants: register them, invite an owner to the console.

use std::process::ExitCode;

use base::id::MerchantId;
use base::time::{Clock, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};

#[derive(Subcommand)]
pub enum MerchantCommand {
    /// Register a merchant; prints its identifier. Its owner does the rest in the console.
    Register(RegisterOptions),
    /// Invite an owner to a merchant's console; prints the code, which is shown this once and holds three days.
    Invite(InviteOptions),
}

#[derive(Args)]
pub struct RegisterOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// Its public name, as it stands on receipts.
    pub name: String,
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

/// Does one of them.
pub fn run(command: &MerchantCommand) -> Result<ExitCode, Failure> {
    match command {
        MerchantCommand::Register(options) => {
            let (merchant, now) = (MerchantId::new(SystemClock.now(), &mut api::app::rng()), SystemClock.now());
            options.store.open()?.register_merchant(merchant, &options.name, now).map_err(failed("the merchant cannot be registered"))?;
            println!("{}", json!({ "merchant": merchant }));
        }
        MerchantCommand::Invite(options) => {
            let merchant = options.merchant.parse().map_err(failed("the merchant"))?;
            let (code, sha256) = api::one_time_code::fresh();
            let invited = options
                .store
                .open()?
                .invite_owner(merchant, &options.name, &sha256, &mut api::app::rng(), SystemClock.now())
                .map_err(failed("the owner cannot be invited"))?;
            let open = format!("/shop/#/join/{code}");
            println!("{}", json!({"staff": invited.id, "code": code, "invited_until": invited.invited_until, "open": open}));
        }
    }
    Ok(ExitCode::SUCCESS)
}
