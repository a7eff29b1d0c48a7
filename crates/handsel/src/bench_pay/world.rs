//! A platform with made-up shops and shoppers, without parties, in a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use base::hash::hash_parts;
use base::id::{AccountId, EnrolmentId, MerchantId, RecordId, StoreId, TerminalId};
use base::money::Currency;
use base::party::PartyId;
use base::secret::Secret;
use base::time::{Clock, SystemClock};
use ed25519_dalek::SigningKey;
use payments::rules::RuleBook;
use rand_core::UnwrapErr;
use sha2::{Digest, Sha256};
use store::crowd::CrowdMember;
use store::gallery::NewToken;
use store::idempotency::Idempotency;
use store::setup::NewTerminal;
use store::throwaway::Throwaway;
use store::{Location, Store};
use wire::api::{Capture, NewPayment, Payment, PaymentStatus};
use wire::bytes::{HexArray, HexBytes};
use wire::probe::{ProbeContext, Purpose, SealedProbe, SealedShare};

use crate::args::BenchPayOptions;
use crate::bench::processes;
use crate::bench_pay::platform::MeasuredPlatform;
use crate::run::{Failure, Node, context, failed};

/// Shops, each with one till.
pub const MERCHANTS: u32 = 100;
/// What each shopper has: 1,000,000 CNY.
const BALANCE_MINOR: i64 = 100_000_000;
/// Shoppers that are enrolled at a time.
const CROWD: usize = 1_000;
/// Payments that are stored at once beforehand.
const STORED_AT_ONCE: usize = 256;
/// ¥1.00: every payment is small.
pub const AMOUNT_MINOR: i64 = 100;
/// This rule asks for the passcode every few payments, which is another request and 40 ms of hashing; it is judged like
/// the others, with a number that nobody reaches.
const RUN_RULE: &str = "look_only_run_max = ";

/// How long the platform may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// The running platform and who pays there.
pub struct World {
    platform: Node,
    store: Location,
    rules: PathBuf,
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
        let (seeded, rules, shoppers, stored) = (store.clone(), rules_path.clone(), options.shoppers, options.stored);
        let tokens =
            tokio::task::spawn_blocking(move || seed(&seeded, &rules, shoppers, stored)).await.map_err(failed("seeding broke"))??;
        let config = folder.join("platform.toml");
        let platform = MeasuredPlatform { store: store.to_string(), test_store: test_store.to_string(), rules: rules_path.clone() };
        platform.write(&config)?;
        let mut platform = Node::start("platform", "measured-platform", config.clone(), folder.join("platform.log"))?;
        let address = wait_for_address(&mut platform, &config).await?;
        Ok(Self { platform, store, rules: rules_path, address, tokens, next: AtomicU64::new(0) })
    }

    /// Processor time of the platform so far.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        processes::cpu_time(self.platform.id())
    }

    /// The most memory that the platform had, in bytes.
    pub fn peak_memory(&self) -> Result<u64, Failure> {
        processes::peak_memory(self.platform.id())
    }

    /// Ends the platform. After all payments the books must balance.
    pub async fn check(self) -> Result<(), Failure> {
        drop(self.platform);
        let (place, rules) = (self.store, self.rules);
        let read = move || open(&place, &rules)?.books().map_err(failed("the books cannot be read"));
        let books = tokio::task::spawn_blocking(read).await.map_err(failed("the books cannot be read"))??;
        if books.balanced() { Ok(()) } else { Err(Failure(format!("the books do not balance: {books:?}"))) }
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another process")]
async fn wait_for_address(platform: &mut Node, config: &Path) -> Result<SocketAddr, Failure> {
    let since = Instant::now();
    while since.elapsed() < START_MAX {
        if let Some(address) = MeasuredPlatform::address(config) {
            return Ok(address);
        }
        if !platform.is_running() {
            return Err(Failure(format!("the platform has ended: {}", platform.last_words())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(Failure("the platform does not start".into()))
}

fn open(place: &Location, rules: &Path) -> Result<Store, Failure> {
    let text = std::fs::read_to_string(rules).map_err(context(rules))?;
    let book = RuleBook::parse(&text).map_err(failed("the rule pack cannot be used"))?;
    Store::open(place, book, Secret::new([8; 32])).map_err(failed("the store cannot be opened"))
}

/// The committed rules, except for the one that no benchmark can meet in one request.
fn rules(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(context(path))?;
    let line = |line: &str| if line.starts_with(RUN_RULE) { format!("{RUN_RULE}1_000_000_000\n") } else { format!("{line}\n") };
    Ok(text.lines().map(line).collect())
}

/// Shops, tills, shoppers with money and a face that the parties hold, and `stored` payments of theirs; their payment tokens.
fn seed(place: &Location, rules: &Path, shoppers: u32, stored: u64) -> Result<Vec<String>, Failure> {
    let store = open(place, rules)?;
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
    store_payments(&store, &tokens, stored)?;
    Ok(tokens.iter().map(|token| base::hash::hex(token)).collect())
}

/// Makes `count` payments as the platform would, many at once.
fn store_payments(store: &Store, tokens: &[[u8; 16]], count: u64) -> Result<(), Failure> {
    let (tell, told) = sync_channel(STORED_AT_ONCE);
    let (mut asked, mut answered) = (0, 0);
    while answered < count {
        while asked < count && asked - answered < STORED_AT_ONCE as u64 {
            let (shop, payer) = Chosen::of(asked).among(tokens.len());
            let idempotency = Idempotency { scope: format!("stored {shop}"), key: format!("{asked:016x}"), request_digest: [0; 32] };
            let new = NewPayment {
                amount_minor: AMOUNT_MINOR,
                currency: Currency::CNY,
                merchant_reference: None,
                terminal: None,
                capture: Capture::Automatic,
                metadata: None,
            };
            let (terminal, token, tell) = (TerminalId::from_bits(shop.into()), tokens[payer], tell.clone());
            let pay = move |store: &Store| {
                let mut rng = UnwrapErr(getrandom::SysRng);
                store.pay_as_found(&idempotency, terminal, &new, &token, &mut rng, SystemClock.now())
            };
            // Whoever stopped listening has failed.
            store.submit(pay, move |outcome| drop(tell.send(outcome))).map_err(failed("the store cannot be filled"))?;
            asked += 1;
        }
        let answer = told.recv().map_err(failed("the store cannot be filled"))?.map_err(failed("the store cannot be filled"))?;
        let paid = answer.resource::<Payment>().is_some_and(|payment| payment.status == PaymentStatus::Paid);
        if !paid {
            return Err(Failure(format!("a payment to store was not paid: {}", String::from_utf8_lossy(&answer.body))));
        }
        answered += 1;
    }
    Ok(())
}

/// Which shop and which shopper a payment's number stands for.
pub struct Chosen(u64);

impl Chosen {
    /// Multiplication by an odd number scatters what comes in order.
    pub fn of(number: u64) -> Self {
        Self(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24)
    }

    /// The shop's number, and the shopper's place among so many.
    pub fn among(&self, shoppers: usize) -> (u32, usize) {
        (1 + (self.0 >> 17) as u32 % MERCHANTS, self.0 as usize % shoppers)
    }
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
