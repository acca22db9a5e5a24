//! The JSON that controls accept, and their refusals.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A refusal: `{"error": "…"}`.
pub(super) fn refused(status: StatusCode, why: impl std::fmt::Display) -> Response {
    (status, Json(json!({"error": why.to_string()}))).into_response()
}

/// The JSON that a control takes.
pub(super) struct Order<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Order<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        match Json::from_request(request, state).await {
            Ok(Json(order)) => Ok(Self(order)),
            Err(rejection) => Err(explained(&rejection, &path)),
        }
    }
}

fn explained(rejection: &JsonRejection, path: &str) -> Response {
    let status = rejection.status();
    let form = super::form_of(path);
    let why = match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            format!("send JSON, with the header Content-Type: application/json. {form}")
        }
        JsonRejection::JsonSyntaxError(error) => format!("the body is not JSON ({}). {form}", cause(error)),
        JsonRejection::JsonDataError(error) => format!("{}. {form}", cause(error)),
        other => format!("{}. {form}", other.body_text()),
    };
    refused(status, why)
}

/// serde's own message, without the text around it.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The query that a control takes.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let form = super::form_of(parts.uri.path());
                Err(refused(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    format!("{}. {form}", cause(&rejection)),
                ))
            }
        }
    }
}
