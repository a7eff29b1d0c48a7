//! What one party wrote to disk and received over the network in a full run holds no template, and what it received in a
//! search holds no token, in any of the encodings that a template or token has anywhere in the system. (A party keeps every
//! record's token; what it must not learn is which one was found.)

use std::collections::HashMap;

use base::hash::hex;
use base::party::PartyId;
use wire::party::GalleryOperation;

use crate::logs;
use crate::traces::{Traces, bytes_in};
use crate::world::{Found, World};

/// So many features in a row are a find.
const WINDOW: usize = 8;

/// Byte strings to look for, by their first eight bytes.
struct Needles(HashMap<[u8; 8], Vec<(Vec<u8>, &'static str)>>);

impl Needles {
    fn new(templates: &[Vec<i16>], tokens: &[[u8; 16]]) -> Self {
        let mut needles = Self(HashMap::new());
        for window in templates.iter().flat_map(|template| template.windows(WINDOW)) {
            let floats = |scale: f32| window.iter().map(move |feature| f32::from(*feature) / scale).collect::<Vec<f32>>();
            let encodings: [(&'static str, Vec<u8>); 8] = [
                ("16 bits, little-endian", window.iter().flat_map(|feature| feature.to_le_bytes()).collect()),
                ("16 bits, big-endian", window.iter().flat_map(|feature| feature.to_be_bytes()).collect()),
                ("8 bits", window.iter().map(|feature| *feature as u8).collect()),
                ("8 bits above 128", window.iter().map(|feature| (*feature + 128) as u8).collect()),
                ("float, little-endian", floats(1.0).into_iter().flat_map(f32::to_le_bytes).collect()),
                ("float, big-endian", floats(1.0).into_iter().flat_map(f32::to_be_bytes).collect()),
                ("unit float, little-endian", floats(127.0).into_iter().flat_map(f32::to_le_bytes).collect()),
                ("unit float, big-endian", floats(127.0).into_iter().flat_map(f32::to_be_bytes).collect()),
            ];
            encodings.into_iter().for_each(|(name, bytes)| needles.add(name, bytes));
            needles.add_text("decimal", window);
        }
        for token in tokens {
            let mut reversed = *token;
            reversed.reverse();
            for bytes in [token, &reversed] {
                bytes.chunks(8).for_each(|half| needles.add("half a token", half.to_vec()));
            }
        }
        needles
    }

    /// Numbers as JSON has them, and as `Debug` prints them.
    fn add_text<T: ToString>(&mut self, name: &'static str, numbers: &[T]) {
        let numbers: Vec<String> = numbers.iter().map(T::to_string).collect();
        for between in [",", ", "] {
            self.add(name, numbers.join(between).into_bytes());
        }
    }

    /// A stored share: 16 bits a feature, little-endian.
    fn add_share(&mut self, share: &[u8]) {
        let features: Vec<u16> = share.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect();
        for window in features.windows(WINDOW) {
            self.add("a share, little-endian", window.iter().flat_map(|feature| feature.to_le_bytes()).collect());
            self.add("a share, big-endian", window.iter().flat_map(|feature| feature.to_be_bytes()).collect());
            self.add_text("a share, decimal", window);
        }
        share.windows(2 * WINDOW).for_each(|window| self.add_text("a share's bytes, decimal", window));
    }

    /// The bytes as they are and as hexadecimal.
    fn add(&mut self, name: &'static str, bytes: Vec<u8>) {
        for bytes in [hex(&bytes).into_bytes(), bytes] {
            let first = *bytes.first_chunk::<8>().expect("a needle has eight bytes");
            self.0.entry(first).or_default().push((bytes, name));
        }
    }

    fn find(&self, haystack: &[u8]) -> Option<&'static str> {
        (0..haystack.len().saturating_sub(7)).find_map(|at| {
            let rest = &haystack[at..];
            let candidates = self.0.get(rest.first_chunk::<8>()?)?;
            candidates.iter().find(|(bytes, _)| rest.starts_with(bytes)).map(|(_, name)| *name)
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_partys_disk_and_network_hold_no_template_and_its_searches_no_token() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..6).map(|_| world.person()).collect();
    let stranger = world.person();
    world.enrol(&people[..4]).await;
    world.enrol(&people[4..]).await;
    let enrolled = PartyId::ALL.map(|party| world.received[party.index()].lock().expect("no panic").len());
    for person in &people {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }
    assert_eq!(world.look(&stranger.template).await, Found::Nobody);
    let record = people[0].record;
    let command = world.change(move |_| GalleryOperation::Delete { records: vec![record] });
    world.ask_all(command).await;
    assert_eq!(world.look(&people[0].template).await, Found::Nobody);
    world.stop(PartyId::P2).await;
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token));

    let templates: Vec<Vec<i16>> = people.iter().chain([&stranger]).map(|person| person.template.clone()).collect();
    let tokens: Vec<[u8; 16]> = people.iter().map(|person| person.token).collect();
    let (needles, features) = (Needles::new(&templates, &tokens), Needles::new(&templates, &[]));
    for party in PartyId::ALL {
        let disk = bytes_in(&world.configs[party.index()].directory);
        let network = world.received[party.index()].lock().expect("no panic").clone();
        assert!(disk.len() > 10_000, "{party} wrote its shares");
        assert!(network.len() > 50_000, "{party} received probes and messages");
        assert_eq!(features.find(&disk), None, "{party}'s disk");
        assert_eq!(features.find(&network), None, "{party}'s network");
        assert_eq!(needles.find(&disk), Some("half a token"), "{party} keeps the tokens");
        let network = &network[enrolled[party.index()]..];
        assert_eq!(needles.find(network), None, "{party}'s searches");

        // The same search finds each of them where it is hidden.
        for (what, planted) in [
            ("16 bits, little-endian", templates[3][40..48].iter().flat_map(|feature| feature.to_le_bytes()).collect::<Vec<u8>>()),
            ("8 bits", hex(&templates[6][1..9].iter().map(|feature| *feature as u8).collect::<Vec<u8>>()).into_bytes()),
            ("half a token", tokens[5][8..].to_vec()),
        ] {
            let mut tainted = network.to_vec();
            let middle = tainted.len() / 2;
            tainted.splice(middle..middle, planted);
            assert_eq!(needles.find(&tainted), Some(what));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_no_template_no_share_and_no_token() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    world.enrol(&people).await;
    for person in &people {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }
    let shares: Vec<Vec<u8>> =
        PartyId::ALL.iter().flat_map(|party| people.iter().map(|person| Traces::of(&world, *party, person.record).row)).collect();
    let mut needles = Needles::new(
        &people.iter().map(|person| person.template.clone()).collect::<Vec<_>>(),
        &people.iter().map(|person| person.token).collect::<Vec<_>>(),
    );
    shares.iter().for_each(|share| needles.add_share(share));
    for token in people.iter().map(|person| person.token) {
        needles.add_text("a token's bytes, decimal", &token);
    }

    // A run's refusal and a restart are logged too.
    let record = people[0].record;
    let command = world.change(move |_| GalleryOperation::Delete { records: vec![record] });
    world.ask_all(&command).await;
    world.stop(PartyId::P1).await;
    world.start(PartyId::P1).await;
    world.until_connected().await;
    let log = logs::bytes();
    assert!(String::from_utf8_lossy(&log).contains("change applied"), "the log is collected, at the finest level");
    assert_eq!(needles.find(&log), None);

    // The same search finds what would be printed.
    let features: Vec<u16> = shares[4].chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect();
    for (what, planted) in [
        ("a share, decimal", format!("{:?}", &features[7..15])),
        ("a share's bytes, decimal", format!("{:?}", &shares[2][3..30])),
        ("a share, little-endian", hex(&shares[8][16..32])),
        ("decimal", format!("{:?}", people[1].template)),
        ("a token's bytes, decimal", format!("{:?}", people[2].token)),
    ] {
        assert_eq!(needles.find(&[&log, planted.as_bytes()].concat()), Some(what));
    }
}
