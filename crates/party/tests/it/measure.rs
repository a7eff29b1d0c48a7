//! What a gallery of 40,000 costs, for `docs/operations.md`: `cargo test -p party --test it measure -- --ignored --nocapture`.

use std::os::unix::fs::MetadataExt;

use base::party::PartyId;
use mpc::share::share_template;
use mpc::testing::SeededRng;
use wire::bytes::HexArray;
use wire::party::{GalleryChange, GalleryOperation, NewRecord, PartyAnswer, PartyCommand};
use wire::probe::{ProbeContext, Purpose, SealedProbe};
use wire::seal;

use crate::kill::{ask, context, keys, name, open, template};
use crate::world::World;

#[test]
#[ignore = "measures; prints seconds and bytes"]
fn a_gallery_of_forty_thousand() {
    let directory = tempfile::tempdir().expect("a directory");
    let (keys, size, rounds) = (keys(), 5_000_u64, 8_u64);
    let took = |what: &str, work: &mut dyn FnMut()| {
        let started = party::cpu::thread_time();
        work();
        println!("{what}: {:.2} s of processor time", (party::cpu::thread_time() - started).as_secs_f64());
    };
    let make = |round: u64| {
        let rng = &mut SeededRng::new(round);
        let mut plain = vec![];
        for at in 0..size {
            plain.extend_from_slice(&share_template(&template(at), rng).expect("a template")[0].to_bytes());
        }
        let context = ProbeContext { templates: size as u32, ..context(round) };
        let empty = seal::seal(&keys.sealing[1].1, b"", b"", rng).expect("a key");
        let sealed = seal::seal(&keys.sealing[0].1, &context.associated_data(PartyId::P1), &plain, rng).expect("a key");
        let probe = SealedProbe::sign(context, [sealed, empty.clone(), empty], &keys.device);
        let records = (0..size)
            .map(|at| NewRecord {
                record: name(round * size + at),
                partitions: vec![HexArray([(at % 50) as u8; 16])],
                token: HexArray([7; 16]),
            })
            .collect();
        PartyCommand::Apply(Box::new(GalleryChange {
            sequence: round,
            operation: GalleryOperation::Enrol { probe: probe.for_party(PartyId::P1), records },
        }))
    };
    let changes: Vec<_> = (1..=rounds).map(make).collect();
    let service = open(directory.path(), PartyId::P1, &keys);
    took("enrolling 40,000", &mut || {
        for change in &changes {
            if let PartyCommand::Apply(change) = change
                && let GalleryOperation::Enrol { probe, .. } = &change.operation
            {
                service.take_as_checked(probe).expect("recorded");
            }
            assert!(matches!(ask(&service, change.clone()), PartyAnswer::Applied { .. }));
        }
    });
    took("verify", &mut || drop(ask(&service, PartyCommand::Verify)));
    let mut sequence = rounds;
    took("20 deletions of one", &mut || {
        for at in 0..20 {
            sequence += 1;
            let operation = GalleryOperation::Delete { records: vec![name(size + at * 97)] };
            assert!(matches!(
                ask(&service, PartyCommand::Apply(Box::new(GalleryChange { sequence, operation }))),
                PartyAnswer::Applied { .. }
            ));
        }
    });
    for (what, is_prepared) in [("compaction that was prepared", true), ("compaction that was not", false)] {
        let as_of = sequence;
        if is_prepared {
            took("preparing a compaction", &mut || {
                let prepared = ask(&service, PartyCommand::PrepareCompaction { gallery_sequence: as_of });
                assert!(matches!(prepared, PartyAnswer::Prepared { .. }), "{prepared:?}");
            });
        }
        took(what, &mut || {
            sequence += 1;
            assert!(matches!(
                ask(&service, PartyCommand::Apply(Box::new(GalleryChange { sequence, operation: GalleryOperation::Compact { as_of } }))),
                PartyAnswer::Applied { .. }
            ));
        });
        took("erasing what it left", &mut || assert!(service.erase_old()));
    }
    drop(service);
    took("start", &mut || drop(open(directory.path(), PartyId::P1, &keys)));
    let party = directory.path().join("party1");
    std::fs::remove_dir_all(party.join("segments")).expect("removed");
    took("start without segments", &mut || drop(open(directory.path(), PartyId::P1, &keys)));
    took("backup", &mut || {
        party::backup::backup(&party, &directory.path().join("copy")).expect("copied");
    });
    for file in ["party1/party.sqlite", "party1/keys.sqlite", "copy"] {
        println!("{file}: {} bytes", std::fs::metadata(directory.path().join(file)).expect("a file").len());
    }
    for file in std::fs::read_dir(party.join("segments")).expect("lists") {
        println!("segment: {} bytes on disk", 512 * file.expect("a file").metadata().expect("a file").blocks());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; prints seconds"]
async fn checking_and_enrolling_two_thousand_at_three_parties() {
    let mut world = World::new().await;
    for _ in 0..3 {
        let people: Vec<_> = (0..2_000).map(|_| world.person()).collect();
        let mut context = world.context(Purpose::Enrol);
        context.templates = people.len() as u32;
        let probe = world.seal(context, &people.iter().map(|person| &person.template[..]).collect::<Vec<_>>());
        let started = tokio::time::Instant::now();
        let command = world.enrolment(probe, &people).await;
        let checked = started.elapsed();
        world.ask_all(command).await;
        println!("checked by all three in {checked:?}, applied in {:?}", started.elapsed() - checked);
    }
}
