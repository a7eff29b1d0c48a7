//! The peer: a plain double-entry transaction for each payment, on a PostgreSQL server of its own, driven by pgbench.

use std::path::PathBuf;
use std::time::Duration;

use store::throwaway::Throwaway;
use tokio::process::Command;

use crate::bench_pay::load::Measured;
use crate::run::{Failure, context, failed};

const SCHEMA: &str = include_str!("../../../../bench/naive-schema.sql");
const SCRIPT: &str = include_str!("../../../../bench/naive.sql");
/// Connections that pay at once.
pub const CLIENTS: &str = "16";

/// The server with its tables.
pub struct Peer {
    server: Throwaway,
    folder: tempfile::TempDir,
    shoppers: u32,
}

impl Peer {
    pub fn start(shoppers: u32, merchants: u32) -> Result<Self, Failure> {
        let server = Throwaway::start(&[]).map_err(failed("no PostgreSQL server can be started"))?;
        let folder = tempfile::tempdir().map_err(failed("there is no temporary folder"))?;
        let schema = folder.path().join("schema.sql");
        std::fs::write(&schema, SCHEMA).map_err(context(&schema))?;
        std::fs::write(folder.path().join("naive.sql"), SCRIPT).map_err(context(folder.path()))?;
        let mut psql = std::process::Command::new(server.programs().join("psql"));
        psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-U", "handsel", "-h"]).arg(server.folder());
        psql.args(["-v", &format!("payers={shoppers}"), "-v", &format!("merchants={merchants}"), "-f"]).arg(&schema).arg("postgres");
        let made = psql.output().map_err(failed("psql cannot be run"))?;
        if !made.status.success() {
            return Err(Failure(format!("the peer's tables cannot be made: {}", String::from_utf8_lossy(&made.stderr))));
        }
        Ok(Self { server, folder, shoppers })
    }

    /// Pays for `time` to so many merchants; at `per_s` payments a second, if that is given.
    pub async fn run(&self, time: Duration, merchants: u32, per_s: Option<f64>) -> Result<Measured, Failure> {
        let folder = self.folder.path();
        let mut pgbench = Command::new(self.server.programs().join("pgbench"));
        pgbench.current_dir(folder).args(["-n", "-M", "prepared", "-c", CLIENTS, "-j", "2", "-l", "-U", "handsel", "-h"]);
        pgbench.arg(self.server.folder()).args(["-f", "naive.sql", "-T", &time.as_secs().max(1).to_string()]);
        pgbench.args(["-D", &format!("payers={}", self.shoppers), "-D", &format!("merchants={merchants}")]);
        if let Some(per_s) = per_s {
            pgbench.args(["-R", &format!("{per_s:.0}")]);
        }
        let done = pgbench.arg("postgres").kill_on_drop(true).output().await.map_err(failed("pgbench cannot be run"))?;
        let said = String::from_utf8_lossy(&done.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        let (true, Some(rate)) = (done.status.success(), rate) else {
            return Err(Failure(format!("pgbench failed: {said}{}", String::from_utf8_lossy(&done.stderr))));
        };
        let latencies = self.take_latencies()?;
        let took = Duration::from_secs_f64(latencies.len() as f64 / rate);
        Ok(Measured::new(latencies, took))
    }

    /// Each transaction's time, from pgbench's logs, which are removed.
    fn take_latencies(&self) -> Result<Vec<u64>, Failure> {
        let folder = self.folder.path();
        let entries = std::fs::read_dir(folder).map_err(context(folder))?;
        let logs: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("pgbench_log")).collect();
        let mut latencies = Vec::new();
        for log in logs {
            let text = std::fs::read_to_string(&log).map_err(context(&log))?;
            latencies.extend(text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()));
            std::fs::remove_file(&log).map_err(context(&log))?;
        }
        Ok(latencies)
    }
}
