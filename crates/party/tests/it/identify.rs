//! Who is found, who is not, and that runs do not disturb one another.

use std::sync::Arc;

use tokio::task::JoinSet;
use wire::bytes::HexArray;
use wire::probe::{ProbeContext, Purpose};

use crate::world::{Found, World, resolution, terminals};

#[tokio::test(flavor = "multi_thread")]
async fn the_enrolled_are_found_and_strangers_are_not() {
    let mut world = World::new().await;
    let stranger = world.person();
    assert_eq!(world.look(&stranger.template).await, Found::Nobody, "in an empty gallery");

    let people: Vec<_> = (0..70).map(|_| world.person()).collect();
    world.enrol(&people[..65]).await;
    world.enrol(&people[65..]).await;
    for person in [&people[0], &people[63], &people[64], &people[69]] {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }
    assert_eq!(world.look(&stranger.template).await, Found::Nobody);

    // The same face under two records: nobody may be charged.
    let mut twin = world.person();
    twin.template = people[3].template.clone();
    world.enrol(&[twin]).await;
    assert_eq!(world.look(&people[3].template).await, Found::Ambiguous);
    assert_eq!(world.look(&people[4].template).await, Found::Token(people[4].token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_bounds_who_can_be_found() {
    let mut world = World::new().await;
    let (mut one, mut other) = (world.person(), world.person());
    one.partitions = vec![HexArray([1; 16]), HexArray([3; 16])];
    other.partitions = vec![HexArray([2; 16])];
    other.template = one.template.clone();
    world.enrol(&[one.clone(), other.clone()]).await;
    for (label, expected) in [
        (Some(1), Found::Token(one.token)),
        (Some(2), Found::Token(other.token)),
        (Some(3), Found::Token(one.token)),
        (Some(4), Found::Nobody),
        (None, Found::Ambiguous),
    ] {
        let mut context = world.context(Purpose::Pay);
        context.partition = label.map(|label| HexArray([label; 16]));
        let probe = world.seal(context, &[&one.template]);
        let command = world.identification(&probe);
        assert_eq!(resolution(world.ask_all(command).await), expected, "partition {label:?}");
    }
    // Two rows, whoever stands in however many parts; each part has a count of its own.
    for verified in world.verify().await {
        let counts: Vec<(u8, u64)> = verified.partitions.iter().map(|count| (count.label.0[0], count.records)).collect();
        assert_eq!((verified.records, counts), (2, vec![(1, 1), (2, 1), (3, 1)]));
        assert_eq!(world.audit(verified.party, None).await.slots, 2);
    }
    world.delete(&one).await;
    for verified in world.verify().await {
        let counts: Vec<(u8, u64)> = verified.partitions.iter().map(|count| (count.label.0[0], count.records)).collect();
        assert_eq!(counts, [(2, 1)], "who is gone is gone from every part");
    }
    for (label, expected) in [(1, Found::Nobody), (2, Found::Token(other.token)), (3, Found::Nobody)] {
        let mut context = world.context(Purpose::Pay);
        context.partition = Some(HexArray([label; 16]));
        let probe = world.seal(context, &[&one.template]);
        let command = world.identification(&probe);
        assert_eq!(resolution(world.ask_all(command).await), expected, "partition {label} without one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_side_by_side_do_not_disturb_one_another() {
    let mut world = World::new().await;
    // Two at each till: they may arrive in any order, and in another one at each party.
    let people: Vec<_> = terminals().chain(terminals()).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let mut commands = Vec::new();
    for (person, terminal) in people.iter().zip(terminals().chain(terminals())) {
        let context = ProbeContext { terminal, ..world.context(Purpose::Pay) };
        let probe = world.seal(context, &[&person.template]);
        commands.push(world.identification(&probe));
    }
    let world = Arc::new(world);
    let mut runs = JoinSet::new();
    for (at, command) in commands.into_iter().enumerate() {
        let world = world.clone();
        runs.spawn(async move { (at, world.ask_all(command).await) });
    }
    while let Some(run) = runs.join_next().await {
        let (at, answers) = run.expect("no panic");
        assert_eq!(resolution(answers), Found::Token(people[at].token));
    }
}
