//! A process that holds three parties' galleries and is killed with SIGKILL, at random moments and at every step of every
//! kind of change: whatever was acknowledged is there, the three logs lead to the same root, and every segment is what its
//! journal says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use base::id::RecordId;
use base::party::PartyId;
use base::secret::Secret;
use base::time::{SystemClock, Timestamp};
use ed25519_dalek::SigningKey;
use mpc::share::{Row, reconstruct_rows, share_template};
use mpc::testing::{SeededRng, random_template};
use party::config::PartyConfig;
use party::gallery::snapshot::Snapshot;
use party::service::Service;
use wire::bytes::{HexArray, HexBytes};
use wire::party::{GalleryChange, GalleryOperation, NewRecord, PartyAnswer, PartyCommand, PartyRequest, Relabelled};
use wire::probe::{PartitionLabel, ProbeContext, Purpose, SealedProbe};
use wire::seal;
use wire::upkeep::{Audited, Verified};

use crate::world::{DIMENSIONS, TERMINAL, config_of};

/// Set for the child: the directory, a step's name (none for a random end), and how often it is passed before the end.
const CHILD: &str = "HANDSEL_PARTY_CHILD";
/// Kills at random moments.
const ROUNDS: u64 = 20;
/// Every step of an enrolment, a deletion, a relabelling and a compaction, prepared and not: each is the last once at each party.
const STEPS: [&str; 19] = [
    "keys of an enrolment",
    "journal of an enrolment",
    "segment of an enrolment",
    "journal of a deletion",
    "segment of a deletion",
    "prepared segment of a deletion",
    "keys of a deletion",
    "everything of a deletion but the signature",
    "signature of a deletion",
    "journal of a relabelling",
    "everything of a relabelling",
    "some slots of a preparation",
    "every slot of a preparation",
    "journal of a compaction",
    "keys of a gallery made anew",
    "segments of a gallery made anew",
    "segments of another generation",
    "every row of an old epoch",
    "segments of an old generation",
];

/// The parties' keys, the same in every process.
pub struct Keys {
    pub device: SigningKey,
    pub sealing: [(Secret<[u8; 32]>, HexBytes); 3],
}

pub fn keys() -> Keys {
    let mut rng = SeededRng::new(77);
    let sealing = PartyId::ALL.map(|_| seal::generate_key_pair(&mut rng)).map(|(secret, public)| (Secret::new(*secret), public));
    Keys { device: SigningKey::from_bytes(&[5; 32]), sealing }
}

pub fn open(directory: &Path, party: PartyId, keys: &Keys) -> Service {
    let config = PartyConfig {
        directory: directory.join(format!("party{}", party.number())),
        sealing_key: keys.sealing[party.index()].0.clone(),
        terminals: [(TERMINAL, keys.device.verifying_key())].into(),
        ..config_of(party, party::identity::generate("party").expect("a name"))
    };
    Service::new(config, Arc::new(SystemClock)).expect("starts")
}

pub fn ask(service: &Service, command: PartyCommand) -> PartyAnswer {
    service.handle(PartyRequest { id: 1, command }).answer
}

pub fn name(sequence: u64) -> RecordId {
    RecordId::from_bits(u128::from(sequence))
}

pub fn template(sequence: u64) -> Vec<i16> {
    random_template(usize::from(DIMENSIONS), &mut SeededRng::new(sequence))
}

/// The change as of which the compaction `sequence` is prepared, three before it: people come and go in between.
fn prepared_at(sequence: u64) -> u64 {
    sequence - 4
}

/// What change `sequence` does to whom: every fourth deletes, every seventh relabels the two before, every eleventh numbers anew, the
/// others enrol one person.
enum Step {
    Enrol,
    Delete(u64),
    Relabel([u64; 2]),
    Compact,
}

fn step(sequence: u64) -> Step {
    match sequence {
        _ if sequence.is_multiple_of(11) => Step::Compact,
        _ if sequence.is_multiple_of(4) => Step::Delete(sequence - 3),
        _ if sequence.is_multiple_of(7) => Step::Relabel([sequence - 1, sequence - 2]),
        _ => Step::Enrol,
    }
}

/// The named parts that an enrolment or a relabelling puts somebody in.
fn parts(sequence: u64) -> Vec<PartitionLabel> {
    vec![HexArray([(sequence % 3) as u8; 16]), HexArray([(sequence % 5) as u8; 16])]
}

/// The change `sequence` for each party: the same whenever it is made.
fn change(sequence: u64, keys: &Keys) -> [GalleryChange; 3] {
    let operation: [GalleryOperation; 3] = match step(sequence) {
        Step::Compact => PartyId::ALL.map(|_| GalleryOperation::Compact { as_of: prepared_at(sequence) }),
        Step::Delete(whom) => PartyId::ALL.map(|_| GalleryOperation::Delete { records: vec![name(whom)] }),
        Step::Relabel(whom) => {
            let records = whom.map(|whom| Relabelled { record: name(whom), partitions: parts(sequence) });
            PartyId::ALL.map(|_| GalleryOperation::Relabel { records: records.to_vec() })
        }
        Step::Enrol => {
            let rng = &mut SeededRng::new(1_000_000 + sequence);
            let shares = share_template(&template(sequence), rng).expect("a template");
            let context = context(sequence);
            let sealed = PartyId::ALL.map(|party| {
                let bytes = shares[party.index()].to_bytes();
                seal::seal(&keys.sealing[party.index()].1, &context.associated_data(party), &bytes, rng).expect("a key")
            });
            let probe = SealedProbe::sign(context, sealed, &keys.device);
            let record =
                NewRecord { record: name(sequence), partitions: parts(sequence), token: HexArray([(sequence % 255) as u8 + 1; 16]) };
            PartyId::ALL.map(|party| GalleryOperation::Enrol { probe: probe.for_party(party), records: vec![record.clone()] })
        }
    };
    operation.map(|operation| GalleryChange { sequence, operation })
}

pub fn context(sequence: u64) -> ProbeContext {
    let mut nonce = [0; 32];
    nonce[..8].copy_from_slice(&sequence.to_le_bytes());
    ProbeContext {
        purpose: Purpose::Enrol,
        reference: "enr_00000000000000000000000001".into(),
        payee: String::new(),
        amount_minor: 0,
        currency: "CNY".into(),
        nonce: HexArray(nonce),
        issued_at: Timestamp::from_millis(1_000),
        expires_at: Timestamp::from_millis(61_000),
        terminal: TERMINAL,
        counter: sequence,
        partition: None,
        templates: 1,
        dimensions: DIMENSIONS,
    }
}

/// Sends every change from the furthest behind on, as the platform does; gives the number of the last that all three have.
fn catch_up(services: &[Service; 3], keys: &Keys, until: impl Fn(u64) -> bool, mut acknowledged: impl FnMut(u64)) {
    let audit = |service: &Service| match ask(service, PartyCommand::Audit { at: None }) {
        PartyAnswer::Audited(audited) => *audited,
        other => panic!("{other:?}"),
    };
    let first = services.iter().map(|service| audit(service).sequence).min().expect("three") + 1;
    for sequence in (first..).take_while(|sequence| until(*sequence)) {
        let roots = PartyId::ALL.map(|party| {
            let [one, two, three] = change(sequence, keys);
            let change = [one, two, three].into_iter().nth(party.index()).expect("three");
            if let GalleryOperation::Enrol { probe, .. } = &change.operation {
                services[party.index()].take_as_checked(probe).expect("recorded");
            }
            match ask(&services[party.index()], PartyCommand::Apply(Box::new(change))) {
                PartyAnswer::Applied { gallery_root, deletions, .. } => {
                    assert_eq!(deletions.len(), usize::from(matches!(step(sequence), Step::Delete(_))), "{party}, {sequence}");
                    gallery_root
                }
                other => panic!("{party}, {sequence}: {other:?}"),
            }
        });
        assert!(roots[0] == roots[1] && roots[1] == roots[2], "{sequence}");
        acknowledged(sequence);
        // Every second compaction is prepared; after a restart none is, and it is made from the journal.
        let to_come = sequence + 4;
        for service in services.iter().filter(|_| matches!(step(to_come), Step::Compact) && to_come.is_multiple_of(2)) {
            let prepared = ask(service, PartyCommand::PrepareCompaction { gallery_sequence: sequence });
            assert!(matches!(prepared, PartyAnswer::Prepared { .. }), "{prepared:?}");
        }
        if matches!(step(sequence), Step::Compact) {
            assert!(services.iter().all(Service::erase_old));
        }
    }
}

/// What the killed process runs.
fn change_until_killed(arguments: &str) {
    let [directory, last, passed] = arguments.split('#').collect::<Vec<_>>()[..] else { panic!("directory, step and count") };
    let (keys, last, passed): (_, _, u64) = (keys(), last.to_owned(), passed.parse().expect("a number"));
    let steps = Arc::new(AtomicU64::new(0));
    let services = PartyId::ALL.map(|party| {
        let (steps, last) = (steps.clone(), last.clone());
        open(Path::new(directory), party, &keys).at_each_step(move |step| {
            if step == last && steps.fetch_add(1, Ordering::SeqCst) == passed {
                // SIGKILL, from within: nothing of this process runs after it.
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            }
        })
    });
    catch_up(
        &services,
        &keys,
        |_| true,
        |sequence| {
            // One write, so that the kill leaves the whole line or nothing of it.
            std::io::stderr().write_all(format!("acknowledged {sequence}\n").as_bytes()).expect("the parent reads");
        },
    );
}

fn spawn(directory: &Path, (last, passed): (&str, usize)) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::a_killed_party_loses_nothing_and_stays_in_step", "--nocapture"])
        .env(CHILD, format!("{}#{last}#{passed}", directory.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// The last change that the child acknowledged before its end.
fn run_to_the_end(directory: &Path, last: Option<(&str, usize)>, patience: Duration) -> Option<u64> {
    let mut child = spawn(directory, last.unwrap_or_default());
    let lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let mut seen = Vec::new();
    if last.is_none() {
        seen.extend(receiver.recv_timeout(Duration::from_secs(60)));
        std::thread::sleep(patience);
        child.kill().expect("is running");
    }
    assert!(!child.wait().expect("ends").success(), "it was killed");
    reader.join().expect("reads to the end");
    seen.extend(receiver.try_iter());
    assert!(seen.iter().all(|line| line.starts_with("acknowledged ")), "the child failed: {}", seen.join("\n"));
    seen.last().map(|line| line["acknowledged ".len()..].parse().expect("a number"))
}

/// Opens the three galleries again and looks at every person; gives how far the log is now.
fn check_after(directory: &Path, acknowledged: u64) -> u64 {
    let keys = keys();
    let services = PartyId::ALL.map(|party| open(directory, party, &keys));
    let audits: Vec<Audited> = services
        .iter()
        .map(|service| match ask(service, PartyCommand::Audit { at: Some(acknowledged) }) {
            PartyAnswer::Audited(audited) => *audited,
            other => panic!("{other:?}"),
        })
        .collect();
    for audited in &audits {
        assert!(audited.sequence >= acknowledged, "{}: change {acknowledged} was acknowledged and is lost", audited.party);
        assert_eq!(audited.void, 0);
    }
    let furthest = audits.iter().map(|audited| audited.sequence).max().expect("three");
    // Before anything else is sent: what a start made of it is what the journal says.
    let verify = || {
        services.each_ref().map(|service| match ask(service, PartyCommand::Verify) {
            PartyAnswer::Verified(verified) => *verified,
            other => panic!("{other:?}"),
        })
    };
    assert!(verify().iter().all(Verified::is_good));
    catch_up(&services, &keys, |sequence| sequence <= furthest, |_| {});
    let verified = verify();
    assert!(verified.iter().all(Verified::is_good));
    let [first, second, third] = verified.each_ref().map(|verified| (verified.sequence, verified.root, verified.content));
    assert!(first == second && second == third && first.0 == furthest);
    check_people(directory, services, furthest);
    furthest
}

/// Whoever is enrolled has the right rows at all three and stands in the right parts, whoever is deleted has none.
fn check_people(directory: &Path, services: [Service; 3], furthest: u64) {
    drop(services);
    let keys = keys();
    let galleries = PartyId::ALL.map(|party| open(directory, party, &keys).snapshot());
    let people: Vec<u64> = (1..=furthest)
        .filter(|sequence| matches!(step(*sequence), Step::Enrol))
        .filter(|person| !(1..=furthest).any(|sequence| matches!(step(sequence), Step::Delete(whom) if whom == *person)))
        .collect();
    let mut standing = BTreeMap::new();
    for person in &people {
        let named = |sequence: &u64| *sequence == *person || matches!(step(*sequence), Step::Relabel(whom) if whom.contains(person));
        let last = (1..=furthest).rev().find(named).expect("their enrolment at least");
        let labels: BTreeSet<[u8; 16]> = parts(last).into_iter().map(|label| label.0).collect();
        labels.into_iter().for_each(|label| *standing.entry(label).or_default() += 1);
    }
    let rows = |party: PartyId| {
        let gallery = &galleries[party.index()];
        let live: Vec<(Row, [u8; 16])> = gallery
            .chunks(None)
            .expect("nobody is void")
            .iter()
            .flat_map(|chunk| (0..chunk.slots).map(move |slot| (chunk.rows.read(slot), chunk.tokens[slot])).collect::<Vec<_>>())
            .filter(|(_, token)| *token != [0; 16])
            .collect();
        assert_eq!((live.len(), gallery.records()), (people.len(), people.len() as u64), "{party}");
        let counted: BTreeMap<[u8; 16], u64> = gallery.partition_counts().iter().map(|count| (count.label.0, count.records)).collect();
        assert_eq!(counted, standing, "{party}");
        live
    };
    let [first, second, third] = PartyId::ALL.map(rows);
    for (at, person) in people.iter().enumerate() {
        assert_eq!(first[at].1, [(person % 255) as u8 + 1; 16]);
        for (one, other) in
            [((PartyId::P1, &first[at].0), (PartyId::P2, &second[at].0)), ((PartyId::P2, &second[at].0), (PartyId::P3, &third[at].0))]
        {
            assert_eq!(*reconstruct_rows(one, other).expect("rows"), template(*person), "person {person}");
        }
    }
}

#[test]
fn a_change_waits_until_no_run_holds_the_gallery() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = keys();
    let services = PartyId::ALL.map(|party| open(directory.path(), party, &keys));
    catch_up(&services, &keys, |sequence| sequence <= 3, |_| {});
    let held = services[0].snapshot();
    let rows = |held: &Snapshot| (0..3).map(|slot| held.row(slot).as_slice().to_vec()).collect::<Vec<_>>();
    let before = rows(&held);
    std::thread::scope(|scope| {
        let [deletion, _, _] = change(4, &keys);
        let service = &services[0];
        let deleting = scope.spawn(move || ask(service, PartyCommand::Apply(Box::new(deletion))));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!deleting.is_finished(), "the deletion is answered only when nobody can find the record any more");
        assert_eq!((held.sequence(), rows(&held)), (3, before), "what a run holds does not change");
        drop(held);
        let answer = deleting.join().expect("answers");
        assert!(matches!(answer, PartyAnswer::Applied { sequence: 4, .. }), "{answer:?}");
    });
    assert!(services[0].snapshot().row(0).as_slice().iter().all(|number| *number == 0));
}

#[test]
fn a_compaction_leaves_runs_the_gallery_that_they_hold_and_waits_for_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = keys();
    let services = PartyId::ALL.map(|party| open(directory.path(), party, &keys));
    // Change 18 is where the compaction 22 is prepared; 20 deletes, 19 enrols and 21 relabels in between.
    catch_up(&services, &keys, |sequence| sequence <= 21, |_| {});
    let service = &services[1];
    let held = service.snapshot();
    let rows = |held: &Snapshot| (0..held.slots() as u32).map(|slot| held.row(slot).as_slice().to_vec()).collect::<Vec<_>>();
    let (before, slots) = (rows(&held), held.slots());
    let [_, compaction, _] = change(22, &keys);
    let answer = ask(service, PartyCommand::Apply(Box::new(compaction)));
    assert!(matches!(answer, PartyAnswer::Applied { sequence: 22, .. }), "{answer:?}");
    let now = service.snapshot();
    // Of 21 changes one compacted; change 4 and 8 deleted before that, of which its preparation saw the first only.
    assert_eq!((held.sequence(), now.sequence(), slots - now.slots()), (21, 22, 3), "the gap of the last deletion is open still");
    drop(now);
    std::thread::scope(|scope| {
        let erasing = scope.spawn(|| service.erase_old());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!erasing.is_finished() && rows(&held) == before, "nothing of what a run holds is destroyed");
        drop(held);
        assert!(erasing.join().expect("it ends"));
    });
    let files = std::fs::read_dir(directory.path().join("party2/segments")).expect("lists");
    assert_eq!(files.map(|file| file.expect("a file").file_name()).collect::<Vec<_>>(), ["22-00000.segment"]);
}

#[test]
fn a_killed_party_loses_nothing_and_stays_in_step() {
    if let Ok(arguments) = std::env::var(CHILD) {
        return change_until_killed(&arguments);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (mut reached, mut random) = (0, SeededRng::new(4_242));
    let at_steps = STEPS.into_iter().flat_map(|step| (0..3).map(move |passed| Some((step, passed))));
    let ends: Vec<_> = (0..ROUNDS).map(|_| None).chain(at_steps).collect();
    for last in &ends {
        let acknowledged = run_to_the_end(directory.path(), *last, Duration::from_micros(random.below(150_000)));
        reached = check_after(directory.path(), acknowledged.unwrap_or(reached).max(reached));
    }
    println!("{} kills, {reached} changes, none lost, three galleries alike", ends.len());
}
