//! Disputes, as staff decides them, and the fund that pays for those that payers win.

use std::process::ExitCode;

use base::time::{Clock, SystemClock};
use clap::{Args, ValueEnum};
use store::dispute::Decision;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, failed};

#[derive(Args)]
pub struct DecideOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The dispute, dp_….
    pub dispute: String,
    /// For the payer, against the payer, or later.
    #[arg(value_enum)]
    pub decision: DecisionKind,
    /// Why, in words for the payer.
    #[arg(long)]
    pub reason: String,
}

/// How a dispute is decided.
#[derive(Clone, Copy, ValueEnum)]
pub enum DecisionKind {
    /// The payer is right.
    Uphold,
    /// It was the payer.
    Reject,
    /// More time, once.
    Extend,
}

#[derive(Args)]
pub struct FundOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// The transfer's identifier, tra_…, chosen once: the same again changes nothing.
    #[arg(long)]
    pub id: String,
    /// How much, in minor units.
    #[arg(long)]
    pub amount_minor: i64,
}

/// Decides a dispute.
pub fn decide(options: &DecideOptions) -> Result<ExitCode, Failure> {
    let store = options.store.open()?;
    let id = options.dispute.parse().map_err(failed("--dispute"))?;
    let decision = match options.decision {
        DecisionKind::Uphold => Decision::Uphold,
        DecisionKind::Reject => Decision::Reject,
        DecisionKind::Extend => Decision::Extend,
    };
    let decided =
        store.decide_dispute(id, decision, &options.reason, SystemClock.now()).map_err(failed("the dispute cannot be decided"))?;
    println!("{}", serde_json::to_string(&decided).map_err(failed("the dispute cannot be shown"))?);
    Ok(ExitCode::SUCCESS)
}

/// Puts money into the compensation fund.
pub fn fund(options: &FundOptions) -> Result<ExitCode, Failure> {
    let store = options.store.open()?;
    let id = options.id.parse().map_err(failed("--id"))?;
    store.fund_compensation(id, options.amount_minor, SystemClock.now()).map_err(failed("the fund cannot be filled"))?;
    Ok(ExitCode::SUCCESS)
}
