//! `handsel admin party`: a party's backup, made while it runs, and putting one back; what a worker of it must be told.

use std::path::Path;
use std::process::ExitCode;

use party::gallery::snapshot::LogState;
use serde_json::json;

use crate::args::{PartyCommandLine, PartyFileOptions};
use crate::provision::{PartyKeys, PartyNode, WorkerNode, pin, read};
use crate::run::{Failure, failed};

/// Runs the command.
pub fn run(command: &PartyCommandLine) -> Result<ExitCode, Failure> {
    match command {
        PartyCommandLine::Backup(options) => {
            let node: PartyNode = read(&options.config)?;
            let log = party::backup::backup(&node.data, &options.file).map_err(failed("no backup was made"))?;
            report(options, &log, "copied. It holds no key: keep keys.sqlite out of every backup");
        }
        PartyCommandLine::Restore(options) => {
            let node: PartyNode = read(&options.config)?;
            let log = party::backup::restore(&node.data, &options.file).map_err(failed("nothing was put back"))?;
            report(options, &log, "put back. When the party starts, the other two give it what came after that, deletions first of all");
        }
        PartyCommandLine::WorkerConfig(options) => print!("{}", worker_config(&options.config)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn report(options: &PartyFileOptions, log: &LogState, what: &str) {
    match options.json {
        true => println!("{}", json!({ "sequence": log.sequence, "root": base::hash::hex(&log.root), "epoch": log.epoch })),
        false => println!("The journal up to change {} is {what}.", log.sequence),
    }
}

/// What a worker of the party with this configuration is told.
fn worker_config(path: &Path) -> Result<String, Failure> {
    let node: PartyNode = read(path)?;
    let keys: PartyKeys = read(&path.with_file_name("keys.toml"))?;
    let workers = node.workers.ok_or_else(|| {
        Failure(format!(
            "{} has no [workers]; add it with listen = \"ADDRESS:PORT\", an address of your own network, and start the party again",
            path.display()
        ))
    })?;
    let node = WorkerNode { coordinator: workers.listen, coordinator_certificate_sha256: pin(&keys.certificate_pem), scan_threads: None };
    toml::to_string(&node).map_err(failed("the configuration cannot be written"))
}
