//! What a handler leaves of a request's body is read before its answer is sent.
//!
//! HTTP/1.1 lets a server answer before it has read all (RFC 9112 9.3), and hyper closes the connection then. A proxy that
//! is still sending may take that for a broken answer and break it off towards its own caller (Caddy does, when that one
//! speaks HTTP/2), so a refusal that was sent early would never be seen.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::EXPECT;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};

use super::body::MAX_BODY;

/// How long an answer waits for the rest of a body: what is on its way arrives in less.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what the handler did not read, within bounds, and then gives its answer.
pub async fn layer(request: Request, next: Next) -> Response {
    // A client that asks before it sends (RFC 9110 10.1.1) sends nothing after a refusal.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let kept = Kept(Arc::new(Mutex::new(body)));
    let lent = Request::from_parts(parts, Body::new(kept.clone()));
    let response = next.run(lent).await;
    let announced = kept.size_hint().lower();
    // What the handler gave up as too slow or too long is not waited for again.
    let given_up = matches!(
        response.status(),
        StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE
    );
    if !given_up && !kept.is_end_stream() && usize::try_from(announced).is_ok_and(|rest| rest <= MAX_BODY) {
        // A body that is too long, too slow or broken gets its answer all the same.
        let _ = tokio::time::timeout(PATIENCE, Limited::new(kept, MAX_BODY).collect()).await;
    }
    response
}

/// A body that can be read on when the handler that had it is done.
#[derive(Clone)]
struct Kept(Arc<Mutex<Body>>);

impl Kept {
    fn body(&self) -> MutexGuard<'_, Body> {
        // A poll that panicked leaves a body that may be polled again; what it gives then is its own affair.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
