//! `GET /setup/instance`: proves which broker this is, see [`crate::doctor::identity_challenge`].

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::doctor::identity_challenge::{Challenge, Reply};
use crate::http::client_ip::ArrivedByHttps;

#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(default)]
    challenge: String,
}

/// Reveals nothing that `/openapi.json` does not.
pub(super) async fn answer(
    State(app): State<App>,
    query: Result<Query<Parameters>, QueryRejection>,
    by_https: Option<axum::Extension<ArrivedByHttps>>,
) -> Response {
    let challenge = query
        .ok()
        .and_then(|Query(query)| Challenge::parse(&query.challenge));
    let Some(challenge) = challenge else {
        let body = json!({
            "error": "invalid_request",
            "error_description": "challenge must be 32 random bytes as base64url without padding",
        });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    let reply = Reply {
        proof: challenge.proof(app.store.tokens()),
        https: by_https.is_some(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Json(reply).into_response()
}
