//! Preparing an authorization, and proving on every call of the page that it is this browser's and this tab's.
//!
//! A page view stores nothing: the page keeps the checked request, sealed, and its first call that changes something
//! brings it. The cookie binds the browser (another browser with a stolen handle has no cookie), the handle binds the tab (two
//! tabs do not disturb each other) and, being a header of ours, keeps other sites' forms out.

use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use super::api_error::PageCallError;
use super::cookies;
use crate::app::App;
use crate::http::client_ip::Peer;
use crate::http::limits::Kind;
use crate::http::{CrossSite, refuse_cross_site, request_id};
use crate::oauth::facts::Facts;
use crate::oauth::redirect::RedirectTarget;
use crate::random;
use crate::secret::OwnToken;
use crate::store::model::{
    Authorization, AuthorizationId, Flow, NewAuthorization, Nonce, OAuthRequest, Stage,
};
use crate::store::seal::SealError;
use crate::store::{PresentedToken, TokenKind};
use crate::telemetry::audit::Origin;

/// How long a person may take: as long as a link token lives (<https://plaid.com/docs/api/link/>).
const AUTHORIZATION_TTL: Duration = Duration::from_secs(4 * 3600);

/// A header of ours: no other site can send it without asking first, and nobody answers such a question (CORS).
const HANDLE_HEADER: &str = "x-broker-handle";

/// A fresh authorization, as the browser gets to know it.
pub(super) struct Prepared {
    /// Goes into the page, and comes back in a header.
    pub(super) handle: OwnToken,
    /// The sealed request: goes into the page, and comes back in the body of a call. It is too long for a header, since
    /// proxies limit those to 8 KB.
    pub(super) request: String,
    /// `Set-Cookie` values.
    pub(super) cookies: Vec<String>,
}

/// Prepares an authorization for this browser. Each authorization gets a new one, so none can be planted beforehand.
pub(super) fn prepare(
    app: &App,
    headers: &HeaderMap,
    peer: Peer,
    flow: Flow,
    scope: Option<Vec<String>>,
) -> Result<Prepared, SealError> {
    let now = app.clock.now();
    let new = NewAuthorization {
        id: AuthorizationId(random::id(now)),
        nonce: random::nonce(),
        flow,
        scope,
        // Fresh and random: it says nothing about the person (https://plaid.com/docs/api/link/, client_user_id).
        client_user_id: uuid::Builder::from_random_bytes(random::bytes())
            .into_uuid()
            .to_string(),
        created_at: now,
        expires_at: now.plus(AUTHORIZATION_TTL),
    };
    let tokens = app.store.tokens();
    let (id, nonce) = (new.id.0, &new.nonce);
    let cookie = tokens.issue(TokenKind::AuthorizationCookie, id, nonce);
    let mut set = cookies::clear_oldest(headers, peer.https);
    set.push(cookies::set_authorization(
        id,
        &cookie,
        AUTHORIZATION_TTL,
        peer.https,
    ));
    Ok(Prepared {
        handle: tokens.issue(TokenKind::AuthorizationHandle, id, nonce),
        request: tokens.seal_request(&new)?,
        cookies: set,
    })
}

/// The tab of one of the page's own calls: cookie and handle are well-formed and of one authorization.
pub struct Tab {
    handle: PresentedToken,
    cookie: PresentedToken,
    pub(super) peer: Peer,
    facts: Facts,
}

impl Tab {
    /// Where decisions of this call come from.
    pub(super) fn origin(&self) -> Origin {
        Origin::request(self.peer.address, request_id::current())
    }

    /// Notes whose request it is; those of the browser login flow are no client's.
    pub(super) fn note_client(&self, authorization: &Authorization) {
        if let Flow::OAuth(request) = &authorization.flow {
            self.facts
                .note(|known| known.client = Some(request.client_id.clone()));
        }
    }

    /// The tab's authorization, once cookie and handle are proven to belong to it. It may not be stored yet if the page sent
    /// its sealed `request`.
    pub(super) async fn authorization(
        &self,
        app: &App,
        request: Option<&str>,
    ) -> Result<Authorization, PageCallError> {
        let tokens = app.store.tokens();
        let id = AuthorizationId(self.handle.id());
        let sent = match request {
            Some(text) => Some(
                tokens
                    .open_request(id, text)
                    .ok_or(PageCallError::NoTransaction)?,
            ),
            None => None,
        };
        let proves =
            |nonce: &Nonce| self.handle.belongs_to(tokens, nonce) && self.cookie.belongs_to(tokens, nonce);
        // Nobody without the cookie makes the store look anything up.
        if sent.as_ref().is_some_and(|new| !proves(&new.nonce)) {
            return Err(PageCallError::NoTransaction);
        }
        let stored = app.store.authorization(id).await?;
        let authorization = match (sent, stored) {
            // What never changes is read from the request: the row of a cancelled authorization does not have all of it.
            (Some(new), stored) => Authorization::at(stored.map_or(Stage::Open, |stored| stored.stage), new),
            (None, Some(stored)) => stored,
            (None, None) => return Err(PageCallError::NoTransaction),
        };
        proves(&authorization.nonce)
            .then_some(authorization)
            .ok_or(PageCallError::NoTransaction)
    }
}

impl FromRequestParts<App> for Tab {
    type Rejection = PageCallError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageCallError> {
        let headers = &parts.headers;
        refuse_cross_site(headers).map_err(|CrossSite| PageCallError::CrossSite)?;
        // It is always known of a request that came over a connection.
        let peer = parts.extensions.get::<Peer>().copied();
        let peer = peer.ok_or(PageCallError::NoTransaction)?;
        app.limits
            .address(Kind::PageCall, peer.address)
            .map_err(PageCallError::TooMany)?;
        let tokens = app.store.tokens();

        let handle = headers.get(HANDLE_HEADER).and_then(|value| value.to_str().ok());
        let handle = handle
            .and_then(|text| tokens.parse(TokenKind::AuthorizationHandle, text))
            .ok_or(PageCallError::NoTransaction)?;
        let cookie = cookies::authorization(headers, handle.id(), peer.https)
            .and_then(|text| tokens.parse(TokenKind::AuthorizationCookie, &text))
            .filter(|cookie| cookie.id() == handle.id())
            .ok_or(PageCallError::NoTransaction)?;
        let facts = parts.extensions.get::<Facts>().cloned().unwrap_or_default();
        Ok(Self {
            handle,
            cookie,
            peer,
            facts,
        })
    }
}

/// Whether the browser may still be sent back, checked at each step: an operator may have removed the redirect URI, or its
/// client, since the page was shown. The browser login flow stays here.
pub(super) fn check_callback(app: &App, flow: &Flow) -> Result<(), PageCallError> {
    match flow {
        Flow::OAuth(request) => {
            RedirectTarget::again(&app.clients(), request).ok_or(PageCallError::CallbackRemoved)?;
            Ok(())
        }
        Flow::Browser => Ok(()),
    }
}

/// Where the browser goes: what `build` makes of the redirect URI and the client's `iss`.
pub(super) fn redirect(
    app: &App,
    request: &OAuthRequest,
    build: impl FnOnce(&RedirectTarget, Option<&str>) -> String,
) -> Result<String, PageCallError> {
    let clients = app.clients();
    let target = RedirectTarget::again(&clients, request).ok_or(PageCallError::CallbackRemoved)?;
    Ok(build(&target, app.issuer_for(clients.find(&request.client_id))))
}
