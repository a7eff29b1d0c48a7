//! `handsel`: the one binary. Each subcommand is one file.

mod activate;
mod admin;
mod args;
mod bench;
mod bench_pay;
mod crowd;
mod demo;
mod eval;
mod logging;
mod models;
mod node;
mod photos;
mod provision;
mod report;
mod run;
mod till_client;
mod up;
mod verify_receipt;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::admin::ledger::LedgerCommand;
use crate::args::{AdminCommand, Arguments, BenchCommand, Command, EvalCommand};

/// The nodes' threads hand each other what they allocate, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start(&arguments.command);
    let outcome = match arguments.command {
        Command::Up(options) => up::run(&options),
        Command::Serve(options) => node::serve(&options),
        Command::Party(options) => node::party(&options),
        Command::Worker(options) => worker::run(&options),
        Command::Terminal(options) => node::terminal(&options),
        Command::Activate(options) => activate::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Eval(EvalCommand::Face(options)) => eval::face(&options),
        Command::Bench(BenchCommand::Till(options)) => bench::till(&options),
        Command::Bench(BenchCommand::Pay(options)) => bench_pay::run(&options),
        Command::Admin(AdminCommand::Ledger(LedgerCommand::Export(options))) => admin::ledger::export_ledger(&options),
        Command::Admin(AdminCommand::Ledger(LedgerCommand::Verify(options))) => admin::ledger::verify_ledger(&options),
        Command::Admin(AdminCommand::Dispute(options)) => admin::compensation::decide(&options),
        Command::Admin(AdminCommand::City(options)) => admin::city::run(&options),
        Command::Admin(AdminCommand::AllowEnrolment(options)) => admin::shoppers::allow_enrolment(&options),
        Command::Admin(AdminCommand::Notices(options)) => admin::shoppers::notices(&options),
        Command::Admin(AdminCommand::Fund(options)) => admin::compensation::fund(&options),
        Command::Admin(AdminCommand::Identity(command)) => admin::identity::run(&command),
        Command::Admin(AdminCommand::Alerts(options)) => admin::settlement::alerts(&options),
        Command::Admin(AdminCommand::Settlement(command)) => admin::settlement::run(&command),
        Command::Admin(AdminCommand::Service(command)) => admin::service::run(&command),
        Command::Admin(AdminCommand::Merchant(command)) => admin::merchant::run(&command),
        Command::Admin(AdminCommand::Backup(options)) => admin::copies::backup(&options),
        Command::Admin(AdminCommand::Restore(options)) => admin::copies::restore(&options),
        Command::Admin(AdminCommand::Move(options)) => admin::copies::move_store(&options),
        Command::VerifyReceipt(options) => verify_receipt::run(&options),
        Command::Admin(AdminCommand::Gallery(command)) => admin::gallery::run(&command),
        Command::Admin(AdminCommand::Party(command)) => admin::party::run(&command),
        Command::Bench(BenchCommand::Identify(options)) => bench::identify::run(&options),
        Command::MeasuredParty(options) => bench::measured::party(&options),
        Command::MeasuredPlatform(options) => bench_pay::platform::run(&options),
        Command::Models(options) => models::fold(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("handsel: {error}");
            ExitCode::from(2)
        }
    }
}
