//! Who shoppers are, as staff finds out: checks, and which accounts are one person's.

use std::process::ExitCode;

use base::id::AccountId;
use base::time::{Clock, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;
use store::Store;
use store::identity::Identity;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};

#[derive(Subcommand)]
pub enum IdentityCommand {
    /// Print the account's class and what it rests on.
    Show(AccountOptions),
    /// Record a check: it counts from now on.
    Check(CheckOptions),
    /// A check no longer counts.
    Revoke(CheckOptions),
    /// The account is of the person who has another one: caps count both.
    SamePerson(SamePersonOptions),
    /// The account is its person's only one.
    Apart(ByOptions),
}

#[derive(Args)]
pub struct AccountOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The account, acc_….
    pub account: String,
}

#[derive(Args)]
pub struct ByOptions {
    #[command(flatten)]
    pub account: AccountOptions,
    /// Who of the staff says so, for the record.
    #[arg(long)]
    pub by: String,
}

#[derive(Args)]
pub struct CheckOptions {
    #[command(flatten)]
    pub who: ByOptions,
    /// Who checked: `face_to_face`, or an outside source such as `police` or `bank_card`. `demo`, which every account begins with and
    /// where nobody was asked, can be revoked only.
    #[arg(long)]
    pub channel: String,
}

#[derive(Args)]
pub struct SamePersonOptions {
    #[command(flatten)]
    pub who: ByOptions,
    /// The other account, acc_….
    #[arg(long)]
    pub other: String,
}

/// Does it and prints how the account stands; never the owner's name.
pub fn run(command: &IdentityCommand) -> Result<ExitCode, Failure> {
    let now = SystemClock.now();
    match command {
        IdentityCommand::Show(options) => print(options, |store, account| store.identity(account, now)),
        IdentityCommand::Check(CheckOptions { who, channel }) => {
            print(&who.account, |store, account| store.add_identity_check(account, channel, &who.by, now))
        }
        IdentityCommand::Revoke(CheckOptions { who, channel }) => {
            print(&who.account, |store, account| store.revoke_identity_check(account, channel, now))
        }
        IdentityCommand::SamePerson(SamePersonOptions { who, other }) => {
            let other = other.parse().map_err(failed("the other account"))?;
            print(&who.account, |store, account| store.set_person(account, Some(other), &who.by, now))
        }
        IdentityCommand::Apart(who) => print(&who.account, |store, account| store.set_person(account, None, &who.by, now)),
    }
}

fn print(
    options: &AccountOptions,
    work: impl FnOnce(&Store, AccountId) -> Result<Identity, store::error::StoreError>,
) -> Result<ExitCode, Failure> {
    let account = options.account.parse().map_err(failed("the account"))?;
    let Identity { class, class_remaining_minor, channels, other_accounts } =
        work(&options.store.open()?, account).map_err(failed("who this is cannot be told or changed"))?;
    let answer = json!({
        "account": account, "identity_class": class, "class_remaining_minor": class_remaining_minor, "checks": channels,
        "other_accounts": other_accounts,
    });
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}
