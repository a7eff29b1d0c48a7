//! Who may depend on whom (ARCHITECTURE.md, "The crates").

use std::collections::BTreeMap;
use std::process::Command;

/// An arrow may only point to a lower layer.
const LAYERS: [(&str, u8); 11] = [
    ("base", 0),
    ("wire", 1),
    ("mpc", 1),
    ("capture", 1),
    ("ledger", 1),
    ("payments", 2),
    ("party", 2),
    ("store", 3),
    ("terminal", 3),
    ("api", 4),
    ("handsel", 5),
];

/// No async, sockets, files or randomness of their own: these may not even depend on what could give it to them.
const PURE: [&str; 6] = ["base", "wire", "mpc", "capture", "ledger", "payments"];
const IMPURE_DEPENDENCIES: [&str; 8] = ["tokio", "axum", "reqwest", "rusqlite", "getrandom", "rustls", "tokio-rustls", "tracing"];

#[test]
fn arrows_point_down_and_pure_crates_stay_pure() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let layers: BTreeMap<&str, u8> = LAYERS.into();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    assert_eq!(packages.len(), LAYERS.len(), "a new crate needs a layer here and a line in ARCHITECTURE.md");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let layer = layers[name];
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let other = dependency["name"].as_str().expect("a name");
            if dependency["kind"] == "dev" {
                continue;
            }
            if let Some(other_layer) = layers.get(other) {
                assert!(*other_layer < layer, "{name} (layer {layer}) may not depend on {other} (layer {other_layer})");
            }
            assert!(!(PURE.contains(&name) && IMPURE_DEPENDENCIES.contains(&other)), "{name} is pure and may not depend on {other}");
        }
    }
}
