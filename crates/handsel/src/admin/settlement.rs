//! What staff does about paying merchants out: decides about bank accounts, looks at what is held, tells what banks said.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::{Args, Subcommand, ValueEnum};
use payments::settlement::Step;
use serde::Serialize;
use serde_json::json;
use store::alert::Alert;
use store::bank_account::Decision;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};

#[derive(Subcommand)]
pub enum SettlementCommand {
    /// Make today's payouts now, as the platform does by itself every few minutes; prints what was made.
    Run(StoreOptions),
    /// Approve or reject a bank account that a merchant asks to be paid to; prints it as JSON.
    BankAccount(BankAccountOptions),
    /// Move a payout on; prints it as JSON.
    Payout(PayoutOptions),
    /// What staff must look at about merchants, newest first, one JSON object a line.
    Alerts(AlertsOptions),
}

#[derive(Args)]
pub struct AlertsOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// Only those older than the one of this number.
    #[arg(long)]
    pub starting_after: Option<i64>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

#[derive(Args)]
pub struct BankAccountOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The bank account, ba_….
    pub bank_account: String,
    /// What is decided.
    #[arg(value_enum)]
    pub decision: BankAccountDecision,
    /// Who decides, for the record.
    #[arg(long)]
    pub by: String,
    /// Why: for an approval, how the merchant was asked back; for a rejection, in words for the merchant.
    #[arg(long)]
    pub reason: String,
}

/// How a bank account is decided.
#[derive(Clone, Copy, ValueEnum)]
pub enum BankAccountDecision {
    /// The merchant was asked back at the number on file.
    Approve,
    /// Not to be paid to.
    Reject,
}

#[derive(Args)]
pub struct PayoutOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The payout, po_….
    pub payout: String,
    /// What happens to it.
    #[arg(value_enum)]
    pub step: PayoutStep,
    /// Who says so, for the record.
    #[arg(long)]
    pub by: String,
}

/// What happens to a payout.
#[derive(Clone, Copy, ValueEnum)]
pub enum PayoutStep {
    /// It was held and is sent now.
    Release,
    /// It was held and is given up; the money stays with the merchant here.
    Cancel,
    /// The bank has it.
    Arrived,
    /// The bank sent it back.
    Returned,
}

/// Does one of them.
pub fn run(command: &SettlementCommand) -> Result<ExitCode, Failure> {
    match command {
        SettlementCommand::Run(options) => {
            let made = options.open()?.settle(SystemClock.now()).map_err(failed("nothing can be paid out"))?;
            print(&json!({ "payouts": made }))
        }
        SettlementCommand::BankAccount(options) => {
            let id = options.bank_account.parse().map_err(failed("the bank account"))?;
            let decision = match options.decision {
                BankAccountDecision::Approve => Decision::Approve,
                BankAccountDecision::Reject => Decision::Reject,
            };
            let store = options.store.open()?;
            let decided = store.decide_bank_account(id, decision, &options.by, &options.reason, SystemClock.now());
            print(&decided.map_err(failed("the bank account cannot be decided"))?)
        }
        SettlementCommand::Payout(options) => {
            let id = options.payout.parse().map_err(failed("the payout"))?;
            let step = match options.step {
                PayoutStep::Release => Step::Release,
                PayoutStep::Cancel => Step::Cancel,
                PayoutStep::Arrived => Step::Arrive,
                PayoutStep::Returned => Step::Return,
            };
            let moved = options.store.open()?.move_payout(id, step, &options.by, SystemClock.now());
            print(&moved.map_err(failed("the payout cannot be moved on"))?)
        }
        SettlementCommand::Alerts(options) => {
            let alerts = options.store.open()?.merchant_alerts(options.starting_after, options.limit);
            for alert in alerts.map_err(failed("the alerts cannot be read"))? {
                println!("{}", json!({ "number": alert.sequence, "kind": alert.kind.name(), "merchant": alert.merchant, "at": alert.at }));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What staff must look at about shoppers' accounts.
pub fn alerts(options: &AlertsOptions) -> Result<ExitCode, Failure> {
    let alerts = options.store.open()?.alerts(options.starting_after, options.limit);
    for alert in alerts.map_err(failed("the alerts cannot be read"))? {
        let Alert { sequence, kind, account, payment, at } = alert;
        println!("{}", json!({ "number": sequence, "kind": kind.name(), "account": account, "payment": payment, "at": at }));
    }
    Ok(ExitCode::SUCCESS)
}

fn print(value: &impl Serialize) -> Result<ExitCode, Failure> {
    println!("{}", serde_json::to_string(value).map_err(failed("the answer cannot be shown"))?);
    Ok(ExitCode::SUCCESS)
}
