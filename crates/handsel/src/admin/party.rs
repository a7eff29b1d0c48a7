//! `handsel admin party`: a party's backup, made while it runs, and putting one back.

use std::process::ExitCode;

use serde_json::json;

use crate::args::PartyCommandLine;
use crate::provision::{PartyNode, read};
use crate::run::{Failure, failed};

/// Runs the command.
pub fn run(command: &PartyCommandLine) -> Result<ExitCode, Failure> {
    let options = match command {
        PartyCommandLine::Backup(options) | PartyCommandLine::Restore(options) => options,
    };
    let node: PartyNode = read(&options.config)?;
    let (log, text) = match command {
        PartyCommandLine::Backup(_) => {
            let log = party::backup::backup(&node.data, &options.file).map_err(failed("no backup was made"))?;
            (log, "copied. It holds no key: keep keys.sqlite out of every backup")
        }
        PartyCommandLine::Restore(_) => {
            let log = party::backup::restore(&node.data, &options.file).map_err(failed("nothing was put back"))?;
            (log, "put back. When the party starts, the other two give it what came after that, deletions first of all")
        }
    };
    match options.json {
        true => println!("{}", json!({ "sequence": log.sequence, "root": base::hash::hex(&log.root), "epoch": log.epoch })),
        false => println!("The journal up to change {} is {text}.", log.sequence),
    }
    Ok(ExitCode::SUCCESS)
}
