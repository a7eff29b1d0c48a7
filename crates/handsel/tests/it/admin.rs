//! `handsel admin` beside a running installation.

use std::process::Command;

use serde_json::{Value, json};

use crate::installation::models_and_pictures;
use crate::up::Up;

/// Exit status and the object on standard output.
fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_handsel")).arg("admin").args(arguments).arg("--json").output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::String(said)))
}

#[test]
fn galleries_are_looked_after_while_everything_runs() {
    let Some((models, _)) = models_and_pictures() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut up = Up::start(folder.path(), &models);
    up.wait_for("everything is ready", Up::is_ready);
    let [platform, party, copy] = ["platform/node.toml", "party2/node.toml", "copy"].map(|name| folder.path().join(name));
    let [platform, party, copy] = [&platform, &party, &copy].map(|path| path.to_str().expect("text"));
    let gallery = |what: &str, more: &[&str]| admin(&[&["gallery", what, "--config", platform], more].concat());

    let (status, verified) = gallery("verify", &[]);
    assert_eq!((status, &verified["good"], verified["parties"].as_array().map(Vec::len)), (Some(0), &json!(true), Some(3)), "{verified}");
    let (status, applied) = gallery("compact", &[]);
    assert_eq!((status, &applied["applied"], &applied["sequence"]), (Some(0), &json!(true), &json!(1)), "{applied}");
    let (status, applied) = gallery("refresh", &[]);
    assert_eq!((status, &applied["epoch"], &applied["sequence"]), (Some(0), &json!(1), &json!(2)), "{applied}");
    let (status, found) = gallery("bisect", &[]);
    assert_eq!((status, &found["alike"], &found["sequences"]), (Some(0), &json!(true), &json!([2, 2, 2])), "{found}");
    let (status, parts) = gallery("parts", &[]);
    assert_eq!((status, &parts["kinds"]), (Some(0), &json!([])), "{parts}");
    let city = |name: &str| {
        let arguments = ["admin", "city", "--config", platform, "sto_00000000000000000000000001", name];
        Command::new(env!("CARGO_BIN_EXE_handsel")).args(arguments).status().expect("runs").success()
    };
    assert_eq!(["杭州", " ", "two\nlines"].map(city), [true, false, false]);
    let (status, rebuilt) = gallery("rebuild", &["--party", "3"]);
    assert_eq!((status, &rebuilt["sequence"], &rebuilt["rows"]), (Some(0), &json!(2), &json!(0)), "{rebuilt}");

    let (status, made) = admin(&["party", "backup", "--config", party, "--file", copy]);
    assert_eq!((status, &made["sequence"]), (Some(0), &json!(2)), "{made}");
    let (status, said) = admin(&["party", "restore", "--config", party, "--file", copy]);
    assert_eq!(status, Some(2), "the party runs");
    assert!(said.as_str().is_some_and(|said| said.contains("another process uses")), "{said}");
    up.wait_for("it still is ready", Up::is_ready);
}
