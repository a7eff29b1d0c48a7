//! One world for all tests: three parties over mutual TLS, the platform over HTTP, software terminals and shoppers.

pub mod clock;
pub mod console;
pub mod desk;
pub mod http;
pub mod logs;
pub mod parties;
pub mod phone;
pub mod proxy;
pub mod receiver;
pub mod schema;
pub mod server;
pub mod shopper;
pub mod till;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::config::{Passkeys, PlatformConfig, Timing};
use api::limits::Rates;
use api::server::{Running, serve};
use base::id::{ApiKeyId, MerchantId, StoreId, TerminalId};
use base::party::PartyId;
use base::secret::Secret;
use base::time::Clock;
use payments::webhook::reach::Reach;
use store::Location;
use store::api_key::NewKey;
use store::setup::NewTerminal;
use wire::merchant::Mode;

use clock::TestClock;
use http::Http;
use parties::Parties;
use proxy::{Cut, Wire, wire};
use server::Server;
use shopper::{Person, Shopper};
use till::Till;

/// The running world.
pub struct World {
    pub clock: Arc<TestClock>,
    pub parties: Parties,
    pub http: Http,
    /// Where the platform says that the capture agent is, from its next start on.
    pub capture_agent_url: String,
    /// Whether the platform has the routes for demonstrations, from its next start on.
    pub demo: bool,
    /// How much each may ask, from the platform's next start on.
    pub rates: Rates,
    /// What webhooks of test mode may reach, from the platform's next start on.
    pub test_webhook_reach: Reach,
    /// Whom webhooks trust, from the platform's next start on.
    pub webhook_roots: Option<PathBuf>,
    platform: Option<Running>,
    wire_to_second: (std::net::SocketAddr, Wire),
    timing: Timing,
    folder: tempfile::TempDir,
    next_phone: AtomicU64,
    counter: Arc<AtomicU64>,
}

/// The tills of the world: two of one payee, one of another, and a device that only enrols.
pub const TILL: u128 = 1;
pub const SECOND_TILL: u128 = 2;
pub const OTHER_PAYEES_TILL: u128 = 3;
pub const ENROLLER: u128 = 4;
const UNKNOWN_TILL: u128 = 5;

/// Who is new pays little for a day; most tests begin after it.
const SETTLED: &[(&str, &str)] = &[("cooling_off_s", "0")];

impl World {
    /// Everything up and ready.
    pub async fn new() -> Self {
        Self::with_timing(Timing::default()).await
    }

    /// Everything up and ready, with other patience.
    pub async fn with_timing(timing: Timing) -> Self {
        Self::with(timing, &[]).await
    }

    /// Everything up and ready, with other numbers in the rules.
    pub async fn with_rules(numbers: &[(&str, &str)]) -> Self {
        Self::with(Timing::default(), numbers).await
    }

    async fn with(timing: Timing, numbers: &[(&str, &str)]) -> Self {
        logs::collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rules = std::fs::read_to_string(rules_path()).expect("the rules");
        std::fs::write(folder.path().join("rules.toml"), with_numbers(&with_numbers(&rules, SETTLED), numbers)).expect("a file");
        let clock = Arc::new(TestClock::default());
        let terminals = [TILL, SECOND_TILL, OTHER_PAYEES_TILL, ENROLLER].map(Till::key_pair);
        let mut parties = Parties::new(folder.path(), clock.clone(), &terminals);
        parties.start_all();
        let http = Http::new();
        let wire_to_second = wire(parties.peers()[1].address).await;
        let mut world = Self {
            clock,
            parties,
            http,
            capture_agent_url: "http://127.0.0.1:7300".into(),
            demo: true,
            rates: Rates::default(),
            test_webhook_reach: Reach::PublicAndLoopback,
            webhook_roots: None,
            platform: None,
            wire_to_second,
            timing,
            folder,
            next_phone: AtomicU64::new(0),
            counter: Arc::default(),
        };
        world.start_platform().await;
        world.register();
        world.until_ready().await;
        world
    }

    /// Starts the platform on its old data.
    pub async fn start_platform(&mut self) {
        let mut peers = self.parties.peers();
        peers[1].address = self.wire_to_second.0;
        let config = PlatformConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            store: Location::Sqlite(self.store_path()),
            test_store: Location::Sqlite(self.folder.path().join("handsel-test.sqlite")),
            metrics_listen: Some(([127, 0, 0, 1], 0).into()),
            rates: self.rates,
            test_webhook_reach: self.test_webhook_reach,
            webhook_roots: self.webhook_roots.clone(),
            rules_path: self.folder.path().join("rules.toml"),
            web_dir: Some(self.web_dir()),
            parties: peers,
            tls: self.parties.platform_identity().clone(),
            label_secret: Secret::new([7; 32]),
            passcode_pepper: Secret::new([8; 32]),
            acquirer_code: "00000001".into(),
            capture_agent_url: self.capture_agent_url.clone(),
            passkeys: Passkeys::on_localhost(7400),
            demo: self.demo,
            bench: false,
            clock: self.clock.clone(),
            timing: self.timing,
        };
        let running = serve(config).await.expect("the platform starts");
        self.http.base_url = format!("http://{}", running.local_addr());
        self.platform = Some(running);
    }

    /// Cuts the wire between the platform and party 2 at its next large request.
    pub fn cut_wire_to_second(&self, when: Cut) {
        self.wire_to_second.1.cut(when);
    }

    /// The wire between the platform and party 2.
    pub fn wire_to_second(&self) -> &Wire {
        &self.wire_to_second.1
    }

    /// The file that a party keeps its shares in.
    pub fn party_store_path(&self, party: PartyId) -> PathBuf {
        self.folder.path().join(format!("party{}", party.number())).join(party::store::FILE_NAME)
    }

    /// A page of our own, so that the tests need no built one.
    fn web_dir(&self) -> PathBuf {
        let web = self.folder.path().join("web");
        std::fs::create_dir_all(web.join("wallet/assets")).expect("a folder");
        std::fs::write(web.join("wallet/index.html"), "<!doctype html><title>Wallet</title>").expect("a page");
        std::fs::write(web.join("wallet/assets/main.js"), "export {};").expect("a script");
        std::fs::write(web.join("secret.txt"), "outside of the wallet").expect("a file");
        web
    }

    /// Stops the platform as an operator does.
    pub async fn stop_platform(&mut self) {
        self.platform.take().expect("the platform runs").shutdown().await;
    }

    /// The platform's store, for looking behind the API.
    pub fn store(&self) -> &store::Store {
        self.platform.as_ref().expect("the platform runs").store()
    }

    /// The platform's database file, for an accident that a test prepares.
    pub fn store_path(&self) -> PathBuf {
        self.folder.path().join("handsel.sqlite")
    }

    /// Waits until a payment could be made.
    pub async fn until_ready(&self) {
        self.until("ready", async || self.http.get("/readyz", &[]).await.status == 200).await;
    }

    /// Waits until `condition` holds, at most 20 seconds.
    pub async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        for _ in 0..400 {
            if condition().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited too long for: {what}");
    }

    /// The terminal with this number.
    pub fn till(&self, number: u128) -> Till {
        Till::new(number, self.http.clone(), self.parties.sealing_keys(), self.clock.clone(), self.counter.clone())
    }

    /// Somebody with an account, a consent and `balance_minor` in the wallet, who is not enrolled.
    pub async fn shopper(&self, balance_minor: i64) -> Shopper {
        let number = self.next_phone.fetch_add(1, Ordering::Relaxed);
        let shopper = Shopper::open(self.http.clone(), &format!("138{:04}{:04}", number, 1000 + number)).await;
        if balance_minor > 0 {
            shopper.top_up(balance_minor).await;
        }
        shopper.consent(true).await;
        shopper
    }

    /// Somebody who can pay with the face of `person`.
    pub async fn enrolled(&self, person: &Person, balance_minor: i64) -> Shopper {
        let shopper = self.shopper(balance_minor).await;
        self.enrol(&shopper, person).await;
        shopper
    }

    /// Enrols `person` for `shopper` and waits until all parties hold it.
    pub async fn enrol(&self, shopper: &Shopper, person: &Person) {
        let enrolment = shopper.begin_enrolment().await;
        let answer = self.till(ENROLLER).hand_in(&enrolment, person).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let path = format!("/v1/enrolments/{}", enrolment.id);
        self.until("enrolled", async || shopper.get(&path).await.json()["status"] == "enrolled").await;
    }

    /// A till that the platform knows and the parties have never heard of.
    pub fn unknown_till(&self) -> Till {
        let (number, now) = (UNKNOWN_TILL, self.clock.now());
        let terminal = NewTerminal {
            id: TerminalId::from_bits(number),
            store: StoreId::from_bits(1),
            token_sha256: api::token_sha256(&Till::token(number)),
            public_key: Till::key_pair(number).verifying_key(),
        };
        self.store().register_terminal(&terminal, now).expect("registers");
        self.till(number)
    }

    fn register(&self) {
        let (store, now) = (self.store(), self.clock.now());
        for merchant in [1, 2] {
            store.register_merchant(MerchantId::from_bits(merchant), &format!("Merchant {merchant}"), now).expect("registers");
            store.register_store(StoreId::from_bits(merchant), MerchantId::from_bits(merchant), "Store", now).expect("registers");
        }
        for (number, shop) in [(TILL, 1), (SECOND_TILL, 1), (OTHER_PAYEES_TILL, 2), (ENROLLER, 1)] {
            let terminal = NewTerminal {
                id: TerminalId::from_bits(number),
                store: StoreId::from_bits(shop),
                token_sha256: api::token_sha256(&Till::token(number)),
                public_key: Till::key_pair(number).verifying_key(),
            };
            store.register_terminal(&terminal, now).expect("registers");
        }
        let test_store = self.platform.as_ref().expect("the platform runs").test_store();
        for (number, store) in [(1, store), (2, store), (1, test_store), (2, test_store)] {
            let merchant = MerchantId::from_bits(number);
            let is_live = std::ptr::eq(store, self.store());
            let secret = Server::key(number, if is_live { Mode::Live } else { Mode::Test });
            if !is_live {
                store.register_merchant(merchant, &format!("Merchant {number}"), now).expect("registers");
                store.register_store(StoreId::from_bits(number), merchant, "Store", now).expect("registers");
                let till = NewTerminal {
                    id: TerminalId::from_bits(number),
                    store: StoreId::from_bits(number),
                    token_sha256: api::token_sha256(&Till::token(number)),
                    public_key: Till::key_pair(number).verifying_key(),
                };
                store.register_terminal(&till, now).expect("registers");
            }
            let key = NewKey {
                id: ApiKeyId::from_bits(number),
                name: "first".into(),
                secret_sha256: api::token_sha256(&secret),
                hint: secret[secret.len() - 4..].into(),
            };
            store.register_api_key(merchant, &key, now).expect("registers");
        }
    }

    /// The server of a merchant, with its key.
    pub fn server(&self, merchant: u128, mode: Mode) -> Server {
        Server::new(self.http.clone(), Server::key(merchant, mode))
    }

    /// Where the metrics are.
    pub fn metrics_url(&self) -> String {
        let address = self.platform.as_ref().expect("the platform runs").metrics_addr().expect("metrics are served");
        format!("http://{address}/metrics")
    }
}

/// The rules with other numbers under these names, whatever stood there.
fn with_numbers(rules: &str, numbers: &[(&str, &str)]) -> String {
    numbers.iter().fold(rules.to_owned(), |rules, (name, number)| {
        let (before, rest) = rules.split_once(&format!("\n{name} = ")).expect("the rule is there");
        format!("{before}\n{name} = {number}\n{}", rest.split_once('\n').expect("a line").1)
    })
}

fn rules_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules/cn.toml")
}
