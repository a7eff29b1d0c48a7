//! What every subcommand needs: one kind of failure, a runtime, children that end with their parent.

use std::num::NonZero;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tokio::runtime::{Builder, Runtime};

/// A sentence for the person at the terminal that says what to mend.
#[derive(Debug)]
pub struct Failure(pub String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Turns an input or output error at `path` into a sentence.
pub fn context(path: &Path) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| Failure(format!("{}: {error}", path.display()))
}

/// Turns any error into a sentence that begins with what was attempted.
pub fn failed<E: std::fmt::Display>(attempt: &str) -> impl Fn(E) -> Failure + '_ {
    move |error| Failure(format!("{attempt}: {error}"))
}

/// A runtime for this process.
pub fn runtime() -> Result<Runtime, Failure> {
    start(&mut Builder::new_multi_thread())
}

/// A runtime for the platform: half of the processors answer requests, because the store's own threads want the other half, and no fewer than
/// two, because while one of them writes what was submitted (`api::deputy`) another is to read what comes.
pub fn platform_runtime() -> Result<Runtime, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    start(Builder::new_multi_thread().worker_threads((processors / 2).max(2)))
}

fn start(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(failed("the asynchronous runtime does not start"))
}

/// A child process of this same binary that ends with its parent.
pub struct Node {
    /// What it is, for messages.
    pub name: &'static str,
    subcommand: &'static str,
    config: PathBuf,
    log: PathBuf,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Node {
    /// Starts `handsel SUBCOMMAND --config FILE` with its log appended to `log`.
    pub fn start(name: &'static str, subcommand: &'static str, config: PathBuf, log: PathBuf) -> Result<Self, Failure> {
        let child = spawn(subcommand, &config, &log)?;
        Ok(Self { name, subcommand, config, log, child, ended: None })
    }

    /// Starts it again after it has ended.
    pub fn start_again(&mut self) -> Result<(), Failure> {
        self.child = spawn(self.subcommand, &self.config, &self.log)?;
        self.ended = None;
        Ok(())
    }

    /// Whether it is still running.
    pub fn is_running(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap_or_default();
        }
        self.ended.is_none()
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Why it ended: the signal that killed it, or the last line of its log.
    pub fn last_words(&self) -> String {
        if let Some(signal) = self.ended.and_then(|status| status.signal()) {
            return format!("it was killed by signal {signal}");
        }
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().last().map_or_else(|| format!("see {}", self.log.display()), str::to_owned)
    }
}

fn spawn(subcommand: &str, config: &Path, log: &Path) -> Result<Child, Failure> {
    let log_file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(context(log))?;
    // This very program, also when a newer build has taken its place on disk: all parts are of one version.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("handsel");
    command.arg(subcommand).arg("--supervised").arg("--config").arg(config).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log_file);
    // Ctrl-C goes to the parent alone, which then ends its children in good order.
    command.process_group(0);
    command.spawn().map_err(failed("a part does not start"))
}

impl Drop for Node {
    fn drop(&mut self) {
        // A node ends when its standard input closes; the kill is for one that hangs.
        drop(self.child.stdin.take());
        for _ in 0..50 {
            if !self.is_running() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
