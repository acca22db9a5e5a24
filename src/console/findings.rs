//! Findings for the set-up page as they are made: one JSON object a line, and the verdict at the end.

use std::convert::Infallible;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::live::{BUFFERING, KEEP_ALIVE, busy};
use crate::app::App;
use crate::app::admin::Admin;
use crate::doctor::checks::{self, Context};
use crate::doctor::{Finding, Report};
use crate::oauth::params::one;
use crate::request_log::RequestLog;

/// The lines of an answer. The browser may be gone.
pub(super) struct Lines(UnboundedSender<String>);

impl Lines {
    pub(super) fn answer() -> (Self, Response) {
        let (sender, receiver) = unbounded_channel();
        let lines = stream::unfold(receiver, |mut receiver| async move {
            // An empty line now and then, for proxies that end silent connections.
            let line = tokio::time::timeout(KEEP_ALIVE, receiver.recv()).await;
            let line: String = line.unwrap_or_else(|_| Some("\n".to_owned()))?;
            Some((Ok::<_, Infallible>(line), receiver))
        });
        let headers = [
            (CONTENT_TYPE, "application/x-ndjson"),
            (CACHE_CONTROL, "no-store"),
            (BUFFERING, "no"),
        ];
        (Self(sender), (headers, Body::from_stream(lines)).into_response())
    }

    pub(super) fn finding(&self, finding: &Finding) {
        let _ = self.0.send(finding.line(checks::place(finding)) + "\n");
    }

    pub(super) fn verdict(&self, report: &Report) {
        let _ = self
            .0
            .send(format!("{}\n", json!({ "verdict": report.verdict() })));
    }
}

/// `GET /setup/checks`. `at` is the origin that the browser has the page from.
pub(super) async fn check(
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
    let (lines, response) = Lines::answer();
    tokio::spawn(async move {
        let run = async {
            let _one_at_a_time = slot.lock().await;
            checks::run(&context, |finding| lines.finding(finding)).await
        };
        tokio::select! {
            report = run => lines.verdict(&report),
            () = lines.0.closed() => {}
            () = log.closed() => {}
        }
    });
    response
}
