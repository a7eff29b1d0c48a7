//! The parties of `bench identify`: three processes with the real server, and a made-up gallery instead of an enrolled one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use api::config::{PartyPeer, TlsIdentity};
use base::id::TerminalId;
use base::party::PartyId;
use base::time::SystemClock;
use ed25519_dalek::SigningKey;
use mpc::testing::{SeededRng, generated_row, generated_template, random_template};
use mpc::token::Token;
use party::budget::{Budget, Budgets};
use party::gallery::measure;
use party::service::Service;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use wire::bytes::{HexArray, HexBytes};

use crate::args::{BenchIdentifyOptions, NodeOptions};
use crate::node::{keep_memory, leave_no_core_dump, party_config, until_told_to_stop};
use crate::provision::{self, PartyKeys, PartyNode, PeerNode, TerminalNode, WorkerNode, WorkersNode};
use crate::run::{Failure, context, failed, runtime};

/// What everything made up is made from.
const SEED: u64 = 1;

/// Which gallery a party makes up.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct MeasuredGallery {
    pub records: u32,
    pub dimensions: u16,
}

/// Three parties that are ready to be started, and what it takes to ask them.
pub struct Parties {
    /// Their configuration files.
    pub nodes: [PathBuf; 3],
    /// Those of all their workers.
    pub workers: Vec<PathBuf>,
    /// How they are reached.
    pub peers: [PartyPeer; 3],
    /// Who asks them.
    pub platform: TlsIdentity,
    /// What shares are sealed with.
    pub sealing_keys: [HexBytes; 3],
    /// One terminal for each search at a time, all with this key.
    pub device_key: SigningKey,
}

impl MeasuredGallery {
    /// Writes the template in `slot`: that of the probe in the middle, any other elsewhere.
    pub fn template(&self, slot: u32, template: &mut [i16]) {
        if slot == self.sought() {
            template.copy_from_slice(&self.probe());
        } else {
            generated_template(SEED, u64::from(slot), template);
        }
    }

    /// Who every search finds.
    pub fn probe(&self) -> Vec<i16> {
        random_template(usize::from(self.dimensions), &mut SeededRng::new(SEED))
    }

    /// The slot of whom every search finds.
    pub fn sought(&self) -> u32 {
        self.records / 2
    }

    /// The token in `slot`.
    pub fn token(slot: u32) -> Token {
        (1 + u128::from(slot)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes()
    }

    /// Writes all templates to a file, a signed byte per feature.
    pub fn write_vectors(&self, path: &Path) -> Result<(), Failure> {
        let mut file = BufWriter::new(File::create(path).map_err(context(path))?);
        let mut template = vec![0; usize::from(self.dimensions)];
        for slot in 0..self.records {
            self.template(slot, &mut template);
            let bytes: Vec<u8> = template.iter().map(|feature| *feature as u8).collect();
            file.write_all(&bytes).map_err(context(path))?;
        }
        file.flush().map_err(context(path))
    }
}

/// Writes keys and configurations for three parties into `dir`.
pub fn prepare(dir: &Path, options: &BenchIdentifyOptions) -> Result<Parties, Failure> {
    let addresses = free_addresses::<3>()?;
    let keys = PartyId::ALL.map(provision::new_party_keys);
    let [first, second, third] = keys;
    let keys = [first?, second?, third?];
    let platform = party::identity::generate("platform").map_err(failed("a certificate cannot be made"))?;
    let mut device_key = [0; 32];
    getrandom::fill(&mut device_key).map_err(failed("no randomness"))?;
    let device_key = SigningKey::from_bytes(&device_key);
    let terminal = |number| TerminalNode { terminal: terminal(number), device_public_key: HexArray(device_key.verifying_key().to_bytes()) };
    let (mut nodes, mut workers) = (Vec::new(), Vec::new());
    for party in PartyId::ALL {
        let folder = dir.join(format!("party{}", party.number()));
        provision::private_folder(&folder)?;
        let peers = [party.next(), party.previous()].map(|peer| PeerNode {
            party: peer,
            address: addresses[peer.index()],
            certificate_sha256: provision::pin(&keys[peer.index()].certificate_pem),
        });
        let node = PartyNode {
            party,
            listen: addresses[party.index()],
            data: folder.join("data"),
            platform_certificate_sha256: platform.pin().map_err(failed("a certificate cannot be made"))?,
            accept_score: provision::ACCEPT_SCORE,
            ambiguous_score: provision::AMBIGUOUS_SCORE,
            verification: !options.no_verification,
            looks_per_minute_max: u32::MAX,
            looks_per_day_max: u32::MAX,
            payee_looks_per_minute_max: u32::MAX,
            payee_looks_per_day_max: u32::MAX,
            all_looks_per_minute_max: u32::MAX,
            all_looks_per_day_max: u32::MAX,
            scan_threads: None,
            workers: prepare_workers(&folder, &keys[party.index()], options.workers, &mut workers)?,
            peers: peers.into(),
            terminals: (0..options.batch).map(terminal).collect(),
        };
        let gallery = MeasuredGallery { records: options.gallery, dimensions: options.dim };
        provision::write_private(&folder.join("node.toml"), &node)?;
        provision::write_private(&folder.join("keys.toml"), &keys[party.index()])?;
        provision::write_private(&folder.join("gallery.toml"), &gallery)?;
        nodes.push(folder.join("node.toml"));
    }
    Ok(Parties {
        nodes: nodes.try_into().expect("three parties"),
        workers,
        peers: PartyId::ALL.map(|party| PartyPeer {
            address: addresses[party.index()],
            certificate_sha256: provision::pin(&keys[party.index()].certificate_pem),
            confirmation_key: provision::public_half(&keys[party.index()].confirmation_key),
        }),
        platform,
        sealing_keys: keys.each_ref().map(|keys| keys.sealing_public.clone()),
        device_key,
    })
}

/// Writes keys and configurations for so many workers of a party into its folder, and adds their paths to `paths`.
fn prepare_workers(folder: &Path, party: &PartyKeys, count: u32, paths: &mut Vec<PathBuf>) -> Result<Option<WorkersNode>, Failure> {
    if count == 0 {
        return Ok(None);
    }
    let [listen] = free_addresses()?;
    let mut certificates_sha256 = Vec::new();
    for number in 1..=count {
        let folder = folder.join(format!("worker{number}"));
        provision::private_folder(&folder)?;
        let keys = provision::new_worker_keys()?;
        certificates_sha256.push(provision::pin(&keys.certificate_pem));
        let coordinator_certificate_sha256 = provision::pin(&party.certificate_pem);
        provision::write_private(&folder.join("keys.toml"), &keys)?;
        let path = folder.join("worker.toml");
        provision::write_private(&path, &WorkerNode { coordinator: listen, coordinator_certificate_sha256, scan_threads: None })?;
        paths.push(path);
    }
    Ok(Some(WorkersNode { listen, certificates_sha256 }))
}

/// The terminal that makes the searches with this number.
pub fn terminal(number: u32) -> TerminalId {
    TerminalId::from_bits(1 + u128::from(number))
}

/// Where a party's made-up gallery is, beside its configuration.
fn gallery_folder(node: &Path) -> PathBuf {
    node.with_file_name("gallery")
}

/// Where what a party keeps for its records is: rows and tokens, and their MACs. All of it is mapped or read into memory.
pub fn kept_folders(node: &Path) -> [PathBuf; 2] {
    [gallery_folder(node), node.with_file_name("data").join("macs")]
}

/// Runs one of them.
pub fn party(options: &NodeOptions) -> Result<ExitCode, Failure> {
    leave_no_core_dump()?;
    keep_memory();
    let node: PartyNode = provision::read(&options.config)?;
    let keys: PartyKeys = provision::read(&options.config.with_file_name("keys.toml"))?;
    let gallery: MeasuredGallery = provision::read(&options.config.with_file_name("gallery.toml"))?;
    let (address, party) = (node.listen, node.party);
    let mut config = party_config(&options.config, node, keys)?;
    let all = Budget { per_minute: u32::MAX, per_day: u32::MAX };
    (config.dimensions, config.budgets) = (gallery.dimensions, Budgets { terminal: all, payee: all, all });
    let folder = gallery_folder(&options.config);
    make_gallery(&folder, party, gallery)?;
    let opened = measure::open(&folder, party, usize::from(gallery.dimensions)).map_err(failed("the gallery cannot be opened"))?;
    let service = Service::new(config, Arc::new(SystemClock)).map_err(failed("the party does not start"))?;
    let service = Arc::new(service.with_gallery(opened));
    runtime()?.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(failed(&format!("cannot listen on {address}")))?;
        tokio::select! {
            ended = party::server::run(service, listener) => match ended.map_err(failed("the party ended"))? {},
            stopped = until_told_to_stop(options.supervised) => stopped,
        }
    })
}

fn make_gallery(folder: &Path, party: PartyId, gallery: MeasuredGallery) -> Result<(), Failure> {
    let stamp = folder.join(format!("made-{}-{}", gallery.records, gallery.dimensions));
    if stamp.exists() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(context(folder))?;
    }
    let dimensions = usize::from(gallery.dimensions);
    let mut template = vec![0; dimensions];
    let mut fill = |slot: u32, row: &mut [u16], token: &mut Token| {
        gallery.template(slot, &mut template);
        generated_row(SEED, u64::from(slot), &template, party, row);
        *token = MeasuredGallery::token(slot);
    };
    measure::generate(folder, party, dimensions, gallery.records, &mut fill).map_err(failed("the gallery cannot be made"))?;
    fs::write(&stamp, "").map_err(context(&stamp))
}

fn free_addresses<const N: usize>() -> Result<[SocketAddr; N], Failure> {
    let listeners = [(); N].map(|()| StdListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for (address, listener) in addresses.iter_mut().zip(&listeners) {
        let listener = listener.as_ref().map_err(|error| Failure(format!("no port is free: {error}")))?;
        *address = listener.local_addr().map_err(failed("a port cannot be read"))?;
    }
    Ok(addresses)
}
