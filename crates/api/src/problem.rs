//! How a refusal becomes an answer: RFC 9457 problem documents.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::id::RequestId;
use wire::problem::{Code, Problem};

/// What a handler answers with instead of its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Box<Problem>);

/// The result of every handler.
pub type Answer<T> = Result<T, Refused>;

impl Refused {
    /// Because of `code`, at the fault of `field`.
    pub fn at(code: Code, field: &str) -> Self {
        Self(Box::new(Problem::of(code).with_field(field)))
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self(Box::new(Problem::of(code)))
    }
}

/// The problem document rides along as an extension until [`settle`] knows the request's identifier.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status_of(&self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal, naming the request. Other responses stay as they are.
pub fn settle(mut response: Response, request: RequestId) -> Response {
    let Some(Refused(mut problem)) = response.extensions_mut().remove::<Refused>() else {
        return response;
    };
    problem.request_id = Some(request.to_string());
    let bytes = serde_json::to_vec(&problem).expect("a problem document is plain data");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    // Whoever passed the empty body on may have noted its length.
    headers.remove(CONTENT_LENGTH);
    if matches!(problem.code, Code::RequestInFlight | Code::PartiesUnavailable | Code::IdentificationInterrupted | Code::StorageFull)
        && !headers.contains_key(RETRY_AFTER)
    {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    *response.body_mut() = Body::from(bytes);
    response
}

fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).expect("every code has a valid HTTP status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_is_a_problem_document_with_the_request() {
        for code in Code::ALL {
            let response = settle(Refused::at(*code, "amount_minor").into_response(), RequestId::from_bits(7));
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            let status = response.status().as_u16();
            let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.expect("the body is in memory");
            let problem: Problem = serde_json::from_slice(&bytes).expect("reads back");
            assert_eq!((problem.code, problem.status, status), (*code, code.describe().0, code.describe().0));
            assert_eq!(problem.request_id, Some(RequestId::from_bits(7).to_string()));
            assert_eq!(problem.field.as_deref(), Some("amount_minor"));
        }
    }
}
