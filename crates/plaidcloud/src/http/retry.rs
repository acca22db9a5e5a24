//! When a request is sent again: only when the server certainly did not execute it, or when the method only reads.

use std::time::Duration;

use reqwest::StatusCode;

use crate::http::{Cause, TransportError};

/// The first one included.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
/// A server that wants to be left alone for longer is not waited for.
const LONGEST: u64 = 10;

/// How long to wait before the next attempt; `None`: there is none.
pub(crate) fn after_error(error: &TransportError, reads: bool, attempt: u32) -> Option<Duration> {
    let passes = match error.cause {
        Cause::Refused | Cause::Interrupted | Cause::Other(_) => true,
        // The first is slow enough once, and the others do not change within a second.
        Cause::TimedOut | Cause::Tls(_) | Cause::Unresolved => false,
    };
    (passes && (error.not_sent || reads))
        .then(|| pause(attempt))
        .flatten()
}

/// 429 refuses before anything is executed. The others may come after.
pub(crate) fn after_status(
    status: StatusCode,
    retry_after: Option<u64>,
    reads: bool,
    attempt: u32,
) -> Option<Duration> {
    match status.as_u16() {
        429 => {}
        500 | 502 | 503 | 504 if reads => {}
        _ => return None,
    }
    let pause = pause(attempt)?;
    match retry_after {
        Some(seconds) if seconds > LONGEST => None,
        Some(seconds) => Some(pause.max(Duration::from_secs(seconds))),
        None => Some(pause),
    }
}

fn pause(attempt: u32) -> Option<Duration> {
    (attempt < ATTEMPTS).then(|| PAUSE * 2_u32.pow(attempt.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cause: Cause, not_sent: bool) -> TransportError {
        let host = "h".to_owned();
        TransportError {
            host,
            cause,
            not_sent,
        }
    }

    #[test]
    fn a_request_that_may_have_been_executed_is_not_repeated() {
        let interrupted = error(Cause::Interrupted, false);
        assert_eq!(after_error(&interrupted, false, 1), None);
        assert!(after_error(&interrupted, true, 1).is_some());
        assert!(after_error(&error(Cause::Refused, true), false, 1).is_some());
        assert_eq!(after_error(&error(Cause::TimedOut, false), true, 1), None);
        for status in [500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(after_status(status, None, false, 1), None);
            assert!(after_status(status, None, true, 1).is_some());
        }
        assert!(after_status(StatusCode::TOO_MANY_REQUESTS, None, false, 1).is_some());
        assert_eq!(after_status(StatusCode::FORBIDDEN, None, true, 1), None);
    }

    #[test]
    fn attempts_and_waits_are_bounded() {
        let refused = error(Cause::Refused, true);
        let waits: Vec<_> = (1..=4)
            .map(|attempt| after_error(&refused, true, attempt))
            .collect();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(waits, [ms(200), ms(400), None, None]);
        let status = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(
            after_status(status, Some(2), false, 1),
            Some(Duration::from_secs(2))
        );
        assert_eq!(after_status(status, Some(60), false, 1), None);
    }
}
