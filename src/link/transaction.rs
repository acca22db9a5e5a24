//! Opening a transaction, and proving on every call of the page that it is this browser's and this tab's.
//!
//! The cookie binds the browser (another browser with a stolen handle has no cookie), the handle binds the tab (two
//! tabs do not disturb each other) and, being a header of ours, keeps other sites' forms out.

use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use super::api_error::PageCallError;
use super::cookies;
use crate::app::App;
use crate::audit::Origin;
use crate::limits::Kind;
use crate::middleware::peer::Peer;
use crate::middleware::request_id;
use crate::random;
use crate::secret::OwnToken;
use crate::store::model::{Flow, NewTransaction, Transaction, TransactionId};
use crate::store::{StoreError, TokenKind};
use crate::web::{CrossSite, refuse_cross_site};

/// How long a person may take: as long as a link token lives (<https://plaid.com/docs/api/link/>).
const TRANSACTION_TTL: Duration = Duration::from_secs(4 * 3600);

/// A header of ours: no other site can send it without asking first, and nobody answers such a question (CORS).
const HANDLE_HEADER: &str = "x-broker-handle";

/// A fresh transaction, as the browser gets to know it.
pub(super) struct Opened {
    /// Goes into the page.
    pub(super) handle: OwnToken,
    /// `Set-Cookie` values.
    pub(super) cookies: Vec<String>,
}

/// Opens a transaction for this browser. Each authorization gets a new one, so none can be planted beforehand.
pub(super) async fn open(
    app: &App,
    headers: &HeaderMap,
    peer: Peer,
    flow: Flow,
    scope: Option<Vec<String>>,
) -> Result<Opened, StoreError> {
    let now = app.clock.now();
    let id = TransactionId(random::id(now));
    let nonce = random::nonce();
    let transaction = NewTransaction {
        id,
        nonce,
        flow,
        scope,
        // Fresh and random: it says nothing about the person (https://plaid.com/docs/api/link/, client_user_id).
        client_user_id: uuid::Builder::from_random_bytes(random::bytes())
            .into_uuid()
            .to_string(),
        created_at: now,
        expires_at: now.plus(TRANSACTION_TTL),
    };
    let origin = Origin::request(peer.address, request_id::current());
    app.store.by(origin).open_transaction(transaction).await?;
    app.metrics.flow.transaction("opened");
    tracing::info!(transaction = %id, "transaction opened");
    let tokens = app.store.tokens();
    let cookie = tokens.issue(TokenKind::TransactionCookie, id.0, &nonce);
    let mut set = cookies::clear_oldest(headers, peer.https);
    set.push(cookies::set_transaction(
        id.0,
        &cookie,
        TRANSACTION_TTL,
        peer.https,
    ));
    Ok(Opened {
        handle: tokens.issue(TokenKind::TransactionHandle, id.0, &nonce),
        cookies: set,
    })
}

/// The transaction of one of the page's own calls: cookie and handle have both been proven.
pub struct ProvenTransaction(pub Transaction);

impl FromRequestParts<App> for ProvenTransaction {
    type Rejection = PageCallError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageCallError> {
        let headers = &parts.headers;
        refuse_cross_site(headers).map_err(|CrossSite| PageCallError::CrossSite)?;
        let peer = parts.extensions.get::<Peer>().copied();
        if let Some(peer) = peer {
            app.limits
                .address(Kind::PageCall, peer.address)
                .map_err(PageCallError::TooMany)?;
        }
        let https = peer.is_some_and(|peer| peer.https);
        let tokens = app.store.tokens();

        let handle = headers.get(HANDLE_HEADER).and_then(|value| value.to_str().ok());
        let handle = handle
            .and_then(|text| tokens.parse(TokenKind::TransactionHandle, text))
            .ok_or(PageCallError::NoTransaction)?;
        let cookie = cookies::transaction(headers, handle.id(), https)
            .and_then(|text| tokens.parse(TokenKind::TransactionCookie, &text))
            .ok_or(PageCallError::NoTransaction)?;
        let transaction = app
            .store
            .transaction(TransactionId(handle.id()))
            .await?
            .ok_or(PageCallError::NoTransaction)?;
        let proven = handle.belongs_to(tokens, &transaction.nonce)
            && cookie.id() == handle.id()
            && cookie.belongs_to(tokens, &transaction.nonce);
        proven
            .then_some(Self(transaction))
            .ok_or(PageCallError::NoTransaction)
    }
}
