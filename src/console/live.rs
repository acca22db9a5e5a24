//! The record of requests for the set-up page, as it is written: server-sent events (
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The time limit of requests holds until the head of an answer, so it does not cut these. They end with the broker, and
//! after [`LIMIT`]: then the browser connects again by itself and has to show its session again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream::{self, StreamExt as _};
use http::header::{CACHE_CONTROL, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::page::json;
use crate::app::App;
use crate::app::admin::Admin;
use crate::http::client_ip::Peer;
use crate::oauth::params::one;
use crate::request_log::{RequestLog, Update};

const LIMIT: Duration = Duration::from_secs(600);
/// For proxies that end silent connections.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
pub(super) const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /setup/record`: the record, and then each request as it comes. `Last-Event-ID`, or `after`, says what the
/// page has already.
pub(super) async fn record(
    State(app): State<App>,
    Extension(log): Extension<RequestLog>,
    _: Admin,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(listener) = log.listen() else {
        return busy("too many pages watch the requests at the moment");
    };
    let sent = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let mark = sent
        .map(str::to_owned)
        .or_else(|| one(&query.unwrap_or_default(), "after"));
    let listener = match mark {
        Some(mark) => listener.after(&mark),
        None => listener,
    };
    let watching = (listener, app, headers);
    let events = stream::unfold(watching, move |(mut listener, app, headers)| async move {
        let update = listener.next().await?;
        // After a logout, or the end of the session, nothing more is sent.
        Admin::of(&app, &headers, peer.https)?;
        let event = match update {
            Update::Reset => Event::default().event("reset").data("-"),
            Update::Entry(entry) => Event::default()
                .event("entry")
                .id(listener.mark(&entry))
                .data(json(&app, &entry)),
        };
        Some((Ok::<_, Infallible>(event), (listener, app, headers)))
    });
    let events = events.take_until(tokio::time::sleep(LIMIT));
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("alive");
    let headers = [(CACHE_CONTROL, "no-store"), (BUFFERING, "no")];
    (headers, Sse::new(events).keep_alive(keep_alive)).into_response()
}

pub(super) fn busy(message: &str) -> Response {
    let body = serde_json::json!({ "error": "busy", "message": message });
    let retry = [(RETRY_AFTER, HeaderValue::from_static("5"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, Json(body)).into_response()
}
