//! What can go wrong with Plaid, and what it means for us.
//!
//! Decisions go by `error_code` and never by the HTTP status or the message, which Plaid may change
//! (<https://plaid.com/docs/errors/>).

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ApiError {
    /// `INVALID_INPUT`, `ITEM_ERROR` …
    #[serde(default)]
    pub error_type: String,
    #[serde(default)]
    pub error_code: String,
    #[serde(default)]
    pub error_message: String,
    /// For users; `None` when it is no matter of theirs.
    #[serde(default)]
    pub display_message: Option<String>,
    #[serde(default)]
    pub request_id: Option<String>,
    #[serde(skip)]
    pub status: u16,
    /// How long to wait before the next call (`Retry-After`, RFC 9110 10.2.3), if Plaid said.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// A call to Plaid that did not succeed. No text in here holds a token or a key.
#[derive(Clone, Debug, Error)]
pub enum PlaidError {
    #[error("Plaid refused: {} {} (request id {}): {}", .0.error_type, .0.error_code,
        .0.request_id.as_deref().unwrap_or("none"), .0.error_message)]
    Api(Box<ApiError>),
    /// The connection was never made: nothing happened at Plaid.
    #[error("Plaid could not be reached: {0}")]
    Unreachable(String),
    /// No whole answer in time: what happened at Plaid is unknown.
    #[error("Plaid did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The connection broke after the request was sent: what happened at Plaid is unknown.
    #[error("the connection to Plaid broke before its answer was complete")]
    Broken,
    /// An answer that is not Plaid's JSON (a proxy's page, a truncated body).
    #[error("an answer with status {status} that is not Plaid's JSON")]
    Malformed { status: u16 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Our keys, products or request are wrong: the operator has to act, the person cannot.
    Configuration,
    /// The token that was sent is not good (any more).
    BadToken,
    /// The Item needs its owner at the bank again, and comes back after that.
    LoginRequired,
    /// The Item is gone, or its owner took the permission back.
    Gone,
    /// Passing: down, slow, rate-limited, or an unreadable answer.
    Passing,
}

impl PlaidError {
    /// What this means for us; an unknown code of Plaid's is passing, since it may be new.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Api(error) => error.verdict(),
            _ => Verdict::Passing,
        }
    }

    /// Whether the call may have had its effect although we saw no success.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable(_) => false,
            Self::TimedOut(_) | Self::Broken | Self::Malformed { .. } => true,
            Self::Api(error) => error.status >= 500,
        }
    }

    /// Whether it was one call too many for Plaid's rate limits, or for those of a proxy on the way.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        match self {
            Self::Api(error) => error.status == 429 || error.error_type == "RATE_LIMIT_EXCEEDED",
            Self::Malformed { status } => *status == 429,
            _ => false,
        }
    }

    /// One word for it: Plaid's error code, or one of ours in lower case when Plaid did not speak.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match self {
            Self::Api(error) => &error.error_code,
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut(_) => "timed_out",
            Self::Broken => "broken",
            Self::Malformed { .. } => "malformed",
        }
    }

    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

impl ApiError {
    /// See [`PlaidError::verdict`]. The codes are those of <https://plaid.com/docs/errors/>.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.error_code.as_str() {
            "INVALID_PUBLIC_TOKEN" | "INVALID_ACCESS_TOKEN" | "INVALID_LINK_TOKEN" => Verdict::BadToken,
            "ITEM_LOGIN_REQUIRED" => Verdict::LoginRequired,
            "ITEM_NOT_FOUND" | "ITEM_CONCURRENTLY_DELETED" | "USER_PERMISSION_REVOKED" => Verdict::Gone,
            "INTERNAL_SERVER_ERROR" | "PLANNED_MAINTENANCE" => Verdict::Passing,
            _ if self.error_type == "INVALID_REQUEST" || self.error_type == "INVALID_INPUT" => {
                Verdict::Configuration
            }
            _ => Verdict::Passing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(error_type: &str, error_code: &str, status: u16) -> PlaidError {
        PlaidError::Api(Box::new(ApiError {
            error_type: error_type.to_owned(),
            error_code: error_code.to_owned(),
            status,
            ..ApiError::default()
        }))
    }

    #[test]
    fn verdicts_go_by_code_and_unknown_codes_are_passing() {
        for (error_type, code, verdict) in [
            ("INVALID_INPUT", "INVALID_API_KEYS", Verdict::Configuration),
            ("INVALID_REQUEST", "INVALID_FIELD", Verdict::Configuration),
            ("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", Verdict::BadToken),
            ("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", Verdict::LoginRequired),
            ("ITEM_ERROR", "ITEM_NOT_FOUND", Verdict::Gone),
            ("INVALID_INPUT", "USER_PERMISSION_REVOKED", Verdict::Gone),
            ("RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT", Verdict::Passing),
            ("API_ERROR", "INTERNAL_SERVER_ERROR", Verdict::Passing),
            ("SOMETHING_NEW", "NEVER_SEEN", Verdict::Passing),
        ] {
            assert_eq!(api(error_type, code, 400).verdict(), verdict, "{code}");
        }
        assert_eq!(PlaidError::Broken.verdict(), Verdict::Passing);
    }

    #[test]
    fn only_a_call_that_was_sent_can_have_had_an_effect() {
        assert!(!PlaidError::Unreachable(String::new()).outcome_unknown());
        assert!(PlaidError::Broken.outcome_unknown());
        assert!(PlaidError::TimedOut(Duration::from_secs(1)).outcome_unknown());
        assert!(PlaidError::Malformed { status: 200 }.outcome_unknown());
        assert!(api("API_ERROR", "INTERNAL_SERVER_ERROR", 500).outcome_unknown());
        assert!(!api("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", 400).outcome_unknown());
        assert!(!api("RATE_LIMIT_EXCEEDED", "RATE_LIMIT", 429).outcome_unknown());
    }
}
