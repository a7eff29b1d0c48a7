//! Party 2 has workers, as tasks of their own over real TLS: the answers are the same as without, also while one joins, one
//! is lost and one hangs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use mpc::protocol::conclude::{OutputShare, resolve};
use mpc::protocol::identify::Resolution;
use mpc::share::share_template;
use mpc::testing::{SeededRng, random_template};
use mpc::token::Token;
use party::config::WorkersConfig;
use party::gallery::measure;
use party::gallery::segment::SEGMENT_SLOTS;
use party::identity::{Identity, generate};
use party::scan_pool::Policy;
use party::service::Service;
use party::workers::message::{FromWorker, ToWorker, VERSION};
use party::workers::process::{self, WorkerConfig};
use party::{frame, server, tls};
use rustls_pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wire::party::{GalleryOperation, PartyAnswer, PartyCommand, PartyRefusal, Seal};
use wire::probe::Purpose;

use crate::world::{Found, PEER_TIMEOUT, Person, World, refusal};

/// The party that has workers.
const COORDINATOR: PartyId = PartyId::P2;
/// Beyond the peers' timeout, for a loaded machine.
const SLACK: Duration = Duration::from_secs(5);

/// Party 2 with its workers.
struct Site {
    service: Arc<Service>,
    listen: SocketAddr,
    identities: [Identity; 2],
    tasks: [Option<JoinHandle<()>>; 2],
    party: JoinHandle<()>,
}

impl Site {
    /// Starts the coordinator anew, so that it takes workers; `change` is applied to the service.
    async fn new(world: &mut World, change: impl FnOnce(Service) -> Service + Send + 'static) -> Self {
        world.stop(COORDINATOR).await;
        let identities = ["worker-1", "worker-2"].map(|name| generate(name).expect("a name"));
        let listen = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
        let pins: Vec<_> = identities.iter().map(|identity| identity.pin().expect("a certificate")).collect();
        world.configs[COORDINATOR.index()].workers = Some(WorkersConfig { listen, pins: Arc::new(move || pins.clone()) });
        let (service, party) = start(world, COORDINATOR, change).await;
        world.until_connected().await;
        Self { service, listen, identities, tasks: [None, None], party }
    }

    fn start_worker(&mut self, world: &World, at: usize) {
        let config = WorkerConfig {
            coordinator: self.listen,
            coordinator_sha256: world.configs[COORDINATOR.index()].identity.pin().expect("a certificate"),
            identity: self.identities[at].clone(),
            scan: Policy { threads: 1, ..Policy::for_this_machine() },
        };
        self.tasks[at] = Some(tokio::spawn(async move {
            let Err(error) = process::serve(config).await;
            panic!("{error}");
        }));
    }

    /// Ends a worker as a crash would.
    async fn kill_worker(&mut self, at: usize) {
        let task = self.tasks[at].take().expect("it runs");
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());
    }

    async fn until_handed_out(&self, chunks: usize) {
        for _ in 0..1200 {
            if self.handed_out().await == chunks {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{chunks} chunks are not handed out within 30 seconds");
    }

    async fn handed_out(&self) -> usize {
        let service = self.service.clone();
        tokio::task::spawn_blocking(move || service.chunks_handed_out()).await.expect("it does not panic")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.party.abort();
        self.tasks.iter().flatten().for_each(JoinHandle::abort);
    }
}

/// Starts a party that was stopped with a service of which the test keeps hold.
async fn start(world: &World, party: PartyId, change: impl FnOnce(Service) -> Service + Send + 'static) -> (Arc<Service>, JoinHandle<()>) {
    let listener = TcpListener::bind(world.addresses[party.index()]).await.expect("its port is free again");
    let (config, clock) = (world.configs[party.index()].clone(), world.clock.clone());
    let open = move || Arc::new(change(Service::new(config, clock).expect("it opens")));
    let service = tokio::task::spawn_blocking(open).await.expect("it does not panic");
    let running = service.clone();
    let task = tokio::spawn(async move {
        let Err(error) = server::run(running, listener).await;
        panic!("{error}");
    });
    (service, task)
}

/// What a look ends with: what was found, or every party's refusal.
fn outcome(answers: [PartyAnswer; 3]) -> Result<Found, Vec<PartyRefusal>> {
    let refusals: Vec<PartyRefusal> = answers.iter().filter(|answer| matches!(answer, PartyAnswer::Refused { .. })).map(refusal).collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let shares = answers.map(|answer| match answer {
        PartyAnswer::Identified { output, .. } => OutputShare::from_bytes(&output.0),
        other => panic!("{other:?}"),
    });
    Ok(match resolve(&shares).expect("consistent shares") {
        Resolution::Token(token) => Found::Token(token),
        Resolution::None => Found::Nobody,
        Resolution::Ambiguous => Found::Ambiguous,
    })
}

async fn seal_segments(world: &mut World) {
    let session = SessionId::from_bits(world.name());
    let gallery_sequence = world.sequence;
    for answer in world.ask_all(|_| PartyCommand::Seal(Seal { session, gallery_sequence })).await {
        assert!(matches!(answer, PartyAnswer::Sealed { made: 1, missing: 0 }), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_follows_every_change_and_no_answer_differs() {
    let mut world = World::new().await;
    let (first, second, stranger) = (world.person(), world.person(), world.person());
    world.enrol(std::slice::from_ref(&first)).await;
    let mut site = Site::new(&mut world, |service| service).await;
    assert_eq!(world.look(&first.template).await, Found::Token(first.token), "without a worker");
    site.start_worker(&world, 0);
    site.until_handed_out(1).await;
    assert_eq!(world.look(&first.template).await, Found::Token(first.token));
    assert_eq!(world.look(&stranger.template).await, Found::Nobody);

    // Enrolled: found right away, by the party itself, and then by the worker.
    world.enrol(std::slice::from_ref(&second)).await;
    assert_eq!(world.look(&second.template).await, Found::Token(second.token));
    site.until_handed_out(1).await;
    assert_eq!(world.look(&second.template).await, Found::Token(second.token));
    // With a MAC that was made beforehand, which the worker must have too.
    seal_segments(&mut world).await;
    assert_eq!(world.look(&second.template).await, Found::Token(second.token));
    assert_eq!(world.look(&first.template).await, Found::Token(first.token), "with the same MAC");

    // Deleted: not found, neither before nor after the worker has heard of it.
    let records = vec![second.record];
    let deletion = world.change(move |_| GalleryOperation::Delete { records: records.clone() });
    for answer in world.ask_all(deletion).await {
        assert!(matches!(answer, PartyAnswer::Applied { .. }), "{answer:?}");
    }
    assert_eq!(world.look(&second.template).await, Found::Nobody);
    site.until_handed_out(1).await;
    assert_eq!(world.look(&second.template).await, Found::Nobody);
    assert_eq!(world.look(&first.template).await, Found::Token(first.token));

    // The second worker has nothing to do, until the first is lost.
    site.start_worker(&world, 1);
    site.kill_worker(0).await;
    assert_eq!(world.look(&first.template).await, Found::Token(first.token));
    site.until_handed_out(1).await;
    assert_eq!(world.look(&first.template).await, Found::Token(first.token));
    site.kill_worker(1).await;
    assert_eq!(world.look(&first.template).await, Found::Token(first.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hangs_costs_one_look_and_is_taken_out() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    let site = Site::new(&mut world, |service| service).await;
    let pin = world.configs[COORDINATOR.index()].identity.pin().expect("a certificate");
    // It confirms every copy, says that it lives, and does no work.
    let connector = tls::connector(&site.identities[0], pin).expect("an identity");
    let socket = TcpStream::connect(site.listen).await.expect("it listens");
    let stream = connector.connect(ServerName::IpAddress(site.listen.ip().into()), socket).await.expect("it is known");
    let (mut reader, mut writer) = tokio::io::split(stream);
    let was_asked = Arc::new(AtomicBool::new(false));
    let asked = was_asked.clone();
    let worker = tokio::spawn(async move {
        frame::write(&mut writer, &[&FromWorker::Hello { version: VERSION }.to_bytes()]).await.expect("written");
        while let Ok(Ok(bytes)) = tokio::time::timeout(Duration::from_secs(20), frame::read(&mut reader)).await {
            let answer = match ToWorker::from_bytes(&bytes) {
                Ok(ToWorker::Commit { stamp, .. }) => FromWorker::Held { stamp }.to_bytes(),
                Ok(ToWorker::Work { .. }) => {
                    asked.store(true, Ordering::SeqCst);
                    continue;
                }
                _ if bytes.is_empty() => Default::default(),
                _ => continue,
            };
            if frame::write(&mut writer, &[&answer]).await.is_err() {
                return;
            }
        }
    });
    site.until_handed_out(1).await;
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&person.template]);
    let command = world.identification(&probe);
    let answers = tokio::time::timeout(PEER_TIMEOUT + SLACK, world.ask_all(command)).await.expect("answers in time");
    assert!(was_asked.load(Ordering::SeqCst));
    let refusals = outcome(answers).expect_err("one of the chunks is missing");
    assert!(refusals.contains(&PartyRefusal::WorkerLost), "{refusals:?}");
    site.until_handed_out(0).await;
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_no_workers_certificate_is_not_sent_anything() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    let mut site = Site::new(&mut world, |service| service).await;
    site.identities[0] = generate("stranger").expect("a name");
    site.start_worker(&world, 0);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(site.handed_out().await, 0);
    // A worker that expects another party does not stay either.
    let mut elsewhere = world.configs[COORDINATOR.index()].clone();
    elsewhere.identity = generate("party-2").expect("a name");
    let connector = tls::connector(&site.identities[1], elsewhere.identity.pin().expect("a certificate")).expect("an identity");
    let socket = TcpStream::connect(site.listen).await.expect("it listens");
    assert!(connector.connect(ServerName::IpAddress(site.listen.ip().into()), socket).await.is_err());
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}

/// Features of the large gallery: few, so that it is small.
const FEATURES: usize = 32;
/// Two chunks, the second with one segment.
const SLOTS: usize = 4 * SEGMENT_SLOTS + 5000;

/// Replaces all three galleries by a large one with these people at these slots, the same parties otherwise.
async fn large(world: &mut World, people: &[(usize, Person)]) -> (Site, Vec<JoinHandle<()>>, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut rng = SeededRng::new(31);
    let rows: Vec<_> = people
        .iter()
        .map(|(slot, person)| (*slot, person.token, share_template(&person.template, &mut rng).expect("a template")))
        .collect();
    for party in PartyId::ALL {
        let place = directory.path().join(party.number().to_string());
        let mut fill = |slot: u32, numbers: &mut [u16], token: &mut Token| {
            if let Some((_, of, shares)) = rows.iter().find(|(at, ..)| *at == slot as usize) {
                numbers.copy_from_slice(shares[party.index()].to_row().as_slice());
                *token = *of;
            }
        };
        measure::generate(&place, party, FEATURES, SLOTS as u32, &mut fill).expect("there is room");
        world.configs[party.index()].dimensions = FEATURES as u16;
        world.configs[party.index()].peer_timeout = Duration::from_secs(10);
    }
    let open = |party: PartyId| {
        let place = directory.path().join(party.number().to_string());
        move |service: Service| service.with_gallery(measure::open(&place, party, FEATURES).expect("it was made"))
    };
    let mut tasks = vec![];
    for party in [PartyId::P1, PartyId::P3] {
        world.stop(party).await;
        tasks.push(start(world, party, open(party)).await.1);
    }
    world.sequence = 0;
    (Site::new(world, open(COORDINATOR)).await, tasks, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_joins_and_one_is_killed_under_load_and_every_look_gets_a_right_answer_or_a_named_refusal() {
    let mut world = World::new().await;
    let mut rng = SeededRng::new(8);
    let mut person = |world: &mut World| Person { template: random_template(FEATURES, &mut rng), ..world.person() };
    let places = [7, 2 * SEGMENT_SLOTS + 70, 4 * SEGMENT_SLOTS - 1, 4 * SEGMENT_SLOTS + 4999];
    let people: Vec<(usize, Person)> = places.into_iter().map(|slot| (slot, person(&mut world))).collect();
    let stranger = person(&mut world);
    let (mut site, tasks, _directory) = large(&mut world, &people).await;
    let looked_for =
        || people.iter().map(|(_, person)| (&person.template, Found::Token(person.token))).chain([(&stranger.template, Found::Nobody)]);

    let mut commands = vec![];
    for _ in 0..40 {
        for (template, expected) in looked_for() {
            let mut context = world.context(Purpose::Pay);
            context.dimensions = FEATURES as u16;
            context.expires_at = context.issued_at.plus_millis(600_000);
            let probe = world.seal(context, &[template]);
            commands.push((world.identification(&probe), expected));
        }
    }
    let (world, next, stop) = (&world, AtomicUsize::new(0), AtomicBool::new(false));
    let refused = AtomicUsize::new(0);
    let look = async |command: usize| {
        let (command, expected) = &commands[command];
        let answers = tokio::time::timeout(Duration::from_secs(30), world.ask_all(command)).await.expect("an answer in time");
        match outcome(answers) {
            Ok(found) => assert_eq!(found, *expected),
            Err(refusals) => {
                assert!(refusals.contains(&PartyRefusal::WorkerLost), "{refusals:?}");
                assert!(refusals.iter().all(|refusal| matches!(refusal, PartyRefusal::WorkerLost | PartyRefusal::PeerUnavailable)));
                refused.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let some = async |count: usize| {
        for _ in 0..count {
            look(next.fetch_add(1, Ordering::SeqCst)).await;
        }
    };
    let load = async || {
        while !stop.load(Ordering::SeqCst) && next.load(Ordering::SeqCst) + 20 < commands.len() {
            some(1).await;
        }
    };
    some(5).await;
    site.start_worker(world, 0);
    site.until_handed_out(2).await;
    some(5).await;
    assert_eq!(refused.load(Ordering::SeqCst), 0);
    let events = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The second worker takes one of the two chunks over; until it has it, the first one serves both.
        site.start_worker(world, 1);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(refused.load(Ordering::SeqCst), 0, "joining spoils no look");
        site.kill_worker(0).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.store(true, Ordering::SeqCst);
    };
    tokio::join!(events, load(), load());
    let looks = next.load(Ordering::SeqCst);
    println!("{looks} looks, {} refused", refused.load(Ordering::SeqCst));
    assert!(looks > 12, "there was load: {looks}");
    assert!(refused.load(Ordering::SeqCst) <= 2, "only what was under way");
    refused.store(0, Ordering::SeqCst);
    site.until_handed_out(2).await;
    some(5).await;
    site.kill_worker(1).await;
    some(5).await;
    assert_eq!(refused.load(Ordering::SeqCst), 0);
    drop(site);
    tasks.iter().for_each(JoinHandle::abort);
}
