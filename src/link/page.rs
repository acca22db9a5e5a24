//! `GET /` and `GET /oauth/authorize`: checks the request and shows the Link page. Nothing is stored for that.

use std::convert::Infallible;
use std::net::Ipv6Addr;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::{authorization, policy, refusal};
use crate::app::App;
use crate::app::admin::Admin;
use crate::config::ExplorerMode;
use crate::http::client_ip::Peer;
use crate::http::limits::Kind;
use crate::http::pages::{AboutPage, FramedPage, LinkPage, plain_products};
use crate::http::request_id;
use crate::http::{html, plain_policy, refuse_cross_site};
use crate::oauth::authorize::{self as request, Authorization, AuthorizeError, PageError};
use crate::oauth::params::Params;
use crate::plaid;
use crate::random;
use crate::store::model::Flow;
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

/// What is known of the browser's request.
pub struct Visit {
    /// The way from this page to the root of the site.
    root: &'static str,
    query: String,
    headers: HeaderMap,
    peer: Peer,
    /// Somebody only looks whether there is a page (a link preview): nothing is opened for that.
    only_looks: bool,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        // The peer is always known of a request that came over a connection; without one nothing about it is trusted.
        let unknown = Peer {
            address: Ipv6Addr::UNSPECIFIED.into(),
            https: false,
        };
        Ok(Self {
            root: if parts.uri.path() == "/" { "./" } else { "../" },
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            peer: parts.extensions.get::<Peer>().copied().unwrap_or(unknown),
            only_looks: parts.method == Method::HEAD,
        })
    }
}

/// `GET /`: OAuth when any OAuth parameter is there, else the browser login flow.
pub async fn root(State(app): State<App>, visit: Visit) -> Response {
    let params = Params::from_query(visit.query.as_bytes());
    let is_oauth = params.map_or(true, |params| request::is_oauth(&params));
    if is_oauth {
        authorize(State(app), visit).await
    } else if visit.only_looks {
        StatusCode::OK.into_response()
    } else {
        browser_login(&app, &visit)
    }
}

pub async fn authorize(State(app): State<App>, visit: Visit) -> Response {
    if visit.only_looks {
        return StatusCode::OK.into_response();
    }
    authorization(&app, &visit)
}

/// What came of an authorization request, for the request log: in the extensions of its response.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It is as it should be, and the Link page is shown.
    Good,
    TooMany,
    OnPage(PageError),
    SentBack {
        error: &'static str,
        description: String,
    },
}

fn authorization(app: &App, visit: &Visit) -> Response {
    if let Some(elsewhere) = no_page(app, visit) {
        return counted(app, visit, elsewhere);
    }
    let (asked, mut response) = ask(app, visit);
    response.extensions_mut().insert(asked);
    response
}

fn ask(app: &App, visit: &Visit) -> (Asked, Response) {
    // Refused requests count as well: each is parsed, recorded and audited.
    if let Err(too_many) = app.limits.address(Kind::Page, visit.peer.address) {
        return (Asked::TooMany, refusal::too_many(app, visit.root, too_many));
    }
    let clients = app.clients();
    match request::authorize(&visit.query, clients.as_slice(), &app.config.link.products) {
        Ok(Authorization {
            client,
            target,
            request,
            scope,
        }) => {
            // Link shows the latter as well.
            let name = client.name.as_ref().unwrap_or(&app.config.link.client_name);
            let (flow, name) = (Flow::OAuth(request), Some(name.clone()));
            let page = link_page(app, visit, flow, scope, name, target.host());
            (Asked::Good, page)
        }
        Err(AuthorizeError::Page(error)) => {
            let named = request::named_client(&clients, &visit.query);
            note_refused(app, visit, named.map(|client| client.id.clone()), error.words());
            let page = refusal::of_authorization(app, visit.root, &error);
            (Asked::OnPage(error), page)
        }
        Err(AuthorizeError::Redirect {
            client,
            target,
            error,
            description,
        }) => {
            tracing::info!(oauth.client_id = %client.id, oauth.error = error, cause = %description,
                "authorization request refused");
            note_refused(app, visit, Some(client.id.clone()), error);
            let back = send_on(&target.with_error(error, &description, app.issuer_for(Some(client))));
            (Asked::SentBack { error, description }, back)
        }
    }
}

fn note_refused(app: &App, visit: &Visit, client_id: Option<String>, words: &'static str) {
    let origin = Origin::request(visit.peer.address, request_id::current());
    let new = NewAudit {
        client_id,
        ..NewAudit::new(AuditEvent::AuthorizationRefused, Actor::Person)
    };
    app.audit
        .note(new.outcome(AuditOutcome::Refused, words).from(&origin));
}

/// 303 and never 307: nothing of this request may be sent on (RFC 9700 4.12). The empty fragment keeps the browser from
/// giving the one of this address to the client (RFC 9110 10.2.2), which might take it for an answer.
fn send_on(url: &str) -> Response {
    Redirect::to(&format!("{url}#")).into_response()
}

fn browser_login(app: &App, visit: &Visit) -> Response {
    if let Some(elsewhere) = no_page(app, visit) {
        return counted(app, visit, elsewhere);
    }
    if !explorer_is_open(app, &visit.headers, visit.peer) {
        return about(app, visit.root);
    }
    if let Err(too_many) = app.limits.address(Kind::Page, visit.peer.address) {
        return refusal::too_many(app, visit.root, too_many);
    }
    link_page(app, visit, Flow::Browser, None, None, None)
}

/// This response, unless its address has had too many.
fn counted(app: &App, visit: &Visit, response: Response) -> Response {
    match app.limits.address(Kind::Page, visit.peer.address) {
        Ok(()) => response,
        Err(too_many) => refusal::too_many(app, visit.root, too_many),
    }
}

/// Whether this browser may connect a bank for itself and look at its data (`BROKER_EXPLORER`).
#[must_use]
pub fn explorer_is_open(app: &App, headers: &HeaderMap, peer: Peer) -> bool {
    match app.config.http.explorer {
        ExplorerMode::On => true,
        ExplorerMode::Admin => Admin::of(app, headers, peer.https).is_some(),
        ExplorerMode::Off => false,
    }
}

/// What stands where the browser login flow is not open: what this is, and nothing to do.
#[must_use]
pub fn about(app: &App, root: &'static str) -> Response {
    let page = AboutPage {
        root,
        for_admin: app.config.http.explorer == ExplorerMode::Admin,
    };
    html(root, &page, plain_policy())
}

/// The answer where a browser wants something else than a page of its own (Fetch Metadata, `Sec-Fetch-Dest`). Inside a
/// frame neither our cookies nor Link work: the answer there is one link out of it. Another site's image or script does not
/// want to connect a bank.
fn no_page(app: &App, visit: &Visit) -> Option<Response> {
    match visit.headers.get("sec-fetch-dest").map(HeaderValue::as_bytes) {
        None | Some(b"document") => return None,
        // A script asked. Ours may; another site's has no page to show.
        Some(b"empty") if refuse_cross_site(&visit.headers).is_ok() => return None,
        Some(b"iframe" | b"frame" | b"embed" | b"object" | b"fencedframe") => {}
        Some(_) => return Some(app.error_page(visit.root, &refusal::no_document())),
    }
    // A relative reference that is only a query leads to this very page.
    let page = FramedPage {
        root: visit.root,
        continue_url: format!("?{}", visit.query),
    };
    Some(html(visit.root, &page, policy::FRAMED_PAGE))
}

/// `client_name` and `return_host`: who the page says is asking, and where the person returns to.
fn link_page(
    app: &App,
    visit: &Visit,
    flow: Flow,
    scope: Option<Vec<String>>,
    client_name: Option<String>,
    return_host: Option<String>,
) -> Response {
    let can_cancel = matches!(flow, Flow::OAuth(_));
    let configured = &app.config.link.products;
    let lists = scope
        .as_deref()
        .and_then(|scope| plaid::narrow(configured, scope));
    let lists = lists.as_ref().unwrap_or(configured);
    let deliverable = lists.all().filter(|product| lists.delivers(product));
    let products: Vec<String> = deliverable.map(str::to_owned).collect();
    let prepared = match authorization::prepare(app, &visit.headers, visit.peer, flow, scope) {
        Ok(prepared) => prepared,
        Err(error) => {
            tracing::error!(%error, "a request could not be sealed");
            return app.error_page(visit.root, &refusal::internal());
        }
    };
    let page = LinkPage {
        root: visit.root,
        nonce: nonce(),
        handle: prepared.handle.expose().to_owned(),
        request: prepared.request,
        client_name,
        products: plain_products(&products),
        environment: app.page_environment(),
        can_cancel,
        return_host,
        resume: false,
    };
    let mut response = with_policy(&page);
    for cookie in prepared.cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// `GET /link/return`: the bank's own login sends the browser back here, with `oauth_state_id` in the address. The page
/// reopens Link with what its tab remembers (<https://plaid.com/docs/link/oauth/>); the authorization is the one of before.
pub async fn link_return(State(app): State<App>) -> Response {
    with_policy(&LinkPage {
        root: "../",
        nonce: nonce(),
        handle: String::new(),
        request: String::new(),
        client_name: None,
        products: Vec::new(),
        environment: app.page_environment(),
        can_cancel: false,
        return_host: None,
        resume: true,
    })
}

fn nonce() -> String {
    STANDARD.encode(random::bytes::<16>())
}

fn with_policy(page: &LinkPage) -> Response {
    html(
        page.root,
        page,
        &policy::of_link_page(page.environment, &page.nonce),
    )
}
