//! Faults that tests order.

mod check;
mod wire;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::Frame;
use serde::{Deserialize, Serialize};

pub use self::check::FaultRefused;
use self::check::check;
use self::wire::Wire;

/// What the next call of a path meets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Wire", into = "Wire")]
pub enum Fault {
    /// Plaid's error body with these values; nothing is done.
    Error {
        /// The HTTP status: 400 to 599, or 208.
        status: u16,
        /// Plaid's `error_type`.
        error_type: String,
        /// Plaid's `error_code`.
        error_code: String,
        /// Plaid's `error_message`; without it one that says where the error comes from.
        error_message: Option<String>,
        /// Plaid's `display_message`.
        display_message: Option<String>,
    },
    /// The call is answered as usual, this much later; an hour at most.
    Delay(Duration),
    /// Never an answer; nothing is done, and the connection stays open.
    Hang,
    /// The connection is reset before anything is done.
    Reset,
    /// This answer instead; nothing is done.
    Body {
        /// The HTTP status: 200 to 599.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body.
        bytes: Vec<u8>,
    },
    /// The call is done, and then the connection is reset instead of answered.
    DropAnswer,
    /// The call is done, and the connection breaks after `keep` bytes of the answer's body.
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
            error_message: None,
            display_message: None,
        }
    }
}

/// A fault and the path that it waits at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingFault {
    /// A path of Plaid's.
    pub path: String,
    /// What its next call meets.
    pub fault: Fault,
}

/// How many faults may wait, over all paths.
const MOST_FAULTS: usize = 1_000;

/// The faults that wait, oldest first.
#[derive(Default)]
pub(crate) struct Faults(VecDeque<WaitingFault>);

impl Faults {
    /// Queues a fault, if it can be met: `is_answered` says whether its path is one of Plaid's.
    pub(crate) fn enqueue(&mut self, order: WaitingFault, is_answered: bool) -> Result<(), FaultRefused> {
        check(&order, is_answered)?;
        if self.0.len() >= MOST_FAULTS {
            return Err(FaultRefused::Full);
        }
        self.0.push_back(order);
        Ok(())
    }

    pub(crate) fn next(&mut self, path: &str) -> Option<Fault> {
        let at = self.0.iter().position(|waiting| waiting.path == path)?;
        self.0.remove(at).map(|waiting| waiting.fault)
    }

    pub(crate) fn waiting(&self) -> Vec<WaitingFault> {
        self.0.iter().cloned().collect()
    }

    /// Removes the faults that wait at `path`, or all; returns their number.
    pub(crate) fn take_back(&mut self, path: Option<&str>) -> usize {
        let before = self.0.len();
        self.0
            .retain(|waiting| path.is_some_and(|path| waiting.path != path));
        before - self.0.len()
    }
}

/// Marks an answer that must not be sent: the server resets the connection when it sees one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// An answer that is never sent. Another server sends the head and breaks off.
pub(crate) fn no_answer() -> Response {
    let mut response = Response::new(Body::new(Broken::new(Bytes::new())));
    response.extensions_mut().insert(NoAnswer);
    response
}

pub(crate) fn is_no_answer(response: &Response) -> bool {
    response.extensions().get::<NoAnswer>().is_some()
}

/// The answer with its body broken off after `keep` bytes.
pub(crate) fn truncated(head: http::response::Parts, bytes: &Bytes, keep: usize) -> Response {
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
    use super::*;

    fn at(path: &str, fault: Fault) -> WaitingFault {
        WaitingFault {
            path: path.to_owned(),
            fault,
        }
    }

    #[test]
    fn faults_wait_in_order_and_per_path() {
        let mut faults = Faults::default();
        for (path, fault) in [
            ("/a", Fault::Hang),
            ("/b", Fault::DropAnswer),
            ("/a", Fault::Reset),
        ] {
            assert_eq!(faults.enqueue(at(path, fault), true), Ok(()));
        }
        assert_eq!(faults.waiting().len(), 3);
        assert_eq!(faults.next("/a"), Some(Fault::Hang));
        assert_eq!(faults.next("/a"), Some(Fault::Reset));
        assert_eq!(faults.next("/a"), None);
        assert_eq!(faults.next("/b"), Some(Fault::DropAnswer));
        assert!(faults.0.is_empty());
    }

    #[test]
    fn they_can_be_taken_back() {
        let mut faults = Faults::default();
        for path in ["/a", "/b", "/a"] {
            assert_eq!(faults.enqueue(at(path, Fault::Hang), true), Ok(()));
        }
        assert_eq!(faults.take_back(Some("/a")), 2);
        assert_eq!(faults.waiting(), [at("/b", Fault::Hang)]);
        assert_eq!(faults.take_back(None), 1);
        assert_eq!(faults.waiting(), []);
    }

    #[test]
    fn only_so_many_wait() {
        let mut faults = Faults::default();
        for number in 0..MOST_FAULTS {
            let order = at(&format!("/{}", number % 7), Fault::Hang);
            assert_eq!(faults.enqueue(order, true), Ok(()));
        }
        assert_eq!(
            faults.enqueue(at("/a", Fault::Hang), true),
            Err(FaultRefused::Full)
        );
        assert!(faults.next("/0").is_some());
        assert_eq!(faults.enqueue(at("/a", Fault::Hang), true), Ok(()));
    }
}
