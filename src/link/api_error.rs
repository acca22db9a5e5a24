//! Errors of the page's own calls: JSON with what the page shows and what it does next.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::http::body::BodyError;
use crate::http::limits::TooMany;
use crate::http::request_id;
use crate::plaid::connections::ExchangeError;
use crate::plaid::{PlaidError, Verdict};
use crate::store::StoreError;

/// A call of the page that fails.
#[derive(Debug, Error)]
pub enum PageCallError {
    /// Another site's page sent it.
    #[error("the request came from another site")]
    CrossSite,
    /// Cookie or handle is missing, wrong, of another browser, or forgotten.
    #[error("no authorization of this browser")]
    NoTransaction,
    /// It was completed, cancelled or abandoned, or ran out.
    #[error("the authorization is over")]
    Over,
    /// This authorization had as many link tokens as one gets.
    #[error("the authorization had too many link tokens")]
    TooManyLinkTokens,
    /// The client, or its redirect URI, was removed since the page was shown.
    #[error("the client's redirect URI is not registered any more")]
    CallbackRemoved,
    /// Not what our page sends.
    #[error("the request is not what the page sends: {0}")]
    BadRequest(&'static str),
    /// Link ended well, but without a public token: the products give no access to a bank.
    #[error("Link gave no public token")]
    NoToken,
    /// What was sent as a public token has not even the shape of one.
    #[error("not a public token")]
    NotAToken,
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The public token is not good (any more), or belongs to another client.
    #[error(transparent)]
    Exchange(ExchangeError),
    /// Plaid, while a link token was made.
    #[error(transparent)]
    Plaid(#[from] PlaidError),
    /// Too many calls of this address.
    #[error("too many requests")]
    TooMany(TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ExchangeError> for PageCallError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::NotOpen => Self::Over,
            ExchangeError::Plaid(error) => Self::Plaid(error),
            ExchangeError::Store(error) => Self::Store(error),
            other => Self::Exchange(other),
        }
    }
}

const CALLBACK_REMOVED: &str = "The application that sent you here, or its return address, was removed from this service, \
     so you cannot go back there from this page. Go back to the application yourself, and contact its support if this \
     happens again.";

/// What helps, in the words of `static/link.js`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Next {
    Retry,
    Restart,
    /// The page from its beginning.
    Reload,
    None,
}

impl PageCallError {
    #[must_use]
    pub fn code(&self) -> (StatusCode, &'static str) {
        let (status, error, _) = self.parts();
        (status, error)
    }

    fn parts(&self) -> (StatusCode, &'static str, Next) {
        use StatusCode as S;
        match self {
            Self::CrossSite => (S::FORBIDDEN, "cross_site", Next::None),
            Self::NoTransaction => (S::FORBIDDEN, "unknown_transaction", Next::Reload),
            Self::Over => (S::CONFLICT, "transaction_over", Next::Reload),
            Self::TooManyLinkTokens => (S::CONFLICT, "too_many_link_tokens", Next::Reload),
            Self::CallbackRemoved => (S::FORBIDDEN, "callback_removed", Next::None),
            Self::BadRequest(_) => (S::BAD_REQUEST, "bad_request", Next::Reload),
            Self::Body(BodyError::TooLarge) => (S::PAYLOAD_TOO_LARGE, "too_large", Next::None),
            Self::Body(_) => (S::REQUEST_TIMEOUT, "too_slow", Next::Retry),
            Self::Exchange(ExchangeError::Busy) => (S::SERVICE_UNAVAILABLE, "busy", Next::Retry),
            Self::NoToken => (S::UNPROCESSABLE_ENTITY, "no_token", Next::Restart),
            Self::TooMany(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", Next::Retry),
            Self::Plaid(error) if error.verdict() == Verdict::Passing => {
                (S::SERVICE_UNAVAILABLE, "temporarily_unavailable", Next::Retry)
            }
            Self::Exchange(ExchangeError::Task) | Self::Plaid(_) => {
                (S::INTERNAL_SERVER_ERROR, "server_error", Next::Retry)
            }
            Self::Exchange(_) | Self::NotAToken => (S::CONFLICT, "start_over", Next::Restart),
            Self::Store(_) => (S::SERVICE_UNAVAILABLE, "temporarily_unavailable", Next::Retry),
        }
    }

    fn message(&self) -> String {
        let text = match self {
            Self::CrossSite => "This request came from another site.",
            Self::NoTransaction => {
                "This page is out of date, or your browser does not keep this site's cookies."
            }
            Self::Over => "This page has expired or was used already.",
            Self::TooManyLinkTokens => "Plaid was opened from this page too many times.",
            Self::CallbackRemoved => CALLBACK_REMOVED,
            Self::BadRequest(what) => return format!("This page sent something odd: {what}."),
            Self::Body(BodyError::TooLarge) => "This page sent too much.",
            Self::Body(_) => "Your request did not arrive in time. Check your connection and try again.",
            Self::Exchange(ExchangeError::Task) => "Something went wrong on our side.",
            Self::Exchange(ExchangeError::Busy) => {
                "Another attempt is still under way. Please try again in a moment."
            }
            Self::NoToken => {
                "Plaid finished without giving access to a bank account. Please choose another bank or account."
            }
            Self::Exchange(_) | Self::NotAToken => {
                "Plaid did not accept the result of this login. Please connect your bank once more."
            }
            Self::TooMany(_) => {
                "Too many requests came from your network. Please wait a minute and try again."
            }
            Self::Plaid(error) => return plaid(error),
            Self::Store(_) => "The connection could not be saved. Nothing is lost: please try again.",
        };
        text.to_owned()
    }
}

/// Plaid's error code is shown, because "it does not open" without a cause is what people struggle with most.
fn plaid(error: &PlaidError) -> String {
    let text = match error.verdict() {
        Verdict::Passing => "Plaid cannot be reached at the moment. Please try again in a minute.",
        _ => "This service is not set up correctly; its operator finds the cause in its log.",
    };
    let code = error.api().map(|api| api.error_code.as_str());
    match code.filter(|code| is_code(code)) {
        Some(code) => format!("{text} (Plaid: {code})"),
        None => text.to_owned(),
    }
}

fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}

impl IntoResponse for PageCallError {
    fn into_response(self) -> Response {
        let (status, error, next) = self.parts();
        if status.is_server_error() {
            tracing::error!(error, cause = %self, "a call of the page failed");
        } else {
            tracing::info!(error, cause = %self, "a call of the page was refused");
        }
        let body = json!({
            "error": error,
            "message": self.message(),
            "next": next,
            "request_id": request_id::current(),
        });
        let mut response = (status, axum::Json(body)).into_response();
        if let Self::TooMany(too_many) = &self {
            response.headers_mut().insert(RETRY_AFTER, too_many.header());
        }
        // For the request log.
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
