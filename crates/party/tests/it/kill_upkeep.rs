//! Three connected parties in a process that is killed with SIGKILL at every step of a refresh and of a rebuild: afterwards
//! the three galleries are alike, everybody is found, nothing of an epoch that is over is left, and what broke off is gone
//! on with or begun again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::party::PartyId;
use wire::party::{GalleryChange, GalleryOperation, PartyCommand};

use crate::gallery::common_root;
use crate::upkeep::{prepared, rebuilt, until};
use crate::world::{Found, OnStep, Person, World};

/// Set for the child: the directory, the attempt's number, the step's name, the party.
const CHILD: &str = "HANDSEL_UPKEEP_CHILD";
/// Every step of a refresh, from preparing it to the end of the epoch before.
const REFRESH: [&str; 10] = [
    "some keys of a refresh",
    "some slots of a preparation",
    "every slot of a preparation",
    "every row of a refresh",
    "journal of a refresh",
    "segments of another generation",
    "some keys of an old epoch",
    "some rows of an old epoch",
    "every row of an old epoch",
    "segments of an old generation",
];
/// Every step of a rebuild, at the party that is rebuilt.
const REBUILD: [&str; 5] = [
    "some keys of a rebuild",
    "some rows of a rebuild",
    "journal of a rebuild",
    "keys of a gallery made anew",
    "segments of a gallery made anew",
];
const PEOPLE: usize = 10;
/// What the child says before it puts a refresh in force; behind it the change's number, the epoch, the name.
const PREPARED: &str = "prepared ";

async fn people_of(world: &mut World, attempt: usize) -> Vec<Person> {
    let people = (0..PEOPLE).map(|_| world.person()).collect();
    world.rename(attempt as u128);
    world.sequence = world.status(PartyId::P1).await.gallery_sequence;
    people
}

/// What the killed process runs: a refresh, or the rebuild of a party that has lost its disk.
async fn work_until_killed(arguments: &str) {
    let [directory, attempt, last, number] = arguments.split('#').collect::<Vec<_>>()[..] else { panic!("four arguments") };
    let (last, number): (String, u8) = (last.into(), number.parse().expect("a number"));
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = is_armed.clone();
    let victim = PartyId::ALL[usize::from(number) - 1];
    let name = last.clone();
    let on_step: OnStep = Arc::new(move |party, step| {
        if armed.load(Ordering::SeqCst) && party == victim && step == name {
            // SIGKILL, from within: nothing of this process runs after it.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    });
    let mut world = World::in_folder(Path::new(directory), Some(on_step)).await;
    let people = people_of(&mut world, 2 * attempt.parse::<usize>().expect("a number")).await;
    if world.sequence == 0 {
        world.enrol(&people).await;
    }
    if REFRESH.contains(&last.as_str()) {
        is_armed.store(true, Ordering::SeqCst);
        let epoch = world.audit(PartyId::P1, None).await.epoch + 1;
        let name = prepared(&world.prepare(epoch).await);
        println!("{PREPARED}{}", serde_json::to_string(&(world.sequence + 1, epoch, name)).expect("plain data"));
        let command = world.change(move |_| GalleryOperation::Refresh { epoch, name });
        common_root(&world.ask_all(&command).await);
    } else {
        world.stop(victim).await;
        std::fs::remove_dir_all(world.directory(victim)).expect("the disk is lost");
        world.start(victim).await;
        world.until_connected().await;
        is_armed.store(true, Ordering::SeqCst);
        world.rebuild(victim).await;
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    panic!("the step was not passed");
}

/// The refresh that the child was about to put in force, if it came so far.
fn run_to_the_end(directory: &Path, attempt: usize, last: &str, party: PartyId) -> Option<GalleryChange> {
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill_upkeep::a_refresh_or_rebuild_that_was_killed_is_gone_on_with", "--nocapture"])
        .env(CHILD, format!("{}#{attempt}#{last}#{}", directory.display(), party.number()))
        .stderr(Stdio::piped())
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), None, "{last}: killed, not ended: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    let line = said.lines().find_map(|line| line.split_once(PREPARED))?.1;
    let (sequence, epoch, name) = serde_json::from_str(line).expect("what the child wrote");
    Some(GalleryChange { sequence, operation: GalleryOperation::Refresh { epoch, name } })
}

/// Goes on as the platform does, and looks at everything. Gives how many rows a rebuild still had to bring.
async fn check_after(directory: &Path, attempt: usize, change: Option<GalleryChange>, lost: Option<PartyId>) -> u64 {
    let mut world = World::in_folder(directory, None).await;
    let people = people_of(&mut world, 2 * attempt + 1).await;
    let mut brought = 0;
    match (change, lost) {
        (_, Some(lost)) => brought = rebuilt(&world.rebuild(lost).await),
        (Some(change), None) => drop(common_root(&world.ask_all(|_| PartyCommand::Apply(Box::new(change.clone()))).await)),
        // It had not been prepared to the end, or nobody heard of it: it is prepared again.
        (None, None) => {
            let epoch = world.audit(PartyId::P1, None).await.epoch + 1;
            let name = prepared(&world.prepare(epoch).await);
            let command = world.change(move |_| GalleryOperation::Refresh { epoch, name });
            common_root(&world.ask_all(&command).await);
        }
    }
    world.sequence = world.status(PartyId::P1).await.gallery_sequence;
    let [verified, ..] = world.verify().await;
    assert_eq!((verified.records, verified.sequence), (PEOPLE as u64, world.sequence));
    for person in people.iter().step_by(4) {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }
    let epoch = world.audit(PartyId::P1, None).await.epoch;
    for party in PartyId::ALL {
        let is_clean = || {
            let open = |name: &str| rusqlite::Connection::open(world.directory(party).join(name)).expect("a database");
            let count = |file: &str, table: &str| -> (u32, u32, usize) {
                let sql = format!("SELECT min(epoch), max(epoch), count(*) FROM {table}");
                open(file).query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads")
            };
            let files = std::fs::read_dir(world.directory(party).join("segments")).expect("lists").count();
            [count(party::store::FILE_NAME, "row"), count(party::keys::FILE_NAME, "row_key")] == [(epoch, epoch, PEOPLE); 2] && files == 1
        };
        until(&format!("{party} has the rows and keys of epoch {epoch} and no others"), is_clean).await;
    }
    for party in PartyId::ALL {
        world.stop(party).await;
    }
    brought
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_or_rebuild_that_was_killed_is_gone_on_with() {
    if let Ok(arguments) = std::env::var(CHILD) {
        return work_until_killed(&arguments).await;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let steps: Vec<_> = REFRESH.iter().map(|step| (*step, false)).chain(REBUILD.iter().map(|step| (*step, true))).collect();
    for (attempt, (step, is_rebuild)) in steps.iter().enumerate() {
        let party = PartyId::ALL[attempt % 3];
        let change = run_to_the_end(directory.path(), attempt, step, party);
        let brought = check_after(directory.path(), attempt, change, is_rebuild.then_some(party)).await;
        let expected = if *step == "some keys of a rebuild" { PEOPLE as u64 } else { 0 };
        assert_eq!(brought, expected, "{step}: rows that were kept are not asked for again");
    }
    println!("{} kills, nobody lost, three galleries alike", steps.len());
}
