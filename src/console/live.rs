//! What the page hears as it happens: the record of requests, and the checks. Server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The time limit of requests holds until the head of an answer, so it does not cut these. What ends them: the broker's
//! stop, and [`LONGEST`], after which a browser comes again by itself and has to show its session again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::{CACHE_CONTROL, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use tokio::sync::mpsc;

use super::page;
use crate::app::App;
use crate::app::admin::Admin;
use crate::doctor::checks::{self, Context};
use crate::http::client_ip::Peer;
use crate::oauth::params::one;
use crate::request_log::{RequestLog, Update};

/// How long one answer may last.
const LONGEST: Duration = Duration::from_secs(600);
/// A sign of life, for proxies that end what is silent.
const ALIVE: Duration = Duration::from_secs(15);
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /setup/record`: the record, and then each request as it comes. `Last-Event-ID`, or `after`, says what is known.
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
        // Who logged out meanwhile, or whose session has ended, hears no more.
        Admin::of(&app, &headers, peer.https)?;
        let event = match update {
            Update::Reset => Event::default().event("reset").data("-"),
            Update::Entry(entry) => Event::default()
                .event("entry")
                .id(listener.mark(&entry))
                .data(page::json(&app, &entry)),
        };
        Some((Ok(event), (listener, app, headers)))
    });
    answer(events)
}

/// `GET /setup/checks`: each finding as soon as it is there, and `done` at the end. `at` is the origin that the browser
/// has the page from.
pub(super) async fn findings(
    State(app): State<App>,
    Extension(log): Extension<RequestLog>,
    _: Admin,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(slot) = app.limits.checks.enter() else {
        return busy("too many pages run the checks at the moment");
    };
    let mut context = Context::of_app(&app);
    if let Some(origin) = one(&query.unwrap_or_default(), "at") {
        context = context.reached_at(&origin);
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let gone = sender.clone();
        let run = async {
            let _one_at_a_time = slot.lock().await;
            let told = |finding: &checks::Finding| {
                // A browser that is gone is no error.
                let _ = sender.send(Event::default().event("finding").data(placed(finding)));
            };
            checks::run(&context, told).await
        };
        let report = tokio::select! {
            report = run => report,
            () = gone.closed() => return,
            () = log.closed() => return,
        };
        let passed = json!({ "passed": report.passed() }).to_string();
        let _ = gone.send(Event::default().event("done").data(passed));
    });
    let events = stream::unfold(receiver, |mut receiver| async move {
        let event = receiver.recv().await?;
        Some((Ok(event), receiver))
    });
    answer(events)
}

/// A finding with its place in the broker's list: they come in any order.
fn placed(finding: &checks::Finding) -> String {
    let mut value = serde_json::to_value(finding).unwrap_or_default();
    let place = checks::ALL.iter().position(|check| check.id == finding.id);
    if let Some(members) = value.as_object_mut() {
        members.insert("place".to_owned(), place.into());
    }
    value.to_string()
}

fn answer(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let events = events.take_until(tokio::time::sleep(LONGEST));
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(ALIVE).text("alive"))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

fn busy(message: &str) -> Response {
    let body = json!({ "error": "busy", "message": message });
    let retry = [(RETRY_AFTER, HeaderValue::from_static("5"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, Json(body)).into_response()
}
