//! `handsel`: the one binary. Each subcommand is one file.

mod admin;
mod args;
mod bench;
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

use std::process::ExitCode;

use clap::Parser;

use crate::args::{AdminCommand, Arguments, BenchCommand, Command, EvalCommand};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start(&arguments.command);
    let outcome = match arguments.command {
        Command::Up(options) => up::run(&options),
        Command::Serve(options) => node::serve(&options),
        Command::Party(options) => node::party(&options),
        Command::Terminal(options) => node::terminal(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Eval(EvalCommand::Face(options)) => eval::face(&options),
        Command::Bench(BenchCommand::Till(options)) => bench::till(&options),
        Command::VerifyReceipt(options) => verify_receipt::run(&options),
        Command::Admin(AdminCommand::Gallery(command)) => admin::gallery::run(&command),
        Command::Admin(AdminCommand::Party(command)) => admin::party::run(&command),
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
