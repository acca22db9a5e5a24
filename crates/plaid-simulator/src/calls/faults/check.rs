//! Which faults can be met.

use std::time::Duration;

use http::HeaderValue;

use super::{Fault, WaitingFault};

/// Nobody waits longer for an answer: beyond it is a mistake, or `hang` is meant.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);
/// Longer bodies are refused: a thousand of them wait in memory.
const LONGEST_BODY: usize = 1024 * 1024;

/// Why a fault was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultRefused {
    /// 1,000 wait.
    #[error("1,000 faults wait already: call their paths, or DELETE /_simulator/faults")]
    Full,
    /// The path does not look like one.
    #[error("a path is written like /item/get: from its first slash on, with none at its end and no query")]
    Path,
    /// Nothing is answered there.
    #[error(
        "the simulator does not answer this path, so its call would never meet the fault: correct it. Only a fault of \
         kind body can stand in for a path that is missing here"
    )]
    UnknownPath,
    /// No error of Plaid's has this status.
    #[error("status of an error must be 400 to 599, or 208")]
    ErrorStatus,
    /// No answer can have this status.
    #[error("status of a body must be 200 to 599")]
    BodyStatus,
    /// HTTP has no body with this status.
    #[error("an answer with status 204, 205 or 304 has no body: leave bytes empty")]
    NoBody,
    /// It cannot be sent.
    #[error("content_type must be one line of visible text, like application/json")]
    ContentType,
    /// It is too long.
    #[error("bytes may be 1,048,576 at most")]
    LongBody,
    /// It is too long.
    #[error("milliseconds may be 3,600,000 at most: for no answer at all order kind hang")]
    LongDelay,
}

/// `is_answered`: whether the simulator answers the path.
pub(super) fn check(order: &WaitingFault, is_answered: bool) -> Result<(), FaultRefused> {
    if !is_path(&order.path) {
        return Err(FaultRefused::Path);
    }
    if !is_answered && !matches!(order.fault, Fault::Body { .. }) {
        return Err(FaultRefused::UnknownPath);
    }
    match &order.fault {
        Fault::Error { status, .. } if *status != 208 && !(400..=599).contains(status) => {
            Err(FaultRefused::ErrorStatus)
        }
        Fault::Body { status, .. } if !(200..=599).contains(status) => Err(FaultRefused::BodyStatus),
        Fault::Body { status, bytes, .. } if matches!(status, 204 | 205 | 304) && !bytes.is_empty() => {
            Err(FaultRefused::NoBody)
        }
        Fault::Body { bytes, .. } if bytes.len() > LONGEST_BODY => Err(FaultRefused::LongBody),
        Fault::Body { content_type, .. } if !is_header(content_type) => Err(FaultRefused::ContentType),
        Fault::Delay(duration) if *duration > LONGEST_DELAY => Err(FaultRefused::LongDelay),
        _ => Ok(()),
    }
}

/// Plaid's paths are words of small letters between slashes.
fn is_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|words| {
        words.split('/').all(|word| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            !word.is_empty() && word.bytes().all(fits)
        })
    })
}

fn is_header(text: &str) -> bool {
    !text.is_empty() && HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok())
}
