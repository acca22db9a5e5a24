//! `POST /setup/rehearse`: the rehearsal at the push of a button, told as it goes on: one JSON object a line, a step each,
//! and the verdict at the end. One at a time.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use hyper::body::Frame;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument as _;
use url::Url;

use crate::app::App;
use crate::app::Routes;
use crate::app::admin::Admin;
use crate::doctor::rehearsal::{Identity, Rehearsal};

/// More than a rehearsal has steps, so that telling them never waits for a slow reader.
const MOST_LINES: usize = 256;

/// The route, for admins.
#[must_use]
pub fn routes() -> Routes {
    let place = Arc::new(Semaphore::new(1));
    Routes::default().post(
        "/setup/rehearse",
        async move |State(app): State<App>, _admin: Admin| rehearse(&app, place.clone()),
    )
}

fn rehearse(app: &App, place: Arc<Semaphore>) -> Response {
    let Ok(place) = place.try_acquire_owned() else {
        return refused(StatusCode::CONFLICT, "a rehearsal is under way; wait for its end");
    };
    let rehearsal = match rehearsal(app) {
        Ok(rehearsal) => rehearsal,
        Err(problem) => return refused(StatusCode::CONFLICT, &problem),
    };
    let (lines, told) = mpsc::channel(MOST_LINES);
    // A task of its own: whoever closes the page does not leave test Items behind.
    let work = async move {
        let verdict = rehearsal.run(&mut |step| tell(&lines, &step)).await;
        tell(&lines, &json!({ "verdict": verdict }));
        tracing::info!(verdict = verdict.as_str(), "rehearsed");
        drop(place);
    };
    tokio::spawn(work.in_current_span());
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::new(Lines(told))).into_response()
}

fn rehearsal(app: &App) -> Result<Rehearsal, String> {
    let plaid = Url::parse(app.plaid.base_url()).map_err(|_| "PLAID_BASE_URL is no address".to_owned())?;
    // With the callbacks that were allowed on the page.
    let clients = app.clients();
    Rehearsal::new(
        &app.config,
        clients.first(),
        &app.public_url,
        &plaid,
        Identity::Store(app.store.tokens().clone()),
        Arc::clone(&app.clock),
    )
}

/// Nobody may be listening any more; the rehearsal goes on to its cleaning up.
fn tell(lines: &mpsc::Sender<Bytes>, what: &impl Serialize) {
    if let Ok(mut line) = serde_json::to_vec(what) {
        line.push(b'\n');
        let _ = lines.try_send(line.into());
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(json!({ "error": "not_rehearsed", "message": message })),
    )
        .into_response()
}

/// The lines as they come.
struct Lines(mpsc::Receiver<Bytes>);

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
