//! Where logs go: standard error, `HANDSEL_LOG` sets the level (default `info` for nodes, `warn` for commands).

use tracing_subscriber::EnvFilter;

use crate::args::Command;

/// Starts logging for this process. Nodes write JSON lines, commands write text.
pub fn start(command: &Command) {
    let node =
        matches!(command, Command::Serve(_) | Command::Party(_) | Command::MeasuredParty(_) | Command::Worker(_) | Command::Terminal(_));
    let filter = EnvFilter::try_from_env("HANDSEL_LOG").unwrap_or_else(|_| EnvFilter::new(if node { "info" } else { "warn" }));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if node {
        builder.json().flatten_event(true).init();
    } else {
        builder.init();
    }
}
