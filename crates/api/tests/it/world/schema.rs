//! Every answer in every test is compared with what `openapi/api.json` says of its endpoint.

use std::sync::LazyLock;

use api::openapi::schemas;
use api::routes::endpoints;
use api::routes::table::Row;
use serde_json::Value;
use wire::problem::Problem;

use super::http::Reply;

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| endpoints(true).into_iter().map(|endpoint| endpoint.row).collect());
static SCHEMAS: LazyLock<Value> = LazyLock::new(schemas);

/// Checks an answer to `method` and `path`, which may be of no endpoint.
pub fn check(method: &str, path: &str, reply: &Reply) {
    let path = path.split('?').next().expect("a path");
    if reply.status >= 400 && reply.header("content-type") == "application/problem+json" {
        fits(&reply.json(), &SCHEMAS["Problem"], "problem");
    }
    let Some(row) = ROWS.iter().find(|row| row.method.as_str() == method && path_fits(row.path, path)) else { return };
    if reply.status < 400 || row.path == "/readyz" {
        let may_be = [row.status, if row.path.ends_with("/probe") { 202 } else { row.status }];
        assert!(may_be.contains(&reply.status) || row.path == "/readyz", "{method} {path}: {}", reply.status);
        match row.answers {
            Some(_) if row.streams => assert!(reply.header("content-type").starts_with("text/event-stream"), "{path}"),
            Some(schema) => fits(&reply.json(), &SCHEMAS[schema], schema),
            None => assert!(reply.body.is_empty(), "{method} {path} says nothing"),
        }
    } else {
        let code = reply.read::<Problem>().code;
        assert!(row.all_refusals().contains(&code), "{method} {path} does not announce {}", code.name());
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
}

fn fits(value: &Value, schema: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a name");
        return fits(value, &SCHEMAS[name], at);
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value} is none of {allowed:?}");
    }
    if let Some(kinds) = schema.get("type") {
        let kinds: Vec<&str> =
            kinds.as_array().map_or_else(|| kinds.as_str().into_iter().collect(), |kinds| kinds.iter().filter_map(Value::as_str).collect());
        assert!(kinds.contains(&kind_of(value)), "{at}: {value} is no {kinds:?}");
    }
    if let (Some(rows), Some(items)) = (value.as_array(), schema.get("items")) {
        rows.iter().for_each(|row| fits(row, items, at));
    }
    if let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().expect("a name")), "{at}: {required} is missing");
        }
        for (name, field) in fields {
            let property = properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not in the schema"));
            fits(field, property, &format!("{at}.{name}"));
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
