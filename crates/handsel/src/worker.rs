//! `handsel worker`: works on segments of a party's gallery for it. It writes nothing but its own keys, at its first start.

use std::process::ExitCode;

use base::secret::Secret;
use party::scan_pool::Policy;

use crate::args::NodeOptions;
use crate::node::{keep_memory, leave_no_core_dump, until_told_to_stop};
use crate::provision::{WorkerKeys, WorkerNode, keys, new_worker_keys, pin, read};
use crate::run::{Failure, failed, runtime};

/// Runs a worker.
pub fn run(options: &NodeOptions) -> Result<ExitCode, Failure> {
    leave_no_core_dump()?;
    keep_memory();
    let node: WorkerNode = read(&options.config)?;
    let keys: WorkerKeys = keys(&options.config.with_file_name("keys.toml"), new_worker_keys)?;
    let certificate_sha256 = pin(&keys.certificate_pem);
    tracing::info!(
        certificate_sha256 = base::hash::hex(&certificate_sha256.0),
        "this worker's certificate; the party's node.toml must list it in certificates_sha256 under [workers]"
    );
    let config = party::workers::process::WorkerConfig {
        coordinator: node.coordinator,
        coordinator_sha256: node.coordinator_certificate_sha256,
        identity: party::identity::Identity { certificate_pem: keys.certificate_pem, private_key_pem: Secret::new(keys.private_key_pem) },
        scan: node.scan_threads.map_or_else(Policy::for_this_machine, |threads| Policy { threads, ..Policy::for_this_machine() }),
    };
    runtime()?.block_on(async {
        tokio::select! {
            ended = party::workers::process::serve(config) => match ended.map_err(failed("the worker ended"))? {},
            stopped = until_told_to_stop(options.supervised) => stopped,
        }
    })
}
