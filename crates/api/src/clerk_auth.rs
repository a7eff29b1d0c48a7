//! Customer service's people: their session's cookie. All of them may do the same.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use base::id::ClerkId;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::{Principal, check_page, cookie};
use crate::problem::{Answer, Refused};
use crate::token_sha256;

/// The session's cookie.
pub const SERVICE_COOKIE: &str = "handsel_service_session";
/// The header that a page of another origin cannot send.
pub const SERVICE_HEADER: &str = "x-handsel-service";

/// Somebody of customer service who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Clerk {
    /// Who.
    pub id: ClerkId,
    /// SHA-256 of the session's token.
    pub session: [u8; 32],
}

/// The layer of [`crate::routes::table::Access::Clerk`]. The store is asked each time: who was removed is out at once.
pub async fn clerk(State(app): State<SharedApp>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let session = cookie(request.headers(), SERVICE_COOKIE).map(token_sha256).ok_or(Code::Unauthenticated)?;
    let now = app.now();
    let id = app.with_store(move |store| store.clerk_session(&session, now)).await?.ok_or(Code::Unauthenticated)?;
    check_page(&request, SERVICE_HEADER)?;
    request.extensions_mut().insert(Principal::Clerk(Clerk { id, session }));
    Ok(next.run(request).await)
}

/// The layer of [`crate::routes::table::Access::ServicePage`].
pub async fn page(mut request: Request, next: Next) -> Result<Response, Refused> {
    check_page(&request, SERVICE_HEADER)?;
    request.extensions_mut().insert(Principal::Page);
    Ok(next.run(request).await)
}

impl<S: Sync> FromRequestParts<S> for Clerk {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Clerk(clerk)) => Ok(*clerk),
            _ => Err(Code::Forbidden.into()),
        }
    }
}
