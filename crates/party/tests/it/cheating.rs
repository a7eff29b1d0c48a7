//! Tills and parties that do not follow the rules: what they do is noticed before anything comes of it, costs them, and
//! harms nobody's next look. And what a run sends says nothing about whether somebody is enrolled.

use std::os::unix::fs::FileExt;

use base::id::SessionId;
use base::party::PartyId;
use mpc::share::share_template;
use party::budget::{Budget, INVALID_PROBE_WEIGHT};
use rand_core::Rng;
use wire::party::{PartyAnswer, PartyCommand, PartyRefusal, Seal, Traffic};
use wire::probe::{ProbeContext, Purpose};

use crate::world::{DIMENSIONS, Found, World, refusal, resolution};

/// Where a segment's first row begins: behind a page and 65,536 tokens.
const ROWS_AT: u64 = 4096 + 16 * 65_536;

/// The three parties' shares of a template, as bytes.
fn shares(world: &mut World, template: &[i16]) -> [Vec<u8>; 3] {
    share_template(template, &mut world.rng).expect("a template").map(|share| share.to_bytes().to_vec())
}

/// Shares that no template has: each row says what is wrong.
fn wild(world: &mut World) -> Vec<(&'static str, [Vec<u8>; 3])> {
    let template = world.person().template;
    let random = [(); 3].map(|()| {
        let mut bytes = vec![0; 4 * usize::from(DIMENSIONS)];
        world.rng.fill_bytes(&mut bytes);
        bytes
    });
    // Twice a template: all three points are doubled, so they are on lines, and the norm is fourfold.
    let doubled = shares(world, &template).map(|bytes| {
        bytes.as_chunks().0.iter().flat_map(|number| u32::from_le_bytes(*number).wrapping_mul(2).to_le_bytes()).collect::<Vec<u8>>()
    });
    let mut bent = shares(world, &template);
    bent[1][0] ^= 1;
    let short = shares(world, &template.iter().map(|feature| feature / 2).collect::<Vec<_>>());
    vec![("random ring elements", random), ("twice as long", doubled), ("bent shares", bent), ("half as long", short)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_no_template_is_found_out_and_costs_many_looks() {
    let budget = Budget { per_minute: 4 * INVALID_PROBE_WEIGHT + 4, per_day: 10_000 };
    let mut world = World::with_budget(budget).await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    for (what, plaintexts) in wild(&mut world) {
        let context = world.context(Purpose::Pay);
        let probe = world.seal_bytes(context, &plaintexts);
        let command = world.identification(&probe);
        assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [PartyRefusal::ProbeInvalid; 3], "{what}");
    }
    // Four wild probes took all but four looks; the count survives a restart.
    for _ in 0..3 {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token), "the parties work on");
    }
    for party in PartyId::ALL {
        world.stop(party).await;
        world.start(party).await;
    }
    world.until_connected().await;
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&person.template]);
    let command = world.identification(&probe);
    assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [PartyRefusal::BudgetExhausted; 3]);
    world.move_clock(61_000);
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_of_no_template_matches_nobody() {
    let mut world = World::new().await;
    let good = world.person();
    world.enrol(std::slice::from_ref(&good)).await;
    for (what, plaintexts) in wild(&mut world) {
        let strange = world.person();
        let context = world.context(Purpose::Enrol);
        let probe = world.seal_bytes(context, &plaintexts);
        let answers = world.check(&probe).await;
        assert!(answers.iter().all(|answer| matches!(answer, PartyAnswer::EnrolmentChecked { is_valid: false })), "{what}: {answers:?}");
        let command = world.enrolment(probe, std::slice::from_ref(&strange)).await;
        assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [PartyRefusal::ShareMalformed; 3], "{what}");
        let record = strange.record;
        let command = world.change(move |_| wire::party::GalleryOperation::Delete { records: vec![record] });
        world.ask_all(command).await;
        assert_eq!(world.look(&good.template).await, Found::Token(good.token), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_is_not_applied_before_it_is_checked() {
    let mut world = World::new().await;
    let person = world.person();
    let context = world.context(Purpose::Enrol);
    let probe = world.seal(context, &[&person.template]);
    let command = world.unchecked_enrolment(probe.clone(), std::slice::from_ref(&person));
    assert_eq!(world.ask_all(&command).await.each_ref().map(refusal), [PartyRefusal::EnrolmentUnchecked; 3]);
    // A check that one party has no part in decides nothing at the others.
    let session = SessionId::from_bits(world.name());
    let check = |party| {
        let probe = probe.for_party(party);
        PartyCommand::CheckEnrolment(Box::new(wire::party::CheckEnrolment { session, probe }))
    };
    let (first, second) = tokio::join!(world.ask(PartyId::P1, check(PartyId::P1)), world.ask(PartyId::P2, check(PartyId::P2)));
    assert_eq!([refusal(&first), refusal(&second)], [PartyRefusal::PeerUnavailable; 2]);
    assert_eq!(world.ask_all(&command).await.each_ref().map(refusal), [PartyRefusal::EnrolmentUnchecked; 3]);
    world.check(&probe).await;
    assert!(world.ask_all(&command).await.iter().all(|answer| matches!(answer, PartyAnswer::Applied { .. })));
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_sends_is_the_same_whoever_looks() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..40).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let mut twin = world.person();
    twin.template = people[3].template.clone();
    world.enrol(&[twin]).await;
    let stranger = world.person();
    let mut seen: Vec<[Traffic; 3]> = Vec::new();
    for (what, template, expected) in [
        ("enrolled", &people[0].template, Found::Token(people[0].token)),
        ("a stranger", &stranger.template, Found::Nobody),
        ("two alike", &people[3].template, Found::Ambiguous),
        ("the last", &people[39].template, Found::Token(people[39].token)),
    ] {
        let context = world.context(Purpose::Pay);
        let probe = world.seal(context, &[template]);
        let command = world.identification(&probe);
        let answers = world.ask_all(command).await;
        seen.push(answers.each_ref().map(|answer| match answer {
            PartyAnswer::Identified { traffic, .. } => *traffic,
            other => panic!("{what}: {other:?}"),
        }));
        assert_eq!(resolution(answers), expected, "{what}");
    }
    assert!(seen[0].iter().all(|traffic| traffic.bytes_sent > 1_000 && traffic.rounds > 20), "{:?}", seen[0]);
    assert!(seen.iter().all(|traffic| *traffic == seen[0]), "{seen:?}");
}

async fn seal(world: &mut World) -> [PartyAnswer; 3] {
    let command = Seal { session: SessionId::from_bits(world.name()), gallery_sequence: world.sequence };
    world.ask_all(|_| PartyCommand::Seal(command.clone())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn macs_are_made_once_used_after_a_restart_and_made_anew_when_one_does_not_fit() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..20).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let sealed = |answers: [PartyAnswer; 3]| {
        answers.map(|answer| match answer {
            PartyAnswer::Sealed { made, missing } => (made, missing),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(sealed(seal(&mut world).await), [(1, 0); 3]);
    assert_eq!(sealed(seal(&mut world).await), [(0, 0); 3], "it has one");
    assert_eq!(world.look(&people[4].template).await, Found::Token(people[4].token));
    world.stop(PartyId::P2).await;
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(world.look(&people[5].template).await, Found::Token(people[5].token));
    assert_eq!(sealed(seal(&mut world).await), [(0, 0); 3], "it is on disk");

    // Party 2 lost its own: a search makes one for itself, until all three have one again.
    world.stop(PartyId::P2).await;
    let macs = world.configs[1].directory.join("macs");
    for file in std::fs::read_dir(&macs).expect("its MACs") {
        std::fs::remove_file(file.expect("a file").path()).expect("removed");
    }
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(world.look(&people[6].template).await, Found::Token(people[6].token));
    assert_eq!(sealed(seal(&mut world).await), [(1, 0); 3]);
    assert_eq!(world.look(&people[7].template).await, Found::Token(people[7].token));

    // A change of the segment leaves the MAC behind.
    let late = world.person();
    world.enrol(std::slice::from_ref(&late)).await;
    assert_eq!(world.look(&late.template).await, Found::Token(late.token));
    assert_eq!(sealed(seal(&mut world).await), [(1, 0); 3]);
    for party in PartyId::ALL {
        let directory = world.configs[party.index()].directory.join("macs");
        assert_eq!(std::fs::read_dir(directory).expect("its MACs").count(), 1, "{party} keeps no old one");
    }
    let context = ProbeContext { partition: Some(wire::bytes::HexArray([9; 16])), ..world.context(Purpose::Pay) };
    let probe = world.seal(context, &[&late.template]);
    let command = world.identification(&probe);
    assert_eq!(resolution(world.ask_all(command).await), Found::Nobody, "a partition is searched without");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_not_what_it_was_releases_no_token_and_is_named() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..20).map(|_| world.person()).collect();
    world.enrol(&people).await;
    for is_sealed in [false, true] {
        if is_sealed {
            seal(&mut world).await;
        }
        assert_eq!(world.look(&people[2].template).await, Found::Token(people[2].token));
        // Party 2's segment is mapped from this file: it reads what is written here.
        let segments = world.configs[1].directory.join("segments");
        let path = std::fs::read_dir(&segments).expect("its segments").next().expect("one").expect("a file").path();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path).expect("the segment");
        let mut byte = [0];
        file.read_exact_at(&mut byte, ROWS_AT).expect("slot 0's first feature");
        file.write_all_at(&[byte[0] ^ 4], ROWS_AT).expect("altered");
        // Whoever looks: the check is over all rows, not the winner's alone.
        for person in [&people[0], &people[13]] {
            let context = world.context(Purpose::Pay);
            let probe = world.seal(context, &[&person.template]);
            let command = world.identification(&probe);
            assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [PartyRefusal::MacMismatch; 3], "sealed: {is_sealed}");
        }
        file.write_all_at(&byte, ROWS_AT).expect("mended");
        assert_eq!(world.look(&people[0].template).await, Found::Token(people[0].token));
    }
    assert!(matches!(seal(&mut world).await[0], PartyAnswer::Sealed { made: 1, missing: 0 }), "the MAC that did not fit is gone");
}
