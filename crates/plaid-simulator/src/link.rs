//! Link's stand-in: the script that pages load, the page in its frame or (Hosted Link) by itself, banks' own pages, and
//! the calls that these pages make.
//!
//! All URLs are relative to the script's own, so it works wherever these routes are nested.

mod bank;
mod calls;
mod deposit_code;
mod finish;
mod login;
mod notices;
mod numbers;
mod pane;
mod person;
mod turn;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use http::{HeaderName, HeaderValue, header};

use crate::simulator::Simulator;
pub(crate) use person::complete;

/// Which pages may frame Link.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FrameAncestors {
    /// Those of the same origin: the broker's.
    SameOrigin,
    /// Any on this machine: the simulator serves apps that are being built.
    Loopback,
}

/// What every page of Link's may do; who may frame it is added.
macro_rules! policy {
    ($frame_ancestors:literal) => {
        HeaderValue::from_static(concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ",
            "base-uri 'none'; form-action 'none'; frame-ancestors ",
            $frame_ancestors
        ))
    };
}

impl FrameAncestors {
    fn policy(self) -> HeaderValue {
        match self {
            Self::SameOrigin => policy!("'self'"),
            Self::Loopback => policy!(
                "'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*"
            ),
        }
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const PAGE: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The routes, with paths relative to where they are nested.
pub(crate) fn routes<S>(simulator: Simulator, ancestors: FrameAncestors) -> Router<S> {
    macro_rules! file {
        ($name:literal) => {
            (
                concat!("/", $name),
                include_str!(concat!("../static/", $name)),
            )
        };
    }
    let scripts = [
        file!("link-initialize.js"),
        file!("link.js"),
        file!("flow.js"),
        file!("calls.js"),
        file!("dialog.js"),
        file!("panes.js"),
        file!("manual.js"),
        file!("elements.js"),
        file!("hosted.js"),
        file!("bank.js"),
    ];
    let mut router = Router::new();
    for (path, text) in scripts {
        router = router.route(path, asset(SCRIPT, text, None));
    }
    router
        .route(
            "/link.html",
            asset(
                PAGE,
                include_str!("../static/link.html"),
                Some(ancestors.policy()),
            ),
        )
        .route(
            "/bank.html",
            asset(PAGE, include_str!("../static/bank.html"), Some(policy!("'none'"))),
        )
        .route(
            "/link.css",
            asset(STYLE, include_str!("../static/link.css"), None),
        )
        .route("/session/{step}", post(calls::answer))
        .route("/bank/{step}", post(bank::answer))
        .with_state(simulator)
}

/// Hosted Link's page. It loads the files of [`routes`], which are its neighbours under `/_simulator/link`.
pub(crate) fn hosted_routes<S>(simulator: Simulator) -> Router<S> {
    let page = include_str!("../static/hosted.html");
    Router::new()
        .route("/{id}", asset(PAGE, page, Some(policy!("'none'"))))
        .with_state(simulator)
}

/// A file that is part of the binary. Like Plaid's own script it must not be kept: it changes without notice.
fn asset(
    content_type: &'static str,
    text: &'static str,
    policy: Option<HeaderValue>,
) -> MethodRouter<Simulator> {
    get(async move || {
        let mut response: Response = text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Some(policy) = policy {
            headers.insert(HeaderName::from_static("content-security-policy"), policy);
        }
        response
    })
}
