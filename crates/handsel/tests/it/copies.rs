//! `handsel admin backup|restore|move` on the command line.

use std::path::Path;
use std::process::Command;

use base::secret::Secret;
use payments::rules::RuleBook;
use serde_json::Value;
use store::{Location, Store};

fn admin(arguments: &[&str]) -> (Option<i32>, Value, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_handsel")).arg("admin").args(arguments).arg("--json").output().expect("runs");
    let said = serde_json::from_slice(&done.stdout).unwrap_or(Value::Null);
    (done.status.code(), said, String::from_utf8_lossy(&done.stderr).into_owned())
}

fn open(file: &Path) -> Store {
    let rules = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
    Store::open(Location::from(file), rules, Secret::new([0; 32])).expect("opens")
}

#[test]
fn a_store_is_backed_up_brought_back_and_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let place = |name: &str| format!("sqlite:{}", path(name));
    let store = open(Path::new(&path("a.sqlite")));
    store.register_merchant(base::id::MerchantId::from_bits(1), "Noodle House", base::time::Timestamp::from_millis(1)).expect("registers");

    let (status, said, _) = admin(&["backup", "--store", &place("a.sqlite"), "--out", &path("b.sqlite")]);
    assert_eq!((status, &said["tables"]["merchants"], &said["balanced"]), (Some(0), &Value::from(1), &Value::from(true)), "{said}");
    let (status, again, _) = admin(&["restore", "--from", &path("b.sqlite"), "--store", &place("c.sqlite")]);
    assert_eq!((status, &again["sha256"]), (Some(0), &said["sha256"]), "{again}");
    let (status, moved, _) = admin(&["move", "--from", &place("c.sqlite"), "--to", &place("d.sqlite")]);
    assert_eq!((status, &moved["sha256"]), (Some(0), &said["sha256"]), "{moved}");
    assert!(open(Path::new(&path("d.sqlite"))).books().expect("reads").balanced());

    for (arguments, reason) in [
        (["backup", "--store", &place("a.sqlite"), "--out", &path("b.sqlite")], "is there already"),
        (["move", "--from", &place("c.sqlite"), "--to", &place("e.sqlite")], "was moved"),
        (["restore", "--from", &path("b.sqlite"), "--store", &place("a.sqlite")], "give an empty database"),
        (["restore", "--from", &path("nothing.sqlite"), "--store", &place("f.sqlite")], "there is no file"),
        (["move", "--from", &place("d.sqlite"), "--to", "postgres://nobody@127.0.0.1:9/none"], "cannot be reached"),
        (["move", "--from", &place("d.sqlite"), "--to", "mysql://x/y"], "begins with sqlite: and a path, or with postgres://"),
    ] {
        let (status, _, error) = admin(&arguments);
        assert!(status == Some(2) && error.contains(reason), "{arguments:?}: {error}");
    }
}
