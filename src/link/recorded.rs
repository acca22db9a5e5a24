//! The flow's entries in the record of requests.

use axum::response::Response;

use super::api_error::PageCallError;
use crate::app::App;
use crate::plaid::Verdict;
use crate::record::{Attempt, Endpoint};
use crate::store::model::{Authorization, Flow};

/// The entry of one of the page's calls; only those of an OAuth client are recorded.
pub(super) fn attempt(app: &App, endpoint: Endpoint, authorization: &Authorization) -> Attempt {
    match &authorization.flow {
        Flow::OAuth(request) => {
            let mut attempt = app.record.attempt(endpoint);
            attempt.client(&request.client_id);
            attempt
        }
        Flow::Browser => Attempt::unrecorded(),
    }
}

/// Finishes it, with these words where all went well.
pub(super) fn finish(attempt: Attempt, answer: &Result<Response, PageCallError>, words: &'static str) {
    match answer {
        Ok(response) => attempt.good(response.status(), words),
        Err(error) => failed(attempt, error),
    }
}

/// Finishes the entry of a call that failed.
pub(super) fn failed(attempt: Attempt, error: &PageCallError) {
    let (status, code) = error.code();
    let fix = match error {
        PageCallError::Plaid(error) if error.verdict() == Verdict::Configuration => Some(
            "Compare PLAID_CLIENT_ID, PLAID_SECRET, PLAID_ENV and PLAID_PRODUCTS with dashboard.plaid.com; the checks on \
             this page say more.",
        ),
        PageCallError::Over => Some("Begin once more: each authorization is good once and for four hours."),
        PageCallError::CallbackRemoved => Some(
            "If the callback should work, allow it again on this page, or put it back into PLAID_REDIRECT_URI or the clients \
             file.",
        ),
        _ => None,
    };
    attempt.refused(status, code, error.to_string(), fix.map(str::to_owned));
}
