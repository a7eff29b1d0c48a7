//! The nodes: `handsel party`, `serve` and `terminal`, each from its own folder's files.
//!
//! A node ends when it is told to terminate; a supervised one also when the standard input that its supervisor holds
//! open closes, so that no part outlives the others.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base::party::PartyId;
use base::secret::Secret;
use base::time::SystemClock;
use ed25519_dalek::{SigningKey, VerifyingKey};
use mpc::protocol::verified::Verification;
use party::budget::{Budget, Budgets};
use party::scan_pool::Policy;
use payments::webhook::reach::Reach;
use tokio::net::TcpListener;
use wire::bytes::HexArray;

use crate::args::NodeOptions;
use crate::provision::{PartyKeys, PartyNode, PasskeysNode, PeerNode, PlatformKeys, PlatformNode, read};
use crate::run::{Failure, context, failed, platform_runtime, runtime};

// What the tills make and what the platform and the parties take.
const _: () = assert!(api::crowd::DIMENSIONS as usize == capture::face::DIMENSIONS);

/// Runs one share party.
pub fn party(options: &NodeOptions) -> Result<ExitCode, Failure> {
    leave_no_core_dump()?;
    keep_memory();
    let node: PartyNode = read(&options.config)?;
    let keys: PartyKeys = read(&options.config.with_file_name("keys.toml"))?;
    let address = node.listen;
    let config = party_config(&options.config, node, keys)?;
    runtime()?.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(failed(&format!("cannot listen on {address}")))?;
        tracing::info!(%address, "listening");
        tokio::select! {
            ended = party::server::serve(config, listener, Arc::new(SystemClock)) => match ended.map_err(failed("the party ended"))? {},
            stopped = until_told_to_stop(options.supervised) => stopped,
        }
    })
}

/// Runs the platform.
pub fn serve(options: &NodeOptions) -> Result<ExitCode, Failure> {
    leave_no_core_dump()?;
    let node: PlatformNode = read(&options.config)?;
    let keys: PlatformKeys = read(&options.config.with_file_name("keys.toml"))?;
    let config = platform_config(node, keys)?;
    platform_runtime()?.block_on(async {
        let running = api::server::serve(config).await.map_err(failed("the platform does not start"))?;
        tracing::info!(address = %running.local_addr(), "listening");
        let code = until_told_to_stop(options.supervised).await?;
        running.shutdown().await;
        Ok(code)
    })
}

/// Runs a till's agent.
pub fn terminal(options: &NodeOptions) -> Result<ExitCode, Failure> {
    leave_no_core_dump()?;
    let text = fs::read_to_string(&options.config).map_err(context(&options.config))?;
    // The parser's message may quote the line, and the line may be a key.
    let config =
        toml::from_str(&text).map_err(|_| Failure(format!("{} cannot be read; set the terminal up anew", options.config.display())))?;
    runtime()?.block_on(async {
        let (address, server) = terminal::agent::start(config).await.map_err(|error| Failure(error.to_string()))?;
        tracing::info!(%address, "listening");
        tokio::select! {
            ended = server => ended.map(|()| ExitCode::SUCCESS).map_err(failed("the agent ended")),
            stopped = until_told_to_stop(options.supervised) => stopped,
        }
    })
}

/// What a party is told by its configuration, which was read from `path`.
pub fn party_config(path: &Path, node: PartyNode, keys: PartyKeys) -> Result<party::config::PartyConfig, Failure> {
    let peer = |wanted: PartyId| {
        let found: Option<&PeerNode> = node.peers.iter().find(|peer| peer.party == wanted);
        let peer = found.ok_or_else(|| Failure(format!("{wanted} is missing among the peers; set the party up anew")))?;
        Ok::<_, Failure>(party::config::Peer { address: peer.address, certificate_sha256: peer.certificate_sha256 })
    };
    let mut terminals = std::collections::HashMap::new();
    for terminal in &node.terminals {
        let key = VerifyingKey::from_bytes(&terminal.device_public_key.0).map_err(failed("a terminal's key is no Ed25519 key"))?;
        terminals.insert(terminal.terminal, key);
    }
    Ok(party::config::PartyConfig {
        party: node.party,
        next: peer(node.party.next())?,
        previous: peer(node.party.previous())?,
        directory: node.data,
        identity: party::identity::Identity { certificate_pem: keys.certificate_pem, private_key_pem: Secret::new(keys.private_key_pem) },
        sealing_key: Secret::new(keys.sealing_key.0),
        confirmation_key: SigningKey::from_bytes(&keys.confirmation_key.0),
        platform_sha256: node.platform_certificate_sha256,
        terminals,
        dimensions: api::crowd::DIMENSIONS,
        thresholds: mpc::protocol::identify::Thresholds::new(node.accept_score, node.ambiguous_score)
            .map_err(failed("the thresholds cannot be used"))?,
        verification: if node.verification { Verification::On } else { Verification::Off },
        budgets: Budgets {
            terminal: Budget { per_minute: node.looks_per_minute_max, per_day: node.looks_per_day_max },
            payee: Budget { per_minute: node.payee_looks_per_minute_max, per_day: node.payee_looks_per_day_max },
            all: Budget { per_minute: node.all_looks_per_minute_max, per_day: node.all_looks_per_day_max },
        },
        scan: node.scan_threads.map_or_else(Policy::for_this_machine, |threads| Policy { threads, ..Policy::for_this_machine() }),
        workers: node.workers.map(|workers| {
            let path = path.to_owned();
            party::config::WorkersConfig { listen: workers.listen, pins: Arc::new(move || admitted_workers(&path)) }
        }),
        peer_timeout: Duration::from_secs(5),
        received: None,
    })
}

/// Which workers a party's configuration lists by now; none while it cannot be read.
fn admitted_workers(path: &Path) -> Vec<HexArray<32>> {
    let node = read::<PartyNode>(path).inspect_err(|error| tracing::error!(%error, "no worker can join"));
    node.ok().and_then(|node| node.workers).map(|workers| workers.certificates_sha256).unwrap_or_default()
}

/// Where a store is, as the configuration says it.
pub fn place(text: &str) -> Result<store::Location, Failure> {
    text.parse().map_err(|reason| Failure(format!("the platform's configuration: {reason}")))
}

fn platform_config(node: PlatformNode, keys: PlatformKeys) -> Result<api::config::PlatformConfig, Failure> {
    let peers: Vec<api::config::PartyPeer> = node
        .parties
        .iter()
        .map(|peer| api::config::PartyPeer {
            address: peer.address,
            certificate_sha256: peer.certificate_sha256,
            confirmation_key: peer.confirmation_public_key,
        })
        .collect();
    let parties =
        peers.try_into().map_err(|_| Failure("the platform's configuration does not list three parties; set it up anew".into()))?;
    let passkeys = match node.passkeys {
        Some(PasskeysNode { domain, origins }) => api::config::Passkeys { domain, origins },
        None => api::config::Passkeys::on_localhost(node.listen.port()),
    };
    Ok(api::config::PlatformConfig {
        listen: node.listen,
        store: place(&node.store)?,
        test_store: place(&node.test_store)?,
        metrics_listen: node.metrics,
        rates: api::limits::Rates::default(),
        test_webhook_reach: if node.test_webhooks_to_loopback { Reach::PublicAndLoopback } else { Reach::Public },
        webhook_roots: None,
        rules_path: node.rules,
        web_dir: Some(node.web),
        parties,
        tls: api::config::TlsIdentity { certificate_pem: keys.certificate_pem, private_key_pem: Secret::new(keys.private_key_pem) },
        label_secret: Secret::new(keys.label_secret.0),
        passcode_pepper: Secret::new(keys.passcode_pepper.0),
        acquirer_code: node.acquirer_code,
        capture_agent_url: node.capture_agent,
        passkeys,
        demo: node.demo,
        bench: false,
        clock: Arc::new(SystemClock),
        timing: api::config::Timing::default(),
    })
}

/// Memory that may hold a frame, a share or a key goes into no core dump, and no other program of this user may read it.
pub fn leave_no_core_dump() -> Result<(), Failure> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let refused = failed("core dumps cannot be turned off");
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(&refused)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(&refused)
}

/// What a search has freed stays with the process for the next one. The GNU allocator would give blocks of some 100 KiB back
/// to the system each time and have them zeroed anew, a tenth of a search's time; once a larger block was freed, it does not.
pub fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(16 << 20)));
}

/// Ends when the process is told to terminate or, if supervised, when its supervisor has gone.
pub async fn until_told_to_stop(supervised: bool) -> Result<ExitCode, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate()).map_err(failed("signals cannot be received"))?;
    let (supervisor_gone, gone) = tokio::sync::oneshot::channel::<()>();
    if supervised {
        // A thread of its own: it may wait for ever, and the process ends without it.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(supervisor_gone);
        });
        tokio::select! {
            _ = terminated.recv() => {}
            _ = gone => {}
        }
    } else {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}
