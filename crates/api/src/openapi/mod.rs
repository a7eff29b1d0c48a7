//! `openapi/api.json` (OpenAPI 3.1), written from the table of endpoints and the schemas beside this file.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};
use wire::problem::Code;

use crate::routes::table::{Access, Row};
use crate::version;

/// The shapes of `wire::api`, by hand: deriving them would tie the vocabulary crate to a schema library.
const SCHEMAS: &str = include_str!("schemas.json");

/// The whole document. `cargo test -p api openapi` says when the committed file is another one; with `HANDSEL_WRITE=1`
/// in the environment the same test writes it.
pub fn document(rows: &[Row]) -> Value {
    let mut paths = Map::new();
    for endpoint in rows {
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[endpoint.method.as_str().to_ascii_lowercase()] = operation(endpoint);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Handsel",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Paying with the face. Amounts are integers in minor units, times are milliseconds since 1970-01-01 UTC.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas(), "securitySchemes": security_schemes() },
    });
    // Whatever other crates of the build want of serde_json.
    document.sort_all_objects();
    document
}

/// The schemas, with all codes filled in.
pub fn schemas() -> Value {
    let mut schemas: Value = serde_json::from_str(SCHEMAS).expect("the schemas are checked by a test");
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    schemas["Code"] = json!({ "type": "string", "enum": names, "description": "See docs/errors.md." });
    schemas
}

fn security_schemes() -> Value {
    json!({
        "key": { "type": "http", "scheme": "bearer", "description": "A merchant's API key, sk_test_… or sk_live_…" },
        "terminal": { "type": "http", "scheme": "bearer", "description": "The terminal's key, tk_…" },
        "service": { "type": "apiKey", "in": "cookie", "name": "handsel_service_session", "description": "Customer service's session." },
        "shop": { "type": "apiKey", "in": "cookie", "name": "handsel_shop_session", "description": "The merchant console's session." },
        "wallet": { "type": "apiKey", "in": "cookie", "name": "handsel_session", "description": "The wallet's session." },
    })
}

fn operation(endpoint: &Row) -> Value {
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
    });
    match endpoint.access {
        Access::Terminal => operation["security"] = json!([{ "terminal": [] }]),
        Access::Key => operation["security"] = json!([{ "key": [] }]),
        Access::Payee => operation["security"] = json!([{ "key": [] }, { "terminal": [] }]),
        Access::Staff => operation["security"] = json!([]),
        Access::Wallet => operation["security"] = json!([{ "wallet": [] }]),
        Access::Clerk => operation["security"] = json!([{ "service": [] }]),
        Access::Anybody | Access::Page | Access::ShopPage | Access::ServicePage => operation["security"] = json!([]),
    }
    if let (true, Some(ways)) = (endpoint.staff.is_some() || endpoint.access == Access::Staff, operation["security"].as_array_mut()) {
        ways.push(json!({ "shop": [] }));
    }
    if let Some(schema) = endpoint.takes {
        operation["requestBody"] =
            json!({ "required": has_required_fields(schema), "content": { "application/json": { "schema": reference(schema) } } });
    }
    operation
}

fn operation_id(endpoint: &Row) -> String {
    let words = endpoint.path.trim_start_matches("/v1/").split(['/', '-']).filter(|word| !word.is_empty() && !word.starts_with('{'));
    let mut id = endpoint.method.as_str().to_ascii_lowercase();
    if endpoint.path.ends_with('}') {
        id.push_str("_one");
    }
    words.for_each(|word| {
        id.push('_');
        id.push_str(word);
    });
    id
}

fn parameters(endpoint: &Row) -> Value {
    let mut parameters = Vec::new();
    for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let schema = match endpoint.path {
            "/v1/consent-texts/{id}" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
            path => id_schema(kind_of(path)),
        };
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    if endpoint.idempotent {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true, "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "The same with each retry of one request: its first answer comes again, with Idempotent-Replayed: true.",
        }));
    }
    if matches!(endpoint.access, Access::Page | Access::Wallet) && endpoint.method != Method::GET {
        parameters.push(json!({ "name": "x-handsel-wallet", "in": "header", "required": true, "schema": { "const": "1" } }));
    }
    if matches!(endpoint.access, Access::ShopPage | Access::Staff) && endpoint.method != Method::GET {
        parameters.push(json!({ "name": "x-handsel-shop", "in": "header", "required": true, "schema": { "const": "1" } }));
    }
    if matches!(endpoint.access, Access::ServicePage | Access::Clerk) && endpoint.method != Method::GET {
        parameters.push(json!({ "name": "x-handsel-service", "in": "header", "required": true, "schema": { "const": "1" } }));
    }
    if let Some(kinds) = endpoint.cursor {
        parameters.push(json!({
            "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 },
            "description": "How many rows at most.",
        }));
        parameters.push(json!({
            "name": "starting_after", "in": "query", "schema": id_schema(kinds),
            "description": "The identifier of the last row of the page before.",
        }));
    }
    for (name, schema) in endpoint.filters {
        parameters.push(json!({ "name": name, "in": "query", "schema": reference(schema), "description": "Only rows with this." }));
    }
    if !endpoint.expands.is_empty() {
        parameters.push(json!({
            "name": "expand[]", "in": "query", "style": "form", "explode": true,
            "schema": { "type": "array", "items": { "enum": endpoint.expands } },
            "description": "Identifiers to answer with what they stand for.",
        }));
    }
    if endpoint.path.starts_with("/v1/") {
        parameters.push(json!({
            "name": "Handsel-Version", "in": "header", "schema": { "enum": version::ALL },
            "description": "The version that the request speaks; the newest without.",
        }));
    }
    if matches!(endpoint.path, "/v1/consent-texts" | "/v1/terms") {
        parameters.push(json!({ "name": "locale", "in": "query", "required": true, "schema": { "enum": ["zh", "en"] } }));
    }
    Value::Array(parameters)
}

/// The prefix of the identifiers that stand in a path, by the resource in front of them.
fn kind_of(path: &str) -> &'static str {
    let resource = path.split('/').take_while(|part| !part.starts_with('{')).last();
    match resource {
        Some("payments") => "pay",
        Some("enrolments") => "enr",
        Some("api-keys") => "key",
        Some("events") => "evt",
        Some("webhook-endpoints") => "whe",
        Some("deliveries") => "del",
        Some("disputes") => "dp",
        Some("helpers") => "hlp",
        Some("bank-accounts") => "ba",
        Some("payouts") => "po",
        Some("regulars") => "sto",
        Some("passkeys") => "pk",
        Some("staff") => "stf",
        Some("stores") => "sto",
        Some("activations") => "act",
        Some("refund-requests") => "rr",
        Some("look-ups") => "svc",
        other => panic!("{path}: say here what the identifiers of {other:?} begin with"),
    }
}

/// Identifiers of one of `kinds`, such as `pay|re`.
fn id_schema(kinds: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^({kinds})_[0-7][0-9a-hjkmnp-tv-z]{{25}}$") })
}

/// Whether a body must be sent: without one none of the schema's forms is whole.
fn has_required_fields(schema: &str) -> bool {
    let schema = &schemas()[schema];
    let needs_some = |form: &Value| form["required"].as_array().is_some_and(|fields| !fields.is_empty());
    schema["anyOf"].as_array().map_or_else(|| needs_some(schema), |forms| forms.iter().all(needs_some))
}

fn responses(endpoint: &Row) -> Value {
    let mut responses = Map::new();
    let mut success = json!({ "description": "Success." });
    if let Some(schema) = endpoint.answers {
        let kind = if endpoint.streams { "text/event-stream" } else { "application/json" };
        let schema = if endpoint.streams { sent_event(schema) } else { reference(schema) };
        success["content"] = json!({ kind: { "schema": schema } });
    }
    success["headers"] = json!({
        "RateLimit": { "schema": { "type": "string" }, "description": "Requests that are left, and seconds until there are more." },
        "RateLimit-Policy": { "schema": { "type": "string" }, "description": "Requests at once, and seconds until they are all there again." },
    });
    responses.insert(endpoint.status.to_string(), success.clone());
    if endpoint.path.ends_with("/probe") {
        success["description"] = json!("The outcome is not known yet: read the payment again. Do not pay again.");
        responses.insert("202".into(), success);
    }
    let mut by_status = BTreeMap::<u16, Vec<&str>>::new();
    for code in endpoint.all_refusals() {
        by_status.entry(code.describe().0).or_default().push(code.name());
    }
    for (status, names) in by_status {
        responses.insert(
            status.to_string(),
            json!({
                "description": names.join(", "),
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            }),
        );
    }
    Value::Object(responses)
}

/// A server-sent event whose data are the JSON of a `schema`.
fn sent_event(schema: &str) -> Value {
    json!({
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": { "const": schema.to_ascii_lowercase() },
            "data": { "type": "string", "contentMediaType": "application/json", "contentSchema": reference(schema) },
        },
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
