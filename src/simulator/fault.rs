//! Plaid's bad days, on order.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::Frame;
use serde::Deserialize;

/// What the next call of a path meets.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Plaid's error body with these words; nothing is done.
    Error {
        /// The HTTP status.
        status: u16,
        /// Plaid's `error_type`.
        error_type: String,
        /// Plaid's `error_code`.
        error_code: String,
    },
    /// The call is answered as usual, this much later.
    Delay(#[serde(deserialize_with = "milliseconds")] Duration),
    /// Never an answer; nothing is done, and the connection stays open.
    Hang,
    /// The connection is reset before anything is done.
    Reset,
    /// This answer instead; nothing is done.
    Body {
        /// The HTTP status.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body.
        bytes: Vec<u8>,
    },
    /// The call is done, and then the connection is reset instead of answered.
    DropAnswer,
    /// The call is done, and the connection breaks after so many bytes of the answer's body.
    Truncate {
        /// How many bytes of the body are sent.
        keep: usize,
    },
}

impl Fault {
    /// An error of Plaid's, for short.
    #[must_use]
    pub fn error(status: u16, error_type: &str, error_code: &str) -> Self {
        Self::Error {
            status,
            error_type: error_type.to_owned(),
            error_code: error_code.to_owned(),
        }
    }
}

/// Over HTTP a delay is `{"kind": "delay", "milliseconds": 250}`.
fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    struct Delay {
        milliseconds: u64,
    }
    Delay::deserialize(deserializer).map(|delay| Duration::from_millis(delay.milliseconds))
}

/// How many faults may wait, over all paths.
const MOST_FAULTS: usize = 1_000;

/// The faults that wait, per path and in order.
#[derive(Default)]
pub(super) struct Faults(HashMap<String, VecDeque<Fault>>);

impl Faults {
    /// Whether there was room.
    pub(super) fn enqueue(&mut self, path: &str, fault: Fault) -> bool {
        let room = self.0.values().map(VecDeque::len).sum::<usize>() < MOST_FAULTS;
        if room {
            self.0.entry(path.to_owned()).or_default().push_back(fault);
        }
        room
    }

    pub(super) fn next(&mut self, path: &str) -> Option<Fault> {
        let queue = self.0.get_mut(path)?;
        let fault = queue.pop_front();
        if queue.is_empty() {
            self.0.remove(path);
        }
        fault
    }
}

/// Marks an answer that must not be sent: [`super::serve`] resets the connection when it sees one.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoAnswer;

/// An answer that is never sent. A server other than [`super::serve`] sends the head and breaks off.
pub(super) fn no_answer() -> Response {
    let mut response = Response::new(Body::new(Broken::new(Bytes::new())));
    response.extensions_mut().insert(NoAnswer);
    response
}

pub(super) fn is_no_answer(response: &Response) -> bool {
    response.extensions().get::<NoAnswer>().is_some()
}

/// The answer with its body broken off after `keep` bytes.
pub(super) fn truncated(head: http::response::Parts, bytes: &Bytes, keep: usize) -> Response {
    let sent = bytes.slice(..keep.min(bytes.len()));
    let mut response = Response::from_parts(head, Body::new(Broken::new(sent)));
    response
        .headers_mut()
        .insert(http::header::CONTENT_LENGTH, bytes.len().into());
    response
}

/// A body that fails once its bytes are sent.
struct Broken {
    bytes: Option<Bytes>,
    flushed: bool,
}

impl Broken {
    fn new(bytes: Bytes) -> Self {
        Self {
            bytes: Some(bytes),
            flushed: false,
        }
    }
}

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(bytes) = self.bytes.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.flushed {
            // hyper flushes when a body makes it wait, and throws its buffer away when a body fails.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other(
            "this answer breaks off on purpose",
        ))))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn every_fault_can_be_written_as_json() {
        let read = |text: &str| serde_json::from_str::<Fault>(text).expect(text);
        let delay = read(r#"{"kind": "delay", "milliseconds": 250}"#);
        assert!(matches!(delay, Fault::Delay(duration) if duration == Duration::from_millis(250)));
        assert!(matches!(read(r#"{"kind": "hang"}"#), Fault::Hang));
        assert!(matches!(read(r#"{"kind": "reset"}"#), Fault::Reset));
        assert!(matches!(read(r#"{"kind": "drop_answer"}"#), Fault::DropAnswer));
        assert!(matches!(
            read(r#"{"kind": "truncate", "keep": 3}"#),
            Fault::Truncate { keep: 3 }
        ));
        let body = r#"{"kind": "body", "status": 502, "content_type": "text/html", "bytes": [60]}"#;
        assert!(matches!(read(body), Fault::Body { status: 502, .. }));
        let error = r#"{"kind": "error", "status": 429, "error_type": "A", "error_code": "B"}"#;
        assert!(matches!(read(error), Fault::Error { status: 429, .. }));
        assert!(serde_json::from_str::<Fault>(r#"{"kind": "surprise"}"#).is_err());
    }

    #[test]
    fn faults_wait_in_order_and_per_path() {
        let mut faults = Faults::default();
        faults.enqueue("/a", Fault::Hang);
        faults.enqueue("/a", Fault::Reset);
        faults.enqueue("/b", Fault::DropAnswer);
        assert!(matches!(faults.next("/a"), Some(Fault::Hang)));
        assert!(matches!(faults.next("/a"), Some(Fault::Reset)));
        assert!(faults.next("/a").is_none());
        assert!(matches!(faults.next("/b"), Some(Fault::DropAnswer)));
        assert!(faults.0.is_empty());
    }

    #[test]
    fn only_so_many_wait() {
        let mut faults = Faults::default();
        for number in 0..MOST_FAULTS {
            assert!(faults.enqueue(&format!("/{}", number % 7), Fault::Hang));
        }
        assert!(!faults.enqueue("/a", Fault::Hang));
        assert!(faults.next("/0").is_some());
        assert!(faults.enqueue("/a", Fault::Hang));
    }
}
