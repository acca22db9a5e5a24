//! `GET /setup/instance`: answers whether this is the broker that somebody means, see [`crate::doctor::identity_challenge`].

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::doctor::identity_challenge::{Challenge, Told};
use crate::http::client_ip::ArrivedByHttps;

/// The query of `GET /setup/instance`.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    challenge: String,
}

/// Answers a challenge. Tells strangers nothing that `/openapi.json` does not.
pub(super) async fn answer(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    by_https: Option<axum::Extension<ArrivedByHttps>>,
) -> Response {
    let challenge = asked
        .ok()
        .and_then(|Query(asked)| Challenge::read(&asked.challenge));
    let Some(challenge) = challenge else {
        let body = json!({
            "error": "invalid_request",
            "error_description": "challenge must be 32 random bytes as base64url without padding",
        });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    let told = Told {
        proof: challenge.proof(app.store.tokens()),
        https: by_https.is_some(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Json(told).into_response()
}
