//! `POST /control`: checks the proof, runs the command as a task of its own, and sends its lines as they come.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use super::proof::{Proof, Refused, Seen};
use super::{Context, Keys, Line, Request, Sink, account_text, execute};
use crate::app::App;
use crate::middleware::body::{self, json_object};

#[derive(Clone)]
struct Control {
    app: App,
    seen: Arc<Seen>,
}

/// The route, for the operations address.
pub fn router(app: App) -> Router {
    let seen = Arc::default();
    Router::new()
        .route("/control", post(control))
        .with_state(Control { app, seen })
}

async fn control(State(control): State<Control>, headers: HeaderMap, body: Body) -> Response {
    let Control { app, seen } = control;
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(error) => return told(StatusCode::BAD_REQUEST, "bad_request", &error.to_string()),
    };
    let plaid = &app.config.plaid;
    let account = account_text(plaid.environment.name(), &plaid.client_id);
    let keys = Keys::of(&app.store.keyring());
    let checked = sent(&headers).ok_or(Refused::NotProven).and_then(|proof| {
        let key = *seen.check(&keys, &proof, &account, &body, app.clock.now())?;
        Ok((proof, zeroize::Zeroizing::new(key)))
    });
    let (proof, key) = match checked {
        Ok(checked) => checked,
        Err(refused) => {
            tracing::warn!(cause = %refused, "a command on the operations address was refused");
            return told(refused.status(), "refused", &refused.to_string());
        }
    };
    let Some(request) = json_object::<Request>(&body) else {
        let message = "this broker does not know the command: use the command line of its own version";
        return told(StatusCode::BAD_REQUEST, "unknown_command", message);
    };
    tracing::info!(
        command = request.name(),
        "a command came on the operations address"
    );
    let (sink, lines) = Sink::new();
    // A task of its own: what was begun goes on when the caller hangs up.
    tokio::spawn(async move {
        let answer = execute(&Context::of(&app), request, &sink).await;
        let _ = sink.0.send(Line::Answer(answer)).await;
    });
    let answer = Lines {
        coming: lines,
        proof,
        key,
        number: 0,
    };
    let headers = [(CONTENT_TYPE, "application/x-ndjson")];
    (headers, Body::new(answer)).into_response()
}

fn sent(headers: &HeaderMap) -> Option<Proof> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    Proof::read(text.strip_prefix("Bearer ")?)
}

fn told(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({ "error": error, "message": message }))).into_response()
}

impl Refused {
    fn status(self) -> StatusCode {
        match self {
            Self::NotProven | Self::Stale | Self::Repeated => StatusCode::UNAUTHORIZED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The answer as it comes: each line is `{mac} {json}`.
struct Lines {
    coming: mpsc::Receiver<Line>,
    proof: Proof,
    key: zeroize::Zeroizing<[u8; 32]>,
    number: u32,
}

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.coming.poll_recv(task).map(|line| {
            let json = serde_json::to_string(&line?).ok()?;
            let mac = self.proof.line_mac(&self.key, self.number, json.as_bytes());
            self.number += 1;
            Some(Ok(Frame::data(Bytes::from(format!("{mac} {json}\n")))))
        })
    }
}
