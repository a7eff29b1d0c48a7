//! Writes good messages of every kind, from which the fuzz targets begin, into the folder that `SEEDS` names. A target in name
//! only: whatever is built with coverage counters wants libFuzzer.

#![no_main]

use std::fs;
use std::path::Path;

use base::id::{AccountId, PaymentId, RecordId, SessionId, TerminalId};
use base::party::PartyId;
use base::time::Timestamp;
use ed25519_dalek::{Signer, SigningKey};
use mpc::network::Neighbour;
use party::gallery::snapshot::Stamp;
use party::workers::message::{FromWorker, ToWorker};
use wire::bytes::{HexArray, HexBytes};
use wire::party::{
    DeletionConfirmation, GalleryChange, GalleryOperation, Identify, PartyAnswer, PartyCommand, PartyRequest, PartyResponse,
};
use wire::probe::{ProbeContext, Purpose, SealedProbe, SealedShare};
use wire::receipt::DeletionReceipt;

libfuzzer_sys::fuzz_target!(init: write_seeds(), |_bytes: &[u8]| {});

fn write_seeds() {
    let folder = std::env::var("SEEDS").expect("the folder");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("there is room");
    };

    let framed = |message: &[u8]| [&(message.len() as u32).to_le_bytes()[..], message].concat();
    write("frames", "frames", &[framed(b""), framed(&[1; 24]), framed(&[2; 100])].concat());

    let stamp = Stamp { generation: 0, segment: 0, changed_at: 1 };
    let to = [
        ToWorker::Begin,
        ToWorker::Group { group: 0, rows: vec![1; 32 * 4 * 2].into(), tokens: vec![2; 16 * 3] },
        ToWorker::Commit { stamp, dimensions: 4, slots: 3, checksums: [0; 32] },
        ToWorker::Scan { task: 1, query: vec![1; 8].into(), stamps: vec![stamp] },
        ToWorker::Message { task: 1, message: vec![3; 9] },
        ToWorker::Drop { segment: 0 },
        ToWorker::Cancel { task: 1 },
    ];
    let behind_len = |message: &ToWorker| {
        let bytes = message.to_bytes();
        [&(bytes.len() as u16).to_le_bytes()[..], &bytes].concat()
    };
    write("worker_messages", "to", &to.iter().flat_map(behind_len).collect::<Vec<_>>());
    let from = [FromWorker::Hello { version: 1 }, FromWorker::Held { stamp }, FromWorker::Want { task: 1, from: Neighbour::Next }];
    for (number, message) in from.iter().enumerate() {
        write("worker_messages", &format!("from-{number}"), &message.to_bytes());
    }

    for (kind, len) in [(0_u8, 4096), (1, 1124), (2, 64), (3, 300), (4, 2 + 64 + 2 * 40 * 4), (5, 2 + 8), (6, 2 + 8), (7, 272)] {
        let mut seed = vec![0; 1 + len];
        seed[0] = kind;
        if (4..=6).contains(&kind) {
            seed[1] = 4;
        }
        write("gallery", &format!("zeros-{kind}"), &seed);
    }

    let device = SigningKey::from_bytes(&[3; 32]);
    let context = ProbeContext {
        purpose: Purpose::Pay,
        reference: "pay_".into(),
        payee: "mer_".into(),
        amount_minor: 3650,
        currency: "CNY".into(),
        nonce: HexArray([1; 32]),
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2),
        terminal: TerminalId::from_bits(1),
        counter: 1,
        partition: Some(HexArray([2; 16])),
        templates: 1,
        dimensions: 4,
    };
    let share = || SealedShare { encapsulated_key: HexBytes(vec![4; 1120]), ciphertext: HexBytes(vec![5; 24]) };
    let probe = SealedProbe::sign(context, [share(), share(), share()], &device);
    write("probes", "whole", &json(&probe));
    write("probes", "part", &json(&probe.for_party(PartyId::P2)));

    let (session, records) = (SessionId::from_bits(1), vec![RecordId::from_bits(1)]);
    let identify = Identify { session, gallery_sequence: 1, probe: probe.for_party(PartyId::P1) };
    let change = GalleryChange { sequence: 1, operation: GalleryOperation::Delete { records: records.clone() } };
    for (name, command) in [
        ("status", PartyCommand::Status),
        ("verify", PartyCommand::Verify),
        ("identify", PartyCommand::Identify(Box::new(identify))),
        ("apply", PartyCommand::Apply(Box::new(change))),
    ] {
        write("requests", name, &json(&PartyRequest { id: 1, command }));
    }
    write("requests", "answer", &json(&PartyResponse { id: 1, answer: PartyAnswer::Sealed { made: 1, missing: 0 } }));

    let confirmations = PartyId::ALL.map(|party| {
        let mut confirmation = DeletionConfirmation {
            party,
            record: records[0],
            sequence: 1,
            destroyed_at: Timestamp::from_millis(1),
            signature: HexArray([0; 64]),
        };
        confirmation.signature = HexArray(device.sign(&confirmation.message()).to_bytes());
        confirmation
    });
    let key = HexArray(device.verifying_key().to_bytes());
    write("receipts", "receipt", &json(&DeletionReceipt::new(confirmations.into(), [key; 3])));
    write("receipts", "export", ledger::export::write([], []).as_bytes());

    for (name, body) in [
        ("payment", serde_json::json!({"amount_minor": 3650, "currency": "CNY", "merchant_reference": "order 1", "capture": "automatic"})),
        ("account", serde_json::json!({"phone": "13900000000", "name": "A", "passcode": "246810"})),
        ("duress", serde_json::json!({"passcode": "246810", "duress_passcode": "135790"})),
        ("refund", serde_json::json!({"amount_minor": 1})),
        ("consent", serde_json::json!({"purpose": "pay", "text_sha256": HexArray([1; 32]), "granted": true})),
        ("endpoint", serde_json::json!({"url": "https://example.org/hook", "event_types": ["payment.paid"]})),
        ("dispute", serde_json::json!({"payment": PaymentId::from_bits(1), "cause": "not_there", "freeze": true})),
        (
            "challenge",
            serde_json::json!({"nonce": HexArray([1; 32]), "issued_at": Timestamp::from_millis(1), "expires_at": Timestamp::from_millis(2)}),
        ),
    ] {
        write("bodies", name, body.to_string().as_bytes());
    }
    write("bodies", "id", AccountId::from_bits(1).to_string().as_bytes());
    std::process::exit(0);
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data")
}
