//! The merchant console's people: their session's cookie, and what their role lets them do.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use base::id::{MerchantId, StaffId};
use payments::staff::check;
use store::shop::staff::Signed;
use wire::merchant::Mode;
use wire::problem::Code;
use wire::shop::{Action, Role};

use crate::app::SharedApp;
use crate::auth::{self, Principal, check_page, cookie};
use crate::problem::{Answer, Refused};
use crate::token_sha256;

/// The session's cookie.
pub const SHOP_COOKIE: &str = "handsel_shop_session";
/// The header that a page of another origin cannot send.
pub const SHOP_HEADER: &str = "x-handsel-shop";
/// Says on which store keys and webhooks are managed: `test`, or `live` like without.
const MODE_HEADER: &str = "handsel-mode";

/// A member of a merchant's staff who is signed in.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who, whose, as what.
    pub signed: Signed,
    /// Which store.
    pub mode: Mode,
    /// SHA-256 of the session's token.
    pub session: [u8; 32],
}

/// The layer of [`crate::routes::table::Access::Staff`].
pub async fn staff(
    State((app, action)): State<(SharedApp, Option<Action>)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let member = member_of(&app, session(request.headers()), check_page(&request, SHOP_HEADER), action).await?;
    request.extensions_mut().insert(Principal::Staff(member));
    Ok(next.run(request).await)
}

/// The layer of [`crate::routes::table::Access::ShopPage`].
pub async fn page(mut request: Request, next: Next) -> Result<Response, Refused> {
    check_page(&request, SHOP_HEADER)?;
    request.extensions_mut().insert(Principal::Page);
    Ok(next.run(request).await)
}

/// What a console asks of an endpoint that is there for the merchant's server too: the same, by a session in place of a key.
pub async fn key(State((app, action)): State<(SharedApp, Action)>, mut request: Request, next: Next) -> Result<Response, Refused> {
    if request.headers().contains_key(AUTHORIZATION) {
        return auth::key(State(app), request, next).await;
    }
    let mut member = member_of(&app, session(request.headers()), check_page(&request, SHOP_HEADER), Some(action)).await?;
    if request.headers().get(MODE_HEADER).is_some_and(|mode| mode == "test") {
        member.mode = Mode::Test;
    }
    request.extensions_mut().insert(Principal::Staff(member));
    Ok(next.run(request).await)
}

/// The same of an endpoint that is there for tills too; `asks_for_till` as in [`crate::routes::table::Row`].
pub async fn payee(
    State((app, action, asks_for_till)): State<(SharedApp, Action, bool)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    if request.headers().contains_key(AUTHORIZATION) {
        return if asks_for_till {
            auth::known_payee(State(app), request, next).await
        } else {
            auth::payee(State(app), request, next).await
        };
    }
    let member = member_of(&app, session(request.headers()), check_page(&request, SHOP_HEADER), Some(action)).await?;
    request.extensions_mut().insert(Principal::Staff(member));
    Ok(next.run(request).await)
}

/// Whose session a request has, from which page it comes, and what its role lets it do, in this order.
async fn member_of(app: &SharedApp, session: Option<[u8; 32]>, page: Answer<()>, action: Option<Action>) -> Answer<Member> {
    let session = session.ok_or(Code::Unauthenticated)?;
    let now = app.now();
    let signed = app.with_store(move |store| store.staff_session(&session, now)).await?.ok_or(Code::Unauthenticated)?;
    page?;
    if let Some(action) = action {
        check(signed.role, action).map_err(|refusal| Refused(Box::new(refusal.problem())))?;
    }
    Ok(Member { signed, mode: Mode::Live, session })
}

fn session(headers: &HeaderMap) -> Option<[u8; 32]> {
    cookie(headers, SHOP_COOKIE).map(token_sha256)
}

impl Member {
    /// Who.
    pub fn id(&self) -> StaffId {
        self.signed.id
    }

    /// Whose.
    pub fn merchant(&self) -> MerchantId {
        self.signed.merchant
    }

    /// As what.
    pub fn role(&self) -> Role {
        self.signed.role
    }
}

impl<S: Sync> FromRequestParts<S> for Member {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Staff(member)) => Ok(member.clone()),
            _ => Err(Code::Forbidden.into()),
        }
    }
}
