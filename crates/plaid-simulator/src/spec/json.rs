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

/// Sets one member of an object.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

/// The object with these members too (names with spaces between), which are null unless it has them.
pub(crate) fn with_nulls(mut object: Value, names: &str) -> Value {
    if let Some(object) = object.as_object_mut() {
        for name in names.split_whitespace() {
            object.entry(name).or_insert(Value::Null);
        }
    }
    object
}

/// A member that is text; empty without one.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
