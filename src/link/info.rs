//! `POST /api/info`: what the Quickstart's front end asks at its start, without the token that it used to give away.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::Serialize;

use super::session::{Session, SessionError};
use crate::app::App;
use crate::middleware::body;
use crate::oauth::scope;

/// Products, environment and the session's item; never a token.
#[derive(Serialize)]
pub struct Info {
    products: Vec<String>,
    environment: &'static str,
    item_id: Option<String>,
}

/// Tells what this broker asks Link for, and which Item this browser has connected.
pub async fn info(
    State(app): State<App>,
    session: Result<Session, SessionError>,
    body: Body,
) -> Result<Json<Info>, SessionError> {
    // Nothing in it counts; it is read for the sake of proxies (see `create_link_token`).
    let _ = body::read(body).await;
    let item_id = match session {
        Ok(Session(connection)) => Some(connection.item_id),
        Err(SessionError::None) => None,
        Err(error) => return Err(error),
    };
    Ok(Json(Info {
        products: scope::names(&app.config.link.products),
        environment: app.config.plaid.environment.name(),
        item_id,
    }))
}
