//! Request bodies and paths, read strictly: whatever is not understood is refused with the field's name.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use wire::problem::Code;

use crate::numbers;
use crate::problem::Refused;

/// Largest body of an ordinary request: a probe of one template has about 10 kB.
pub const BODY_LEN_MAX: usize = 256 << 10;
/// Largest body of a crowd: 10,000 templates of 128 features have about 31 MB.
pub const CROWD_BODY_LEN_MAX: usize = 48 << 20;

/// A JSON body. Unknown fields are refused where the type says so; values never come back in an error.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        if !is_json(&request) {
            return Err(Code::MediaTypeUnsupported.into());
        }
        parse(&read(request).await?).map(Json)
    }
}

/// The bytes of the body, at most what the endpoint's row in the table says.
pub async fn read(request: Request) -> Result<Bytes, Refused> {
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge.into(),
        _ => Code::InvalidRequest.into(),
    })
}

/// Whether the request says that its body is JSON.
pub fn is_json(request: &Request) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The value in `bytes`; no bytes read like an object without fields.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).or_else(|error| match numbers::whole(bytes) {
        Some(plain) => serde_json::from_slice(&plain).map_err(refused),
        None => Err(refused(error)),
    })
}

fn refused(error: serde_json::Error) -> Refused {
    match field_of(&error.to_string()) {
        Some(field) => Refused::at(Code::InvalidRequest, &field),
        None => Code::InvalidRequest.into(),
    }
}

/// The same JSON whatever its blanks and the order of its fields; what is no JSON stays as it is.
pub fn canonical(bytes: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(mut value) => {
            // Whatever other crates of the build want of serde_json.
            value.sort_all_objects();
            serde_json::to_vec(&value).expect("what was JSON is JSON")
        }
        Err(_) => bytes.to_vec(),
    }
}

/// The field that serde's message names. Only names of our own fields and unknown ones of at most 64 characters come
/// out, never a value.
fn field_of(message: &str) -> Option<String> {
    let rest = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("unknown field `"))?;
    let field = &rest[..rest.find('`')?];
    let is_name = field.len() <= 64 && field.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| field.to_owned())
}

/// An identifier in the path. One that is none is `not_found`, like one that nobody has.
pub struct PathId<T>(pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Code::NotFound)?;
        text.parse().map(PathId).map_err(|_| Code::NotFound.into())
    }
}

/// The query string.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Query(value) = Query::<T>::from_request_parts(parts, state).await.map_err(|_| Code::InvalidRequest)?;
        Ok(Parameters(value))
    }
}

/// The query string where `expand[]` may stand in it, once or several times.
pub struct Expanding<T> {
    /// Everything else.
    pub parameters: T,
    /// What to expand.
    pub expand: Expand,
}

/// The names under `expand[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expand(Vec<String>);

impl Expand {
    /// Whether anything is to be expanded, where only `names` can be.
    ///
    /// # Errors
    /// `invalid_request` for any other name.
    pub fn only(&self, names: &[&str]) -> Result<bool, Refused> {
        match self.0.iter().all(|name| names.contains(&name.as_str())) {
            true => Ok(!self.0.is_empty()),
            false => Err(Refused::at(Code::InvalidRequest, "expand[]")),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Expanding<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        const NAMES: [&str; 3] = ["expand[]=", "expand%5B%5D=", "expand%5b%5d="];
        let (mut expand, mut others) = (Vec::new(), Vec::new());
        for pair in parts.uri.query().unwrap_or_default().split('&') {
            match NAMES.iter().find_map(|name| pair.strip_prefix(name)) {
                Some(name) => expand.push(name.to_owned()),
                None => others.push(pair),
            }
        }
        let others = format!("/?{}", others.join("&")).parse().map_err(|_| Code::InvalidRequest)?;
        let Query(parameters) = Query::<T>::try_from_uri(&others).map_err(|_| Code::InvalidRequest)?;
        Ok(Self { parameters, expand: Expand(expand) })
    }
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The last identifier of the page before; the newest rows without.
    #[serde(default)]
    pub starting_after: Option<String>,
    /// How many rows; 20 without, at most 100.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl Page {
    /// The page's size.
    ///
    /// # Errors
    /// `invalid_request` unless it is 1 to 100.
    pub fn size(&self) -> Result<u32, Refused> {
        match self.limit.unwrap_or(20) {
            limit @ 1..=100 => Ok(limit),
            _ => Err(Refused::at(Code::InvalidRequest, "limit")),
        }
    }

    /// The identifier that the page before ended with.
    ///
    /// # Errors
    /// `invalid_request` if it is none of this kind.
    pub fn after<T: FromStr>(&self) -> Result<Option<T>, Refused> {
        self.starting_after.as_deref().map(|text| text.parse().map_err(|_| Refused::at(Code::InvalidRequest, "starting_after"))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_in_another_order() {
        let canonical = |text: &str| canonical(text.as_bytes());
        assert_eq!(canonical(r#"{"a":1,"b":[2,{"d":3,"c":4}]}"#), canonical(r#"{ "b": [2, {"c": 4, "d": 3}], "a": 1 }"#));
        assert_ne!(canonical(r#"{"a":1}"#), canonical(r#"{"a":"1"}"#));
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
        assert_eq!(canonical("no JSON"), b"no JSON");
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction() {
        #[derive(serde::Deserialize)]
        struct Amount {
            amount_minor: i64,
        }
        for (text, amount) in [(r#"{"amount_minor":3650.0}"#, Some(3650)), (r#"{"amount_minor":3650.5}"#, None)] {
            assert_eq!(parse::<Amount>(text.as_bytes()).ok().map(|read| read.amount_minor), amount, "{text}");
        }
    }

    #[test]
    fn errors_name_fields_and_never_values() {
        for (message, field) in [
            ("missing field `amount_minor` at line 1 column 2", Some("amount_minor")),
            ("unknown field `price`, expected one of `amount_minor`", Some("price")),
            ("unknown field `4938 17`, expected", None),
            ("invalid type: string \"493817\", expected u64 at line 1 column 9", None),
        ] {
            assert_eq!(field_of(message).as_deref(), field, "{message}");
        }
    }
}
