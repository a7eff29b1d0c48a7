//! Relabelling: who stands in which part changes at all three or at none, whatever else goes on, and stays so.

use base::party::PartyId;
use wire::bytes::HexArray;
use wire::party::{GalleryOperation, PartyAnswer, PartyRefusal, Relabelled};
use wire::probe::{PartitionLabel, Purpose};

use crate::gallery::common_root;
use crate::upkeep::{prepared, rebuilt};
use crate::world::{Found, Person, World, refusal, resolution};

fn label(number: u8) -> PartitionLabel {
    HexArray([number; 16])
}

impl World {
    /// Puts each of these into these parts and no others.
    async fn relabel(&mut self, people: &[(&Person, &[u8])]) -> [PartyAnswer; 3] {
        let relabelled = |(person, labels): &(&Person, &[u8])| Relabelled {
            record: person.record,
            partitions: labels.iter().map(|number| label(*number)).collect(),
        };
        let records: Vec<Relabelled> = people.iter().map(relabelled).collect();
        let command = self.change(move |_| GalleryOperation::Relabel { records: records.clone() });
        let answers = self.ask_all(&command).await;
        common_root(&answers);
        assert_eq!(common_root(&self.ask_all(&command).await), common_root(&answers), "again: the same answer");
        answers
    }

    async fn look_in(&mut self, person: &Person, part: u8) -> Found {
        let mut context = self.context(Purpose::Pay);
        context.partition = Some(label(part));
        let probe = self.seal(context, &[&person.template]);
        let command = self.identification(&probe);
        resolution(self.ask_all(command).await)
    }

    /// The parts and their counts, which are the same at all three and the journal's.
    async fn parts(&self) -> Vec<(u8, u64)> {
        let verified = self.verify().await;
        let [first, second, third] = verified.map(|verified| verified.partitions);
        assert!(first == second && second == third);
        first.iter().map(|count| (count.label.0[0], count.records)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_found_in_the_parts_it_stands_in_now_and_in_no_other() {
    let mut world = World::new().await;
    let (mut one, mut other) = (world.person(), world.person());
    (one.partitions, other.partitions) = (vec![label(1), label(2)], vec![label(1)]);
    world.enrol(&[one.clone(), other.clone()]).await;
    assert_eq!(world.look_in(&one, 7).await, Found::Nobody);

    let (unknown, before) = (world.person(), world.audit(PartyId::P1, None).await);
    world.relabel(&[(&one, &[2, 7, 7]), (&unknown, &[8])]).await;
    for (part, expected) in [(1, Found::Nobody), (2, Found::Token(one.token)), (7, Found::Token(one.token)), (8, Found::Nobody)] {
        assert_eq!(world.look_in(&one, part).await, expected, "part {part}");
    }
    assert_eq!(world.look_in(&other, 1).await, Found::Token(other.token));
    assert_eq!(world.look(&one.template).await, Found::Token(one.token), "the whole gallery holds everybody");
    assert_eq!(world.parts().await, [(1, 1), (2, 1), (7, 1)]);
    let audited = world.audit(PartyId::P2, Some(2)).await;
    let change = audited.change.expect("applied");
    assert_eq!((change.kind.as_str(), change.records, change.first_record), ("relabel", 2, Some(one.record)));
    assert_eq!((audited.slots, audited.records), (before.slots, before.records), "no row moved");

    world.relabel(&[(&one, &[])]).await;
    assert_eq!((world.look_in(&one, 7).await, world.parts().await), (Found::Nobody, vec![(1, 1)]));
    // Other labels for one record are another change: the parties' roots would differ, and nobody would be searched.
    let (record, rival) = (one.record, label(9));
    let command = world.change(move |party| GalleryOperation::Relabel {
        records: vec![Relabelled { record, partitions: if party == PartyId::P3 { vec![rival] } else { vec![] } }],
    });
    world.ask_all(command).await;
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&one.template]);
    let command = world.identification(&probe);
    assert!(world.ask_all(command).await.iter().all(|answer| refusal(answer) == PartyRefusal::GalleryOutOfStep));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_outlast_restarts_refresh_compaction_rebuild_and_an_older_copy() {
    let mut world = World::new().await;
    let mut people: Vec<_> = (0..12).map(|_| world.person()).collect();
    people.iter_mut().for_each(|person| person.partitions = vec![label(1)]);
    world.enrol(&people).await;
    let backups = tempfile::tempdir().expect("a directory");
    let backup = backups.path().join("journal");
    party::backup::backup(&world.directory(PartyId::P3), &backup).expect("copied while it runs");

    // Set while a refresh, and then a compaction, is prepared and not yet in force.
    let name = prepared(&world.prepare(1).await);
    world.relabel(&[(&people[5], &[1, 5]), (&people[6], &[6])]).await;
    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    common_root(&world.ask_all(command).await);
    world.delete(&people[0]).await;
    let as_of = world.sequence;
    let compaction = wire::party::PartyCommand::PrepareCompaction { gallery_sequence: as_of };
    prepared(&world.ask_all(|_| compaction.clone()).await);
    world.relabel(&[(&people[7], &[7]), (&people[1], &[5])]).await;
    let command = world.change(move |_| GalleryOperation::Compact { as_of });
    common_root(&world.ask_all(command).await);
    let parts = vec![(1, 8), (5, 2), (6, 1), (7, 1)];
    assert_eq!(world.parts().await, parts);

    world.restart(PartyId::P1).await;
    assert_eq!(world.parts().await, parts, "after a restart");
    world.stop(PartyId::P2).await;
    std::fs::remove_dir_all(world.directory(PartyId::P2)).expect("the disk is lost");
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(rebuilt(&world.rebuild(PartyId::P2).await), 11);
    assert_eq!(world.parts().await, parts, "after a rebuild");
    // A copy from before: what was taken back since does not come back with it.
    world.stop(PartyId::P3).await;
    assert_eq!(party::backup::restore(&world.directory(PartyId::P3), &backup).expect("put back").sequence, 1);
    world.start(PartyId::P3).await;
    world.until_connected().await;
    rebuilt(&world.rebuild(PartyId::P3).await);
    assert_eq!(world.parts().await, parts, "after an older copy was put back");
    assert_eq!(world.look_in(&people[6], 6).await, Found::Token(people[6].token));
    assert_eq!(world.look_in(&people[6], 1).await, Found::Nobody);

    world.delete(&people[7]).await;
    assert_eq!(world.parts().await, [(1, 8), (5, 2), (6, 1)], "a deleted record's labels go with it");
    world.relabel(&[(&people[7], &[7])]).await;
    assert_eq!(world.parts().await, [(1, 8), (5, 2), (6, 1)], "and do not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_record_stood_in_is_in_no_file_any_more() {
    let mut world = World::new().await;
    let mut person = world.person();
    let habit = HexArray(*b"the-corner-shop!");
    person.partitions = vec![habit];
    world.enrol(std::slice::from_ref(&person)).await;
    let holds = |world: &World| {
        let files = std::fs::read_dir(world.directory(PartyId::P1)).expect("lists");
        let files = files.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
        files.filter(|path| std::fs::read(path).expect("reads").windows(16).any(|bytes| bytes == habit.0)).count()
    };
    assert!(holds(&world) > 0, "the label can be found while the record stands in it");
    world.relabel(&[(&person, &[2])]).await;
    assert_eq!(holds(&world), 0);
}

/// What a journal of version 4 had where version 5 has something else.
const VERSION_4: &str = "
DROP VIEW live; DROP INDEX change_of_all; ALTER TABLE change RENAME TO change_5;
CREATE TABLE change (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('enrol', 'delete', 'compact', 'refresh')), records INTEGER NOT NULL,
    first_record BLOB, digest BLOB NOT NULL, root BLOB NOT NULL, slots INTEGER NOT NULL, epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL, as_of INTEGER, is_void INTEGER NOT NULL, applied_at INTEGER NOT NULL
) STRICT;
INSERT INTO change SELECT * FROM change_5; DROP TABLE change_5;
CREATE INDEX change_of_all ON change (kind, sequence) WHERE as_of IS NOT NULL;
CREATE VIEW live (record, ordinal, sequence, epoch, token) AS SELECT record, ordinal, sequence, epoch, token FROM record;
PRAGMA user_version = 4;";

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_the_version_before_is_read_and_goes_on() {
    let mut world = World::new().await;
    let mut people: Vec<_> = (0..3).map(|_| world.person()).collect();
    people[1].partitions = vec![label(1)];
    world.enrol(&people).await;
    world.delete(&people[2]).await;
    for party in PartyId::ALL {
        world.stop(party).await;
        let journal = rusqlite::Connection::open(world.directory(party).join(party::store::FILE_NAME)).expect("a journal");
        journal.execute_batch(VERSION_4).expect("as it was");
        drop(journal);
        let backups = tempfile::tempdir().expect("a directory");
        let copy = backups.path().join("journal");
        assert_eq!(party::backup::backup(&world.directory(party), &copy).expect("an old journal is copied").sequence, 2);
        assert_eq!(party::backup::restore(&world.directory(party), &copy).expect("and put back").sequence, 2);
    }
    for party in PartyId::ALL {
        world.start(party).await;
    }
    world.until_connected().await;
    assert_eq!(world.parts().await, [(1, 1)]);
    world.relabel(&[(&people[0], &[1, 4])]).await;
    world.restart(PartyId::P2).await;
    assert_eq!(world.parts().await, [(1, 2), (4, 1)]);
    assert_eq!(world.look_in(&people[0], 4).await, Found::Token(people[0].token));
    let name = prepared(&world.prepare(1).await);
    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    common_root(&world.ask_all(command).await);
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token), "rows of the new epoch are found by the view");
}
