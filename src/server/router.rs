//! The routers by audience (people, the page's own calls, OAuth clients), and the stack that each request passes.

use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

use super::openapi;
use crate::app::{App, Routes};
use crate::http::assets;
use crate::http::client_ip::Proxies;
use crate::http::{Refusal, root_from, wants_page};
use crate::http::{client_ip, drain_body, headers, request_id, request_line, timeout};
use crate::request_log::{self, RequestLog};
use crate::{console, explorer, link, oauth};

/// Everything that is served on the broker's own address.
pub fn build(app: App, log: RequestLog) -> Router {
    let mut router = routes(&app).into_router();
    if let Some(simulator) = &app.simulator {
        // Nested last, so that Link's stand-in comes from our own origin and works through a tunnel.
        router = router.nest_service("/_simulator/link", simulator.link_routes());
    }
    router = router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    let proxies = Proxies {
        trusted: app.config.http.trusted_proxies.as_slice().into(),
        public_url_is_https: app.public_url.starts_with("https://"),
    };
    // From the inside out: a request is observed for the request log, a panic becomes an answer, which is timed, waits for
    // what is unread, may be read by pages of public clients, gets its headers, is logged with the peer's address, and
    // carries the request id that all of them use.
    router
        .layer(Extension(log.clone()))
        .layer(from_fn_with_state((app.clone(), log), request_log::layer))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(timeout::layer))
        .layer(from_fn(drain_body::layer))
        .layer(from_fn_with_state(app.clone(), oauth::cors::layer))
        .layer(from_fn(headers::layer))
        .layer(from_fn_with_state(app.metrics.http.clone(), request_line::layer))
        .layer(from_fn_with_state(proxies, client_ip::layer))
        .layer(from_fn(request_id::layer))
        .with_state(app)
}

/// All routes, without those of the simulator's Link. Each is documented in `docs/http.md`.
#[must_use]
pub fn routes(app: &App) -> Routes {
    people()
        .merge(page_calls())
        .merge(oauth_clients())
        .merge(console::routes())
        .merge(openapi::routes(app))
        .merge(assets::routes())
}

fn people() -> Routes {
    Routes::default()
        .get("/", link::root)
        .get("/oauth/authorize", link::authorize)
        .get("/link/return", link::link_return)
        .get("/explorer", explorer::page)
}

fn page_calls() -> Routes {
    Routes::default()
        .post("/api/create_link_token", link::create_link_token)
        .post("/api/set_access_token", link::set_access_token)
        .post("/api/link_exit", link::link_exit)
        .post("/api/info", link::info)
}

fn oauth_clients() -> Routes {
    Routes::default()
        .post("/api/send_the_access_token_AUTH", oauth::token::token)
        .post("/oauth/token", oauth::token::token)
        .post("/oauth/revoke", oauth::revoke::revoke)
        .post("/oauth/introspect", oauth::introspect::introspect)
        .get(
            "/.well-known/oauth-authorization-server",
            oauth::metadata::metadata,
        )
}

async fn not_found(State(app): State<App>, request: Request) -> Response {
    let mut refusal = Refusal {
        status: StatusCode::NOT_FOUND,
        title: "There is nothing at this address".to_owned(),
        message: "The address may be mistyped, or the link that led here is old.".to_owned(),
        advice: vec!["Go back to the application that sent you here.".to_owned()],
    };
    let mut described = refusal.title.clone();
    if let Some(meant) = request_log::meant(request.uri().path()) {
        described = format!("{described}; did you mean {meant}?");
        refusal
            .advice
            .push(format!("If you set it up: did you mean {meant}?"));
    }
    answer(&app, &request, &refusal, "not_found", &described)
}

async fn method_not_allowed(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let takes_post = path.starts_with("/api/")
        || matches!(
            path,
            "/setup/logout"
                | "/setup/rehearse"
                | "/setup/callbacks"
                | "/oauth/token"
                | "/oauth/revoke"
                | "/oauth/introspect"
        );
    let (message, described) = if takes_post {
        (
            "It is for programs, which send something to it. There is no page here.",
            "use POST at this address",
        )
    } else {
        (
            "It shows a page and takes nothing. A form or a program sent something to it.",
            "use GET at this address",
        )
    };
    let refusal = Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        title: "This address is used in another way".to_owned(),
        message: message.to_owned(),
        advice: vec![
            "Go back to the application that sent you here.".to_owned(),
            format!("If you set it up: {described}."),
        ],
    };
    answer(&app, &request, &refusal, "invalid_request", described)
}

fn answer(app: &App, request: &Request, refusal: &Refusal, error: &str, described: &str) -> Response {
    let path = request.uri().path();
    if wants_page(request.headers()) && !path.starts_with("/api/") {
        return app.error_page(root_from(path), refusal);
    }
    let body = json!({ "error": error, "error_description": described });
    (refusal.status, Json(body)).into_response()
}

/// Unwinding stays on, so that one request's mistake is not everybody's. What the panic said stays in the log.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer wants")]
fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(no text)");
    tracing::error!(panic = text, "handler panicked: internal error");
    let body = json!({ "error": "server_error", "error_description": "something went wrong on our side" });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
