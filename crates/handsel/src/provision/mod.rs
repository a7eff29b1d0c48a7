//! Setting up an installation on one machine: every node gets a folder of its own with its keys and one configuration
//! file. Only their own user may look into the folders: two parties' galleries together are every template. Keys are made
//! once; addresses are written anew at every start.
//!
//! ```text
//! DIR/lock  DIR/mode     one `handsel up` or `demo` at a time; what the installation is for
//! DIR/party1 … party3/   keys.toml  node.toml  data/
//! DIR/platform/          keys.toml  node.toml  handsel.sqlite  handsel-test.sqlite
//! DIR/merchant/          keys.toml  invitation (the shop's API keys, its first owner's code)
//! DIR/till/              keys.toml  node.toml  counter
//! DIR/loader/            keys.toml             (demonstrations and benchmarks only)
//! DIR/logs/
//! ```

mod folder;
mod keys;
mod nodes;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use base::id::{ApiKeyId, MerchantId, StoreId, TerminalId, TransferId};
use base::party::PartyId;
use base::secret::Secret;
use base::time::{Clock, SystemClock};
use ed25519_dalek::{SigningKey, VerifyingKey};
use payments::rules::RuleBook;
use sha2::{Digest, Sha256};
use store::api_key::NewKey;
use store::setup::NewTerminal;
use store::{Location, Store};
use wire::bytes::HexArray;

use folder::{keep_mode, lock};
pub use folder::{keys, private_folder, read, write_private};
use keys::{MerchantKeys, new_merchant_keys, new_platform_keys};
pub use keys::{PartyKeys, PlatformKeys, TerminalKeys, WorkerKeys, new_party_keys, new_terminal_keys, new_worker_keys, pin, public_half};
use nodes::PlatformPeerNode;
pub use nodes::{PartyNode, PasskeysNode, PeerNode, PlatformNode, TerminalNode, WorkerNode, WorkersNode};

use crate::admin::compensation::{FundOptions, fund};
use crate::admin::store::StoreOptions;
use crate::args::InstallationOptions;
use crate::crowd::Loader;
use crate::run::{Failure, context, failed};

/// What an installation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// People in front of a camera: liveness is enforced.
    Product,
    /// Archive photographs: liveness is reported, and a loader may enrol a crowd.
    Archive,
}

impl Mode {
    /// How often one terminal may ask each party: a till looks once a second at most; a demonstration hurries.
    const fn looks_per_minute_max(self) -> u32 {
        match self {
            Self::Product => 60,
            Self::Archive => 1_200,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Archive => "archive photographs",
        }
    }
}

/// Looks that one terminal may ask for in a day: more than one every five seconds around the clock is no till.
const LOOKS_PER_DAY_MAX: u32 = 20_000;

/// The transfer that puts the institution's money into the compensation fund of a fresh installation.
const FUND: TransferId = TransferId::from_bits(1);

/// The shop that a fresh installation begins with.
const MERCHANT: (MerchantId, &str) = (MerchantId::from_bits(1), "Lotus Pharmacy 荷花药房");
const STORE: (StoreId, &str) = (StoreId::from_bits(1), "Store 1");
/// Where it is, until staff says otherwise.
const CITY: &str = "上海 Shanghai";
const TILL: TerminalId = TerminalId::from_bits(1);
const OWNER: &str = "Owner";
const FIRST_KEY: ApiKeyId = ApiKeyId::from_bits(1);
const LOADER: TerminalId = TerminalId::from_bits(2);
/// Ports of platform, till, the three parties and the metrics, unless free ones are asked for.
const USUAL_PORTS: [u16; 6] = [7400, 7410, 7421, 7422, 7423, 7401];

/// An installation that is ready to start.
pub struct Installation {
    pub dir: PathBuf,
    pub rules: PathBuf,
    pub platform: SocketAddr,
    pub till: SocketAddr,
    pub parties: [SocketAddr; 3],
    pub metrics: SocketAddr,
    pub loader: Option<Loader>,
    /// The code that the shop's first owner comes in with, until that has happened.
    pub invitation: Option<String>,
    /// Held as long as the installation runs.
    pub lock: File,
}

/// Scores are inner products of quantised templates, 16,129 times the cosine. The pack's false-match rate belongs to
/// this accept threshold; both were measured together (`docs/capture.md`).
pub const ACCEPT_SCORE: i32 = 9_500;
/// Anybody this near besides makes the look ambiguous.
pub const AMBIGUOUS_SCORE: i32 = 8_500;

/// Makes or reads the keys in `dir`, writes every node's configuration, and registers the shop and its terminals.
pub fn prepare(dir: &Path, options: &InstallationOptions, mode: Mode, ephemeral_ports: bool) -> Result<Installation, Failure> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(context(path));
    let (dir, rules, web, models) = (absolute(dir)?, absolute(&options.rules)?, absolute(&options.web)?, absolute(&options.models)?);
    check_installed(mode, &rules, &web, &models)?;
    for folder in
        ["", "party1", "party1/data", "party2", "party2/data", "party3", "party3/data", "platform", "merchant", "till", "loader", "logs"]
    {
        private_folder(&dir.join(folder))?;
    }
    let lock = lock(&dir)?;
    keep_mode(&dir, mode)?;
    let [platform, till, first, second, third, metrics] = addresses(ephemeral_ports)?;
    let parties = [first, second, third];
    let platform_keys: PlatformKeys = keys(&dir.join("platform/keys.toml"), new_platform_keys)?;
    let merchant_keys: MerchantKeys = keys(&dir.join("merchant/keys.toml"), new_merchant_keys)?;
    let till_keys: TerminalKeys = keys(&dir.join("till/keys.toml"), new_terminal_keys)?;
    let loader_keys: Option<TerminalKeys> = match mode {
        Mode::Product => None,
        Mode::Archive => Some(keys(&dir.join("loader/keys.toml"), new_terminal_keys)?),
    };
    let mut party_keys = Vec::new();
    for party in PartyId::ALL {
        party_keys.push(keys::<PartyKeys>(&dir.join(format!("party{}/keys.toml", party.number())), || new_party_keys(party))?);
    }
    let mut terminals = vec![(TILL, &till_keys)];
    terminals.extend(loader_keys.as_ref().map(|keys| (LOADER, keys)));
    let sealing_keys = [0, 1, 2].map(|at: usize| party_keys[at].sealing_public.clone());

    let store = dir.join("platform/handsel.sqlite");
    let registered = register_shop(&store, &rules, &terminals, &merchant_keys.live_key)?;
    write_party_nodes(&dir, mode, &parties, &party_keys, &platform_keys, &registered)?;
    let invitation = invite_first_owner(&store, &rules, &dir.join("merchant/invitation"))?;
    // The platform's configuration is written after this: a first start that broke off does it again, and the same transfer
    // changes nothing.
    let is_first_start = !dir.join("platform/node.toml").exists();
    if is_first_start && options.compensation_fund > 0 {
        let store = StoreOptions { store: Location::from(&store), rules: rules.clone() };
        fund(&FundOptions { store, id: FUND.to_string(), amount_minor: options.compensation_fund })?;
    }
    if is_first_start {
        let label = api::labels::city(&Secret::new(platform_keys.label_secret.0), CITY);
        let placed = open_store(&store, &rules)?.set_store_city(STORE.0, Some((CITY, label)), SystemClock.now());
        placed.map_err(failed("the shop's city cannot be set"))?;
    }
    let test_store = dir.join("platform/handsel-test.sqlite");
    register_shop(&test_store, &rules, &terminals[..1], &merchant_keys.test_key)?;
    let parties_for_platform = PartyId::ALL.map(|party| PlatformPeerNode {
        party,
        address: parties[party.index()],
        certificate_sha256: pin(&party_keys[party.index()].certificate_pem),
        confirmation_public_key: public_half(&party_keys[party.index()].confirmation_key),
    });
    let node = PlatformNode {
        listen: platform,
        store: Location::Sqlite(store).to_string(),
        test_store: Location::Sqlite(test_store).to_string(),
        metrics: Some(metrics),
        test_webhooks_to_loopback: true,
        rules: rules.clone(),
        web: web.clone(),
        capture_agent: format!("http://localhost:{}", till.port()),
        acquirer_code: nodes::no_acquirer_code(),
        demo: mode == Mode::Archive,
        passkeys: None,
        parties: parties_for_platform.into(),
    };
    write_private(&dir.join("platform/node.toml"), &node)?;
    let node = terminal::config::NewTerminalConfig {
        listen: till,
        terminal: TILL,
        token: &till_keys.token,
        device_key: till_keys.device_key,
        platform: format!("http://127.0.0.1:{}", platform.port()),
        wallet_origin: format!("http://localhost:{}", platform.port()),
        web,
        models,
        counter: dir.join("till/counter"),
        sealing_keys: sealing_keys.clone(),
        archive_photographs: mode == Mode::Archive,
    };
    write_private(&dir.join("till/node.toml"), &node)?;
    let loader = loader_keys.map(|keys| Loader {
        terminal: LOADER,
        token: keys.token,
        device_key: SigningKey::from_bytes(&keys.device_key.0),
        sealing_keys,
    });
    Ok(Installation { dir, rules, platform, till, parties, metrics, loader, invitation, lock })
}

/// One sentence for each thing that is not there.
fn check_installed(mode: Mode, rules: &Path, web: &Path, models: &Path) -> Result<(), Failure> {
    let mut needed = vec![
        (rules.to_owned(), "the rule pack; give its place with --rules"),
        (models.join("recogniser.onnx"), "a face model; run `make models`"),
    ];
    if mode == Mode::Product {
        needed.push((web.join("till/index.html"), "the built till page; run `make web`"));
        needed.push((web.join("wallet/index.html"), "the built wallet page; run `make web`"));
        needed.push((web.join("service/index.html"), "the built page of customer service; run `make web`"));
        needed.push((web.join("shop/index.html"), "the built page of the merchant console; run `make web`"));
    }
    for (path, what) in needed {
        if !path.is_file() {
            return Err(Failure(format!("{} is not there: it is {what}", path.display())));
        }
    }
    Ok(())
}

fn write_party_nodes(
    dir: &Path,
    mode: Mode,
    addresses: &[SocketAddr; 3],
    keys: &[PartyKeys],
    platform: &PlatformKeys,
    terminals: &[(TerminalId, VerifyingKey)],
) -> Result<(), Failure> {
    for party in PartyId::ALL {
        let folder = dir.join(format!("party{}", party.number()));
        let peers = [party.next(), party.previous()].map(|peer| PeerNode {
            party: peer,
            address: addresses[peer.index()],
            certificate_sha256: pin(&keys[peer.index()].certificate_pem),
        });
        let node = PartyNode {
            party,
            listen: addresses[party.index()],
            data: folder.join("data"),
            platform_certificate_sha256: pin(&platform.certificate_pem),
            accept_score: ACCEPT_SCORE,
            ambiguous_score: AMBIGUOUS_SCORE,
            looks_per_minute_max: mode.looks_per_minute_max(),
            looks_per_day_max: LOOKS_PER_DAY_MAX,
            verification: true,
            payee_looks_per_minute_max: nodes::payee_looks_per_minute_max(),
            payee_looks_per_day_max: nodes::payee_looks_per_day_max(),
            all_looks_per_minute_max: nodes::all_looks_per_minute_max(),
            all_looks_per_day_max: nodes::all_looks_per_day_max(),
            scan_threads: None,
            peers: peers.into(),
            workers: None,
            terminals: terminals
                .iter()
                .map(|(terminal, key)| TerminalNode { terminal: *terminal, device_public_key: HexArray(key.to_bytes()) })
                .collect(),
        };
        write_private(&folder.join("node.toml"), &node)?;
    }
    Ok(())
}

/// Says which terminals there are: those of the installation, and those that the console's people have activated since.
fn register_shop(
    store: &Path,
    rules: &Path,
    terminals: &[(TerminalId, &TerminalKeys)],
    api_key: &str,
) -> Result<Vec<(TerminalId, VerifyingKey)>, Failure> {
    let store = open_store(store, rules)?;
    let now = SystemClock.now();
    let registered = failed("the shop cannot be registered");
    store.register_merchant(MERCHANT.0, MERCHANT.1, now).map_err(&registered)?;
    store.register_store(STORE.0, MERCHANT.0, STORE.1, now).map_err(&registered)?;
    for (id, keys) in terminals {
        let public_key = VerifyingKey::from_bytes(&public_half(&keys.device_key).0).expect("the public half of a key is a key");
        let token_sha256 = Sha256::digest(&keys.token).into();
        store.register_terminal(&NewTerminal { id: *id, store: STORE.0, token_sha256, public_key }, now).map_err(&registered)?;
    }
    let hint = api_key[api_key.len() - 4..].to_owned();
    let key = NewKey { id: FIRST_KEY, name: "set-up".into(), secret_sha256: Sha256::digest(api_key).into(), hint };
    store.register_api_key(MERCHANT.0, &key, now).map_err(&registered)?;
    store.terminal_keys().map_err(&registered)
}

/// Until the shop's first owner has come: a fresh invitation at every start, written beside the merchant's keys.
fn invite_first_owner(store: &Path, rules: &Path, path: &Path) -> Result<Option<String>, Failure> {
    let (store, now, failed) = (open_store(store, rules)?, SystemClock.now(), failed("the shop's owner cannot be invited"));
    if store.staff(MERCHANT.0, now).map_err(&failed)?.data.iter().any(|member| member.joined_at.is_some()) {
        return Ok(None);
    }
    let (code, sha256) = api::one_time_code::fresh();
    store.invite_owner(MERCHANT.0, OWNER, &sha256, &mut api::app::rng(), now).map_err(&failed)?;
    write_private(path, &Invitation { code: code.clone() })?;
    Ok(Some(code))
}

/// What the first owner comes in with.
#[derive(serde::Serialize)]
struct Invitation {
    code: String,
}

/// The platform's store, for registering at set-up and for checking the books afterwards. No passcode is touched, so no
/// pepper is needed.
pub fn open_store(store: impl Into<Location>, rules: &Path) -> Result<Store, Failure> {
    let text = fs::read_to_string(rules).map_err(context(rules))?;
    let rules = RuleBook::parse(&text).map_err(failed("the rule pack cannot be used"))?;
    Store::open(store, rules, Secret::new([0; 32])).map_err(failed("the store cannot be opened"))
}

/// Six loopback addresses: the usual ones, or free ones.
fn addresses(ephemeral_ports: bool) -> Result<[SocketAddr; 6], Failure> {
    let mut held = Vec::new();
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 6];
    for (address, usual) in addresses.iter_mut().zip(USUAL_PORTS) {
        address.set_port(if ephemeral_ports { 0 } else { usual });
        let listener = TcpListener::bind(*address).map_err(|error| {
            Failure(format!("port {usual} cannot be used ({error}); stop what listens there, or start with --ephemeral-ports"))
        })?;
        *address = listener.local_addr().map_err(failed("a port cannot be read"))?;
        held.push(listener);
    }
    Ok(addresses)
}
