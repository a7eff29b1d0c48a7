//! A platform with made-up shops and shoppers, without parties.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use base::hash::hash_parts;
use base::id::{AccountId, EnrolmentId, MerchantId, RecordId, StoreId, TerminalId};
use base::party::PartyId;
use base::secret::Secret;
use base::time::{Clock, SystemClock};
use ed25519_dalek::SigningKey;
use payments::rules::RuleBook;
use payments::webhook::reach::Reach;
use rand_core::UnwrapErr;
use sha2::{Digest, Sha256};
use store::crowd::CrowdMember;
use store::gallery::NewToken;
use store::setup::NewTerminal;
use store::throwaway::Throwaway;
use store::{Location, Store};
use wire::bytes::{HexArray, HexBytes};
use wire::probe::{ProbeContext, Purpose, SealedProbe, SealedShare};

use crate::args::BenchPayOptions;
use crate::run::{Failure, context, failed};

/// Shops, each with one till.
pub const MERCHANTS: u32 = 100;
/// What each shopper has: 1,000 CNY.
const BALANCE_MINOR: i64 = 100_000;
/// Shoppers that are enrolled at a time.
const CROWD: usize = 1_000;
/// This rule asks for the passcode every few payments, which is another request and 40 ms of hashing; it is judged like
/// the others, with a number that nobody reaches.
const RUN_RULE: &str = "look_only_run_max = ";

/// The running platform and who pays there.
pub struct World {
    running: api::server::Running,
    /// Where it listens.
    pub address: SocketAddr,
    /// Payment tokens of the shoppers, in hexadecimal digits.
    pub tokens: Vec<String>,
    /// Numbers the requests.
    pub next: AtomicU64,
}

/// The bearer token of a shop's till.
pub fn till_key(shop: u32) -> String {
    format!("tk_bench_{shop:08}")
}

impl World {
    pub async fn start(folder: &Path, server: Option<&Throwaway>, options: &BenchPayOptions) -> Result<Self, Failure> {
        let rules_path = folder.join("rules.toml");
        std::fs::write(&rules_path, rules(&options.rules)?).map_err(context(&rules_path))?;
        let location = |name: &str| match server {
            Some(server) => server.new_database().map_err(failed("no database can be made")),
            None => Ok(Location::Sqlite(folder.join(name))),
        };
        let (store, test_store) = (location("bench.sqlite")?, location("test.sqlite")?);
        let (seeded, rules, shoppers) = (store.clone(), rules_path.clone(), options.shoppers);
        let tokens = tokio::task::spawn_blocking(move || seed(&seeded, &rules, shoppers)).await.map_err(failed("seeding broke"))??;
        let nobody = api::config::PartyPeer {
            address: ([127, 0, 0, 1], 9).into(),
            certificate_sha256: HexArray([0; 32]),
            confirmation_key: HexArray(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()),
        };
        let config = api::config::PlatformConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            store,
            test_store,
            metrics_listen: None,
            rates: api::limits::Rates::UNLIMITED,
            test_webhook_reach: Reach::Public,
            webhook_roots: None,
            rules_path,
            web_dir: None,
            parties: [nobody; 3],
            tls: party::identity::generate("bench.invalid").map_err(failed("no certificate can be made"))?,
            label_secret: Secret::new([7; 32]),
            passcode_pepper: Secret::new([8; 32]),
            capture_agent_url: "http://127.0.0.1:9".into(),
            demo: false,
            bench: true,
            clock: Arc::new(SystemClock),
            timing: api::config::Timing::default(),
        };
        let running = api::server::serve(config).await.map_err(failed("the platform does not start"))?;
        Ok(Self { address: running.local_addr(), running, tokens, next: AtomicU64::new(0) })
    }

    /// After all payments the books must balance.
    pub async fn check(self) -> Result<(), Failure> {
        let store = self.running.store().clone();
        let books = tokio::task::spawn_blocking(move || store.books()).await.map_err(failed("the books cannot be read"))?;
        let books = books.map_err(failed("the books cannot be read"))?;
        self.running.shutdown().await;
        if books.balanced() { Ok(()) } else { Err(Failure(format!("the books do not balance: {books:?}"))) }
    }
}

/// The committed rules, except for the one that no benchmark can meet in one request.
fn rules(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(context(path))?;
    let line = |line: &str| if line.starts_with(RUN_RULE) { format!("{RUN_RULE}1_000_000_000\n") } else { format!("{line}\n") };
    Ok(text.lines().map(line).collect())
}

/// Shops, tills, and shoppers with money and a face that the parties hold; their payment tokens.
fn seed(place: &Location, rules: &Path, shoppers: u32) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(rules).map_err(context(rules))?;
    let book = RuleBook::parse(&text).map_err(failed("the rule pack cannot be used"))?;
    let store = Store::open(place, book, Secret::new([8; 32])).map_err(failed("the store cannot be opened"))?;
    let wrong = failed("the store cannot be filled");
    let now = SystemClock.now();
    let key = SigningKey::from_bytes(&[2; 32]);
    for shop in 1..=MERCHANTS {
        let (merchant, place) = (MerchantId::from_bits(shop.into()), StoreId::from_bits(shop.into()));
        store.register_merchant(merchant, &format!("Shop {shop}"), now).map_err(&wrong)?;
        store.register_store(place, merchant, "Main Street", now).map_err(&wrong)?;
        let token_sha256 = Sha256::digest(till_key(shop)).into();
        let terminal = NewTerminal { id: TerminalId::from_bits(shop.into()), store: place, token_sha256, public_key: key.verifying_key() };
        store.register_terminal(&terminal, now).map_err(&wrong)?;
    }
    let tokens: Vec<[u8; 16]> = (0..shoppers).map(token).collect();
    let mut rng = UnwrapErr(getrandom::SysRng);
    for (batch, tokens) in tokens.chunks(CROWD).enumerate() {
        let members: Vec<CrowdMember> =
            tokens.iter().enumerate().map(|(at, token)| member((batch * CROWD + at) as u32, token, now, &mut rng)).collect();
        let context = ProbeContext {
            purpose: Purpose::Enrol,
            reference: String::new(),
            payee: String::new(),
            amount_minor: 0,
            currency: String::new(),
            nonce: HexArray(hash_parts("bench nonce", &[&batch.to_le_bytes()])),
            issued_at: now,
            expires_at: now.plus_millis(60_000),
            terminal: TerminalId::from_bits(1),
            counter: batch as u64 + 1,
            partition: None,
            templates: members.len() as u32,
            dimensions: api::crowd::DIMENSIONS,
        };
        let share = || SealedShare { encapsulated_key: HexBytes(vec![0; 32]), ciphertext: HexBytes(vec![0; 32]) };
        let probe = SealedProbe::sign(context, [share(), share(), share()], &key);
        store.insert_crowd(&members, BALANCE_MINOR, &probe, &mut rng, now).map_err(&wrong)?;
        for party in PartyId::ALL {
            store.acknowledge_change(party, batch as u64 + 1, &[], &mut rng, now).map_err(&wrong)?;
        }
    }
    Ok(tokens.iter().map(|token| base::hash::hex(token)).collect())
}

fn token(number: u32) -> [u8; 16] {
    let hash = hash_parts("bench token", &[&number.to_le_bytes()]);
    hash[..16].try_into().expect("16 of 32 bytes")
}

fn member(number: u32, token: &[u8; 16], now: base::time::Timestamp, rng: &mut dyn rand_core::CryptoRng) -> CrowdMember {
    CrowdMember {
        account: AccountId::new(now, rng),
        enrolment: EnrolmentId::new(now, rng),
        phone: format!("1{number:010}"),
        phone_part: HexArray(*token),
        token: NewToken { record: RecordId::new(now, rng), token_sha256: Sha256::digest(token).into(), token: HexArray(*token) },
    }
}
