//! The token endpoint's errors, mapped once to RFC 6749 5.2. The body explains itself, because Kore.ai's "Test"
//! button shows it; what is our own fault stays in the log.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use thiserror::Error;

use super::client_auth::ClientAuthError;
use super::params::ParamsError;
use super::pkce::PkceError;
use crate::http::limits::TooMany;
use crate::plaid::{PlaidError, Verdict};
use crate::store::StoreError;

/// A token request that fails.
#[derive(Debug, Error)]
pub enum TokenError {
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A parameter is missing or contradicts another.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// A parameter that the grant needs. Holds its name.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Parameters are missing in the body, and the address has some.
    #[error("the parameters are in the address: send them in the body (RFC 6749 3.2)")]
    InQuery,
    /// A JSON object that is sent as a form.
    #[error(
        "the Content-Type says form (application/x-www-form-urlencoded) but the body is JSON: send application/json"
    )]
    JsonAsForm,
    /// A web page sent the request, and its origin is not one of the client's.
    #[error(
        "a web page of an origin that is not registered for this client sent this request: only a public client may \
             call from its own origin"
    )]
    OtherOrigin,
    /// The body is neither a form nor JSON.
    #[error("send the parameters as application/x-www-form-urlencoded or application/json")]
    ContentType,
    /// The body is larger than any token request.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    /// This client may not do this.
    #[error("{0}")]
    UnauthorizedClient(&'static str),
    #[error("use grant_type=authorization_code or grant_type=refresh_token")]
    GrantType,
    /// The code, refresh token or public token is not good.
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// Plaid said so: the token is bad, or the connection is dead.
    #[error("{description}")]
    PlaidSaidNo {
        description: &'static str,
        source: PlaidError,
    },
    /// Plaid could not be asked, or answered with an error.
    #[error(transparent)]
    Plaid(#[from] PlaidError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many requests of this client or address.
    #[error("too many requests; slow down")]
    TooMany(TooMany),
    /// Too much is under way at Plaid.
    #[error("too many exchanges are under way; try again shortly")]
    Busy,
    #[error("an exchange ended unexpectedly")]
    Task,
}

impl From<TooMany> for TokenError {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

/// The body of RFC 6749 5.2, with Plaid's words where Plaid spoke.
#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaid_error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaid_request_id: Option<&'a str>,
}

impl TokenError {
    /// The RFC's error code and the status it travels with.
    #[must_use]
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Params(_)
            | Self::InvalidRequest(_)
            | Self::Missing(_)
            | Self::InQuery
            | Self::JsonAsForm
            | Self::OtherOrigin
            | Self::Pkce(PkceError::Verifier) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "invalid_request"),
            Self::Client(ClientAuthError::TwoMethods | ClientAuthError::IdsDiffer) => {
                (StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::Client(_) => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::UnauthorizedClient(_) => (StatusCode::BAD_REQUEST, "unauthorized_client"),
            Self::GrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            Self::InvalidGrant(_) | Self::Pkce(_) | Self::PlaidSaidNo { .. } => {
                (StatusCode::BAD_REQUEST, "invalid_grant")
            }
            Self::Plaid(error) if error.verdict() == Verdict::Passing => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
            Self::Store(StoreError::Unavailable(_) | StoreError::Full) | Self::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
            Self::Plaid(_) | Self::Store(_) | Self::Task => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
            }
        }
    }

    /// What the client may read. Internal errors are reported without their cause.
    fn description(&self) -> String {
        match self {
            Self::Plaid(error) if error.verdict() == Verdict::Passing => {
                "Plaid is unreachable, slow or busy at the moment; try again shortly".to_owned()
            }
            Self::Plaid(_) => {
                "the broker's Plaid configuration is at fault; its operator finds the cause in its log"
                    .to_owned()
            }
            Self::Store(_) => {
                "the broker's store is at fault; its operator finds the cause in its log".to_owned()
            }
            other => other.to_string(),
        }
    }

    /// What was refused, in words of ours alone: nothing of them is what a stranger sent. `None`: nothing was refused,
    /// but could not be done.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Params(_) => Some("the parameters cannot be used".to_owned()),
            Self::Plaid(_) | Self::Store(_) | Self::Busy | Self::Task => None,
            fixed => Some(fixed.to_string()),
        }
    }

    fn plaid(&self) -> Option<&PlaidError> {
        match self {
            Self::Plaid(source) | Self::PlaidSaidNo { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Writes one line: at error level when the operator has to act.
    pub fn log(&self) {
        let (status, code) = self.code();
        match self {
            Self::Plaid(_) | Self::Store(_) if status != StatusCode::SERVICE_UNAVAILABLE => {
                tracing::error!(oauth.error = code, cause = %self, "token request failed by our own fault");
            }
            _ => tracing::info!(oauth.error = code, cause = %self, "token request refused"),
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        self.log();
        let (status, error) = self.code();
        // Configuration faults are the operator's: Plaid's words stay in the log.
        let api = self
            .plaid()
            .and_then(PlaidError::api)
            .filter(|_| error != "server_error");
        let body = Body {
            error,
            error_description: self.description(),
            plaid_error_code: api.map(|api| api.error_code.as_str()),
            plaid_request_id: api.and_then(|api| api.request_id.as_deref()),
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            // Whichever way was tried: RFC 6749 5.2 wants it after an Authorization header, RFC 9110 15.5.2 always.
            let challenge = HeaderValue::from_static("Basic realm=\"plaid-token-broker\", charset=\"UTF-8\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Self::TooMany(too_many) = &self {
            headers.insert(RETRY_AFTER, too_many.header());
        }
        // For the request log.
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
