//! What the platform's operator does for customer service: invite and remove its people, and read what they looked up.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};

#[derive(Subcommand)]
pub enum ServiceCommand {
    /// Invite somebody to customer service; prints the code, which is shown this once and holds three days.
    Invite(InviteOptions),
    /// List its people, newest first, one JSON object a line.
    List(StoreOptions),
    /// Remove somebody: sessions, passkeys and invitations end at once.
    Remove(RemoveOptions),
    /// List every case that was looked up and what was done with it, oldest first, one JSON object a line.
    #[command(visible_alias = "looks")]
    LookUps(StoreOptions),
}

#[derive(Args)]
pub struct InviteOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The person's name. Somebody of this name is invited again, on a new device: the old one signs in no more.
    #[arg(long)]
    pub name: String,
}

#[derive(Args)]
pub struct RemoveOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The person, clk_….
    pub clerk: String,
}

/// Does one of them.
pub fn run(command: &ServiceCommand) -> Result<ExitCode, Failure> {
    let now = SystemClock.now();
    match command {
        ServiceCommand::Invite(options) => {
            let (code, sha256) = api::one_time_code::fresh();
            let invited = options.store.open()?.invite_clerk(&options.name, &sha256, &mut api::app::rng(), now);
            let invited = invited.map_err(failed("nobody can be invited"))?;
            let open = format!("/service/#/join/{code}");
            println!("{}", json!({"clerk": invited.id, "code": code, "invited_until": invited.invited_until, "open": open}));
        }
        ServiceCommand::List(options) => {
            for clerk in options.open()?.clerks(now).map_err(failed("the list cannot be read"))? {
                println!(
                    "{}",
                    json!({"clerk": clerk.id, "name": clerk.name, "joined_at": clerk.joined_at, "invited_until": clerk.invited_until})
                );
            }
        }
        ServiceCommand::Remove(options) => {
            let clerk = options.clerk.parse().map_err(failed("the person"))?;
            options.store.open()?.remove_clerk(clerk, now).map_err(failed("nobody was removed"))?;
            println!("{}", json!({"clerk": clerk, "removed_at": now}));
        }
        ServiceCommand::LookUps(options) => {
            let print = |lines: Vec<store::service::log::Line>| {
                for line in lines {
                    println!(
                        "{}",
                        json!({
                            "id": line.id, "at": line.at, "act": line.act, "clerk": line.clerk, "reference": line.reference,
                            "account": line.account, "reason": line.reason,
                        })
                    );
                }
            };
            options.open()?.each_service_line(print).map_err(failed("the log cannot be read"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
