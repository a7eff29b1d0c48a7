//! `handsel up`: the whole system on one machine, as five child processes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::args::{InstallationOptions, UpOptions};
use crate::crowd::Loader;
use crate::provision::{self, Mode};
use crate::run::{Failure, Node, failed, runtime};
use crate::till_client::{TillClient, stopwatch};

/// How long the parts may take until all three parties are connected.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Parts are started again this often before `up` gives up.
const RESTARTS_MAX: u32 = 20;

/// The running parts. Dropping it ends them.
pub struct Running {
    pub platform_url: String,
    pub till_url: String,
    pub loader: Option<Loader>,
    pub store: PathBuf,
    pub rules: PathBuf,
    parties: [std::net::SocketAddr; 3],
    metrics_url: String,
    merchant_keys: PathBuf,
    invitation: Option<String>,
    logs: PathBuf,
    nodes: std::sync::Mutex<Vec<Node>>,
    _lock: std::fs::File,
}

/// Starts everything, says where it is, and waits until asked to stop.
pub fn run(options: &UpOptions) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let running = start(&options.dir, &options.installation, Mode::Product, options.ephemeral_ports)?;
        let client = TillClient::new(&running)?;
        wait_until_ready(&running, &client).await?;
        announce(&running, options.json);
        wait_for_the_end(&running).await
    })
}

/// Prepares `dir` and starts the five processes.
pub fn start(dir: &Path, options: &InstallationOptions, mode: Mode, ephemeral_ports: bool) -> Result<Running, Failure> {
    let installation = provision::prepare(dir, options, mode, ephemeral_ports)?;
    let logs = installation.dir.join("logs");
    let mut nodes = Vec::new();
    for (name, subcommand) in [("party1", "party"), ("party2", "party"), ("party3", "party"), ("platform", "serve"), ("till", "terminal")] {
        let folder = installation.dir.join(name);
        nodes.push(Node::start(name, subcommand, folder.join("node.toml"), logs.join(format!("{name}.log")))?);
    }
    Ok(Running {
        platform_url: format!("http://localhost:{}", installation.platform.port()),
        till_url: format!("http://localhost:{}", installation.till.port()),
        loader: installation.loader,
        store: installation.dir.join("platform/handsel.sqlite"),
        rules: installation.rules,
        parties: installation.parties,
        metrics_url: format!("http://{}/metrics", installation.metrics),
        merchant_keys: installation.dir.join("merchant/keys.toml"),
        invitation: installation.invitation,
        logs,
        nodes: std::sync::Mutex::new(nodes),
        _lock: installation.lock,
    })
}

/// Waits until the platform reaches all three parties and the till's agent answers.
pub async fn wait_until_ready(running: &Running, client: &TillClient) -> Result<(), Failure> {
    let started = stopwatch();
    loop {
        running.check()?;
        if client.is_up("/readyz").await && client.till_is_up().await {
            return Ok(());
        }
        if started.elapsed() > READY_WITHIN {
            return Err(Failure(format!(
                "the parts did not find each other within {} s; see {}",
                READY_WITHIN.as_secs(),
                running.logs.display()
            )));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Running {
    /// An error that names the first part that has ended.
    fn check(&self) -> Result<(), Failure> {
        let mut nodes = self.nodes.lock().expect("no holder of the nodes panics");
        match nodes.iter_mut().find_map(|node| (!node.is_running()).then(|| (node.name, node.last_words()))) {
            Some((name, last_words)) => Err(Failure(format!("{name} has ended: {last_words}"))),
            None => Ok(()),
        }
    }

    /// Starts parts again that have ended; a part that does not stay up is an error.
    fn mend(&self, restarts_left: &mut u32) -> Result<(), Failure> {
        let mut nodes = self.nodes.lock().expect("no holder of the nodes panics");
        for node in nodes.iter_mut() {
            if node.is_running() {
                continue;
            }
            if *restarts_left == 0 {
                return Err(Failure(format!("{} does not stay up: {}", node.name, node.last_words())));
            }
            *restarts_left -= 1;
            eprintln!("{} has ended and is started again: {}", node.name, node.last_words());
            node.start_again()?;
        }
        Ok(())
    }
}

fn announce(running: &Running, as_json: bool) {
    let wallet = format!("{}/wallet/", running.platform_url);
    let join = running.invitation.as_ref().map(|code| format!("#/join/{code}")).unwrap_or_default();
    let shop = format!("{}/shop/{join}", running.platform_url);
    if as_json {
        println!(
            "{}",
            json!({"till_url": running.till_url, "wallet_url": wallet, "shop_url": shop, "platform_url": running.platform_url, "parties": running.parties,
                "metrics_url": running.metrics_url, "merchant_keys": running.merchant_keys})
        );
        return;
    }
    for (number, address) in running.parties.iter().enumerate() {
        println!("party {}    {address}", number + 1);
    }
    println!("platform   {}", running.platform_url);
    println!("wallet     {wallet}");
    println!("shop       {shop}");
    println!("till       {}", running.till_url);
    println!("metrics    {}", running.metrics_url);
    println!("API keys   {}", running.merchant_keys.display());
    println!("logs       {}", running.logs.display());
    println!("\nNext: open the wallet, create an account, top up and enrol your face; then open the till, enter an amount and press");
    println!("\"Pay with face\". Ctrl-C stops everything; nothing is lost.");
}

/// Until Ctrl-C, a termination, or a part that does not stay up. Payments survive the restart of any part.
async fn wait_for_the_end(running: &Running) -> Result<ExitCode, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate()).map_err(failed("signals cannot be received"))?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(failed("signals cannot be received"))?;
    let mut restarts_left = RESTARTS_MAX;
    loop {
        tokio::select! {
            _ = terminated.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupted.recv() => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(Duration::from_millis(500)) => running.mend(&mut restarts_left)?,
        }
    }
}

/// A fresh folder for `purpose` that only this user may look into and that is removed when it goes out of scope.
pub fn temporary_folder(purpose: &str) -> Result<TempDir, Failure> {
    tempfile::Builder::new().prefix(&format!("handsel-{purpose}-")).tempdir().map_err(failed("a temporary folder cannot be made"))
}

/// Runs `work` until it ends or somebody stops it; either way its parts end and its temporary folder goes.
pub fn run_until_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    runtime()?.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(failed("signals cannot be received"))?;
        tokio::select! {
            outcome = work => outcome,
            _ = terminated.recv() => Err(Failure("stopped".into())),
            _ = tokio::signal::ctrl_c() => Err(Failure("stopped".into())),
        }
    })
}
