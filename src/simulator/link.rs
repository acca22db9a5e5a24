//! Link's stand-in: the script that pages load, the page in its frame, and the calls that page makes.
//!
//! All URLs are relative to the script's own, so it works wherever these routes are nested.

mod calls;
mod login;
mod person;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use http::{HeaderName, HeaderValue, header};

pub(super) use self::person::complete;
use super::Simulator;

/// Which pages may frame Link.
#[derive(Clone, Copy, Debug)]
pub(super) enum FrameAncestors {
    /// Those of the same origin: the broker's.
    SameOrigin,
    /// Any on this machine: the simulator serves apps that are being built.
    Loopback,
}

impl FrameAncestors {
    fn policy(self) -> HeaderValue {
        match self {
            Self::SameOrigin => HeaderValue::from_static(concat!(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ",
                "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
            )),
            Self::Loopback => HeaderValue::from_static(concat!(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ",
                "base-uri 'none'; form-action 'none'; frame-ancestors 'self' ",
                "http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*"
            )),
        }
    }
}

/// The routes, with paths relative to where they are nested.
pub(super) fn routes<S>(simulator: Simulator, ancestors: FrameAncestors) -> Router<S> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let page = (
        HeaderName::from_static("content-security-policy"),
        ancestors.policy(),
    );
    Router::new()
        .route(
            "/link-initialize.js",
            asset(
                SCRIPT,
                include_str!("../../static/simulator/link-initialize.js"),
                None,
            ),
        )
        .route(
            "/link.html",
            asset(
                "text/html; charset=utf-8",
                include_str!("../../static/simulator/link.html"),
                Some(page),
            ),
        )
        .route(
            "/link.js",
            asset(SCRIPT, include_str!("../../static/simulator/link.js"), None),
        )
        .route(
            "/panes.js",
            asset(SCRIPT, include_str!("../../static/simulator/panes.js"), None),
        )
        .route(
            "/link.css",
            asset(
                "text/css; charset=utf-8",
                include_str!("../../static/simulator/link.css"),
                None,
            ),
        )
        .route("/session/{step}", post(calls::answer))
        .with_state(simulator)
}

/// A file that is part of the binary. Like Plaid's own script it must not be kept: it changes without notice.
fn asset(
    content_type: &'static str,
    text: &'static str,
    extra: Option<(HeaderName, HeaderValue)>,
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
        if let Some((name, value)) = extra {
            headers.insert(name, value);
        }
        response
    })
}
