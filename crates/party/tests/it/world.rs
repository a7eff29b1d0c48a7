//! The fixture: three parties in temporary directories, a platform, a terminal, and a clock that tests can move.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::id::{RecordId, SessionId, TerminalId};
use base::party::PartyId;
use base::secret::Secret;
use base::time::{Clock, SystemClock, Timestamp};
use ed25519_dalek::SigningKey;
use mpc::protocol::conclude::{OutputShare, resolve};
use mpc::protocol::identify::{Resolution, Thresholds};
use mpc::protocol::verified::Verification;
use mpc::share::share_template;
use mpc::testing::{SeededRng, random_template};
use mpc::token::Token;
use party::budget::{Budget, Budgets};
use party::config::{PartyConfig, Peer};
use party::identity::{Identity, generate};
use party::scan_pool::Policy;
use party::service::Service;
use party::{frame, server, tls};
use rustls_pki_types::ServerName;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wire::bytes::{HexArray, HexBytes};
use wire::party::{
    CheckEnrolment, GalleryChange, GalleryOperation, Identify, NewRecord, PartyAnswer, PartyCommand, PartyRefusal, PartyRequest,
    PartyResponse, PartyStatus,
};
use wire::probe::{PartitionLabel, ProbeContext, Purpose, SealedProbe};
use wire::seal;

pub const DIMENSIONS: u16 = 128;
pub const PEER_TIMEOUT: Duration = Duration::from_millis(4000);
/// More than any test asks.
pub const LARGE: Budget = Budget { per_minute: 1_000, per_day: 10_000 };
pub const TERMINAL: TerminalId = TerminalId::from_bits(77);

/// All registered terminals; they share one device key.
pub fn terminals() -> impl Iterator<Item = TerminalId> {
    (0..12).map(|at| TerminalId::from_bits(TERMINAL.bits() + at))
}

/// The machine's clock plus what the test added.
#[derive(Default)]
pub struct MovableClock(AtomicU64);

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct World {
    pub clock: Arc<MovableClock>,
    pub rng: SeededRng,
    pub device_key: SigningKey,
    pub platform: Identity,
    pub configs: [PartyConfig; 3],
    /// Everything that each party received, decrypted.
    pub received: [Arc<Mutex<Vec<u8>>>; 3],
    /// Called with every step of a party that is started from now on.
    pub on_step: Option<OnStep>,
    pub addresses: [SocketAddr; 3],
    sealing_keys: [HexBytes; 3],
    tasks: [Option<JoinHandle<()>>; 3],
    pub sequence: u64,
    counter: u64,
    names: u128,
    /// With the parties' directories, if it is this world's own.
    _folder: Option<TempDir>,
}

pub type OnStep = Arc<dyn Fn(PartyId, &'static str) + Send + Sync>;

/// A person, as the terminal and the platform know them.
#[derive(Clone)]
pub struct Person {
    pub template: Vec<i16>,
    pub token: Token,
    pub record: RecordId,
    pub partitions: Vec<PartitionLabel>,
}

/// The configuration of a party alone: it knows no terminal, and its peers are nowhere.
pub fn config_of(party: PartyId, identity: Identity) -> PartyConfig {
    let certificate_sha256 = identity.pin().expect("a certificate");
    let nowhere = Peer { address: ([127, 0, 0, 1], 9).into(), certificate_sha256 };
    PartyConfig {
        party,
        directory: "nowhere".into(),
        identity,
        sealing_key: Secret::new([0; 32]),
        confirmation_key: SigningKey::from_bytes(&[party.number(); 32]),
        next: nowhere,
        previous: nowhere,
        platform_sha256: certificate_sha256,
        terminals: HashMap::new(),
        dimensions: DIMENSIONS,
        thresholds: Thresholds::new(8000, 7000).expect("valid thresholds"),
        verification: Verification::On,
        budgets: Budgets { terminal: LARGE, payee: LARGE, all: LARGE },
        scan: Policy { threads: 2, ..Policy::for_this_machine() },
        workers: None,
        peer_timeout: PEER_TIMEOUT,
        received: None,
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with_budget(LARGE).await
    }

    /// With a budget of each terminal.
    pub async fn with_budget(terminal: Budget) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let mut world = Self::beginning_in(folder.path(), terminal, None).await;
        world._folder = Some(folder);
        world
    }

    /// With the parties' directories in `folder`, where they may have been before: their keys are the same.
    pub async fn in_folder(folder: &Path, on_step: Option<OnStep>) -> Self {
        Self::beginning_in(folder, LARGE, on_step).await
    }

    async fn beginning_in(folder: &Path, terminal: Budget, on_step: Option<OnStep>) -> Self {
        crate::logs::collect();
        let mut rng = SeededRng::new(9);
        let device_key = SigningKey::from_bytes(&[5; 32]);
        let (platform, identities) = (
            generate("platform").expect("a name"),
            PartyId::ALL.map(|party| generate(&format!("party-{}", party.number())).expect("a name")),
        );
        let sealing = PartyId::ALL.map(|_| seal::generate_key_pair(&mut rng));
        let received = [(); 3].map(|()| Arc::new(Mutex::new(Vec::new())));
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.expect("a free port"));
        }
        let addresses = [0, 1, 2].map(|at: usize| listeners[at].local_addr().expect("bound"));
        let peer = |party: PartyId| Peer {
            address: addresses[party.index()],
            certificate_sha256: identities[party.index()].pin().expect("a certificate"),
        };
        let configs = PartyId::ALL.map(|party| {
            let seen = received[party.index()].clone();
            PartyConfig {
                received: Some(Arc::new(move |bytes: &[u8]| seen.lock().expect("no panic").extend_from_slice(bytes))),
                directory: folder.join(format!("party{}", party.number())),
                sealing_key: Secret::new(*sealing[party.index()].0),
                next: peer(party.next()),
                previous: peer(party.previous()),
                platform_sha256: platform.pin().expect("a certificate"),
                terminals: terminals().map(|terminal| (terminal, device_key.verifying_key())).collect(),
                budgets: Budgets { terminal, payee: LARGE, all: LARGE },
                ..config_of(party, identities[party.index()].clone())
            }
        });
        let mut world = Self {
            clock: Arc::default(),
            rng,
            device_key,
            platform,
            configs,
            received,
            on_step,
            addresses,
            sealing_keys: sealing.map(|(_, public)| public),
            tasks: [None, None, None],
            sequence: 0,
            counter: 0,
            names: 1000,
            _folder: None,
        };
        for (party, listener) in PartyId::ALL.into_iter().zip(listeners) {
            world.start_on(party, listener);
        }
        world.until_connected().await;
        world
    }

    /// Starts a party that was stopped, on its old address and directory.
    pub async fn start(&mut self, party: PartyId) {
        let listener = TcpListener::bind(self.addresses[party.index()]).await.expect("its port is free again");
        self.start_on(party, listener);
    }

    fn start_on(&mut self, party: PartyId, listener: TcpListener) {
        let (config, clock, on_step) = (self.configs[party.index()].clone(), self.clock.clone(), self.on_step.clone());
        let open = move || match (Service::new(config, clock).expect("the party starts"), on_step) {
            (service, Some(on_step)) => service.at_each_step(move |step| on_step(party, step)),
            (service, None) => service,
        };
        let task = tokio::spawn(async move {
            let service = tokio::task::spawn_blocking(open).await.expect("opening the store does not panic");
            let Err(error) = server::run(Arc::new(service), listener).await;
            panic!("{error}");
        });
        self.tasks[party.index()] = Some(task);
    }

    /// Ends a party as a crash would: nothing is told to anybody.
    pub async fn stop(&mut self, party: PartyId) {
        let task = self.tasks[party.index()].take().expect("it runs");
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        // Requests that it was in the middle of end by themselves; its directory is free only then.
        let directory = self.configs[party.index()].directory.clone();
        let free = move || party::directory::Directory::lock(&directory).map(drop);
        tokio::task::spawn_blocking(free).await.expect("does not panic").expect("the directory is free");
    }

    /// The party's task, for a test that ends it itself.
    pub fn take_task(&mut self, party: PartyId) -> JoinHandle<()> {
        self.tasks[party.index()].take().expect("it runs")
    }

    pub async fn until_connected(&self) {
        for _ in 0..400 {
            let mut connected = 0;
            for party in PartyId::ALL {
                connected += usize::from(matches!(
                    self.try_ask(party, PartyCommand::Status).await,
                    Some(PartyAnswer::Status(PartyStatus { peers_connected: true, .. }))
                ));
            }
            if connected == 3 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the parties did not find one another within ten seconds");
    }

    pub fn move_clock(&self, millis: u64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// One request over a connection of its own; `None` if the party cannot be reached.
    pub async fn try_ask(&self, party: PartyId, command: PartyCommand) -> Option<PartyAnswer> {
        let bytes = serde_json::to_vec(&PartyRequest { id: 1, command }).expect("plain data");
        serde_json::from_slice::<PartyResponse>(&self.exchange(party, &self.platform, &bytes).await.ok()?)
            .ok()
            .map(|response| response.answer)
    }

    pub async fn ask(&self, party: PartyId, command: PartyCommand) -> PartyAnswer {
        self.try_ask(party, command).await.expect("the party answers")
    }

    /// One frame to a party, as whoever holds `identity`, and one frame back.
    pub async fn exchange(&self, party: PartyId, identity: &Identity, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let address = self.addresses[party.index()];
        let connector = tls::connector(identity, self.configs[party.index()].identity.pin().expect("a certificate")).expect("an identity");
        let mut stream = connector.connect(ServerName::IpAddress(address.ip().into()), TcpStream::connect(address).await?).await?;
        frame::write(&mut stream, &[bytes]).await?;
        frame::read(&mut stream).await
    }

    pub async fn status(&self, party: PartyId) -> PartyStatus {
        match self.ask(party, PartyCommand::Status).await {
            PartyAnswer::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The same question to all three at once.
    pub async fn ask_all(&self, command: impl Fn(PartyId) -> PartyCommand) -> [PartyAnswer; 3] {
        let (first, second, third) = tokio::join!(
            self.ask(PartyId::P1, command(PartyId::P1)),
            self.ask(PartyId::P2, command(PartyId::P2)),
            self.ask(PartyId::P3, command(PartyId::P3))
        );
        [first, second, third]
    }

    /// Other names from now on than any world in the same folder had before.
    pub fn rename(&mut self, attempt: u128) {
        self.names = 1_000_000 * (attempt + 1);
    }

    pub fn name(&mut self) -> u128 {
        self.names += 1;
        self.names
    }

    /// A fresh context, valid for half a minute.
    pub fn context(&mut self, purpose: Purpose) -> ProbeContext {
        self.counter += 1;
        let mut nonce = [0; 32];
        nonce[..16].copy_from_slice(&self.name().to_le_bytes());
        ProbeContext {
            purpose,
            reference: "pay_00000000000000000000000001".into(),
            payee: "mer_00000000000000000000000001".into(),
            amount_minor: 3650,
            currency: "CNY".into(),
            nonce: HexArray(nonce),
            issued_at: self.clock.now(),
            expires_at: self.clock.now().plus_millis(30_000),
            terminal: TERMINAL,
            counter: self.counter,
            partition: None,
            templates: 1,
            dimensions: DIMENSIONS,
        }
    }

    /// What the terminal makes of `templates`.
    pub fn seal(&mut self, context: ProbeContext, templates: &[&[i16]]) -> SealedProbe {
        let mut plaintexts = [vec![], vec![], vec![]];
        for template in templates {
            for (plaintext, share) in plaintexts.iter_mut().zip(share_template(template, &mut self.rng).expect("a valid template")) {
                plaintext.extend_from_slice(&share.to_bytes());
            }
        }
        self.seal_bytes(context, &plaintexts)
    }

    /// What a terminal hands out that makes the three parties' shares itself.
    pub fn seal_bytes(&mut self, context: ProbeContext, plaintexts: &[Vec<u8>; 3]) -> SealedProbe {
        let sealed = PartyId::ALL.map(|party| {
            let at = party.index();
            seal::seal(&self.sealing_keys[at], &context.associated_data(party), &plaintexts[at], &mut self.rng).expect("a valid key")
        });
        SealedProbe::sign(context, sealed, &self.device_key)
    }

    /// A made-up person who is not enrolled yet.
    pub fn person(&mut self) -> Person {
        let name = self.name();
        let token = (name.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_le_bytes();
        Person {
            template: random_template(usize::from(DIMENSIONS), &mut self.rng),
            token,
            record: RecordId::from_bits(name),
            partitions: vec![],
        }
    }

    pub fn change<T: Fn(PartyId) -> GalleryOperation>(&mut self, operation: T) -> impl Fn(PartyId) -> PartyCommand + use<T> {
        self.sequence += 1;
        let sequence = self.sequence;
        move |party| PartyCommand::Apply(Box::new(GalleryChange { sequence, operation: operation(party) }))
    }

    /// What came of checking an enrolment's templates.
    pub async fn check(&mut self, probe: &SealedProbe) -> [PartyAnswer; 3] {
        let session = SessionId::from_bits(self.name());
        let check = |party| PartyCommand::CheckEnrolment(Box::new(CheckEnrolment { session, probe: probe.for_party(party) }));
        self.ask_all(check).await
    }

    /// Has the enrolment of `people` with `probe` checked; the change that makes it, for each party.
    pub async fn enrolment(&mut self, probe: SealedProbe, people: &[Person]) -> impl Fn(PartyId) -> PartyCommand + use<> {
        for answer in self.check(&probe).await {
            assert!(matches!(answer, PartyAnswer::EnrolmentChecked { .. }), "{answer:?}");
        }
        self.unchecked_enrolment(probe, people)
    }

    /// The same without the check.
    pub fn unchecked_enrolment(&mut self, probe: SealedProbe, people: &[Person]) -> impl Fn(PartyId) -> PartyCommand + use<> {
        let people = people.to_vec();
        self.change(move |party| GalleryOperation::Enrol {
            probe: probe.for_party(party),
            records: people
                .iter()
                .map(|person| NewRecord { record: person.record, partitions: person.partitions.clone(), token: HexArray(person.token) })
                .collect(),
        })
    }

    pub async fn enrol(&mut self, people: &[Person]) {
        let mut context = self.context(Purpose::Enrol);
        context.templates = people.len() as u32;
        let probe = self.seal(context, &people.iter().map(|person| &person.template[..]).collect::<Vec<_>>());
        let command = self.enrolment(probe, people).await;
        for answer in self.ask_all(command).await {
            assert!(
                matches!(&answer, PartyAnswer::Applied { sequence, deletions, .. } if *sequence == self.sequence && deletions.is_empty()),
                "{answer:?}"
            );
        }
    }

    /// One identification as the platform asks for it.
    pub fn identification(&mut self, probe: &SealedProbe) -> impl Fn(PartyId) -> PartyCommand + use<> {
        let (session, gallery_sequence, probe) = (SessionId::from_bits(self.name()), self.sequence, probe.clone());
        move |party| PartyCommand::Identify(Box::new(Identify { session, gallery_sequence, probe: probe.for_party(party) }))
    }

    pub async fn look(&mut self, template: &[i16]) -> Found {
        let context = self.context(Purpose::Pay);
        let probe = self.seal(context, &[template]);
        let command = self.identification(&probe);
        resolution(self.ask_all(command).await)
    }
}

/// What a test can compare and print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Token(Token),
    Nobody,
    Ambiguous,
}

pub fn resolution(answers: [PartyAnswer; 3]) -> Found {
    let shares = answers.map(|answer| match answer {
        PartyAnswer::Identified { output, stages, .. } => {
            let stages: Vec<&str> = stages.iter().map(|stage| stage.stage.as_str()).collect();
            assert_eq!(stages, ["checks", "open", "opening", "agree", "scan", "compare", "select", "verify", "conclude"]);
            OutputShare::from_bytes(&output.0)
        }
        other => panic!("{other:?}"),
    });
    match resolve(&shares).expect("consistent shares") {
        Resolution::Token(token) => Found::Token(token),
        Resolution::None => Found::Nobody,
        Resolution::Ambiguous => Found::Ambiguous,
    }
}

/// The refusal's code, or a panic with what came instead.
#[track_caller]
pub fn refusal(answer: &PartyAnswer) -> PartyRefusal {
    match answer {
        PartyAnswer::Refused { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}
