//! The platform of `bench pay`: the real server on a store of its own, without parties.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use base::secret::Secret;
use base::time::SystemClock;
use ed25519_dalek::SigningKey;
use payments::webhook::reach::Reach;
use serde::{Deserialize, Serialize};
use store::Location;
use wire::bytes::HexArray;

use crate::args::NodeOptions;
use crate::node::until_told_to_stop;
use crate::provision;
use crate::run::{Failure, context, failed, platform_runtime};

/// What it works on.
#[derive(Serialize, Deserialize)]
pub struct MeasuredPlatform {
    /// Where the store is, as text.
    pub store: String,
    /// The same for test mode.
    pub test_store: String,
    /// The rule pack.
    pub rules: PathBuf,
}

impl MeasuredPlatform {
    /// Writes it to the file that the process reads.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self).map_err(failed("the platform's file cannot be made"))?;
        fs::write(path, text).map_err(context(path))
    }

    /// Where the platform with this file listens, once it does.
    pub fn address(config: &Path) -> Option<SocketAddr> {
        fs::read_to_string(address_file(config)).ok()?.parse().ok()
    }

    fn config(self) -> Result<api::config::PlatformConfig, Failure> {
        let location = |text: String| text.parse::<Location>().map_err(failed("the store's address"));
        let nobody = api::config::PartyPeer {
            address: ([127, 0, 0, 1], 9).into(),
            certificate_sha256: HexArray([0; 32]),
            confirmation_key: HexArray(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()),
        };
        Ok(api::config::PlatformConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            store: location(self.store)?,
            test_store: location(self.test_store)?,
            metrics_listen: None,
            rates: api::limits::Rates::UNLIMITED,
            test_webhook_reach: Reach::Public,
            webhook_roots: None,
            rules_path: self.rules,
            web_dir: None,
            parties: [nobody; 3],
            tls: party::identity::generate("bench.invalid").map_err(failed("no certificate can be made"))?,
            label_secret: Secret::new([7; 32]),
            passcode_pepper: Secret::new([8; 32]),
            acquirer_code: "00000001".into(),
            capture_agent_url: "http://127.0.0.1:9".into(),
            passkeys: api::config::Passkeys::on_localhost(9),
            demo: false,
            bench: true,
            clock: Arc::new(SystemClock),
            timing: api::config::Timing::default(),
        })
    }
}

/// Runs it until it is told to stop.
pub fn run(options: &NodeOptions) -> Result<ExitCode, Failure> {
    let config = provision::read::<MeasuredPlatform>(&options.config)?.config()?;
    platform_runtime()?.block_on(async {
        let running = api::server::serve(config).await.map_err(failed("the platform does not start"))?;
        let path = address_file(&options.config);
        let written = path.with_extension("part");
        fs::write(&written, running.local_addr().to_string()).map_err(context(&written))?;
        fs::rename(&written, &path).map_err(context(&path))?;
        let code = until_told_to_stop(options.supervised).await?;
        running.shutdown().await;
        Ok(code)
    })
}

fn address_file(config: &Path) -> PathBuf {
    config.with_file_name("address")
}
