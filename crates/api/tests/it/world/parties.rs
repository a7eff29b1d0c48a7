//! Three real parties in this process, over mutual TLS on loopback. One can be stopped and started again.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use api::config::PartyPeer;
use api::resolver::connect::Connector;
use base::id::TerminalId;
use base::party::PartyId;
use base::secret::Secret;
use ed25519_dalek::{SigningKey, VerifyingKey};
use mpc::protocol::identify::Thresholds;
use mpc::protocol::verified::Verification;
use party::budget::{Budget, Budgets};
use party::config::{PartyConfig, Peer};
use party::identity::{Identity, generate};
use party::scan_pool::Policy;
use party::service::Service;
use rand_core::UnwrapErr;
use tokio::task::JoinHandle;
use wire::bytes::{HexArray, HexBytes};
use wire::party::{PartyAnswer, PartyCommand, PartyRequest, PartyResponse};
use wire::seal::generate_key_pair;

use super::clock::TestClock;

/// Looks that a till may ask the parties for in a minute.
pub const LOOKS_PER_MINUTE: u32 = 30;
/// More than any test asks.
const LARGE: Budget = Budget { per_minute: 1_000, per_day: 10_000 };

/// Each world has its own loopback address (Linux answers on all of 127.0.0.0/8), so that a party that was stopped finds its
/// port free when it comes back.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, (std::process::id() % 250) as u8 + 1, high, low)
}

pub struct Parties {
    folder: PathBuf,
    clock: Arc<TestClock>,
    platform: Identity,
    keys: [Keys; 3],
    terminals: HashMap<TerminalId, VerifyingKey>,
    running: [Option<Running>; 3],
}

struct Running {
    task: JoinHandle<()>,
    service: Arc<Service>,
}

struct Keys {
    address: SocketAddr,
    identity: Identity,
    sealing: Secret<[u8; 32]>,
    sealing_public: HexBytes,
    confirmation: SigningKey,
}

impl Parties {
    pub fn new(folder: &Path, clock: Arc<TestClock>, terminals: &[SigningKey]) -> Self {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let address = own_address();
        let held: Vec<_> = (0..3).map(|_| std::net::TcpListener::bind((address, 0)).expect("a free port")).collect();
        let keys = PartyId::ALL.map(|party| {
            let (sealing, sealing_public) = generate_key_pair(&mut rng);
            Keys {
                address: held[party.index()].local_addr().expect("bound"),
                identity: generate(&format!("party{}", party.number())).expect("an identity"),
                sealing: Secret::new(*sealing),
                sealing_public,
                confirmation: SigningKey::from_bytes(&[100 + party.number(); 32]),
            }
        });
        let terminals =
            terminals.iter().enumerate().map(|(at, key)| (TerminalId::from_bits(at as u128 + 1), key.verifying_key())).collect();
        Self {
            folder: folder.into(),
            clock,
            platform: generate("platform").expect("an identity"),
            keys,
            terminals,
            running: [None, None, None],
        }
    }

    pub fn start_all(&mut self) {
        PartyId::ALL.into_iter().for_each(|party| self.start(party));
    }

    /// Starts `party` on its old data and address.
    pub fn start(&mut self, party: PartyId) {
        let (config, clock, address) = (self.config(party), self.clock.clone(), self.keys[party.index()].address);
        let service = Arc::new(Service::new(config, clock).expect("the party starts"));
        let running = service.clone();
        let task = tokio::spawn(async move {
            let listener = loop {
                // The old one may not have let go yet.
                match tokio::net::TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            party::server::run(running, listener).await.expect("the party starts");
        });
        assert!(self.running[party.index()].replace(Running { task, service }).is_none(), "{party} runs already");
    }

    /// Ends `party` in the middle of whatever it does.
    pub async fn stop(&mut self, party: PartyId) {
        let Running { task, service } = self.running[party.index()].take().expect("the party runs");
        task.abort();
        let _ = task.await;
        // Requests that it was in the middle of end by themselves; the store is free only then.
        while Arc::strong_count(&service) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Removes everything that `party`, which must be stopped, has on its disk.
    pub fn lose_disk(&self, party: PartyId) {
        std::fs::remove_dir_all(self.config(party).directory).expect("it had one");
    }

    /// Gives the disk of `party` room for `pages` more pages.
    pub fn limit_disk(&self, party: PartyId, pages: u32) {
        self.running[party.index()].as_ref().expect("the party runs").service.limit_growth(pages).expect("is set");
    }

    pub fn peers(&self) -> [PartyPeer; 3] {
        PartyId::ALL.map(|party| {
            let keys = &self.keys[party.index()];
            PartyPeer {
                address: keys.address,
                certificate_sha256: keys.identity.pin().expect("a certificate"),
                confirmation_key: HexArray(keys.confirmation.verifying_key().to_bytes()),
            }
        })
    }

    /// One question to `party`, as the platform asks it, over a connection of its own.
    pub async fn ask(&self, party: PartyId, command: PartyCommand) -> PartyAnswer {
        let connector = Connector::new(&self.peers()[party.index()], &self.platform).expect("the platform's identity");
        let mut stream = connector.connect().await.expect("the party is there");
        let bytes = serde_json::to_vec(&PartyRequest { id: 1, command }).expect("plain data");
        party::frame::write(&mut stream, &[&bytes]).await.expect("written");
        let bytes = party::frame::read(&mut stream).await.expect("answered");
        serde_json::from_slice::<PartyResponse>(&bytes).expect("an answer").answer
    }

    /// Makes `party`, which must be stopped, forget the refresh that it has prepared.
    pub fn forget_preparation(&self, party: PartyId) {
        let journal = self.config(party).directory.join(party::store::FILE_NAME);
        let journal = rusqlite::Connection::open(journal).expect("the party's journal");
        assert_eq!(journal.execute("DELETE FROM staging", []).expect("altered"), 1, "it had prepared one");
    }

    pub fn platform_identity(&self) -> &Identity {
        &self.platform
    }

    pub fn sealing_keys(&self) -> [HexBytes; 3] {
        PartyId::ALL.map(|party| self.keys[party.index()].sealing_public.clone())
    }

    fn config(&self, party: PartyId) -> PartyConfig {
        let peer = |other: PartyId| {
            let keys = &self.keys[other.index()];
            Peer { address: keys.address, certificate_sha256: keys.identity.pin().expect("a certificate") }
        };
        let keys = &self.keys[party.index()];
        PartyConfig {
            party,
            directory: self.folder.join(format!("party{}", party.number())),
            identity: keys.identity.clone(),
            sealing_key: keys.sealing.clone(),
            confirmation_key: keys.confirmation.clone(),
            next: peer(party.next()),
            previous: peer(party.previous()),
            platform_sha256: self.platform.pin().expect("a certificate"),
            terminals: self.terminals.clone(),
            dimensions: 128,
            thresholds: Thresholds::new(9_000, 7_900).expect("sound thresholds"),
            verification: Verification::On,
            budgets: Budgets { terminal: Budget { per_minute: LOOKS_PER_MINUTE, per_day: 10_000 }, payee: LARGE, all: LARGE },
            scan: Policy { threads: 2, ..Policy::for_this_machine() },
            workers: None,
            peer_timeout: Duration::from_secs(3),
            received: None,
        }
    }
}

impl Drop for Parties {
    fn drop(&mut self) {
        self.running.iter().flatten().for_each(|running| running.task.abort());
    }
}
