//! Errors of the page's own calls: JSON that tells the page what to say and what helps.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;
use thiserror::Error;

use crate::connections::ExchangeError;
use crate::limits::TooMany;
use crate::middleware::body::BodyError;
use crate::middleware::request_id;
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
    /// The body.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The public token is not good (any more), or somebody else's.
    #[error(transparent)]
    Exchange(ExchangeError),
    /// Plaid, while a link token was made.
    #[error(transparent)]
    Plaid(#[from] PlaidError),
    /// Too many calls of this address.
    #[error("too many requests")]
    TooMany(TooMany),
    /// Our store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no session of the browser login flow.
    #[error("no session")]
    NoSession,
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
    /// The same call again.
    Retry,
    /// Link from its beginning.
    Restart,
    /// The page from its beginning.
    Reload,
    /// Nothing.
    None,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    message: String,
    next: Next,
    request_id: String,
}

impl PageCallError {
    /// The status and the error code.
    pub(super) fn code(&self) -> (StatusCode, &'static str) {
        let (status, error, ..) = self.parts();
        (status, error)
    }

    fn parts(&self) -> (StatusCode, &'static str, Next, String) {
        use StatusCode as S;
        let text = str::to_owned;
        match self {
            Self::CrossSite => (
                S::FORBIDDEN,
                "cross_site",
                Next::None,
                text("This request came from another site."),
            ),
            Self::NoTransaction => (
                S::FORBIDDEN,
                "unknown_transaction",
                Next::Reload,
                text("This page is out of date, or your browser does not keep this site's cookies."),
            ),
            Self::Over => (
                S::CONFLICT,
                "transaction_over",
                Next::Reload,
                text("This page has expired or was used already."),
            ),
            Self::TooManyLinkTokens => (
                S::CONFLICT,
                "too_many_link_tokens",
                Next::Reload,
                text("Plaid was opened from this page too many times."),
            ),
            Self::CallbackRemoved => (
                S::FORBIDDEN,
                "callback_removed",
                Next::None,
                text(CALLBACK_REMOVED),
            ),
            Self::BadRequest(what) => (
                S::BAD_REQUEST,
                "bad_request",
                Next::Reload,
                format!("This page sent something odd: {what}."),
            ),
            Self::Body(BodyError::TooLarge) => (
                S::PAYLOAD_TOO_LARGE,
                "too_large",
                Next::None,
                text("This page sent too much."),
            ),
            Self::Body(BodyError::TooSlow | BodyError::Broken) => (
                S::REQUEST_TIMEOUT,
                "too_slow",
                Next::Retry,
                text("Your request did not arrive in time. Check your connection and try again."),
            ),
            Self::Exchange(ExchangeError::Task) => (
                S::INTERNAL_SERVER_ERROR,
                "server_error",
                Next::Retry,
                text("Something went wrong on our side."),
            ),
            Self::Exchange(ExchangeError::Busy) => (
                S::SERVICE_UNAVAILABLE,
                "busy",
                Next::Retry,
                text("Another attempt is still under way. Please try again in a moment."),
            ),
            Self::NoToken => (
                S::UNPROCESSABLE_ENTITY,
                "no_token",
                Next::Restart,
                text(
                    "Plaid finished without giving access to a bank account. Please choose another bank or account.",
                ),
            ),
            Self::Exchange(_) | Self::NotAToken => (
                S::CONFLICT,
                "start_over",
                Next::Restart,
                text("Plaid did not accept the result of this login. Please connect your bank once more."),
            ),
            Self::TooMany(_) => (
                S::TOO_MANY_REQUESTS,
                "too_many_requests",
                Next::Retry,
                text("Too many requests came from your network. Please wait a minute and try again."),
            ),
            Self::Plaid(error) => plaid(error),
            Self::Store(_) => (
                S::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                Next::Retry,
                text("The connection could not be saved. Nothing is lost: please try again."),
            ),
            Self::NoSession => (
                S::UNAUTHORIZED,
                "no_session",
                Next::Reload,
                text("Connect a bank first, in this browser."),
            ),
        }
    }
}

/// Plaid's error code is shown, because "it does not open" without a cause is what people struggle with most.
fn plaid(error: &PlaidError) -> (StatusCode, &'static str, Next, String) {
    let code = error
        .api()
        .map(|api| api.error_code.as_str())
        .filter(|code| is_code(code));
    let told = code.map(|code| format!(" (Plaid: {code})")).unwrap_or_default();
    match error.verdict() {
        Verdict::Passing => (
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            Next::Retry,
            format!("Plaid cannot be reached at the moment. Please try again in a minute.{told}"),
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            Next::Retry,
            format!("This service is not set up correctly; its operator finds the cause in its log.{told}"),
        ),
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
        let (status, error, next, message) = self.parts();
        if status.is_server_error() {
            tracing::error!(error, cause = %self, "a call of the page failed");
        } else {
            tracing::info!(error, cause = %self, "a call of the page was refused");
        }
        let body = Body {
            error,
            message,
            next,
            request_id: request_id::current(),
        };
        let mut response = (status, axum::Json(body)).into_response();
        if let Self::TooMany(too_many) = &self {
            response.headers_mut().insert(RETRY_AFTER, too_many.header());
        }
        response
    }
}
