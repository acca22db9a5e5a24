//! Authorization server metadata (RFC 8414): exactly what is supported, so that clients can configure themselves.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use serde_json::json;

use super::scope;
use crate::app::App;
use crate::config::ClientKind;

pub async fn metadata(State(app): State<App>) -> Response {
    let issuer = &app.public_url;
    let snapshot = app.clients();
    let clients = snapshot.as_slice();
    let confidential = ["client_secret_basic", "client_secret_post"];
    let mut methods = confidential.to_vec();
    if clients
        .iter()
        .any(|client| matches!(client.kind, ClientKind::Public))
    {
        methods.push("none");
    }
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "scopes_supported": scope::names(&app.config.link.products),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": confidential,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": clients.iter().all(|client| client.send_iss),
    });
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    // Public, and the same for everybody: clients that run in a browser read it too.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
