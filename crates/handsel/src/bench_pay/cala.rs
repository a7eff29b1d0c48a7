//! Another peer: the ledger of the crate cala-ledger (`bench/cala`), on a PostgreSQL server of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use store::throwaway::Throwaway;
use tokio::process::Command;

use crate::bench_pay::load::Measured;
use crate::bench_pay::peer::CLIENTS;
use crate::run::{Failure, failed};

/// What reports call it.
pub const NAME: &str = "cala-ledger 0.33.3";
const MANIFEST: &str = "bench/cala/Cargo.toml";
const BUILT_IN: &str = "target/cala";

/// Its program and its server with the accounts.
pub struct Cala {
    program: PathBuf,
    server: Throwaway,
    shoppers: u32,
    merchants: u32,
}

/// What the program prints.
#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    latencies_us: Vec<u64>,
}

impl Cala {
    /// Builds the program, which takes some minutes the first time, and makes the accounts.
    pub fn start(shoppers: u32, merchants: u32) -> Result<Self, Failure> {
        let program = build()?;
        let server = Throwaway::start(&[]).map_err(failed("no PostgreSQL server can be started"))?;
        let cala = Self { program, server, shoppers, merchants };
        let made = cala.command("setup").into_std().output();
        let made = made.map_err(failed("the program of bench/cala cannot be run"))?;
        if !made.status.success() {
            return Err(Failure(format!("{NAME} cannot be set up: {}", String::from_utf8_lossy(&made.stderr))));
        }
        Ok(cala)
    }

    /// Pays for `time`.
    pub async fn run(&self, time: Duration) -> Result<Measured, Failure> {
        let mut program = self.command("run");
        program.args(["--clients", CLIENTS, "--seconds", &time.as_secs().max(1).to_string()]).kill_on_drop(true);
        let done = program.output().await.map_err(failed("the program of bench/cala cannot be run"))?;
        if !done.status.success() {
            return Err(Failure(format!("{NAME} failed: {}", String::from_utf8_lossy(&done.stderr))));
        }
        let answer: Answer = serde_json::from_slice(&done.stdout).map_err(failed("the program of bench/cala"))?;
        let took = Duration::try_from_secs_f64(answer.seconds).map_err(failed("the program of bench/cala"))?;
        Ok(Measured::new(answer.latencies_us, took))
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args([subcommand, "--user", "handsel", "--database", "postgres", "--socket"]).arg(self.server.folder());
        command.args(["--payers", &self.shoppers.to_string(), "--merchants", &self.merchants.to_string()]);
        command
    }
}

/// Builds the program, if it is not built yet; cargo tells on standard error how far it is.
fn build() -> Result<PathBuf, Failure> {
    if !Path::new(MANIFEST).exists() {
        return Err(Failure(format!("{MANIFEST} is not here: run this in the root of the repository")));
    }
    let program = Path::new(BUILT_IN).join("release/handsel-bench-cala");
    if !program.exists() {
        eprintln!("{NAME} is built, which takes some minutes");
    }
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir", BUILT_IN]);
    let built = cargo.stdin(Stdio::null()).stdout(Stdio::null()).status().map_err(failed("cargo cannot be run"))?;
    if built.success() { Ok(program) } else { Err(Failure(format!("{NAME} cannot be built; cargo says why above"))) }
}
