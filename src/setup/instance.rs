//! "Is this you?": whether an address leads to this very broker. A challenge is answered with a MAC that only the store's
//! own key makes, so that another broker, or a proxy's friendly page, is told apart.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::middleware::peer::Peer;
use crate::store::tokens::TokenKey;
use crate::{random, secret};

/// Where it is asked.
pub const PATH: &str = "/setup/instance";
const CHALLENGE_BYTES: usize = 32;

/// 32 random bytes; a challenge is used once.
pub(super) struct Challenge([u8; CHALLENGE_BYTES]);

impl Challenge {
    pub(super) fn new() -> Self {
        Self(random::bytes())
    }

    /// The address that asks it of `base`, which has no slash at the end.
    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}{PATH}?challenge={}", URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Whether the answer is that of the broker with this key.
    pub(super) fn is_met(&self, tokens: &TokenKey, told: &Told) -> bool {
        URL_SAFE_NO_PAD
            .decode(&told.proof)
            .is_ok_and(|proof| secret::constant_time_eq(&proof, &tokens.prove(&self.0)))
    }
}

/// What a broker says of itself.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Told {
    proof: String,
    /// Whether the broker takes this request for one that came by https.
    pub(super) https: bool,
    pub(super) version: String,
}

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
    peer: Option<axum::Extension<Peer>>,
) -> Response {
    let challenge = asked
        .ok()
        .and_then(|Query(asked)| URL_SAFE_NO_PAD.decode(asked.challenge.as_bytes()).ok())
        .filter(|bytes| bytes.len() == CHALLENGE_BYTES);
    let Some(challenge) = challenge else {
        let body = json!({
            "error": "invalid_request",
            "error_description": "challenge must be 32 random bytes as base64url without padding",
        });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    let told = Told {
        proof: URL_SAFE_NO_PAD.encode(app.store.tokens().prove(&challenge)),
        https: peer.is_some_and(|peer| peer.https),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Json(told).into_response()
}
