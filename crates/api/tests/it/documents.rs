//! The committed documents are the ones that the code makes. `HANDSEL_WRITE=1 cargo test -p api documents` writes them.

use std::path::PathBuf;

use api::routes::endpoints;
use wire::problem::Code;

#[test]
fn the_api_description_is_current() {
    let rows: Vec<_> = endpoints(true).into_iter().map(|endpoint| endpoint.row).collect();
    let mut text = serde_json::to_string_pretty(&api::openapi::document(&rows)).expect("plain data");
    text.push('\n');
    check("openapi/api.json", &text);
}

#[test]
fn the_page_of_errors_is_current() {
    check("docs/errors.md", &api::errors_page::markdown());
}

#[test]
fn every_reference_and_every_endpoint_is_described() {
    let rows: Vec<_> = endpoints(true).into_iter().map(|endpoint| endpoint.row).collect();
    let document = api::openapi::document(&rows);
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for reference in references(&document) {
        let name = reference.strip_prefix("#/components/schemas/").expect("a schema of ours");
        assert!(schemas.contains_key(name), "{name}");
    }
    for row in &rows {
        let operation = &document["paths"][row.path][row.method.as_str().to_ascii_lowercase()];
        assert!(operation["responses"][row.status.to_string()].is_object(), "{} {}", row.method, row.path);
    }
    let codes: Vec<_> = schemas["Code"]["enum"].as_array().expect("codes").iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(codes, Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>());
}

fn references(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => vec![target.to_owned()],
                _ => references(value),
            })
            .collect(),
        serde_json::Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

fn check(path: &str, expected: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("HANDSEL_WRITE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&file, expected).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is behind the code; write it with: HANDSEL_WRITE=1 cargo test -p api documents");
}
