//! Login by a single-use link or by the configured token, and logout.
//!
//! A link is opened by more than its reader: chats fetch the links of a message to show a preview. So opening it does not
//! use it up. It moves the token into a cookie and redirects, which also keeps it out of the browser's history;
//! a page with one button follows, and that button logs in.

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, StatusCode};

use crate::app::admin::{Admin, AdminForm, Fields, Next, Rejected, audit_context, is_form, session};
use crate::app::{App, Routes};
use crate::http::body;
use crate::http::client_ip::Peer;
use crate::http::limits::{Kind, TooMany};
use crate::http::pages::{AdminLoginPage, AdminLoginWay};
use crate::http::{form_policy, html, refuse_cross_site};
use crate::telemetry::audit::AuditEvent;

const ROOT: &str = "../";
const PATH: &str = "/setup/login";

/// They are for people who run the broker, so they are in `docs/http.md` and not in the `OpenAPI` document.
pub(super) fn routes() -> Routes {
    Routes::default()
        .get(PATH, login_page)
        .post(PATH, log_in)
        .get("/setup/login/{token}", follow)
        .post("/setup/logout", log_out)
}

fn redirect(next: Next) -> Redirect {
    Redirect::to(&format!("{ROOT}{}", next.path()))
}

/// `GET /setup/login/{token}`: the address of a link. Stores the token in a cookie, and redirects to the login page.
async fn follow(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Path(token): Path<String>,
) -> Response {
    if let Err(too_many) = app.limits.address(Kind::Page, peer.address) {
        return refused(&app, Next::Setup, too_many);
    }
    if !app.admins.links.knows(&token, app.clock.now()) {
        return Redirect::to("../login?link=over").into_response();
    }
    let cookie = session::set_link(&token, peer.https);
    ([(SET_COOKIE, cookie)], Redirect::to("../login?link=kept")).into_response()
}

/// `GET /setup/login`: how to log in, or the button that a link leads to.
async fn login_page(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let next = Next::of_name(asked.get("next"));
    if Admin::of(&app, &headers, peer.https).is_some() {
        return redirect(next).into_response();
    }
    let by_link = session::link_sent(&headers, peer.https)
        .is_some_and(|token| app.admins.links.knows(&token, app.clock.now()));
    let notice = match asked.get("link") {
        Some("over") => Some("This link was used already, or is older than 15 minutes."),
        Some("kept") if !by_link => {
            Some("This browser did not keep the link: it needs cookies of this site.")
        }
        _ => None,
    };
    let notice = notice.or_else(|| asked.get("bye").map(|_| "You are logged out."));
    show(&app, next, by_link, notice)
}

fn show(app: &App, next: Next, by_link: bool, notice: Option<&'static str>) -> Response {
    let page = AdminLoginPage {
        root: ROOT,
        environment: app.page_environment(),
        way: match by_link {
            true => AdminLoginWay::Link,
            false if app.config.http.admin_token.is_some() => AdminLoginWay::Token,
            false => AdminLoginWay::None,
        },
        next: next.name(),
        notice,
    };
    html(ROOT, &page, form_policy())
}

/// `POST /setup/login`: uses up the link of the cookie, or checks the typed token. Each login opens a new session, and ends
/// the one that the browser had.
async fn log_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fields = match read(&headers, body).await {
        Ok(fields) => fields,
        Err(rejected) => return rejected.answer(&app, PATH, &headers),
    };
    let next = Next::of_name(fields.get("next"));
    let now = app.clock.now();
    let way = if let Some(typed) = fields.get("token") {
        if let Err(too_many) = app.limits.address(Kind::Login, peer.address) {
            tracing::warn!(client.address = %peer.address, "too many admin tokens were tried");
            audit_context::refused(&app, peer, "too many tries");
            return refused(&app, next, too_many);
        }
        let good = app
            .config
            .http
            .admin_token
            .as_ref()
            .is_some_and(|token| token.matches(typed.trim()));
        if !good {
            tracing::warn!(client.address = %peer.address, "a wrong admin token was typed");
            audit_context::refused(&app, peer, "wrong token");
            let mut response = show(&app, next, false, Some("This is not the admin token."));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return response;
        }
        "by the token"
    } else {
        let link = session::link_sent(&headers, peer.https);
        if !link.is_some_and(|token| app.admins.links.take(&token, now)) {
            tracing::warn!(client.address = %peer.address, "an admin link was refused: used, too old or unknown");
            audit_context::refused(&app, peer, "a link that is used, too old or unknown");
            let gone = session::clear_link(peer.https);
            return ([(SET_COOKIE, gone)], Redirect::to("login?link=over")).into_response();
        }
        "by a link"
    };
    if let Some(old) = session::sent(&headers, peer.https) {
        app.admins.sessions.take(&old, now);
    }
    let token = app.admins.sessions.issue(now);
    tracing::info!(client.address = %peer.address, way, "admin logged in");
    audit_context::done(&app, AuditEvent::AdminLogin, peer, Some(way)).await;
    let cookies = AppendHeaders([
        (SET_COOKIE, session::set(&token, peer.https)),
        (SET_COOKIE, session::clear_link(peer.https)),
    ]);
    (cookies, redirect(next)).into_response()
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Fields, Rejected> {
    refuse_cross_site(headers)?;
    if !is_form(headers) {
        return Err(Rejected::NoForm);
    }
    Ok(Fields::read(&body::read(body).await?))
}

fn refused(app: &App, next: Next, too_many: TooMany) -> Response {
    let notice = "Too many tries from your network. Wait a minute, or use a link.";
    let mut response = show(app, next, false, Some(notice));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(RETRY_AFTER, too_many.header());
    response
}

/// `POST /setup/logout`.
async fn log_out(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    form: AdminForm,
) -> Response {
    if let Some(token) = session::sent(&headers, peer.https) {
        app.admins.sessions.take(&token, app.clock.now());
    }
    tracing::info!(client.address = %peer.address, session = form.admin.name(), "admin logged out");
    audit_context::done(&app, AuditEvent::AdminLogout, peer, None).await;
    let gone = session::clear(peer.https);
    ([(SET_COOKIE, gone)], Redirect::to("login?bye=1")).into_response()
}
