//! JSON values and answers.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::Value;

pub(crate) fn response(status: StatusCode, body: &Value) -> Response {
    text_response(status, body.to_string())
}

pub(crate) fn text_response(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Body::from(body)).into_response()
}
