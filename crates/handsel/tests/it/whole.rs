//! The binary as a user runs it: five real processes, real TLS, real models, real photographs.

use std::fs;
use std::path::Path;
use std::process::Command;

use capture::config::CaptureConfig;
use mpc::layout::RowsView;
use serde_json::Value;

use crate::installation::{models_and_pictures, root};

/// Where a segment's rows begin: behind a page of header and 16 bytes of token for each of 65,536 slots.
const ROWS_AT: usize = 4096 + 65_536 * 16;

/// Two people enrol and pay, a third tries; afterwards every log, error and debug line of the run is searched.
#[test]
fn people_pay_a_stranger_does_not_and_no_log_tells_anything() {
    let Some((models, pictures)) = models_and_pictures() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let photos = folder.path().join("photos");
    // The registry package has six usable pictures of one man and one of another.
    for (person, files) in [("Person_A", &["obama.jpg", "obama2.jpg", "obama3.jpg"][..]), ("Person_B", &["biden.jpg"][..])] {
        fs::create_dir_all(photos.join(person)).expect("a folder");
        for file in files {
            fs::copy(pictures.join(file), photos.join(person).join(file)).expect("a picture");
        }
    }
    let installation = folder.path().join("installation");
    let (report, errors) = demo(&photos, &installation, &models);

    assert_eq!(report["people"], 1);
    assert_eq!(report["paid"], 1);
    assert_eq!(report["refused"], 0);
    assert_eq!(report["stranger_attempts"], 1);
    assert_eq!(report["stranger_refused_reasons"]["not_recognised"], 1);
    assert_eq!(report["wrong_charges"], 0);
    assert_eq!(report["ledger_balanced"], true);
    assert_eq!(report["liveness"]["enforced"], false);
    assert_eq!(report["liveness"]["looks"], 2, "each look's liveness is reported");
    assert!(report["press_to_paid_ms"]["p50"].as_f64().is_some_and(|took| took > 0.0));

    let secrets = secrets_of_the_run(&installation, &models, &photos.join("Person_A"));
    let mut searched = 0;
    for entry in fs::read_dir(installation.join("logs")).expect("logs") {
        let path = entry.expect("an entry").path();
        let log = fs::read_to_string(&path).expect("logs are text");
        searched += log.len();
        find_none(&path, &log, &secrets);
    }
    find_none(Path::new("standard error"), &errors, &secrets);
    assert!(searched > 10_000, "the nodes logged at the finest level: {searched} bytes");
}

fn demo(photos: &Path, installation: &Path, models: &Path) -> (Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_handsel"))
        .current_dir(root())
        .env("HANDSEL_LOG", "trace")
        .args(["demo", "--crowd", "300", "--json", "--photos"])
        .arg(photos)
        .arg("--dir")
        .arg(installation)
        .arg("--models")
        .arg(models)
        .output()
        .expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let tail: String = errors.lines().rev().take(5).collect::<Vec<_>>().join("\n");
    assert!(output.status.success(), "{tail}");
    (serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else"), errors)
}

/// What must stand in no log, with a name for the message.
fn secrets_of_the_run(installation: &Path, models: &Path, photos: &Path) -> Vec<(String, String)> {
    let mut secrets =
        vec![("a name".into(), "Demo 0".into()), ("a phone number".into(), "13900000000".into()), ("a passcode".into(), "974310".into())];
    for node in ["party1", "party2", "party3", "platform", "till", "loader"] {
        let keys: toml::Table = fs::read_to_string(installation.join(node).join("keys.toml")).expect("keys").parse().expect("TOML");
        for (key, value) in keys {
            let value = value.as_str().expect("text");
            if !key.contains("public") && key != "certificate_pem" {
                // The first line of a PEM says only what it is.
                let body = value.lines().nth(1).unwrap_or(value);
                secrets.push((format!("{node}'s {key}"), body.to_owned()));
            }
        }
    }
    let engine = terminal::look::open_engine(models, CaptureConfig::archive_photograph()).expect("the models load");
    let mut paths: Vec<_> = fs::read_dir(photos).expect("pictures").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let looks: Vec<_> = paths.iter().map(|path| engine.look(&fs::read(path).expect("a picture")).expect("a face")).collect();
    // What paid, and what was enrolled: each single picture and the mean of the first two.
    for burst in [&looks[..1], &looks[1..2], &looks[2..], &looks[..2]] {
        let template = engine.template(burst).expect("one face");
        for features in template.values().chunks(4) {
            let bytes: Vec<u8> = features.iter().flat_map(|feature| feature.to_le_bytes()).collect();
            secrets.extend([join(features, ", "), join(features, ","), base::hash::hex(&bytes)].map(|text| ("a template".into(), text)));
        }
    }
    for look in &looks {
        for features in look.embedding.values().chunks(2) {
            secrets.push(("an embedding".into(), join(features, ", ")));
        }
    }
    secrets.extend(shares_at_rest(installation));
    secrets
}

/// Every share of a template and every token that the three parties keep, as a log might show its first bytes.
fn shares_at_rest(installation: &Path) -> Vec<(String, String)> {
    let mut secrets = Vec::new();
    for party in 1..=3 {
        let data = installation.join(format!("party{party}/data"));
        let segment = fs::read(data.join("segments/0-00000.segment")).expect("a party's first segment");
        let rows = RowsView::from_bytes(&segment[ROWS_AT..], capture::face::DIMENSIONS).expect("whole blocks");
        let store = rusqlite::Connection::open(data.join("party.sqlite")).expect("a party's store");
        // Nothing was compacted, so a record lies where its ordinal says.
        let mut statement = store.prepare("SELECT ordinal, token FROM record").expect("the party's records");
        let mut records = statement.query([]).expect("runs");
        while let Some(record) = records.next().expect("a record") {
            let row = rows.read(record.get(0).expect("a slot")).to_bytes();
            assert!(row.iter().any(|byte| *byte != 0), "the slot holds a share");
            for (bytes, what) in [(row.to_vec(), "a template's share"), (record.get(1).expect("a token"), "a token")] {
                let window = &bytes[..8];
                secrets.extend(
                    [base::hash::hex(window), join(window, ", "), join(window, ",")].map(|text| (format!("party {party}: {what}"), text)),
                );
            }
        }
    }
    assert!(secrets.len() > 3 * 300 * 6, "the crowd's shares are among them: {}", secrets.len());
    secrets
}

fn join<T: ToString>(values: &[T], separator: &str) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(separator)
}

fn find_none(place: &Path, text: &str, secrets: &[(String, String)]) {
    for (what, secret) in secrets {
        assert!(secret.len() >= 6, "a pattern this short says nothing: {what}");
        assert!(!text.contains(secret.as_str()), "{what} stands in {}", place.display());
    }
}
