//! What the layer knows of a request.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, StatusCode, Uri};

use super::RequestLog;
use crate::app::App;
use crate::clock::Timestamp;
use crate::oauth::facts::Facts;

/// Its entry is written when it is dropped.
pub(super) struct Observed {
    pub(super) app: App,
    pub(super) log: RequestLog,
    pub(super) facts: Facts,
    pub(super) is_route: bool,
    pub(super) address: Option<IpAddr>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) at: Timestamp,
    pub(super) request_id: String,
    pub(super) answer: Option<Answer>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Hold the error that was answered with.
    pub(super) extensions: Extensions,
}
