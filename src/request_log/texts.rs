//! Texts that several explanations share.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The kinds of body that are kept by name; whatever else was sent is not kept.
const CONTENT_TYPES: [&str; 7] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data",
    "application/xml",
    "text/xml",
    "text/plain",
    "application/octet-stream",
];

/// What to do where a web page that is no public client calls an endpoint.
pub(super) const REGISTER_THE_PAGE: &str = "If this web page is a client of yours: register it in OAUTH_CLIENTS_FILE with public = true and a \
     redirect URI of its own origin. A client with a secret sends this request from its server.";

/// The kind of body by a fixed name.
pub(super) fn content_type(headers: &HeaderMap) -> &'static str {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return "none",
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return "two at once",
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let known = CONTENT_TYPES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(essence));
    known.unwrap_or("another")
}
