//! Error pages: what happened, what to do, and a request id.

use axum::response::Response;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};

use super::pages::{ErrorPage, PageEnvironment};
use super::request_id;
use super::{html, plain_policy};

pub struct Refusal {
    pub status: StatusCode,
    pub title: String,
    pub message: String,
    pub advice: Vec<String>,
}

#[must_use]
pub fn error_page(environment: PageEnvironment, root: &'static str, refusal: &Refusal) -> Response {
    let page = ErrorPage {
        root,
        title: refusal.title.clone(),
        message: refusal.message.clone(),
        advice: refusal.advice.clone(),
        request_id: request_id::current(),
        environment: Some(environment),
    };
    let mut response = html(root, &page, plain_policy());
    *response.status_mut() = refusal.status;
    response
}

impl Refusal {
    #[must_use]
    pub fn store_unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "The storage does not answer".to_owned(),
            message: "So nothing can be shown or changed at the moment.".to_owned(),
            advice: vec![
                "Try again in a minute.".to_owned(),
                "The log says what the storage says.".to_owned(),
            ],
        }
    }
}

/// Whether a browser asks for something to show, and not a program or a script for data.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|w| w == b"text/html"))
}

/// The way from a page at this path to the root of the site: relative, since a proxy may put a prefix before it.
#[must_use]
pub fn root_from(path: &str) -> &'static str {
    const ROOTS: [&str; 6] = [
        "./",
        "../",
        "../../",
        "../../../",
        "../../../../",
        "../../../../../",
    ];
    let depth = path.matches('/').count().saturating_sub(1);
    ROOTS.get(depth).copied().unwrap_or("/")
}
