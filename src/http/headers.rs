//! Headers that every answer carries unless its handler chose otherwise: nothing is cached, framed, sniffed, or sent as
//! a referrer (RFC 9700 4.2, 4.16). Over https, HSTS keeps browsers on https (RFC 6797).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::client_ip::ArrivedByHttps;

const HSTS: &str = "max-age=31536000";

const DEFAULTS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

pub async fn layer(request: Request, next: Next) -> Response {
    // Not for subdomains: other services of the operator's domain are not ours to decide on.
    let by_https = request.extensions().get::<ArrivedByHttps>().is_some();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if by_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    let framing_denied = headers
        .get(CONTENT_SECURITY_POLICY)
        .is_some_and(|policy| policy.as_bytes().ends_with(b"frame-ancestors 'none'"));
    if framing_denied {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}
