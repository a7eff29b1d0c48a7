//! The gallery as a whole: compaction, refresh, rebuild, and what finds a difference.

use std::path::PathBuf;

use base::id::SessionId;
use base::party::PartyId;
use mpc::share::{Row, reconstruct_rows};
use party::gallery::header::Identity;
use party::gallery::segment::Segment;
use wire::bytes::HexArray;
use wire::party::{GalleryOperation, PartyAnswer, PartyCommand, PartyRefusal};
use wire::upkeep::{Audited, PartitionCount, PrepareRefresh, Rebuild, Verified};

use crate::gallery::common_root;
use crate::traces::{Traces, copy_of};
use crate::world::{DIMENSIONS, Found, Person, World, refusal};

impl World {
    pub async fn delete(&mut self, person: &Person) -> [PartyAnswer; 3] {
        let record = person.record;
        let command = self.change(move |_| GalleryOperation::Delete { records: vec![record] });
        let answers = self.ask_all(command).await;
        common_root(&answers);
        answers
    }

    pub async fn audit(&self, party: PartyId, at: Option<u64>) -> Audited {
        match self.ask(party, PartyCommand::Audit { at }).await {
            PartyAnswer::Audited(audited) => *audited,
            other => panic!("{other:?}"),
        }
    }

    /// What each party finds about itself; all three must hold the same records.
    pub async fn verify(&self) -> [Verified; 3] {
        let verified = self.ask_all(|_| PartyCommand::Verify).await.map(|answer| match answer {
            PartyAnswer::Verified(verified) => *verified,
            other => panic!("{other:?}"),
        });
        assert!(verified.iter().all(Verified::is_good), "{verified:?}");
        let [first, second, third] =
            verified.each_ref().map(|verified| (verified.sequence, verified.root, verified.content, verified.records));
        assert_eq!((first, second), (second, third));
        verified
    }

    pub async fn prepare(&mut self, epoch: u32) -> [PartyAnswer; 3] {
        let prepare = PrepareRefresh { session: SessionId::from_bits(self.name()), gallery_sequence: self.sequence, epoch };
        self.ask_all(move |_| PartyCommand::PrepareRefresh(prepare.clone())).await
    }

    pub async fn rebuild(&mut self, party: PartyId) -> [PartyAnswer; 3] {
        loop {
            let rebuild = Rebuild { session: SessionId::from_bits(self.name()), party };
            let answers = self.ask_all(move |_| PartyCommand::Rebuild(rebuild.clone())).await;
            // A party that has just started may not have found the others.
            let is_early = |answer: &PartyAnswer| matches!(answer, PartyAnswer::Refused { code: PartyRefusal::PeerUnavailable, .. });
            if !answers.iter().any(is_early) {
                return answers;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    pub fn directory(&self, party: PartyId) -> PathBuf {
        self.configs[party.index()].directory.clone()
    }

    pub async fn restart(&mut self, party: PartyId) {
        self.stop(party).await;
        self.start(party).await;
        self.until_connected().await;
    }

    /// Puts a copy of the party's directory back as it was. The party must be stopped.
    fn put_back(&self, party: PartyId, copy: &tempfile::TempDir) {
        let directory = self.directory(party);
        std::fs::remove_dir_all(&directory).expect("removed");
        let again = copy_of(copy.path());
        assert!(std::process::Command::new("cp").arg("-r").args([again.path(), &directory]).status().expect("copies").success());
    }
}

/// Waits until it is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not within ten seconds: {what}");
}

/// Rows that were given, at all three the same number.
#[track_caller]
pub fn rebuilt(answers: &[PartyAnswer; 3]) -> u64 {
    let [first, second, third] = answers.each_ref().map(|answer| match answer {
        PartyAnswer::Rebuilt { sequence, gallery_root, rows } => (*sequence, *gallery_root, *rows),
        other => panic!("{other:?}"),
    });
    assert_eq!((first, second), (second, third));
    first.2
}

/// The common name of what was prepared.
#[track_caller]
pub fn prepared(answers: &[PartyAnswer; 3]) -> HexArray<32> {
    let [first, second, third] = answers.each_ref().map(|answer| match answer {
        PartyAnswer::Prepared { name, rows } => (*name, *rows),
        other => panic!("{other:?}"),
    });
    assert_eq!((first, second), (second, third));
    first.0
}

fn template_of(one: (PartyId, &Traces), other: (PartyId, &Traces)) -> Vec<i16> {
    let row = |traces: &Traces| Row::from_bytes(&traces.row, usize::from(DIMENSIONS)).expect("a row");
    reconstruct_rows((one.0, &row(one.1)), (other.0, &row(other.1))).expect("two rows").to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_closes_the_gaps_and_nobody_is_lost() {
    let mut world = World::new().await;
    let mut people: Vec<_> = (0..40).map(|_| world.person()).collect();
    let label = HexArray([7; 16]);
    people.iter_mut().step_by(3).for_each(|person| person.partitions = vec![label]);
    world.enrol(&people).await;
    for person in people.iter().step_by(2) {
        world.delete(person).await;
    }
    assert_eq!((world.audit(PartyId::P1, None).await.slots, world.status(PartyId::P1).await.records), (40, 20));
    let left = people.iter().skip(1).step_by(2).filter(|person| !person.partitions.is_empty()).count() as u64;
    for verified in world.verify().await {
        assert_eq!(verified.partitions, [PartitionCount { label, records: left }]);
    }
    let as_of = world.sequence;
    let command = world.change(move |_| GalleryOperation::Compact { as_of });
    let first = common_root(&world.ask_all(&command).await);
    assert_eq!(first, common_root(&world.ask_all(&command).await), "again: the same answer");
    assert_eq!(world.audit(PartyId::P2, None).await.slots, 20);
    world.verify().await;
    let late = world.person();
    world.enrol(std::slice::from_ref(&late)).await;
    for restarted in [false, true] {
        if restarted {
            world.restart(PartyId::P2).await;
        }
        for (at, person) in people.iter().enumerate().step_by(7) {
            let expected = if at % 2 == 0 { Found::Nobody } else { Found::Token(person.token) };
            assert_eq!(world.look(&person.template).await, expected, "{at}");
        }
        assert_eq!(world.look(&late.template).await, Found::Token(late.token));
    }
    world.verify().await;
    let files = || std::fs::read_dir(world.directory(PartyId::P1).join("segments")).expect("lists").count();
    until("the old segment is gone", || files() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_gives_other_shares_of_the_same_people() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..5).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let old = PartyId::ALL.map(|party| Traces::of(&world, party, people[0].record));
    let name = prepared(&world.prepare(1).await);
    // The old epoch goes on: somebody comes, somebody goes, a party starts again.
    let late = world.person();
    world.enrol(std::slice::from_ref(&late)).await;
    let prepared_row = |world: &World, party, slot| {
        let identity = Identity { party, dimensions: usize::from(DIMENSIONS), generation: 0, number: 0 };
        let copy = copy_of(&world.directory(party));
        let segment = Segment::open(&copy.path().join("segments/next-00000.segment"), identity).expect("opens").expect("is prepared");
        segment.rows().read(slot).as_slice().to_vec()
    };
    assert!(PartyId::ALL.into_iter().all(|party| prepared_row(&world, party, 4).iter().any(|number| *number != 0)));
    world.delete(&people[4]).await;
    for party in PartyId::ALL {
        assert!(
            prepared_row(&world, party, 4).iter().all(|number| *number == 0),
            "{party}: what was prepared of a deleted record is gone too"
        );
        assert!(prepared_row(&world, party, 3).iter().any(|number| *number != 0), "{party}");
        let journal = rusqlite::Connection::open(world.directory(party).join(party::store::FILE_NAME)).expect("a journal");
        let name = people[4].record.bits().to_le_bytes();
        let rows: u32 = journal.query_row("SELECT count(*) FROM row WHERE record = ?1", [name], |row| row.get(0)).expect("a table");
        assert_eq!(rows, 0, "{party}: of no epoch");
    }
    world.restart(PartyId::P2).await;
    assert_eq!(world.look(&people[0].template).await, Found::Token(people[0].token));
    assert_eq!(world.audit(PartyId::P3, None).await.epoch, 0);

    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    common_root(&world.ask_all(&command).await);
    common_root(&world.ask_all(&command).await);
    world.verify().await;
    for restarted in [false, true] {
        if restarted {
            world.restart(PartyId::P1).await;
        }
        for person in people[..4].iter().chain([&late]) {
            assert_eq!(world.look(&person.template).await, Found::Token(person.token), "{restarted}");
        }
        assert_eq!(world.look(&people[4].template).await, Found::Nobody);
    }
    let new = PartyId::ALL.map(|party| Traces::of(&world, party, people[0].record));
    assert_eq!(template_of((PartyId::P1, &new[0]), (PartyId::P3, &new[2])), people[0].template);
    for (one, other) in [(PartyId::P1, PartyId::P2), (PartyId::P2, PartyId::P3), (PartyId::P3, PartyId::P1)] {
        let mixed = template_of((one, &old[one.index()]), (other, &new[other.index()]));
        let near = mixed.iter().zip(&people[0].template).filter(|(mixed, right)| mixed.abs_diff(**right) < 300).count();
        assert!(near <= 8, "{near} of 128 features are near, about 1 is by chance");
    }
    for party in PartyId::ALL {
        until(&format!("{party}: neither the old row nor its key is left"), || old[party.index()].found(&world, party) == ["token"]).await;
    }
    // And once more, now also for whoever came in between.
    let name = prepared(&world.prepare(2).await);
    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 2, name });
    common_root(&world.ask_all(&command).await);
    assert_eq!(world.look(&late.template).await, Found::Token(late.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_missed_the_preparation_refuses_and_is_rebuilt() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let name = prepared(&world.prepare(1).await);
    // Asked alone, party 3 forgets what it had prepared and cannot prepare anew.
    let alone = PrepareRefresh { session: SessionId::from_bits(world.name()), gallery_sequence: world.sequence, epoch: 1 };
    assert_eq!(refusal(&world.ask(PartyId::P3, PartyCommand::PrepareRefresh(alone)).await), PartyRefusal::PeerUnavailable);
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token), "the old epoch is in force");

    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    let answers = world.ask_all(&command).await;
    assert_eq!(refusal(&answers[2]), PartyRefusal::GalleryOutOfStep);
    assert!(answers[..2].iter().all(|answer| matches!(answer, PartyAnswer::Applied { .. })), "{answers:?}");
    assert_eq!(rebuilt(&world.rebuild(PartyId::P3).await), 3);
    common_root(&world.ask_all(&command).await);
    world.verify().await;
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token));
    let [first, third] = [PartyId::P1, PartyId::P3].map(|party| Traces::of(&world, party, people[1].record));
    assert_eq!(template_of((PartyId::P1, &first), (PartyId::P3, &third)), people[1].template);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_lost_its_disk_gets_its_own_shares_back() {
    let mut world = World::new().await;
    let mut people: Vec<_> = (0..30).map(|_| world.person()).collect();
    let label = HexArray([3; 16]);
    people[7].partitions = vec![label];
    world.enrol(&people[..20]).await;
    world.delete(&people[2]).await;
    world.enrol(&people[20..]).await;
    for lost in PartyId::ALL {
        let before = Traces::of(&world, lost, people[7].record);
        world.stop(lost).await;
        std::fs::remove_dir_all(world.directory(lost)).expect("the disk is lost");
        world.start(lost).await;
        world.until_connected().await;
        assert_eq!(world.status(lost).await.records, 0);
        let received = PartyId::ALL.map(|party| world.received[party.index()].lock().expect("no panic").len());
        assert_eq!(rebuilt(&world.rebuild(lost).await), 29, "{lost}");
        for helper in [lost.next(), lost.previous()] {
            let got = world.received[helper.index()].lock().expect("no panic").len() - received[helper.index()];
            assert!(got < 29 * usize::from(DIMENSIONS), "{helper} received {got} bytes, less than half of the rows");
        }
        assert_eq!(Traces::of(&world, lost, people[7].record).row, before.row, "{lost}: the same row");
        world.verify().await;
        for person in &people {
            let expected = if person.record == people[2].record { Found::Nobody } else { Found::Token(person.token) };
            assert_eq!(world.look(&person.template).await, expected, "{lost}");
        }
        assert_eq!(rebuilt(&world.rebuild(lost).await), 0, "again: nothing is lacking");
    }
    // Only its keys are lost: the rows in the journal open no more, and are asked for again.
    world.stop(PartyId::P2).await;
    std::fs::remove_file(world.directory(PartyId::P2).join(party::keys::FILE_NAME)).expect("there was one");
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(world.audit(PartyId::P2, None).await.void, 29);
    assert_eq!(rebuilt(&world.rebuild(PartyId::P2).await), 29);
    assert_eq!(world.audit(PartyId::P2, None).await.void, 0);
    let late = world.person();
    world.enrol(std::slice::from_ref(&late)).await;
    for person in [&people[7], &people[29], &late] {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }
    world.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yesterdays_backup_does_not_bring_a_deleted_person_back() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..4).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let party = PartyId::P3;
    let backups = tempfile::tempdir().expect("a directory");
    let (backup, everything) = (backups.path().join("journal"), copy_of(&world.directory(party)));
    assert_eq!(party::backup::backup(&world.directory(party), &backup).expect("copied while it runs").sequence, 1);
    let gone = Traces::of(&world, party, people[1].record);
    let first = world.delete(&people[1]).await;
    assert!(gone.found(&world, party).is_empty());

    for (what, with_keys) in [("the journal beside today's keys", false), ("journal, keys and segments", true)] {
        world.stop(party).await;
        match with_keys {
            true => world.put_back(party, &everything),
            false => {
                let restored = party::backup::restore(&world.directory(party), &backup).expect("put back");
                assert_eq!(restored.sequence, 1);
            }
        }
        world.start(party).await;
        world.until_connected().await;
        assert_eq!(world.status(party).await.gallery_sequence, 1, "{what}: it is behind");
        if !with_keys {
            let left = gone.found(&world, party);
            assert!(!left.contains(&"row") && !left.contains(&"key"), "{what}: the sealed row cannot be opened, {left:?}");
        }
        let context = world.context(wire::probe::Purpose::Pay);
        let probe = world.seal(context, &[&people[1].template]);
        let command = world.identification(&probe);
        assert_eq!(refusal(&world.ask_all(command).await[2]), PartyRefusal::GalleryOutOfStep, "{what}: it does not serve");

        rebuilt(&world.rebuild(party).await);
        assert!(gone.found(&world, party).is_empty(), "{what}: it deleted again");
        assert_eq!(world.look(&people[1].template).await, Found::Nobody, "{what}");
        assert_eq!(world.look(&people[2].template).await, Found::Token(people[2].token), "{what}");
        world.verify().await;
        // It signs the deletion again, since it has just carried it out.
        let command = world.change(|_| GalleryOperation::Delete { records: vec![] });
        world.sequence -= 1;
        let PartyCommand::Apply(mut change) = command(party) else { unreachable!() };
        (change.sequence, change.operation) = (2, GalleryOperation::Delete { records: vec![people[1].record] });
        let PartyAnswer::Applied { deletions, .. } = world.ask(party, PartyCommand::Apply(change)).await else { panic!("{what}") };
        let PartyAnswer::Applied { deletions: before, .. } = &first[2] else { unreachable!() };
        assert_eq!((deletions.len(), deletions[0].record), (1, people[1].record), "{what}");
        assert!(deletions[0].destroyed_at >= before[0].destroyed_at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_none_is_refused_and_changes_nothing() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    let directory = world.directory(PartyId::P1);
    let backups = tempfile::tempdir().expect("a directory");
    let [good, other, damaged] = ["good", "other", "damaged"].map(|name| backups.path().join(name));
    party::backup::backup(&directory, &good).expect("copied");
    assert!(party::backup::backup(&directory, &good).expect_err("it is there").to_string().contains("exists"));
    assert!(party::backup::restore(&directory, &good).expect_err("the party runs").to_string().contains("another process"));
    world.stop(PartyId::P1).await;
    std::fs::write(&other, "no database").expect("writes");
    let mut bytes = std::fs::read(&good).expect("reads");
    bytes[5000..9000].fill(0x5a);
    std::fs::write(&damaged, bytes).expect("writes");
    let keys = directory.join(party::keys::FILE_NAME);
    for (what, from) in
        [("no database", &other), ("damaged", &damaged), ("another database", &keys), ("nothing", &backups.path().join("none"))]
    {
        let error = party::backup::restore(&directory, from).expect_err(what).to_string();
        assert!(error.contains("cannot be used") || error.contains("schema"), "{what}: {error}");
    }
    world.start(PartyId::P1).await;
    world.until_connected().await;
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_in_a_segment_or_a_log_is_found() {
    use std::os::unix::fs::FileExt;
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    world.enrol(&people).await;
    world.delete(&people[0]).await;
    let change = world.audit(PartyId::P1, Some(2)).await.change.expect("it was applied");
    assert_eq!((change.kind.as_str(), change.records, change.first_record), ("delete", 1, Some(people[0].record)));
    assert_eq!(world.audit(PartyId::P1, Some(3)).await.change, None);
    let segment = world.directory(PartyId::P2).join("segments/0-00000.segment");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).expect("opens");
    // Slot 1's first pair of features, behind header and tokens.
    let at = 4096 + 65_536 * 16 + 4;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("reads");
    file.write_all_at(&[byte[0] ^ 1], at).expect("writes");
    let PartyAnswer::Verified(verified) = world.ask(PartyId::P2, PartyCommand::Verify).await else { panic!("an answer") };
    assert!(!verified.is_good());
    assert_eq!((verified.slots_wrong, verified.first_slot_wrong, verified.groups_damaged), (1, Some(1), 1));
    world.restart(PartyId::P2).await;
    world.verify().await;
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token));

    // Party 3 is handed another change than the others.
    let (record, other) = (people[1].record, people[2].record);
    let command = world.change(move |party| GalleryOperation::Delete { records: vec![if party == PartyId::P3 { other } else { record }] });
    world.ask_all(command).await;
    let audits =
        [world.audit(PartyId::P1, Some(3)).await, world.audit(PartyId::P2, Some(3)).await, world.audit(PartyId::P3, Some(3)).await];
    let roots = audits.each_ref().map(|audit| audit.change.as_ref().expect("applied").root);
    assert!(roots[0] == roots[1] && roots[1] != roots[2]);
    assert_eq!(audits[2].change.as_ref().and_then(|change| change.first_record), Some(other));
    // The two that agree outvote it: it takes their gallery over, with the row that it had destroyed.
    assert_eq!(rebuilt(&world.rebuild(PartyId::P3).await), 1);
    world.verify().await;
    assert_eq!(world.look(&people[2].template).await, Found::Token(people[2].token));
    assert_eq!(world.look(&people[1].template).await, Found::Nobody);
}
